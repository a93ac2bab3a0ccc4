"""The queue as it stands in the database, kept up to date while somebody looks at it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime
from typing import Any, TypedDict

import reflex as rx
from reflex.event import EventCallback, EventSpec

from teleconsult.accounts import sessions
from teleconsult.accounts.sessions import SignedIn
from teleconsult.clinic import queue
from teleconsult.clinic.queue import QueueLine
from teleconsult.errors import Refusal, SignInNeeded, Unavailable
from teleconsult.ui.clinic import words
from teleconsult.ui.guard import allow, while_away
from teleconsult.ui.session import current

HERE = "/clinic"
MINE = f"{HERE}?show=mine"
POLL_SECONDS = 5
THUMBS = 3
"""Photos a line shows; the rest is a number."""


class Row(TypedDict):
    """A case in the list, in words."""

    id: str
    ref: str
    flag: str
    who: str
    place: str
    thumbs: list[str]
    more: str
    photos: str
    due: str
    tone: str
    icon: str


class OpenCase(TypedDict):
    """The claimed case that was touched last."""

    id: str
    ref: str
    text: str


NO_CASE = OpenCase(id="", ref="", text="")


class Queue(rx.State):
    """What the page shows. `phase` is loading, ready or failed; `show` is waiting or mine."""

    phase: rx.Field[str] = rx.field("loading")
    show: rx.Field[str] = rx.field("waiting")
    summary: rx.Field[str] = rx.field("")
    waiting: rx.Field[list[Row]] = rx.field(default_factory=list)
    mine: rx.Field[list[Row]] = rx.field(default_factory=list)
    waiting_count: rx.Field[int] = rx.field(0)
    open_case: rx.Field[OpenCase] = rx.field(default_factory=lambda: OpenCase(**NO_CASE))
    claiming: rx.Field[str] = rx.field("")
    """The case whose claim is under way."""
    missed: rx.Field[str] = rx.field("")
    """Why the last claim came to nothing."""

    _visit: str = ""
    """Changes with every arrival, so that what an earlier one started comes to an end."""

    @rx.event
    @allow("dermatologist")
    async def load(self) -> EventCallback[()]:
        """Somebody arrives: show the queue, and go on looking."""
        self._visit = uuid.uuid4().hex
        self.claiming = self.missed = ""
        self.show = "mine" if self.router.url.query_parameters.get("show") == "mine" else "waiting"
        self._show(await _read((await current(self)).user_id))
        return Queue.watch(self._visit)

    @rx.event(background=True)
    @allow("dermatologist")
    async def watch(self, visit: str) -> EventCallback[()] | None:
        """Follow the queue until the page is left, the connection is gone or the session ends.

        Reflex cancels what `on_load` started when the page changes or its socket closes. The checks here end it too,
        should that ever change, and notice a session that ended elsewhere.
        """
        while True:
            await asyncio.sleep(POLL_SECONDS)
            async with self:
                if visit != self._visit or self.router.url.path.rstrip("/") != HERE:
                    return None
                who = await current(self)
            try:
                seen = await _look_again(who)
            except SignInNeeded:
                return Queue.load  # which the guard answers with the way to sign in
            async with self:
                if visit == self._visit:
                    self._show(seen)

    @rx.event
    @allow("dermatologist")
    async def claim(self, case_id: uuid.UUID) -> AsyncGenerator[EventSpec | None]:
        """Take a case and open it; if somebody was faster, say so and show what is left."""
        self.claiming, self.missed = str(case_id), ""
        yield
        who = await current(self)
        try:
            await asyncio.to_thread(queue.claim, who.user_id, case_id)
            yield rx.redirect(f"{HERE}/{case_id}")
        except Refusal as refusal:
            self.missed = refusal.message
            self._show(await _read(who.user_id))
        finally:
            self.claiming = ""

    @rx.event
    @allow("dermatologist")
    @while_away
    def leave(self) -> None:
        """Nothing of a patient stays behind in a page that is left."""
        self.reset()

    def _show(self, seen: queue.Queue | None) -> None:
        """None means that the database did not answer. Assigns only what differs: an assignment alone is sent."""
        for name, value in (_words(seen) if seen else {"phase": "failed"}).items():
            if getattr(self, name) != value:
                setattr(self, name, value)


async def _look_again(who: SignedIn) -> queue.Queue | None:
    try:
        alive = await asyncio.to_thread(sessions.alive, who.session_id)
    except Unavailable:
        return None
    if not alive:
        raise SignInNeeded("Please sign in again.")
    return await _read(who.user_id)


async def _read(doctor_id: uuid.UUID) -> queue.Queue | None:
    try:
        return await asyncio.to_thread(queue.queue, doctor_id)
    except Unavailable:
        return None


def _words(seen: queue.Queue) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "phase": "ready",
        "summary": words.waiting(seen.waiting_count, seen.oldest, now),
        "waiting": [_row(line, now) for line in seen.waiting],
        "mine": [_row(line, now) for line in seen.mine],
        "waiting_count": seen.waiting_count,
        "open_case": _open_case(seen.mine, now),
    }


def _open_case(mine: Sequence[QueueLine], now: datetime) -> OpenCase:
    if not mine:
        return OpenCase(**NO_CASE)
    latest = max(mine, key=lambda line: line.claimed_at or now)
    return OpenCase(id=str(latest.id), ref=latest.ref, text=words.claimed(latest.claimed_at, now))


def _row(line: QueueLine, now: datetime) -> Row:
    badge = words.due(line.due_at, now)
    count, more = len(line.photos), len(line.photos) - THUMBS
    return Row(
        id=str(line.id),
        ref=line.ref,
        flag=line.flag,
        who=line.who,
        place=line.place,
        thumbs=[f"/api/photos/{photo_id}?size=thumb" for photo_id in line.photos[:THUMBS]],
        more=f"+{more}" if more > 0 else "",
        photos=f"{count} photo" if count == 1 else f"{count} photos",
        due=badge.text,
        tone=badge.tone,
        icon=badge.icon,
    )
