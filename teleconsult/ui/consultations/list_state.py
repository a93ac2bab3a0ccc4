"""The list of a patient's consultations, and the return from Stripe.

Stripe sends people back to `/consultations?payment=success&session_id=…`. The address is only a hint: it is read once
and cleaned, the row of the payment is looked up, Stripe is asked once if the webhook has not come yet, and from then
on the page follows the database until the payment is settled or the page is left.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeAlias

import reflex as rx

from teleconsult.billing import settle, views
from teleconsult.billing.views import Attempt, Case
from teleconsult.consultations import drafting
from teleconsult.errors import Unavailable
from teleconsult.ui import payments
from teleconsult.ui.consultations.banner import AWAITED, NONE, Banner, Return, banner
from teleconsult.ui.consultations.rows import Row, grouped
from teleconsult.ui.flash import Flash
from teleconsult.ui.guard import allow, public
from teleconsult.ui.session import current

HERE = "/consultations"
Next: TypeAlias = list[Any]  # events that follow, which Reflex gives no one type
SESSION_ID = re.compile(r"cs_[A-Za-z0-9_]{1,250}")
"""An id as Stripe makes them; its placeholder, when it was never filled in, is none."""

CLOSE_LOOKS, LOOKS = 30, 90
"""The page looks every second at first, then every ten seconds and asks Stripe again, and then no more."""

TOASTS = {
    "received": "Payment received",
    "unfinished": "Payment wasn’t finished",
    "declined": payments.WORDS["failed"].title,
    "bank": payments.WORDS["bank"].title,
    "checking": payments.WORDS["checking"].title,
    "twice": "You had paid already, so this payment is returned",
}
CONFIRMING = "We’re confirming your payment"


class Cases(rx.State):
    """What the page shows. `phase` is loading, ready, empty or error."""

    phase: rx.Field[str] = rx.field("loading")
    needs_you: rx.Field[list[Row]] = rx.field(default_factory=list)
    in_progress: rx.Field[list[Row]] = rx.field(default_factory=list)
    closed: rx.Field[list[Row]] = rx.field(default_factory=list)
    banner: rx.Field[Banner] = rx.field(default_factory=lambda: Banner(**NONE))

    _visit: str = ""
    """Changes with every arrival at the page, so that what an earlier one started comes to an end."""
    _looks: int = 0
    _back: Return | None = None
    _told: str | None = None
    """The toast that was shown last about the return from Stripe; None when nobody came back from there."""

    @rx.event
    @allow("patient")
    async def load(self) -> Next:
        """Somebody arrives: from Stripe, from another page, or by reloading."""
        if back := _returned(self.router.url.query_parameters):
            self._back, self._told = back, ""
            return [rx.redirect(HERE, replace=True)]  # which arrives here again, with a clean address
        self._visit, self._looks = uuid.uuid4().hex, 0
        await self._show()
        if self._told == "":
            return [Cases.confirm(self._visit)]
        return self._go_on()

    @rx.event(background=True)
    @allow("patient")
    async def confirm(self, visit: str) -> Next:
        """Ask Stripe about a payment our database doesn't know to be settled, without holding up the page."""
        async with self:
            back = self._back
            if visit != self._visit or back is None:
                return []
            who = await current(self)
        if back.outcome == "success":
            word = await asyncio.to_thread(settle.confirm, who.user_id, back.session_id)
            async with self:
                self._back = replace(back, still_open=word == "open")
        return [Cases.look(visit)]

    @rx.event
    @allow("patient")
    async def look(self, visit: str) -> Next:
        """Show what the database says now, and tell it when it is news."""
        if visit != self._visit:
            return []
        await self._show()
        return self._tell() + self._go_on()

    @rx.event(background=True)
    @allow("patient")
    async def wait(self, visit: str) -> Next:
        """The pause between two looks. Each look is an event of its own, so the session is checked each time."""
        async with self:
            self._looks += 1
            looks, over = self._looks, visit != self._visit
        if over or looks > LOOKS:
            return []
        if looks <= CLOSE_LOOKS:
            await asyncio.sleep(1)
            return [Cases.look(visit)]
        await asyncio.sleep(10)
        return [Cases.confirm(visit) if self._back else Cases.look(visit)]

    @rx.event
    @public
    def leave(self) -> None:
        """Nothing private stays behind in a page that is left, also by somebody who is signed out by now."""
        self.reset()

    async def _show(self) -> None:
        who = await current(self)
        try:
            cases, attempt = await asyncio.to_thread(_read, who.user_id, self._back)
        except Unavailable:
            self.phase = "error"
            return
        now = datetime.now(UTC)
        self.banner = banner(cases, self._back, attempt, who.timezone, now)
        awaited = attempt.consultation_id if attempt and self.banner["kind"] in AWAITED else None
        self.needs_you, self.in_progress, self.closed = grouped(cases, who.timezone, now, awaited)
        self.phase = "ready" if cases else "empty"

    def _go_on(self) -> Next:
        return [Cases.wait(self._visit)] if self.banner["kind"] in AWAITED else []

    def _tell(self) -> Next:
        cancelled = self._back is not None and self._back.outcome == "cancelled"
        words = TOASTS.get(self.banner["kind"], TOASTS["unfinished"] if cancelled else CONFIRMING)
        if self._told in (None, words):
            return []
        self._told = words
        return [Flash.push(words, "neutral" if self.banner["kind"] == "received" else "info")]


def _returned(query: Mapping[str, str]) -> Return | None:
    outcome = query.get("payment", "")
    if outcome not in ("success", "cancelled"):
        return None
    session_id = query.get("session_id", "")
    return Return(outcome, session_id if SESSION_ID.fullmatch(session_id) else "", datetime.now(UTC))


def _read(user_id: uuid.UUID, back: Return | None) -> tuple[list[Case], Attempt | None]:
    with drafting.reachable():
        attempt = views.attempt(user_id, back.session_id) if back else None
        return views.my_cases(user_id), attempt
