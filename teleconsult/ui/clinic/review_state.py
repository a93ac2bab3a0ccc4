"""A claimed case on show, and its answer: saved as it is written, previewed, signed.

The database is the truth and this state a cache of it. Inputs are uncontrolled, so the browser keeps what is typed.
Every event of the editor names its case, because it may arrive late: after a pause in typing, after a lost connection,
or when its page has been left. What could not be saved waits in `_unsaved` and is tried again until it is.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime

import reflex as rx
from reflex.event import EventCallback, EventSpec

from teleconsult.clinic import queue, rules, service
from teleconsult.clinic.rules import FIELD_NAMES, AnswerText
from teleconsult.clinic.service import CaseFile
from teleconsult.errors import Invalid, NotFound, Refusal, Unavailable
from teleconsult.ui import times
from teleconsult.ui.answer import NO_WORDS, Words
from teleconsult.ui.clinic import chart
from teleconsult.ui.clinic.chart import NO_CHART, Chart, Picture
from teleconsult.ui.clinic.queue_state import HERE
from teleconsult.ui.clinic.words import Fact, Group
from teleconsult.ui.flash import Flash
from teleconsult.ui.guard import allow, while_away
from teleconsult.ui.session import current

Then = EventSpec | EventCallback[()] | EventCallback[str] | None
Flow = AsyncGenerator[Then]

PATIENCE = (1, 2, 4, 8, 15, *[30] * 120)
"""Seconds before each try to save again: for an hour, as long as a claim lives without activity."""

NOT_SAVED = "We can’t save right now, so please wait a moment. What you wrote stays here, and we keep trying."
NOTHING = dict.fromkeys(FIELD_NAMES, "")


class Review(rx.State):
    """One case at a time. `phase` is loading, open, gone or down."""

    phase: rx.Field[str] = rx.field("loading")
    case_id: rx.Field[str] = rx.field("")
    chart: rx.Field[Chart] = rx.field(default_factory=lambda: Chart(**NO_CHART))
    facts: rx.Field[list[Fact]] = rx.field(default_factory=list)
    groups: rx.Field[list[Group]] = rx.field(default_factory=list)
    photos: rx.Field[list[Picture]] = rx.field(default_factory=list)
    written: rx.Field[dict[str, str]] = rx.field(default_factory=lambda: dict(NOTHING))
    """The answer as it was when the page opened: what its inputs begin with."""
    words: rx.Field[Words] = rx.field(default_factory=lambda: Words(**NO_WORDS))
    """The answer as the patient reads it, or would read it."""

    saving: rx.Field[str] = rx.field("")
    saved_at: rx.Field[str] = rx.field("")
    errors: rx.Field[dict[str, str]] = rx.field(default_factory=lambda: dict(NOTHING))
    summary: rx.Field[list[dict[str, str]]] = rx.field(default_factory=list)
    attempt: rx.Field[int] = rx.field(0)
    """Counts tries to sign that met problems: each time the focus moves to the summary."""
    notice: rx.Field[str] = rx.field("")
    previews: rx.Field[int] = rx.field(0)
    questions: rx.Field[int] = rx.field(0)
    """These two count: each time, their dialog opens."""
    leaving: rx.Field[str] = rx.field("")
    """`sign` or `release` while that is under way."""

    _text: dict[str, str] = {}  # noqa: RUF012 - Reflex copies the defaults of a state
    _seen: datetime | None = None
    """The version of the answer that this page has saved or read last."""
    _unsaved: dict[str, dict[str, str]] = {}  # noqa: RUF012 - the same
    _refused: dict[str, str] = {}  # noqa: RUF012 - the same
    """Fields that hold what can't be kept, and why."""
    _retrying: bool = False
    _prepared: bool = False

    # ── Coming and going ──────────────────────────────────────────────────────────────────────────

    @rx.event
    @allow("dermatologist")
    async def open(self) -> Flow:
        """Show the case at this address. Runs at every visit, and again after every lost connection."""
        if self.case_id not in ("", _at(self.router.url.path)):
            self._clear()
            yield  # the browser drops the other case's inputs before this one's appear
        if self._prepared:
            self._prepared = False
            return
        await self._load()

    @rx.event
    @allow("dermatologist")
    @while_away
    def leave(self) -> None:
        """Nothing of a patient stays behind in a page that is left, but what has not been saved yet."""
        self._clear()

    @rx.event
    @allow("dermatologist")
    async def release(self, case_id: uuid.UUID) -> Flow:
        """Give the case back. What is written stays with it."""
        if self._unsaved.get(str(case_id)):
            self.notice = NOT_SAVED
            return
        self.leaving, self.notice = "release", ""
        yield
        who = await current(self)
        try:
            await asyncio.to_thread(queue.release, who.user_id, case_id)
            yield rx.redirect(HERE)
            yield Flash.push(f"{self.chart['ref']} is back in the queue")
        except Refusal as refusal:
            self.notice = refusal.message
        finally:
            self.leaving = ""

    # ── Writing ───────────────────────────────────────────────────────────────────────────────────

    @rx.event
    @allow("dermatologist")
    @while_away
    async def keep(self, case_id: uuid.UUID, name: str, value: str) -> Flow:
        """One field was written."""
        if self._note(str(case_id), {name: value}):
            yield
            yield await self._save(str(case_id))

    @rx.event(background=True)
    @allow("dermatologist")
    @while_away
    async def retry(self) -> None:
        """Try to save what waits, until it is saved."""
        async with self:
            if self._retrying:
                return
            self._retrying, who = True, await current(self)
        for seconds in PATIENCE:
            await asyncio.sleep(seconds)
            async with self:
                waiting = {key: dict(fields) for key, fields in self._unsaved.items() if fields}
            for key, fields in waiting.items():
                came = await _try(who.user_id, key, fields)
                async with self:
                    self._learn(key, fields, came, who.timezone)
            async with self:
                if not any(self._unsaved.values()):
                    break
        async with self:
            self._retrying = False

    @rx.event
    @allow("dermatologist")
    def preview(self) -> None:
        """Show what the patient will read. Pressing the button has left the last field, and so saved it."""
        self._compose()
        self.previews += 1

    # ── Signing ───────────────────────────────────────────────────────────────────────────────────

    @rx.event
    @allow("dermatologist")
    @while_away
    async def ask(self, case_id: uuid.UUID, form: dict[str, str]) -> Flow:
        """Save all that stands in the editor; then the question before signing, or what is still missing."""
        self.notice = ""
        self._note(str(case_id), {name: form[name] for name in FIELD_NAMES if name in form})
        yield
        yield await self._save(str(case_id))
        if str(case_id) != self.case_id or self.phase != "open":
            return
        if self._unsaved.get(self.case_id):
            self.notice = NOT_SAVED
            return
        self._tell({**rules.problems(AnswerText(**self._text)), **self._refused})
        if not self.summary:
            self._compose()
            self.questions += 1

    @rx.event
    @allow("dermatologist")
    async def sign(self, case_id: uuid.UUID) -> Flow:
        """Sign and send what the question showed."""
        if str(case_id) != self.case_id or self._seen is None:
            return
        self.leaving, self.notice = "sign", ""
        yield
        who = await current(self)
        try:
            await asyncio.to_thread(service.publish, who.user_id, case_id, seen=self._seen)
            yield rx.redirect(HERE)
            yield Flash.push(f"Answer to {self.chart['ref']} sent")
        except Invalid as refusal:
            self._tell(refusal.problems)
        except Refusal as refusal:
            self.notice = refusal.message
        finally:
            self.leaving = ""

    # ── What the handlers stand on ────────────────────────────────────────────────────────────────

    async def _prepare(self, *, allowed: bool) -> None:
        """Load before the snapshot that answers a new connection, so that no editor is taken from a browser."""
        here = _at(self.router.url.path) if allowed else ""
        if not here:
            self._clear()
        elif self.case_id in ("", here):
            await self._load()
            self._prepared = self.phase != "down"

    async def _load(self) -> None:
        who, key = await current(self), _at(self.router.url.path)
        try:
            found = await asyncio.to_thread(service.case_file, who.user_id, uuid.UUID(key)) if key else None
        except NotFound:
            found = None
        except Unavailable:
            self.phase = "open" if self.phase == "open" and self.case_id == key else "down"
            return
        if found is None:
            self._clear("gone")
        else:
            self._fill(found, who.timezone)

    def _fill(self, file: CaseFile, timezone: str) -> None:
        now = datetime.now(UTC)
        again = self.case_id == str(file.id)
        waiting = self._unsaved.get(str(file.id), {})
        self.case_id, self.phase, self.leaving = str(file.id), "open", ""
        self.chart = chart.chart(file, timezone, now)
        self.facts, self.groups = chart.facts(file, now), chart.groups(file)
        self.photos = chart.pictures(file)
        self._text = {**asdict(file.answer), **waiting}
        self._seen = file.answer_saved_at
        self.written = dict(self._text)
        self.saving = "failed" if waiting else "saved" if file.answer_saved_at else ""
        self.saved_at = times.clock(file.answer_saved_at, timezone) if file.answer_saved_at else ""
        if not again:
            self.errors, self.summary, self.notice = dict(NOTHING), [], ""
        self._compose()

    def _clear(self, phase: str = "loading") -> None:
        kept, retrying = self._unsaved, self._retrying
        self.reset()
        self.phase, self._unsaved, self._retrying = phase, kept, retrying

    def _note(self, key: str, fields: Mapping[str, str]) -> bool:
        """Put what differs from the saved text among the unsaved. False when nothing does, or nothing can be kept."""
        known = {**self._text, **self._unsaved.get(key, {})} if key == self.case_id else {}
        news = {}
        for name, value in fields.items():
            self._refused.pop(name, None)
            try:
                rules.accept({name: value})
            except Invalid as refusal:
                self._refused |= refusal.problems
                self.errors = {**self.errors, **refusal.problems}
                continue
            if known.get(name) != value:
                news[name] = value
        if not news:
            return False
        self._unsaved = {**self._unsaved, key: {**self._unsaved.get(key, {}), **news}}
        self.saving = "saving"
        return True

    async def _save(self, key: str) -> Then:
        waiting = dict(self._unsaved.get(key, {}))
        if not waiting:
            return None
        who = await current(self)
        return self._learn(key, waiting, await _try(who.user_id, key, waiting), who.timezone)

    def _learn(self, key: str, sent: Mapping[str, str], came: datetime | Refusal, timezone: str) -> Then:
        """What became of a try to save."""
        if isinstance(came, Unavailable):
            self.saving = "failed"
            return Review.retry
        left = {name: text for name, text in self._unsaved.get(key, {}).items() if sent.get(name) != text}
        self._unsaved = {**self._unsaved, key: left}
        if key != self.case_id:
            return None
        if isinstance(came, Refusal):
            self.notice, self.saving = came.message, ""
            return None
        self._text |= sent
        self._seen = came
        self.saving, self.saved_at = "saved", times.clock(came, timezone)
        self.errors = {**self.errors, **{name: "" for name, text in sent.items() if text.strip()}}
        return None

    def _compose(self) -> None:
        self.words = chart.words(AnswerText(**self._text), self.chart)

    def _tell(self, problems: Mapping[str, str]) -> None:
        """Show what is missing, in the order of the page: in the summary, and the same words at each field."""
        self.errors = {**NOTHING, **problems}
        self.summary = [{"field_id": name, "message": problems[name]} for name in FIELD_NAMES if name in problems]
        self.attempt += 1 if problems else 0


def _at(path: str) -> str:
    """The case a page's address names, or "" when it names none."""
    last = path.rstrip("/").rsplit("/", 1)[-1]
    try:
        return str(uuid.UUID(last)) if path.startswith(f"{HERE}/") else ""
    except ValueError:
        return ""


async def _try(doctor_id: uuid.UUID, key: str, fields: Mapping[str, str]) -> datetime | Refusal:
    try:
        return await asyncio.to_thread(service.save_answer, doctor_id, uuid.UUID(key), fields)
    except Refusal as refusal:
        return refusal
