"""The form's handlers on a real database: the first row, autosave, retry, continue, ownership."""

from __future__ import annotations

import asyncio
import dataclasses
import uuid
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import select

from teleconsult.consultations import service
from teleconsult.consultations.models import Consultation
from teleconsult.consultations.questions import BY_NAME, Kind, Step
from teleconsult.consultations.rules import Status
from teleconsult.db import transaction, utcnow
from teleconsult.ui.consultation import form as form_module
from teleconsult.ui.consultation import sheet
from teleconsult.ui.consultation.form import NOT_SAVED, Form
from tests.support import ANSWERS, full_draft, person
from tests.ui.consultation.driving import Tab

pytestmark = pytest.mark.usefixtures("database")

STORY = "Started three weeks ago as a small dry patch."


def rows() -> list[Consultation]:
    with transaction() as tx:
        return list(tx.exec(select(Consultation)).all())


def held(step: Step, answers: Mapping[str, Any] = ANSWERS) -> list[sheet.Pair]:
    """What a browser submits for these answers."""
    pairs: list[sheet.Pair] = []
    for name, value in answers.items():
        if BY_NAME[name].step is not step:
            continue
        if isinstance(value, list):
            pairs += [(name, each) for each in value]
        elif BY_NAME[name].kind is Kind.DATE:
            pairs += [(f"{name}_{part}", text) for part, text in zip(sheet.DATE_PARTS, value.split("-"), strict=True)]
        else:
            pairs.append((name, value))
    return pairs


class Database:
    """Can be away for the form's saving."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.away, self.tries, real = False, 0, service.save_answers

        def save(*arguments: Any) -> service.Saved:
            self.tries += 1
            if self.away:
                raise OperationalError("update", None, Exception("connection refused"))
            return real(*arguments)

        monkeypatch.setattr(service, "save_answers", save)


@pytest.fixture
def database_that_goes(monkeypatch: pytest.MonkeyPatch) -> Database:
    return Database(monkeypatch)


async def opened(user: uuid.UUID, path: str = "/consultations/new/skin", **more: str) -> tuple[Tab, Form]:
    tab = Tab(user, path, **more)
    return tab, await tab.open()


# ── The first answer ───────────────────────────────────────────────────────────────────────────────


def test_opening_a_new_form_makes_no_row() -> None:
    async def story() -> None:
        _, form = await opened(person())
        assert (form.phase, form.base, form.saving) == ("open", "new", "")
        assert rows() == []

    asyncio.run(story())


def test_an_empty_field_that_is_left_makes_no_row() -> None:
    async def story() -> None:
        tab, form = await opened(person())
        await tab.call(Form.keep, form.key, "story", "")
        assert rows() == []

    asyncio.run(story())


def test_the_first_answer_makes_exactly_one_row_and_gives_the_form_its_address() -> None:
    async def story() -> None:
        user = person()
        tab, form = await opened(user)
        key = form.key
        await tab.call(Form.keep, key, "site", "right_cheek")
        await tab.call(Form.keep, key, "concern", "rash")  # sent before the browser knew the id
        (row,) = rows()
        assert (row.user_id, row.intake) == (user, {"site": "right_cheek", "concern": "rash"})
        assert form.moved_to == f"/consultations/{row.id}/skin"
        await tab.open(form.moved_to)
        await tab.call(Form.keep, key, "duration", "weeks")  # a pause that ended late
        await tab.call(Form.keep, form.key, "sleep", "no")
        assert len(rows()) == 1
        assert rows()[0].intake["duration"] == "weeks"
        assert (form.moved_to, form.phase, form.texts["site"]) == ("", "open", "right_cheek")

    asyncio.run(story())


def test_a_late_answer_of_one_form_never_reaches_another() -> None:
    async def story() -> None:
        user = person()
        other = full_draft(user)
        tab, form = await opened(user)
        key = form.key
        await tab.call(Form.keep, key, "site", "scalp")
        own = uuid.UUID(form.key)
        await tab.open(f"/consultations/{other}/skin")
        await tab.call(Form.keep, key, "story", STORY)
        assert service.draft(user, own).answers["story"] == STORY
        assert service.draft(user, other).answers["story"] == ANSWERS["story"]
        assert form.texts["story"] == ANSWERS["story"]

    asyncio.run(story())


def test_after_a_restart_a_new_form_still_gets_one_row() -> None:
    async def story() -> None:
        user = person()
        _, before = await opened(user)
        tab, form = await opened(user)  # the server has forgotten the tab; the browser still has its old key
        await tab.call(Form.keep, before.key, "site", "scalp")
        await tab.call(Form.keep, form.key, "concern", "hair")
        assert [row.intake for row in rows()] == [{"site": "scalp", "concern": "hair"}]
        assert form.moved_to.endswith("/skin")

    asyncio.run(story())


# ── Saving ─────────────────────────────────────────────────────────────────────────────────────────


def test_saving_is_announced_before_and_told_with_the_readers_clock() -> None:
    async def story() -> None:
        user = person()
        draft = full_draft(user)
        tab, form = await opened(user, f"/consultations/{draft}/skin", timezone="Asia/Kolkata")
        await tab.call(Form.keep, form.key, "story", STORY)
        assert tab.frames[0]["saving_rx_state_"] == "saving"
        minutes = int(form.saved_at[3:]) - utcnow().minute
        assert form.saving == "saved"
        assert minutes % 60 in (29, 30), "India is half an hour beside UTC"

    asyncio.run(story())


def test_what_is_saved_already_is_not_saved_again(database_that_goes: Database) -> None:
    async def story() -> None:
        user = person()
        draft = full_draft(user)
        tab, form = await opened(user, f"/consultations/{draft}/skin")
        tries = database_that_goes.tries
        await tab.call(Form.keep, form.key, "story", ANSWERS["story"])
        assert database_that_goes.tries == tries

    asyncio.run(story())


def test_three_boxes_make_one_date() -> None:
    async def story() -> None:
        user = person()
        draft = full_draft(user, dob="")
        tab, form = await opened(user, f"/consultations/{draft}/health")
        for part, text in (("day", "27"), ("month", " 3"), ("year", "1991")):
            await tab.call(Form.keep, form.key, f"dob_{part}", text)
        assert service.draft(user, draft).answers["dob"] == "1991-3-27"

    asyncio.run(story())


def test_a_tick_and_none_of_these_exclude_each_other() -> None:
    async def story() -> None:
        user = person()
        draft = full_draft(user, symptoms=["itch", "pain"])
        tab, form = await opened(user, f"/consultations/{draft}/skin")
        await tab.call(Form.tick, form.key, "symptoms", "none", True)
        assert service.draft(user, draft).answers["symptoms"] == ["none"]
        await tab.call(Form.tick, form.key, "symptoms", "burning", True)
        assert service.draft(user, draft).answers["symptoms"] == ["burning"]
        assert form.ticks["symptoms"] == ["burning"]

    asyncio.run(story())


@pytest.mark.parametrize(("control", "value", "sentence"), [
    ("story", "x" * 2001, "Use 2,000 characters at most; this has 2,001."),
    ("site", "moon", "Choose one of the answers offered."),
])  # fmt: skip
def test_a_refused_value_is_said_at_its_field_and_mended(control: str, value: str, sentence: str) -> None:
    async def story() -> None:
        user = person()
        draft = full_draft(user)
        tab, form = await opened(user, f"/consultations/{draft}/skin")
        await tab.call(Form.keep, form.key, control, value)
        assert form.problems == {control: sentence}
        assert service.draft(user, draft).answers[control] == ANSWERS[control]
        await tab.call(Form.keep, form.key, control, "scalp" if control == "site" else STORY)
        assert form.problems == {}

    asyncio.run(story())


def test_a_database_that_is_away_is_tried_until_it_answers(
    database_that_goes: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    async def no_pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            database_that_goes.away = False

    monkeypatch.setattr(form_module.asyncio, "sleep", no_pause)

    async def story() -> None:
        user = person()
        draft = full_draft(user)
        tab, form = await opened(user, f"/consultations/{draft}/skin")
        database_that_goes.away = True
        assert await tab.call(Form.keep, form.key, "story", STORY) == ["Form.retry"]
        await tab.call(Form.keep, form.key, "site", "scalp")
        assert (form.saving, form.texts["story"]) == ("failed", STORY)
        await tab.call(Form.retry)
        assert pauses == [1, 2, 4]
        saved = service.draft(user, draft).answers
        assert (saved["story"], saved["site"], form.saving) == (STORY, "scalp", "saved")

    asyncio.run(story())


def test_what_waits_survives_another_look_at_the_page(database_that_goes: Database) -> None:
    async def story() -> None:
        user = person()
        draft = full_draft(user)
        tab, form = await opened(user, f"/consultations/{draft}/skin")
        database_that_goes.away = True
        await tab.call(Form.keep, form.key, "story", STORY)
        await tab.open(f"/consultations/{draft}/skin")
        assert (form.texts["story"], form.saving) == (STORY, "failed")

    asyncio.run(story())


# ── Going on ───────────────────────────────────────────────────────────────────────────────────────


def test_going_on_with_an_empty_page_says_what_is_missing_twice_in_the_order_of_the_page() -> None:
    async def story() -> None:
        tab, form = await opened(person())
        await tab.call(Form.go_on, form.key, Step.SKIN, [])
        assert list(form.problems) == ["site", "concern", "duration", "symptoms", "sleep", "story", "flags"]
        assert [row["field_id"] for row in form.summary] == list(form.problems)
        assert form.summary[0]["message"] == form.problems["site"] == "Choose where on your body it is."
        assert (form.attempt, tab.sent, rows()) == (1, [], [])

    asyncio.run(story())


def test_going_on_saves_what_the_page_holds_and_leads_to_the_next_step() -> None:
    async def story() -> None:
        user = person()
        tab, form = await opened(user)
        await tab.call(Form.go_on, form.key, Step.SKIN, held(Step.SKIN))
        (row,) = rows()
        assert tab.sent == [f"/consultations/{row.id}/photos"]
        assert {**row.intake, "story": row.user_notes} == {
            k: v for k, v in ANSWERS.items() if BY_NAME[k].step == "skin"
        }
        assert form.photo_title == "Add photos of your right cheek"

    asyncio.run(story())


def test_the_health_page_leads_to_the_review() -> None:
    async def story() -> None:
        user = person()
        draft = full_draft(user, medicines="some")
        tab, form = await opened(user, f"/consultations/{draft}/health")
        await tab.call(Form.go_on, form.key, Step.HEALTH, held(Step.HEALTH, {**ANSWERS, "medicines": "some"}))
        assert form.problems == {"medicines_text": "Name your medicines."}
        await tab.call(Form.keep, form.key, "medicines_text", "Loratadine 10 mg")
        assert form.problems == {}
        await tab.call(Form.go_on, form.key, Step.HEALTH, held(Step.HEALTH, {**ANSWERS, "medicines": "some"}))
        assert tab.sent == [f"/consultations/{draft}/review"]

    asyncio.run(story())


def test_a_refused_value_keeps_the_form_from_going_on() -> None:
    async def story() -> None:
        user = person()
        draft = full_draft(user)
        tab, form = await opened(user, f"/consultations/{draft}/skin")
        long = {**ANSWERS, "tried": "x" * 1001}
        await tab.call(Form.go_on, form.key, Step.SKIN, held(Step.SKIN, long))
        assert (list(form.problems), tab.sent) == (["tried"], [])
        await tab.call(Form.go_on, form.key, Step.SKIN, held(Step.SKIN))
        assert tab.sent == [f"/consultations/{draft}/photos"]

    asyncio.run(story())


def test_nobody_goes_on_with_answers_that_are_not_saved(database_that_goes: Database) -> None:
    async def story() -> None:
        user = person()
        draft = full_draft(user)
        tab, form = await opened(user, f"/consultations/{draft}/skin")
        database_that_goes.away = True
        await tab.call(Form.go_on, form.key, Step.SKIN, held(Step.SKIN, {**ANSWERS, "story": STORY}))
        assert (tab.sent, form.notice) == (["Form.retry"], NOT_SAVED)
        database_that_goes.away = False
        await tab.call(Form.keep, form.key, "tried", "A cream")
        assert (form.saving, form.notice) == ("saved", "")

    asyncio.run(story())


def test_a_warning_sign_stops_the_form_and_can_be_unticked() -> None:
    async def story() -> None:
        user = person()
        tab, form = await opened(user)
        flagged = {**ANSWERS, "flags": ["swelling"], "story": ""}
        await tab.call(Form.go_on, form.key, Step.SKIN, held(Step.SKIN, flagged))
        assert (form.phase, tab.sent) == ("stopped", [])
        assert form.signs == ["Swelling of the face or lips, or trouble breathing"]
        draft = form.key
        for step in ("photos", "health", "review"):
            await tab.open(f"/consultations/{draft}/{step}")
            assert form.phase == "stopped"
        assert await tab.call(Form.untick) == [f"/consultations/{draft}/skin"]
        await tab.open(f"/consultations/{draft}/skin")
        assert (form.phase, form.ticks["flags"]) == ("open", ["swelling"])

    asyncio.run(story())


# ── Whose it is, and what is left of it ────────────────────────────────────────────────────────────


@pytest.mark.parametrize("step", list(Step))
def test_somebody_elses_draft_looks_like_one_that_never_was(step: Step) -> None:
    async def story() -> None:
        theirs = full_draft(person("theo@example.com"))
        me = person()
        for address in (theirs, uuid.uuid4(), "nonsense"):
            _, form = await opened(me, f"/consultations/{address}/{step}")
            shown = {k: v for k, v in form.dict()[form.get_full_name()].items() if v}
            assert shown == {"phase_rx_state_": "gone", "base_rx_state_": "new"}

    asyncio.run(story())


def test_answers_sent_for_somebody_elses_draft_change_nothing() -> None:
    async def story() -> None:
        owner = person("theo@example.com")
        theirs = full_draft(owner)
        tab, form = await opened(person())
        before = service.draft(owner, theirs)
        await tab.call(Form.keep, str(theirs), "story", "Not yours to write.")
        await tab.call(Form.go_on, str(theirs), Step.SKIN, held(Step.SKIN, {**ANSWERS, "site": "scalp"}))
        assert service.draft(owner, theirs) == before
        assert form.phase == "open"

    asyncio.run(story())


@pytest.mark.parametrize("change", [{"status": Status.CANCELLED}, {"discarded": True}])
def test_a_draft_that_was_thrown_away_is_gone(change: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        user = person()
        draft = full_draft(user)
        tab, form = await opened(user, f"/consultations/{draft}/skin")
        now = dataclasses.replace(service.draft(user, draft), **change)
        monkeypatch.setattr(service, "draft", lambda *_: now)
        await tab.open()
        assert (form.phase, form.texts, tab.sent) == ("gone", {}, [])

    asyncio.run(story())


def test_a_consultation_that_was_sent_leads_to_its_own_page(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        user = person()
        draft = full_draft(user)
        tab, form = await opened(user, f"/consultations/{draft}/skin")
        now = dataclasses.replace(service.draft(user, draft), status=Status.PENDING)
        monkeypatch.setattr(service, "draft", lambda *_: now)
        await tab.open()
        assert (form.texts, tab.sent) == ({}, [f"/consultations/{draft}"])

    asyncio.run(story())


def test_another_draft_takes_the_first_ones_inputs_away_before_its_own_appear() -> None:
    async def story() -> None:
        user = person()
        one, two = full_draft(user), full_draft(user, site="scalp")
        tab, form = await opened(user, f"/consultations/{one}/skin")
        await tab.open(f"/consultations/{two}/skin")
        assert tab.frames[0]["phase_rx_state_"] == "loading"
        assert (form.phase, form.texts["site"]) == ("open", "scalp")

    asyncio.run(story())


def test_answers_leave_with_the_last_page_of_the_form(monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(_seconds: float) -> None:
        return

    monkeypatch.setattr(form_module.asyncio, "sleep", at_once)

    async def story() -> None:
        user = person()
        draft = full_draft(user)
        tab, form = await opened(user, f"/consultations/{draft}/skin")
        assert await tab.call(Form.leave) == ["Form.forget"]
        left = form._visits
        await tab.open(f"/consultations/{draft}/photos")
        await tab.call(Form.forget, left)
        assert form.texts["story"], "the next step was opened meanwhile"
        await tab.call(Form.forget, form._visits)
        assert (form.texts, form.ticks, form._kept, form.phase) == ({}, {}, {}, "loading")

    asyncio.run(story())
