"""The draft on show: opening it by its address, saving it as it is typed, going on to the next step.

The database is the truth and this state a cache of it. Three things follow from how browsers and networks behave:

- Inputs are uncontrolled: the browser keeps what is typed, and nothing that happens here takes it away.
- Every event says which form it belongs to (`key`), because it may arrive late: after a pause in typing, after a lost
  connection, or when its page has been left. A form without a row goes by a key of its own, so that all its answers
  find the one row that the first of them makes.
- What could not be saved waits in `_unsaved` and is tried again until it is.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import reflex as rx
from reflex.event import EventCallback, EventSpec

from teleconsult.consultations import drafting, intake
from teleconsult.consultations.drafting import Kept
from teleconsult.consultations.questions import BY_NAME, Step
from teleconsult.consultations.rules import Status
from teleconsult.consultations.service import Draft
from teleconsult.errors import Conflict, NotFound, Refusal, Unavailable
from teleconsult.ui import times
from teleconsult.ui.consultation import sheet
from teleconsult.ui.consultation.addresses import LIST, NEW, Place, address, consultation_id, following, place
from teleconsult.ui.guard import allow, while_away
from teleconsult.ui.session import current

Phase = Literal["loading", "open", "stopped", "gone", "down"]

KEPT_AFTER_LEAVING = 3.0
"""Seconds that answers stay here after their page was left: as long as the way to the next step may take."""

PATIENCE = (1, 2, 4, 8, 15)
"""Seconds before each try to save again; then every 30 s for an hour."""

NOT_SAVED = "We can’t save right now, so you can’t go on yet. What you typed stays here, and we keep trying."

Follow = EventSpec | EventCallback | None
"""What comes after a handler: another one, a change of address, or nothing."""

Flow = AsyncGenerator[Follow]


class Form(rx.State):
    """One form at a time, for its owner only: every use case asks the database whose it is."""

    key: rx.Field[str] = rx.field("")
    """What the open form goes by: the consultation's id, or a word of our own until there is one."""
    ref: rx.Field[str] = rx.field("")
    """What people call it on the phone."""
    base: rx.Field[str] = rx.field(NEW)
    """The first part of its addresses: the id, or `new`."""
    moved_to: rx.Field[str] = rx.field("")
    """The address a new form has got, until the browser shows it."""
    phase: rx.Field[str] = rx.field("loading")
    texts: rx.Field[dict[str, str]] = rx.field(default_factory=dict)
    ticks: rx.Field[dict[str, list[str]]] = rx.field(default_factory=dict)
    problems: rx.Field[dict[str, str]] = rx.field(default_factory=dict)
    summary: rx.Field[list[dict[str, str]]] = rx.field(default_factory=list)
    attempt: rx.Field[int] = rx.field(0)
    """Counts the times somebody was told about problems: each time the focus moves to the summary."""
    notice: rx.Field[str] = rx.field("")
    saving: rx.Field[str] = rx.field("")
    saved_at: rx.Field[str] = rx.field("")
    signs: rx.Field[list[str]] = rx.field(default_factory=list)
    photo_title: rx.Field[str] = rx.field("")
    skin_rows: rx.Field[list[dict[str, str]]] = rx.field(default_factory=list)
    health_rows: rx.Field[list[dict[str, str]]] = rx.field(default_factory=list)
    consents: rx.Field[list[str]] = rx.field(default_factory=list)

    _step: str = ""
    _visits: int = 0
    _kept: rx.Field[dict[str, Any]] = rx.field(default_factory=dict)
    _unsaved: rx.Field[dict[str, dict[str, Any]]] = rx.field(default_factory=dict)
    _refused: rx.Field[dict[str, str]] = rx.field(default_factory=dict)
    _rows: rx.Field[dict[str, str]] = rx.field(default_factory=dict)
    _retrying: bool = False

    # ── Coming and going ──────────────────────────────────────────────────────────────────────────

    @rx.event
    @allow("patient")
    async def open(self) -> Flow:
        """Show the form at this address. Runs at every visit, and again after every lost connection."""
        here = place(self.router.url.path)
        if here is not None and self._shows_another(here):
            self._clear()
            yield  # the browser drops the other form's inputs before this one's appear
        yield await self._load()

    @rx.event
    @allow("patient")
    @while_away
    def leave(self) -> Follow:
        """The page was left, perhaps for the next step."""
        return Form.forget(self._visits)

    @rx.event(background=True)
    @allow("patient")
    async def forget(self, visits: int) -> None:
        """Drop the answers unless a page of the form has been opened meanwhile."""
        await asyncio.sleep(KEPT_AFTER_LEAVING)
        async with self:
            if visits == self._visits:
                self._clear()

    @rx.event
    @allow("patient")
    def untick(self) -> Follow:
        """From the stop screen back to the questions."""
        self.phase, self.summary, self.problems = "open", [], {}
        return rx.redirect(address(self.base, Step.SKIN)) if self._step != Step.SKIN else None

    # ── Saving ────────────────────────────────────────────────────────────────────────────────────

    @rx.event
    @allow("patient")
    @while_away
    async def keep(self, key: str, control: str, value: str) -> Flow:
        """A text was typed or one of several chosen."""
        key = self._known(key)
        if self._note_control(key, control, value):
            yield
            yield await self._save(key)

    @rx.event
    @allow("patient")
    @while_away
    async def tick(self, key: str, name: str, value: str, on: bool) -> Flow:
        """One of several boxes was ticked or unticked."""
        key = self._known(key)
        if name in self.ticks and key == self.key:
            self.ticks[name] = intake.tick(self.ticks[name], value, on)
            self._note(key, {name: list(self.ticks[name])})
            yield
            yield await self._save(key)

    @rx.event
    @allow("patient")
    @while_away
    async def go_on(self, key: str, step: Step, held: list[sheet.Pair]) -> Flow:
        """Save what the page holds; then the next step, the stop screen, or what is still missing."""
        key, self._refused = self._known(key), {}
        self._note(key, sheet.answers(step, held))
        yield
        yield await self._save(key)
        yield await self._next(self._known(key), step)

    @rx.event(background=True)
    @allow("patient")
    @while_away
    async def retry(self) -> None:
        """Try to save what waits, until it is saved."""
        async with self:
            if self._retrying:
                return
            self._retrying, who = True, await current(self)
        for seconds in (*PATIENCE, *[30] * 120):
            await asyncio.sleep(seconds)
            async with self:
                waiting = {key: dict(values) for key, values in self._unsaved.items() if values}
            for key, values in waiting.items():
                kept = await _try(who.user_id, key, values)
                async with self:
                    self._learn(key, values, kept, who.timezone)
            async with self:
                if not any(self._unsaved.values()):
                    break
        async with self:
            self._retrying = False

    # ── What the handlers stand on ────────────────────────────────────────────────────────────────

    def _shows_another(self, here: Place) -> bool:
        if here.draft == NEW:
            return bool(consultation_id(self.key)) and not self.moved_to
        return self.key not in ("", here.draft)

    def _known(self, key: str) -> str:
        """The key an event's form goes by now."""
        key = self._rows.get(key, key)
        if _without_row(key) and _without_row(self.key):
            self.key = key  # after a restart the browser knows better which new form is open
        return key

    async def _load(self) -> Follow:
        """The form of the current address, from the database."""
        self._visits += 1
        here = place(self.router.url.path)
        if here is None:
            return None
        if here.draft == NEW:
            return self._open_new(here.step)
        return await self._open_draft(here)

    def _open_new(self, step: Step) -> Follow:
        if self.moved_to:
            return None  # its first answer is saved, and the browser is about to show the new address
        if step is not Step.SKIN:
            return rx.redirect(address(NEW, Step.SKIN), replace=True)
        if self.phase != "open":
            self._clear()
            self.key, self.phase, self._step = f"{NEW}-{secrets.token_hex(8)}", "open", step
            self.texts, self.ticks = sheet.controls({})
        return None

    async def _open_draft(self, here: Place) -> Follow:
        who, found = await current(self), consultation_id(here.draft)
        try:
            draft = await asyncio.to_thread(drafting.read, who.user_id, found) if found else None
        except NotFound:
            draft = None
        except Unavailable:
            self.phase = self.phase if self.key == here.draft else "down"
            return None
        if draft is None or draft.discarded or draft.status is Status.CANCELLED:
            self._clear("gone")
            return None
        if draft.status is not Status.DRAFT:
            self._clear()
            return rx.redirect(f"{LIST}/{draft.id}", replace=True)
        self._fill(draft, here.step, who.timezone)
        return None

    def _fill(self, draft: Draft, step: Step, timezone: str) -> None:
        key = str(draft.id)
        again = key == self.key and step == self._step
        waiting = self._unsaved.get(key, {})
        answers = {**draft.answers, **waiting}
        self.key, self.base, self.ref, self.moved_to, self._step = key, key, draft.ref, "", step
        self._kept = dict(draft.answers)
        self.texts, self.ticks = sheet.controls(answers)
        self.photo_title, self.signs, self.consents = (
            sheet.photo_title(answers),
            sheet.signs(answers),
            [*draft.consents],
        )
        self.skin_rows, self.health_rows = sheet.rows(Step.SKIN, answers), sheet.rows(Step.HEALTH, answers)
        self.saving, self.saved_at = "failed" if waiting else "saved", times.clock(draft.saved_at, timezone)
        if not again:
            self.problems, self.summary, self.notice = {}, [], ""
        stays = again and self.phase == "stopped"
        self.phase = "stopped" if self.signs and (stays or step is not Step.SKIN) else "open"

    def _clear(self, phase: Phase = "loading") -> None:
        """Nothing of a form stays here but what has not been saved yet."""
        self.key, self.base, self.ref, self.moved_to, self.phase, self._step = "", NEW, "", "", phase, ""
        self.texts, self.ticks, self._kept = {}, {}, {}
        self.problems, self.summary, self.notice, self.signs = {}, [], "", []
        self.skin_rows, self.health_rows, self.consents = [], [], []
        self.saving, self.saved_at, self.photo_title = "", "", ""

    def _note_control(self, key: str, control: str, value: str) -> bool:
        """Take over what a control says. False when it says nothing new."""
        if key == self.key:
            made = sheet.answer(control, value, self.texts)
            self.texts[control] = value
        else:  # a page that was left: only answers that stand alone
            made = (control, value) if control in BY_NAME else None
        return made is not None and self._note(key, {made[0]: made[1]})

    def _note(self, key: str, answers: Mapping[str, Any]) -> bool:
        """Put what differs from the saved answers among the unsaved. False when nothing does."""
        known = {**self._kept, **self._unsaved.get(key, {})} if key == self.key else {}
        news = {name: value for name, value in answers.items() if (known.get(name) or None) != (value or None)}
        if not news:
            return False
        self._unsaved[key] = {**self._unsaved.get(key, {}), **news}
        self.saving = "saving"
        return True

    async def _save(self, key: str) -> Follow:
        waiting = dict(self._unsaved.get(key, {}))
        if not waiting:
            return None
        who = await current(self)
        return self._learn(key, waiting, await _try(who.user_id, key, waiting), who.timezone)

    def _learn(self, key: str, sent: Mapping[str, Any], came: Kept | Refusal, timezone: str) -> Follow:
        """What became of a try to save."""
        if isinstance(came, Unavailable):
            self.saving = "failed"
            return Form.retry
        self._unsaved[key] = {n: v for n, v in self._unsaved.get(key, {}).items() if n not in sent or sent[n] != v}
        if isinstance(came, Refusal):
            return self._stop_saving(key, came)
        if came.consultation_id and key != str(came.consultation_id):
            key = self._give_row(key, str(came.consultation_id))
        if key == self.key:
            self._kept |= {name: value for name, value in sent.items() if name not in came.refused}
            self._mark(came, list(sent), timezone)
        return None

    def _stop_saving(self, key: str, refusal: Refusal) -> Follow:
        if key != self.key:
            return None
        self.saving = ""
        if isinstance(refusal, Conflict):
            return rx.redirect(f"{LIST}/{key}")
        if isinstance(refusal, NotFound):
            self._clear("gone")
        else:
            self.notice = refusal.message
        return None

    def _give_row(self, key: str, row: str) -> str:
        """The first answer of a new form was saved: from now on it goes by the id of its row."""
        self._rows[key] = row
        self._unsaved[row] = self._unsaved.pop(key, {})
        if self.key == key:
            self.key, self.base, self.moved_to = row, row, address(row, Step.SKIN)
        return row

    def _mark(self, kept: Kept, names: list[str], timezone: str) -> None:
        """Say that it is saved, and drop the problems that are solved."""
        self.saving = "saved" if kept.at or self.saved_at else ""
        self.notice = "" if self.notice == NOT_SAVED else self.notice
        self.saved_at = times.clock(kept.at, timezone) if kept.at else self.saved_at
        step = BY_NAME[names[0]].step
        left = {**intake.problems(step, self._kept, datetime.now(UTC).date()), **kept.refused}
        shown = {name: text for name, text in self.problems.items() if name not in names or name in left}
        self.problems, self._refused = {**shown, **kept.refused}, dict(kept.refused)

    async def _next(self, key: str, step: Step) -> Follow:
        if self._unsaved.get(key) or key != self.key:
            self.notice = NOT_SAVED if key == self.key else ""
            return None
        who = await current(self)
        try:
            found = await asyncio.to_thread(drafting.problems, who.user_id, consultation_id(key), step)
        except Unavailable:
            self.notice = NOT_SAVED
            return None
        self.notice, self.signs, self.photo_title = "", sheet.signs(self._kept), sheet.photo_title(self._kept)
        if step is Step.SKIN and self.signs:
            self.phase = "stopped"
            return None
        self._tell({**found, **self._refused})
        return None if self.problems else self._forward(key, step)

    def _tell(self, problems: dict[str, str]) -> None:
        """Show what is missing, in the order of the page: in the summary, and the same words at each field."""
        order = [name for name in BY_NAME if name in problems]
        self.problems = {name: problems[name] for name in order}
        self.summary = [{"field_id": name, "message": problems[name]} for name in order]
        self.attempt += 1

    async def _touched(self) -> None:
        """Something else of the draft was saved just now: a photo, a consent."""
        self.saving, self.saved_at = "saved", times.clock(datetime.now(UTC), (await current(self)).timezone)

    def _forward(self, key: str, step: Step) -> EventSpec:
        began_here = bool(self.moved_to)  # then the address without an id shall not stay in the history
        self.moved_to = ""
        return rx.redirect(address(key, following(step)), replace=began_here)


def _without_row(key: str) -> bool:
    return key.startswith(NEW)


async def _try(user_id: Any, key: str, answers: Mapping[str, Any]) -> Kept | Refusal:
    try:
        return await asyncio.to_thread(drafting.keep, user_id, consultation_id(key), answers)
    except Refusal as refusal:
        return refusal
