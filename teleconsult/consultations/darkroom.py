"""Decode photos in a process of their own, one for each: a file that crashes a decoder ends that process and no other.

The decoders are C code fed by strangers; a HEIC of 2 KB is enough to bring one down by a segmentation fault. The child
gets the bytes and nothing else: no environment, so no keys and no database; no file it could write; a bounded memory
and time. It costs about 0.15 s a photo.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import structlog

from teleconsult.consultations import images
from teleconsult.consultations.images import CleanPhoto, NotAPhoto, TooBig, TooSmall
from teleconsult.errors import Refusal, Unavailable

COMMAND = (sys.executable, "-P", "-s", "-m", "teleconsult.consultations.darkroom")
WITHIN = 30.0
"""Seconds a photo may take in all; the slowest honest one takes 2 on a small machine."""
LIMITS = {
    resource.RLIMIT_CPU: 20,  # seconds
    resource.RLIMIT_AS: 2 * 1024**3,  # bytes: 50 megapixels with transparency need half of it
    resource.RLIMIT_FSIZE: 0,
    resource.RLIMIT_CORE: 0,  # a core dump would be the photo, on disk
}
_PACKAGE = Path(__file__).resolve().parents[2]
_REFUSALS: dict[str, type[NotAPhoto | TooBig | TooSmall]] = {kind.code: kind for kind in (NotAPhoto, TooBig, TooSmall)}

log = structlog.get_logger(__name__)


def develop(data: bytes) -> CleanPhoto:
    """`images.clean` at arm's length. Blocks for up to `WITHIN` seconds, so never on the event loop.

    Raises:
        TooBig, NotAPhoto, TooSmall: as `images.clean` does; a file that kills its decoder is no photo.
        Unavailable: it took too long, which may be the machine's fault.
    """
    if len(data) > images.MAX_BYTES:
        raise TooBig
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter with fixed arguments
            COMMAND,
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=WITHIN,
            check=False,
            cwd="/",
            env={"PYTHONPATH": str(_PACKAGE)},
        )
    except subprocess.TimeoutExpired:
        log.warning("photo_took_too_long", size=len(data))
        raise Unavailable("We couldn’t check this photo in time. Please try again.") from None
    if done.returncode:
        log.warning("photo_decoder_died", code=done.returncode, size=len(data))
        raise NotAPhoto
    return _read(done.stdout)


def _read(answer: bytes) -> CleanPhoto:
    head, _, body = answer.partition(b"\n")
    facts = json.loads(head)
    if "refused" in facts:
        raise _REFUSALS[facts["refused"]]
    size = facts.pop("jpeg")
    return CleanPhoto(jpeg=body[:size], thumbnail=body[size:], **facts)


def _answer(data: bytes) -> bytes:
    """One line of JSON, then the two JPEGs."""
    try:
        photo = images.clean(data)
    except Refusal as refusal:
        return json.dumps({"refused": refusal.code}).encode() + b"\n"
    facts = {"jpeg": len(photo.jpeg), "width": photo.width, "height": photo.height, "quality": photo.quality}
    return json.dumps(facts).encode() + b"\n" + photo.jpeg + photo.thumbnail


def main() -> None:  # pragma: no cover - runs in the child, which may write no file, so no measurement either
    """The child: bytes on standard input, answer on standard output."""
    for limit, value in LIMITS.items():
        resource.setrlimit(limit, (value, value))
    os.nice(5)  # people who type go first
    sys.stdout.buffer.write(_answer(sys.stdin.buffer.read()))


if __name__ == "__main__":
    main()
