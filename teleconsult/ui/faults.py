"""What becomes of an error nobody expected: the person gets a reference, the log and the error report get the same one.

The text of an error is shown to nobody and never logged from here: it may quote what somebody typed.
"""

from __future__ import annotations

import re
import secrets
from typing import cast

import reflex as rx
from reflex.event import EventSpec

from teleconsult import privacy
from teleconsult.accounts.throttle import Window
from teleconsult.errors import Refusal
from teleconsult.ui.flash import Flash
from teleconsult.ui.guard import public

# 32-bit FNV-1a over code points (isthe.com/chongo/tech/comp/fnv), computed alike in the browser and here, so that the
# page can show a reference without a server and the report still carries the same one.
_OFFSET, _PRIME, _MASK = 0x811C9DC5, 0x01000193, 0xFFFFFFFF
REFERENCE_IN_BROWSER = (
    "('E-' + [...(event_args.error.name + ': ' + event_args.error.message + '\\n' + event_args.error.stack)]"
    f".reduce((hash, char) => Math.imul(hash ^ char.codePointAt(0), {_PRIME}) >>> 0, {_OFFSET})"
    ".toString(16).toUpperCase().padStart(8, '0').replace(/^..../, '$&-'))"
)
"""JavaScript for the reference of the error that React's boundary caught; `reference` is the same in Python."""

_KIND = re.compile(r"\w{1,40}(?=:)")
_PLACE = re.compile(r"/assets/([\w.-]{1,80}\.js:\d{1,7}:\d{1,7})")

_reports = Window(tries=5, seconds=60)


class Faults(rx.State):
    """Hears of errors in the browser."""

    @rx.event
    @public
    def report(self, text: str, components: str) -> None:  # noqa: ARG002 - what React's boundary hands over
        """Report the error by its reference, kind and place in our own scripts. Nothing else of it is kept."""
        if not _reports.take(self.router.session.client_token):
            return
        kind, places = _KIND.match(text), _PLACE.findall(text)
        what = {"error": kind.group() if kind else "Error", "where": places[0] if places else "unknown"}
        privacy.alert("page_broke", reference=reference(text), fingerprint=["page_broke", *what.values()], **what)


def reference(text: str) -> str:
    """The reference of a browser error from its name, message and stack: `E-48F2-19B7`."""
    value = _OFFSET
    for char in text:
        value = ((value ^ ord(char)) * _PRIME) & _MASK
    digits = f"{value:08X}"
    return f"E-{digits[:4]}-{digits[4:]}"


def answer(exception: Exception) -> EventSpec:
    """What a person sees when a handler raised: the refusal's own sentence, or that it is on us, with a reference."""
    if isinstance(exception, Refusal):
        return cast(EventSpec, Flash.push(exception.message, "error"))
    digits = secrets.token_hex(4).upper()
    told = f"E-{digits[:4]}-{digits[4:]}"
    privacy.capture(exception, reference=told)
    sentence = f"That didn’t work, and it is on us. Try again, or tell us this reference: {told}"
    return cast(EventSpec, Flash.push(sentence, "error"))
