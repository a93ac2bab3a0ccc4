"""A short confirmation at the bottom of the page, sent by any handler: `yield Flash.push("Draft discarded")`.

It needs neither a library nor eval, so the content policy can stay strict. Money and next steps never go here: they
are callouts that stay (`parts.messages.callout`).
"""

from __future__ import annotations

import reflex as rx

from teleconsult.ui.guard import public
from teleconsult.ui.parts.messages import toast_host

LONGEST = 200
"""Characters of a message. A longer one belongs on the page."""


class Flash(rx.State):
    """The message on show. A new one replaces the old one."""

    text: rx.Field[str] = rx.field("")
    tone: rx.Field[str] = rx.field("neutral")
    count: rx.Field[int] = rx.field(0)

    @rx.event
    @public
    def push(self, text: str, tone: str = "neutral") -> None:
        """Show `text`, with a tick unless the tone is `info`. With tone `error` it stays until it is dismissed."""
        self.text, self.tone, self.count = text[:LONGEST], tone, self.count + 1

    @rx.event
    @public
    def shown(self) -> None:
        """Take the message away."""
        self.text = ""


def flash_host() -> rx.Component:
    """The live region. It stands once around all pages, so that a change of view leaves a message alone."""
    return toast_host(Flash.text, Flash.tone, on_close=Flash.shown, key=Flash.count.to_string())
