"""Passwords: which ones we take, and their argon2id hashes, two at a time.

Parameters are above the floor of OWASP's password storage sheet (19 MiB, two passes). One hash costs about 50 ms of a
core and 32 MiB, so a flood of sign-ins is a denial of service: beyond two at work and twenty in line we answer 503.
"""

from __future__ import annotations

import gzip
import threading
import unicodedata
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from teleconsult.errors import Unavailable

SHORTEST = 10
"""Characters of the shortest password we take. There is no rule of composition and no longest."""

AT_WORK, IN_LINE, PATIENCE = 2, 20, 8.0
"""Hashes computed at once, callers that may wait for their turn, and for how many seconds."""

_hasher = PasswordHasher(time_cost=2, memory_cost=32 * 1024, parallelism=1)
_turns = threading.BoundedSemaphore(AT_WORK)
_line = threading.BoundedSemaphore(AT_WORK + IN_LINE)

T = TypeVar("T")


def hash_password(password: str) -> str:
    """The argon2id hash to store, with its salt and parameters.

    Raises:
        Unavailable: too many people are signing in at this very moment.
    """
    return _in_turn(lambda: _hasher.hash(_normal(password)))


def verify(stored: str | None, password: str) -> bool:
    """Whether the password fits. Takes as long when there is no such account (`stored` is None).

    Raises:
        Unavailable: too many people are signing in at this very moment.
    """
    against = stored or _nobody()
    try:
        fits = _in_turn(lambda: _hasher.verify(against, _normal(password)))
    except (VerificationError, InvalidHashError):
        return False
    return fits and stored is not None


def outdated(stored: str) -> bool:
    """Whether the hash was made with weaker parameters than today's and should be made anew."""
    return _hasher.check_needs_rehash(stored)


def is_common(password: str, *personal: str) -> bool:
    """Whether a guesser would try it first.

    That is: it is in the list of common passwords, or one of them with digits and signs around it; it repeats three
    characters or fewer; it is a run like 9876543210; or it is the person's own name or e-mail address.
    """
    text = _normal(password).casefold()
    stem = text.strip("".join({char for char in text if not char.isalpha()}))
    own = {part for value in personal for part in (value.casefold(), value.casefold().split("@")[0]) if part}
    steps = {ord(b) - ord(a) for a, b in pairwise(text)}
    return bool({text, stem} & (_common() | own)) or len(set(text)) <= 3 or steps in ({1}, {-1})  # noqa: PLR2004


def _normal(password: str) -> str:
    """One form for characters that can be typed in several, as NIST SP 800-63B asks."""
    return unicodedata.normalize("NFKC", password)


@cache
def _common() -> frozenset[str]:
    """About 8,000 entries: every one of ten or more characters, and the most used shorter words as stems.

    Taken from the lists of Django (BSD) and zxcvbn (MIT). Shorter entries need no place: length refuses them.
    """
    packed = resources.files("teleconsult.accounts").joinpath("common-passwords.txt.gz").read_bytes()
    return frozenset(gzip.decompress(packed).decode().split())


@cache
def _nobody() -> str:
    """A hash that nothing fits in practice, so that an unknown account costs the same time."""
    return _hasher.hash("the password of nobody at all")


def _in_turn(work: Callable[[], T]) -> T:
    with _place_in_line():
        if not _turns.acquire(timeout=PATIENCE):
            raise _busy()
        try:
            return work()
        finally:
            _turns.release()


@contextmanager
def _place_in_line() -> Generator[None]:
    if not _line.acquire(blocking=False):
        raise _busy()
    try:
        yield
    finally:
        _line.release()


def _busy() -> Unavailable:
    return Unavailable("Many people are signing in right now. Please try again in a minute.", problem="busy")
