"""The overview as things stand in the database, kept up to date while somebody looks at it, and its decisions."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import reflex as rx
import typing_extensions
from reflex.event import EventCallback, EventSpec

from teleconsult.accounts.sessions import SignedIn
from teleconsult.billing import desk
from teleconsult.billing.invariants import Violation
from teleconsult.billing.quarantine import Decision, Item
from teleconsult.errors import Conflict, NotFound, Refusal, SignInNeeded, Unavailable
from teleconsult.settings import get_settings
from teleconsult.ui import times
from teleconsult.ui.guard import allow, while_away
from teleconsult.ui.operations import decisions, words
from teleconsult.ui.operations.addresses import OVERVIEW
from teleconsult.ui.operations.decisions import Question, Result, Row
from teleconsult.ui.operations.following import follow
from teleconsult.ui.operations.words import Broken, Proof, Tile, Trouble
from teleconsult.ui.session import current

PROOF_LASTS = timedelta(minutes=5)
"""How old the check of the promises may be before it is made again: it reads whole tables."""

CHOOSE_REASON = "Choose why you put it aside."


class Answer(typing_extensions.TypedDict):  # the guard reads it with pydantic, which asks for this one
    """The form of the question."""

    reason: str | None
    """None where no reason is asked for: the field isn't there then."""


class Overview(rx.State):
    """What the page shows. `phase` is loading, ready or failed."""

    phase: rx.Field[str] = rx.field("loading")
    updated: rx.Field[str] = rx.field("")
    headline: rx.Field[str] = rx.field("")
    troubles: rx.Field[list[Trouble]] = rx.field(default_factory=list)
    tiles: rx.Field[list[Tile]] = rx.field(default_factory=list)
    waiting: rx.Field[list[Row]] = rx.field(default_factory=list)

    proof: rx.Field[Proof] = rx.field(default_factory=lambda: Proof(**words.UNPROVED))
    broken: rx.Field[list[Broken]] = rx.field(default_factory=list)
    checking: rx.Field[bool] = rx.field(False)

    question: rx.Field[Question] = rx.field(default_factory=lambda: Question(**decisions.NO_QUESTION))
    questions: rx.Field[int] = rx.field(0)
    """Moves with every question, which opens the dialog. 0 after an arrival: a reload asks nothing."""
    problem: rx.Field[str] = rx.field("")
    deciding: rx.Field[bool] = rx.field(False)
    result: rx.Field[Result] = rx.field(default_factory=lambda: Result(**decisions.NO_RESULT))
    results: rx.Field[int] = rx.field(0)
    """Moves with every result, which closes the dialog and takes the focus."""

    _visit: str = ""
    """Changes with every arrival, so that what an earlier one started comes to an end."""
    _seen: desk.Overview | None = None
    _chosen: Item | None = None
    _broken: tuple[Violation, ...] | None = None
    _proved: datetime | None = None

    @rx.event
    @allow("operator")
    async def load(self) -> EventCallback[()]:
        """Somebody arrives: show how things stand, and go on looking."""
        self._visit = uuid.uuid4().hex
        self.questions, self.deciding, self.checking = 0, False, False
        self.result, self.problem = Result(**decisions.NO_RESULT), ""
        who = await current(self)
        self._show(await _read(who), who.timezone)
        return Overview.watch(self._visit)

    @rx.event(background=True)
    @allow("operator")
    async def watch(self, visit: str) -> EventCallback[()] | None:
        """Follow the database until the page is left, the connection is gone or the session ends."""
        async with self:
            who = await current(self)
        await _prove(self, who, at_most_every=PROOF_LASTS)
        try:
            async for who in follow(self, visit, OVERVIEW):
                seen = await _read(who)
                async with self:
                    if visit == self._visit:
                        self._show(seen, who.timezone)
                await _prove(self, who, at_most_every=PROOF_LASTS)
        except SignInNeeded:
            return Overview.load  # which the guard answers with the way to sign in
        return None

    @rx.event(background=True)
    @allow("operator")
    async def check(self) -> None:
        """Check the promises now."""
        async with self:
            who = await current(self)
        await _prove(self, who)

    @rx.event
    @allow("operator")
    async def choose(self, act: str, item_id: str) -> None:
        """Ask before an act, unless it isn't possible any more."""
        item = next((one for one in self._seen.waiting if one.id == item_id), None) if self._seen else None
        if item is None or act not in item.acts:
            self._tell(decisions.decided_meanwhile(item))
            return
        self._chosen, self.problem = item, ""
        self.question = decisions.question(act, item, get_settings().answer_hours)
        self.questions += 1

    @rx.event
    @allow("operator")
    async def decide(self, form: Answer) -> AsyncGenerator[EventSpec | None]:
        """Do what was asked, say what came of it and show what is left. A second press of the button finds it done."""
        item, reason = self._chosen, form["reason"] or ""
        if item is None:
            if not self.result["title"]:
                self._tell(decisions.out_of_touch())
            return
        if self.question["act"] == decisions.ASIDE and reason not in decisions.DISMISSALS:
            self.problem = CHOOSE_REASON
            yield rx.set_focus("reason")
            return
        self.deciding, self.problem = True, ""
        yield
        who = await current(self)
        try:
            told = await _decide(who.user_id, self.question["act"], item, reason)
        finally:
            self.deciding, self._chosen = False, None
        self._show(await _read(who), who.timezone)
        self._tell(told)

    @rx.event
    @allow("operator")
    @while_away
    def leave(self) -> None:
        """The next visit begins afresh."""
        self.reset()

    def _tell(self, result: Result) -> None:
        self.result = result
        self.results += 1

    def _show(self, seen: desk.Overview | None, timezone: str) -> None:
        """None means that the database did not answer. Assigns only what differs: an assignment alone is sent."""
        if seen is None:
            self.phase = "failed"
            return
        self._seen = seen
        for name, value in _words(seen, self._broken, timezone).items():
            if getattr(self, name) != value:
                setattr(self, name, value)

    def _proven(self, broken: Sequence[Violation], timezone: str) -> None:
        self._proved, self._broken = datetime.now(UTC), tuple(broken)
        self.proof = words.proof(broken, times.clock(self._proved, timezone))
        self.broken = words.broken_ones(broken)
        if self._seen is not None:
            self.tiles = words.tiles(self._seen, broken)


async def _read(who: SignedIn) -> desk.Overview | None:
    try:
        return await asyncio.to_thread(desk.overview, who.user_id)
    except Unavailable:
        return None


def _words(seen: desk.Overview, broken: Sequence[Violation] | None, timezone: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    troubles = words.troubles(seen.pulse)
    return {
        "phase": "ready",
        "updated": times.clock(now, timezone),
        "headline": words.headline(len(troubles)),
        "troubles": troubles,
        "tiles": words.tiles(seen, broken),
        "waiting": [decisions.row(item, timezone, now) for item in seen.waiting],
    }


async def _prove(page: Overview, who: SignedIn, at_most_every: timedelta = timedelta()) -> None:
    """Check the promises, unless that is under way or was done not long ago. `page` is a background handler's self."""
    async with page:
        recent = page._proved is not None and datetime.now(UTC) - page._proved < at_most_every  # noqa: SLF001
        if page.checking or recent:
            return
        page.checking = True
    try:
        broken = await asyncio.to_thread(desk.proof, who.user_id)
    except Unavailable:
        broken = None
    async with page:
        page.checking = False
        if broken is not None:
            page._proven(broken, who.timezone)  # noqa: SLF001


async def _decide(operator_id: uuid.UUID, act: str, item: Item, reason: str) -> Result:
    try:
        return decisions.result(await asyncio.to_thread(_act, operator_id, act, item, reason), item)
    except (Conflict, NotFound):
        return decisions.decided_meanwhile(item)
    except Unavailable:
        return decisions.unsure()
    except Refusal as refusal:
        return Result(title="Nothing was done", text=refusal.message, tone="danger")


def _act(operator_id: uuid.UUID, act: str, item: Item, reason: str) -> Decision:
    if act == decisions.ACCEPT:
        return desk.accept(operator_id, item.id)
    if act == decisions.RETURN:
        return desk.give_back(operator_id, item.id)
    return desk.put_aside(operator_id, item.id, reason)
