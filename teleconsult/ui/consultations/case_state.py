"""One consultation on the screen. It lives in the page's state only while the page is open."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import fields

import reflex as rx

from teleconsult.errors import NotFound
from teleconsult.ui.answer import NO_WORDS, Words
from teleconsult.ui.consultations.sheet import Fact, Picture, Section, Sheet, read
from teleconsult.ui.guard import allow, public
from teleconsult.ui.session import current
from teleconsult.ui.shell import START


class CasePage(rx.State):
    """What the page shows. `phase` is loading, ready or gone; gone is all there is for what is absent or not yours."""

    phase: rx.Field[str] = rx.field("loading")
    site: rx.Field[str] = rx.field("")
    ref: rx.Field[str] = rx.field("")
    status: rx.Field[str] = rx.field("")
    patient: rx.Field[str] = rx.field("")
    due: rx.Field[str] = rx.field("")
    late: rx.Field[bool] = rx.field(False)
    doctor: rx.Field[str] = rx.field("")
    credentials: rx.Field[str] = rx.field("")
    since: rx.Field[str] = rx.field("")
    closing: rx.Field[str] = rx.field("")
    moments: rx.Field[list[dict[str, str]]] = rx.field(default_factory=list)
    notice_title: rx.Field[str] = rx.field("")
    notice: rx.Field[str] = rx.field("")
    payment: rx.Field[list[Fact]] = rx.field(default_factory=list)
    money: rx.Field[list[dict[str, str]]] = rx.field(default_factory=list)
    photos: rx.Field[list[Picture]] = rx.field(default_factory=list)
    sections: rx.Field[list[Section]] = rx.field(default_factory=list)
    words: rx.Field[Words] = rx.field(default_factory=lambda: Words(**NO_WORDS))

    @rx.event
    @allow("patient")
    async def load(self) -> rx.event.EventSpec | None:
        """Somebody opens the address of a consultation, whoever's it is."""
        self.reset()
        who = await current(self)
        named = self.router.url.path.rstrip("/").rpartition("/")[2]
        if named == "new":
            return rx.redirect(START, replace=True)
        try:
            sheet = await asyncio.to_thread(read, who.user_id, _id(named), who.name, who.timezone)
        except NotFound:
            self.phase = "gone"
            return None
        if sheet.elsewhere:
            return rx.redirect(sheet.elsewhere, replace=True)
        self._fill(sheet)
        return None

    @rx.event
    @public
    def leave(self) -> None:
        """Nothing private stays behind in a page that is left, also by somebody who is signed out by now."""
        self.reset()

    def _fill(self, sheet: Sheet) -> None:
        for shown in fields(sheet):
            if shown.name != "elsewhere":
                setattr(self, shown.name, getattr(sheet, shown.name))
        self.phase = "ready"


def _id(text: str) -> uuid.UUID:
    """The id in an address. What is no id names a consultation that doesn't exist."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.UUID(int=0)
