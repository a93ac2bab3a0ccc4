"""Settings: the profile, the way to Stripe's billing page, and what somebody has agreed to."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias, TypedDict

import reflex as rx
import typing_extensions

from teleconsult.accounts.models import Role
from teleconsult.accounts.profile import Profile, profile, save_profile, zones
from teleconsult.billing import portal, views
from teleconsult.billing.views import Receipt
from teleconsult.consultations.consents import Given, given_by
from teleconsult.errors import Invalid, Refusal
from teleconsult.ui import times
from teleconsult.ui.flash import Flash
from teleconsult.ui.guard import allow, public, signed_in
from teleconsult.ui.session import current

HERE = "/settings"
Next: TypeAlias = list[Any]  # events that follow, which Reflex gives no one type


class Agreed(TypedDict):
    """The consents of one consultation."""

    title: str
    texts: list[str]


class ProfileChange(typing_extensions.TypedDict):  # the guard reads it with pydantic, which asks for this one
    """The profile's form."""

    name: str | None
    """None where it can't be changed: the field isn't there then."""
    timezone: str


class Account(rx.State):
    """The profile and the consents. `phase` is loading or ready."""

    phase: rx.Field[str] = rx.field("loading")
    name: rx.Field[str] = rx.field("")
    email: rx.Field[str] = rx.field("")
    timezone: rx.Field[str] = rx.field("")
    timezone_listed: rx.Field[bool] = rx.field(True)
    there: rx.Field[str] = rx.field("")
    """The time of day in the saved zone."""
    credentials: rx.Field[str] = rx.field("")
    problems: rx.Field[dict[str, str]] = rx.field(default_factory=dict)
    saving: rx.Field[bool] = rx.field(False)
    agreed: rx.Field[list[Agreed]] = rx.field(default_factory=list)

    @rx.event
    @signed_in
    async def load(self) -> None:
        """Somebody opens Settings."""
        who = await current(self)
        mine, consents = await asyncio.to_thread(lambda: (profile(who.user_id), given_by(who.user_id)))
        self._fill(mine)
        self.agreed = _agreed(consents, mine.timezone)
        self.problems, self.saving, self.phase = {}, False, "ready"

    @rx.event
    @signed_in
    async def save(self, form: ProfileChange) -> Any:
        """Keep name and time zone. The next event shows the new name everywhere."""
        self.saving = True
        yield
        who = await current(self)
        try:
            mine = await asyncio.to_thread(save_profile, who.user_id, form["name"] or "", form["timezone"])
        except Invalid as invalid:
            self.problems, self.saving = invalid.problems, False
            yield rx.set_focus(next(iter(invalid.problems)))
            return
        self._fill(mine)
        self.problems, self.saving = {}, False
        yield Flash.push("Profile saved")

    @rx.event
    @public
    def leave(self) -> None:
        """Nothing private stays behind in a page that is left, also by somebody who is signed out by now."""
        self.reset()

    def _fill(self, mine: Profile) -> None:
        self.name, self.email, self.timezone = mine.name, mine.email, mine.timezone
        self.credentials = mine.credentials
        self.timezone_listed = any(mine.timezone in names for names in zones().values())
        self.there = times.clock(datetime.now(UTC), mine.timezone)


class Billing(rx.State):
    """The way to Stripe. `phase` is loading, none (nothing to manage yet), ready, or staff (who pay nothing)."""

    phase: rx.Field[str] = rx.field("loading")
    amount: rx.Field[str] = rx.field("")
    paid_on: rx.Field[str] = rx.field("")
    opening: rx.Field[bool] = rx.field(False)
    problem: rx.Field[str] = rx.field("")
    back: rx.Field[bool] = rx.field(False)

    @rx.event
    @signed_in
    async def load(self) -> Next:
        """Somebody opens Settings, perhaps coming back from Stripe."""
        who = await current(self)
        if who.role != Role.PATIENT:
            self.phase = "staff"
            return []
        if self.router.url.query_parameters.get("billing") == "back":
            self.back = True
            return [rx.redirect(HERE, replace=True)]  # which arrives here again, with a clean address
        seen = await asyncio.to_thread(_read, who.user_id)
        self.amount = seen.last.amount if seen.last else ""
        self.paid_on = times.day(seen.last.paid_at, who.timezone) if seen.last and seen.last.paid_at else ""
        self.opening, self.problem = False, ""
        self.phase = "ready" if seen.customer else "none"
        return []

    @rx.event(background=True)
    @allow("patient")
    async def manage(self) -> Next:
        """Make a link to the portal and go there in the same tab. Two presses open one."""
        async with self:
            if self.opening:
                return []
            self.opening, self.problem, self.back = True, "", False
            who = await current(self)
        try:
            url = await asyncio.to_thread(portal.open_portal, who.user_id)
        except Refusal as refusal:
            async with self:
                self.opening, self.problem = False, refusal.message
            return []
        return [rx.redirect(url)]

    @rx.event
    @public
    def leave(self) -> None:
        """The next visit begins afresh."""
        self.reset()


@dataclass(frozen=True)
class _Paid:
    customer: bool
    last: Receipt | None


def _read(user_id: uuid.UUID) -> _Paid:
    return _Paid(views.has_customer(user_id), views.last_payment(user_id))


def _agreed(consents: Iterable[Given], timezone: str) -> list[Agreed]:
    """One entry for each consultation, latest first: its reference and the time, then what was agreed to, in order."""
    by_ref: dict[str, list[Given]] = {}
    for given in consents:
        by_ref.setdefault(given.ref, []).insert(0, given)
    return [
        Agreed(title=f"{ref}, {times.full(given[-1].given_at, timezone)}", texts=[one.text for one in given])
        for ref, given in by_ref.items()
    ]
