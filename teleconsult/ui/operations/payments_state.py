"""The story of one payment, found by any of its names, kept up to date; and returning money of it."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import reflex as rx
import typing_extensions
from reflex.event import EventCallback, EventSpec

from teleconsult.accounts.sessions import SignedIn
from teleconsult.billing import desk
from teleconsult.billing.rules import money
from teleconsult.billing.story import Attempt, Story
from teleconsult.errors import Invalid, NotFound, Refusal, SignInNeeded, Unavailable
from teleconsult.ui.guard import allow, while_away
from teleconsult.ui.operations import addresses, refunding
from teleconsult.ui.operations.addresses import PAYMENTS
from teleconsult.ui.operations.casefile import NO_FILE, CaseFile, case_file
from teleconsult.ui.operations.decisions import NO_RESULT, Result
from teleconsult.ui.operations.following import follow
from teleconsult.ui.operations.refunding import NO_PROBLEMS, NO_REFUND, RefundForm, RefundQuestion
from teleconsult.ui.session import current

NO_NAME = "That is no name of a payment."
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,119}")


class Wanted(typing_extensions.TypedDict):  # the guard reads it with pydantic, which asks for this one
    """The search form."""

    ref: str


class Payments(rx.State):
    """What the page shows. `phase` is loading, idle (nothing asked for), found, unknown or failed."""

    phase: rx.Field[str] = rx.field("loading")
    asked: rx.Field[str] = rx.field("")
    """What is shown, or was looked for."""
    problem: rx.Field[str] = rx.field("")
    file: rx.Field[CaseFile] = rx.field(default_factory=lambda: CaseFile(**NO_FILE))

    question: rx.Field[RefundQuestion] = rx.field(default_factory=lambda: RefundQuestion(**NO_REFUND))
    questions: rx.Field[int] = rx.field(0)
    """Moves with every question, which opens the dialog. 0 after an arrival: a reload asks nothing."""
    problems: rx.Field[dict[str, str]] = rx.field(default_factory=lambda: dict(NO_PROBLEMS))
    refunding: rx.Field[bool] = rx.field(False)
    result: rx.Field[Result] = rx.field(default_factory=lambda: Result(**NO_RESULT))
    results: rx.Field[int] = rx.field(0)
    """Moves with every result, which closes the dialog and takes the focus."""

    _visit: str = ""
    """Changes with every arrival, so that what an earlier one started comes to an end."""
    _story: Story | None = None
    _chosen: uuid.UUID | None = None

    @rx.var(cache=False)
    def fits(self) -> bool:
        """Whether what is shown is what the address asks for: a new document gets the old state before it is loaded."""
        return self._wanted() == self.asked

    @rx.event
    @allow("operator")
    async def load(self) -> EventCallback[()] | None:
        """Somebody arrives, perhaps asking for something in the address."""
        self._visit = uuid.uuid4().hex
        self.questions, self.refunding, self.problem, self.result = 0, False, "", Result(**NO_RESULT)
        if self._wanted() != self.asked:
            self._forget()
        self.asked = self._wanted()
        if not self.asked:
            self.phase = "idle"
            return None
        await self._look(await current(self))
        return Payments.watch(self._visit)

    @rx.event(background=True)
    @allow("operator")
    async def watch(self, visit: str) -> EventCallback[()] | None:
        """Follow the story until the page is left, the connection is gone or the session ends."""
        try:
            async for who in follow(self, visit, PAYMENTS):
                async with self:
                    asked = self.asked
                phase, found = await _read(who, asked)
                async with self:
                    if visit == self._visit:
                        self._fill(phase, found, who.timezone)
        except SignInNeeded:
            return Payments.load  # which the guard answers with the way to sign in
        return None

    @rx.event
    @allow("operator")
    async def search(self, form: Wanted) -> Any:
        """Go to what was asked for. Only what looks like a name of ours or of Stripe's gets into an address."""
        name = _name(form["ref"])
        self.problem = NO_NAME if form["ref"].strip() and not name else ""
        if self.problem:
            return rx.set_focus("ref")
        if name and name == self.asked:
            return Payments.load
        return rx.redirect(addresses.payment(name) if name else PAYMENTS)

    @rx.event
    @allow("operator")
    async def ask(self, payment_id: uuid.UUID) -> None:
        """Open the form that returns money of one attempt."""
        found = self._attempt(payment_id)
        if self._story is None or found is None or found.left_minor <= 0:
            return
        self._chosen, self.problems = payment_id, dict(NO_PROBLEMS)
        self.question = refunding.question(self._story, found)
        self.questions += 1

    @rx.event
    @allow("operator")
    async def refund(self, form: RefundForm) -> AsyncGenerator[EventSpec | None]:
        """Return the money, say what came of it and show the story as it is then."""
        chosen = self._attempt(self._chosen) if self._chosen else None
        if chosen is None or self._story is None:
            if not self.result["title"]:
                self._tell(refunding.out_of_touch())
            return
        try:
            amount = refunding.read(form, chosen, self._story.ref)
        except Invalid as invalid:
            yield self._complain(invalid.problems)
            return
        self.refunding, self.problems = True, dict(NO_PROBLEMS)
        yield
        who = await current(self)
        try:
            await asyncio.to_thread(desk.refund, who.user_id, chosen.id, amount, form["reason"])
            told = refunding.done(money(amount, chosen.currency))
        except Invalid as invalid:
            await self._look(who)
            yield self._complain(invalid.problems)
            return
        except Unavailable:
            told = refunding.unsure()
        except Refusal as refusal:
            told = refunding.refused(refusal.message)
        finally:
            self.refunding = False
        self._chosen = None
        await self._look(who)
        self._tell(told)

    @rx.event
    @allow("operator")
    @while_away
    def leave(self) -> None:
        """The next visit begins afresh."""
        self.reset()

    def _wanted(self) -> str:
        return _name(self.router.url.query_parameters.get("ref", ""))

    def _attempt(self, payment_id: uuid.UUID) -> Attempt | None:
        attempts = self._story.attempts if self._story else ()
        return next((attempt for attempt in attempts if attempt.id == payment_id), None)

    def _complain(self, problems: Mapping[str, str]) -> EventSpec:
        self.problems = {**NO_PROBLEMS, **problems}
        return rx.set_focus(next(iter(problems)))

    def _tell(self, result: Result) -> None:
        self.result = result
        self.results += 1

    def _forget(self) -> None:
        self._story, self._chosen, self.file = None, None, CaseFile(**NO_FILE)

    async def _look(self, who: SignedIn) -> None:
        self._fill(*await _read(who, self.asked), who.timezone)

    def _fill(self, phase: str, found: Story | None, timezone: str) -> None:
        """Assigns only what differs: an assignment alone is sent. While the database is away the last story stays."""
        if phase == "unknown":
            self._forget()
        elif found is not None:
            self._story, file = found, case_file(found, timezone)
            if file != self.file:
                self.file = file
        if phase != self.phase:
            self.phase = phase


async def _read(who: SignedIn, name: str) -> tuple[str, Story | None]:
    """The phase that follows from asking for this name, and the story."""
    try:
        return "found", await asyncio.to_thread(desk.story, who.user_id, name)
    except NotFound:
        return "unknown", None
    except Unavailable:
        return "failed", None


def _name(raw: str) -> str:
    """A name as it may stand in an address, or "": never what somebody typed about a person."""
    name = raw.strip()
    return name if _NAME.fullmatch(name) else ""
