"""Decoding at arm's length: the same answers as in the process itself, and nothing of it can take us down."""

from __future__ import annotations

import os
import sys
import time

import pytest

from teleconsult.consultations import darkroom
from teleconsult.consultations.images import MAX_BYTES, NotAPhoto, TooBig, TooSmall, clean
from teleconsult.errors import Unavailable
from tests.consultations.pictures import SAMPLES, encoded, picture, png_claiming

GIGABYTE = 1024**3


def child(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """A child that runs the real limits, then `code` in place of the decoder."""
    start = "from teleconsult.consultations import darkroom; darkroom._answer = lambda data: {}; darkroom.main()"
    setup = f"import os, sys, time\ndef act():\n    {code}\n"
    monkeypatch.setattr(darkroom, "COMMAND", (sys.executable, "-c", setup + start.format("act()")))


def test_a_photo_comes_back_as_if_it_had_been_decoded_here() -> None:
    source = encoded(picture())
    assert darkroom.develop(source) == clean(source)
    assert darkroom.develop((SAMPLES / "upright-by-tag.heic").read_bytes()).height == 1200


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (b"", NotAPhoto),
        (b"<svg/>", NotAPhoto),
        (encoded(picture(300, 300)), TooSmall),
        (png_claiming(60_000, 60_000), TooBig),
        (bytes(MAX_BYTES + 1), TooBig),
    ],
)
def test_refusals_come_back_as_themselves(data: bytes, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        darkroom.develop(data)


def test_what_the_child_writes_is_what_we_read() -> None:
    source = encoded(picture())
    assert darkroom._read(darkroom._answer(source)) == clean(source)
    with pytest.raises(TooSmall):
        darkroom._read(darkroom._answer(encoded(picture(300, 300))))


@pytest.mark.parametrize(
    "death",
    [
        "os.abort()",
        "os.kill(os.getpid(), 11)",
        "raise KeyError",
        f"x = bytearray(4 * {GIGABYTE})",
        "open('/tmp/photo-left-behind', 'wb').write(b'x')",
    ],
)
def test_a_child_that_dies_is_a_file_that_is_no_photo(death: str, monkeypatch: pytest.MonkeyPatch) -> None:
    child(monkeypatch, death)
    with pytest.raises(NotAPhoto):
        darkroom.develop(b"x")


def test_a_child_that_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    child(monkeypatch, "time.sleep(60)")
    monkeypatch.setattr(darkroom, "WITHIN", 1.0)
    begun = time.monotonic()
    with pytest.raises(Unavailable, match="Please try again"):
        darkroom.develop(b"x")
    assert time.monotonic() - begun < 10


def test_the_child_knows_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_canary")
    child(monkeypatch, "sys.exit(0 if 'STRIPE_SECRET_KEY' in os.environ else 3)")
    with pytest.raises(NotAPhoto):  # it ended with 3: the key was not there
        darkroom.develop(b"x")
    assert "STRIPE_SECRET_KEY" in os.environ
