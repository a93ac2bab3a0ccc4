"""A case on the screen: whose it is, an answer that is never lost, and signing what was read."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from sqlmodel import select

from teleconsult.audit import AuditLog
from teleconsult.clinic import queue, service
from teleconsult.clinic.models import Answer
from teleconsult.consultations.models import Consultation
from teleconsult.consultations.rules import Status
from teleconsult.db import transaction
from teleconsult.errors import Unavailable
from teleconsult.ui.clinic import review_state
from teleconsult.ui.clinic.review_state import NOT_SAVED, Review
from tests.support import ANSWERS, full_draft, pending_case, person
from tests.ui.clinic.desk import Desk, doctor, public, run

pytestmark = pytest.mark.usefixtures("database")

FORM = {
    "impression": "Perioral dermatitis",
    "certainty": "possible",
    "explanation": "The small bumps are typical.\n\nIt is not contagious.",
    "plan": "Stop all creams.\nWash with lukewarm water.",
    "medicine": "",
    "medicine_use": "",
    "safety_net": "It spreads to the eyes.",
}


@pytest.fixture
def patient(database: str) -> uuid.UUID:
    assert database
    return person()


@pytest.fixture
def desk(database: str) -> Desk:
    assert database
    return Desk(doctor())


@pytest.fixture
def case_id(desk: Desk, patient: uuid.UUID) -> uuid.UUID:
    """A case of this desk's doctor, on show."""
    made = pending_case(patient, pregnant="maybe")
    queue.claim(desk.user, made)
    desk.read(made)
    return made


def stored(case_id: uuid.UUID) -> Answer | None:
    with transaction() as tx:
        return tx.get(Answer, case_id)


def views(case_id: uuid.UUID) -> int:
    with transaction() as tx:
        return len(tx.exec(select(AuditLog).where(AuditLog.object_id == case_id, AuditLog.action == "viewed")).all())


def sent(desk: Desk) -> list[str]:
    return [what for what in desk.sent if what]


# Who sees what


def test_shows_facts_story_and_photos(desk: Desk, case_id: uuid.UUID) -> None:
    page = desk.review
    assert page.phase == "open"
    assert page.chart["story"] == ANSWERS["story"]
    assert page.chart["line"].startswith("Right cheek. Answer due ")
    assert {fact["label"]: fact["value"] for fact in page.facts if fact["alert"]} == {
        "Pregnant or breastfeeding": "I could be",
        "Allergies": ANSWERS["allergies_text"],
    }
    assert [picture["caption"] for picture in page.photos] == ["1 of 2, overview", "2 of 2, close-up"]
    assert (page.words["signer"], page.words["credentials"]) == (
        "Amara", "Consultant dermatologist, registration 7412036",
    )  # fmt: skip
    assert str(case_id) in page.case_id


def test_every_reason_not_to_see_a_case_looks_the_same(desk: Desk, patient: uuid.UUID) -> None:
    draft, waiting, taken = full_draft(patient), pending_case(patient), pending_case(patient)
    queue.claim(doctor("chidi", "6980114"), taken)
    shown = []
    for target in (draft, waiting, taken, uuid.uuid4(), "nonsense", "../clinic"):
        page = desk.read(str(target))
        shown.append(public(page))
    assert shown[0]["phase_rx_state_"] == "gone"
    assert all(other == shown[0] for other in shown)
    assert [views(case) for case in (draft, waiting, taken)] == [0, 0, 0]


def test_each_visit_is_one_look_in_the_log(desk: Desk, case_id: uuid.UUID) -> None:
    assert views(case_id) == 1
    run(desk.review._prepare(allowed=True))
    desk.did(Review.open)  # the same connection: the snapshot and its on_load
    assert views(case_id) == 2


def test_another_case_takes_nothing_over(desk: Desk, patient: uuid.UUID, case_id: uuid.UUID) -> None:
    desk.did(Review.keep, case_id, "impression", "Of the first")
    second = pending_case(patient)
    queue.claim(desk.user, second)
    page = desk.read(second)
    assert desk.frames[0]["phase_rx_state_"] == "loading"
    assert (page.case_id, page.written["impression"], page.saved_at) == (str(second), "", "")


def test_nothing_stays_behind_in_a_page_that_is_left(desk: Desk, case_id: uuid.UUID) -> None:
    assert str(case_id) in str(public(desk.review))
    desk.did(Review.leave)
    assert public(desk.review) == public(Desk(desk.user).review)


def test_only_a_dermatologist_gets_a_case_before_the_snapshot(desk: Desk, case_id: uuid.UUID) -> None:
    assert desk.review.case_id == str(case_id)
    run(desk.review._prepare(allowed=False))
    assert (desk.review.case_id, desk.review.facts, desk.review.chart["story"]) == ("", [], "")


def test_an_answered_case_is_read_only(desk: Desk, case_id: uuid.UUID) -> None:
    desk.did(Review.ask, case_id, FORM)
    desk.did(Review.sign, case_id)
    page = desk.read(case_id)
    assert page.chart["answered"].startswith("Answered ")
    assert (page.chart["due"], page.chart["tone"]) == ("Answered", "ok")
    assert page.words["impression"] == "Possible perioral dermatitis"
    desk.did(Review.keep, case_id, "plan", "Too late.")
    assert desk.review.notice == service.SIGNED
    kept = stored(case_id)
    assert kept is not None
    assert kept.plan == FORM["plan"]


# Writing


def test_a_field_is_saved_when_it_is_left_and_only_once(desk: Desk, case_id: uuid.UUID) -> None:
    desk.did(Review.keep, case_id, "impression", "Perioral dermatitis")
    assert desk.frames[0]["saving_rx_state_"] == "saving"
    assert desk.review.saving == "saved"
    first = stored(case_id)
    desk.did(Review.keep, case_id, "impression", "Perioral dermatitis")  # the pause after leaving
    assert desk.frames == []
    again = stored(case_id)
    assert first is not None
    assert again is not None
    assert first.updated_at == again.updated_at


def test_what_arrives_late_goes_to_its_own_case(desk: Desk, patient: uuid.UUID, case_id: uuid.UUID) -> None:
    second = pending_case(patient)
    queue.claim(desk.user, second)
    desk.read(second)
    desk.did(Review.keep, case_id, "plan", "For the first.")
    first = stored(case_id)
    assert first is not None
    assert first.plan == "For the first."
    assert stored(second) is None
    assert desk.review._text["plan"] == ""


def test_nobody_elses_answer_can_be_written(desk: Desk, patient: uuid.UUID, case_id: uuid.UUID) -> None:
    other = pending_case(patient)
    queue.claim(doctor("chidi", "6980114"), other)
    desk.did(Review.keep, other, "plan", "Mine now.")
    assert stored(other) is None
    assert desk.review.case_id == str(case_id)


def test_what_can_not_be_kept_is_said_at_its_field_and_stops_the_signature(desk: Desk, case_id: uuid.UUID) -> None:
    desk.did(Review.keep, case_id, "impression", "x" * 161)
    assert desk.review.errors["impression"] == "Use 160 characters at most; this has 161."
    assert stored(case_id) is None
    desk.did(Review.ask, case_id, {**FORM, "impression": "x" * 161})
    assert [row["field_id"] for row in desk.review.summary] == ["impression"]
    assert desk.review.questions == 0
    desk.did(Review.ask, case_id, FORM)
    assert (desk.review.summary, desk.review.questions) == ([], 1)


def test_what_could_not_be_saved_is_tried_again_until_it_is(
    desk: Desk, case_id: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    async def pause(seconds: float) -> None:
        tries.append(seconds)
        if len(tries) == 3:
            monkeypatch.setattr(service, "save_answer", real)

    real = service.save_answer
    monkeypatch.setattr(service, "save_answer", _away)
    desk.did(Review.keep, case_id, "impression", "Perioral dermatitis")
    assert (desk.review.saving, sent(desk)) == ("failed", ["Review.retry"])
    desk.did(Review.ask, case_id, FORM)
    assert (desk.review.notice, desk.review.questions) == (NOT_SAVED, 0)
    desk.did(Review.release, case_id)
    assert desk.review.notice == NOT_SAVED
    monkeypatch.setattr(review_state.asyncio, "sleep", pause)
    desk.did(Review.retry)
    assert tries == [1, 2, 4]
    assert desk.review.saving == "saved"
    kept = stored(case_id)
    assert kept is not None
    assert (kept.impression, kept.safety_net) == (FORM["impression"], FORM["safety_net"])
    assert not desk.review._retrying


def test_only_one_retry_runs(desk: Desk, case_id: uuid.UUID) -> None:
    assert case_id
    desk.review._retrying = True
    assert asyncio.run(asyncio.wait_for(desk.call(Review.retry), 1)) == []


def test_what_waits_survives_leaving_and_coming_back(
    desk: Desk, case_id: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as outage:
        outage.setattr(service, "save_answer", _away)
        desk.did(Review.keep, case_id, "plan", "Not saved yet.")
    desk.did(Review.leave)
    assert "Not saved yet." not in str(public(desk.review))
    page = desk.read(case_id)
    assert (page.written["plan"], page.saving) == ("Not saved yet.", "failed")


def test_a_database_that_is_away_takes_no_editor_from_the_page(
    desk: Desk, case_id: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "case_file", _away)
    desk.did(Review.open)
    assert (desk.review.phase, desk.review.case_id) == ("open", str(case_id))
    fresh = Desk(desk.user)
    assert fresh.read(case_id).phase == "down"


def test_after_a_restart_the_snapshot_holds_the_case(desk: Desk, case_id: uuid.UUID) -> None:
    desk.did(Review.keep, case_id, "plan", "Saved before.")
    fresh = Desk(desk.user, f"/clinic/{case_id}")
    run(fresh.review._prepare(allowed=True))
    assert (fresh.review.phase, fresh.review.written["plan"]) == ("open", "Saved before.")


# Preview, sign, give back


def test_the_preview_is_what_was_written(desk: Desk, case_id: uuid.UUID) -> None:
    desk.did(Review.keep, case_id, "impression", "Perioral dermatitis")
    desk.did(Review.keep, case_id, "plan", "One.\n\nTwo.")
    desk.did(Review.preview)
    assert desk.review.previews == 1
    assert (desk.review.words["impression"], desk.review.words["plan"]) == (
        "Likely perioral dermatitis",
        ["One.", "Two."],
    )


def test_missing_parts_are_named_in_the_order_of_the_page_and_what_is_there_is_kept(
    desk: Desk, case_id: uuid.UUID
) -> None:
    desk.did(Review.ask, case_id, {**FORM, "explanation": " ", "medicine": "Metronidazole", "safety_net": ""})
    page = desk.review
    assert [row["field_id"] for row in page.summary] == ["explanation", "medicine_use", "safety_net"]
    assert page.errors["safety_net"] == "Write when to see a doctor in person."
    assert (page.attempt, page.questions) == (1, 0)
    kept = stored(case_id)
    assert kept is not None
    assert kept.plan == FORM["plan"]
    desk.did(Review.keep, case_id, "safety_net", "It spreads.")
    assert desk.review.errors["safety_net"] == ""


def test_signing_asks_first_then_sends_and_goes_back_to_the_queue(
    desk: Desk, patient: uuid.UUID, case_id: uuid.UUID
) -> None:
    desk.did(Review.ask, case_id, FORM)
    assert desk.review.questions == 1
    assert service.published_answer(patient, case_id) is None
    desk.did(Review.sign, case_id)
    assert desk.frames[0]["leaving_rx_state_"] == "sign"
    assert sent(desk) == ["/clinic", "Flash.push"]
    shown = service.published_answer(patient, case_id)
    assert shown is not None
    assert (shown.text.plan, shown.name) == (FORM["plan"], "Amara")
    assert desk.review.leaving == ""


def test_what_is_unfinished_can_not_be_signed_past_the_question(
    desk: Desk, patient: uuid.UUID, case_id: uuid.UUID
) -> None:
    desk.did(Review.sign, case_id)
    assert service.published_answer(patient, case_id) is None
    desk.did(Review.keep, case_id, "plan", "Only a plan.")
    desk.did(Review.sign, case_id)
    assert [row["field_id"] for row in desk.review.summary] == ["impression", "explanation", "safety_net"]
    assert service.published_answer(patient, case_id) is None


def test_a_change_in_another_tab_stops_the_signature_until_it_was_read(
    desk: Desk, patient: uuid.UUID, case_id: uuid.UUID
) -> None:
    desk.did(Review.ask, case_id, FORM)
    service.save_answer(desk.user, case_id, {"plan": "Written in another tab."})
    desk.did(Review.sign, case_id)
    assert (desk.review.notice, sent(desk)) == (service.CHANGED, [])
    reloaded = Desk(desk.user)
    assert reloaded.read(case_id).written["plan"] == "Written in another tab."
    reloaded.did(Review.sign, case_id)
    shown = service.published_answer(patient, case_id)
    assert shown is not None
    assert shown.text.plan == "Written in another tab."


def test_a_question_about_another_case_signs_nothing(desk: Desk, patient: uuid.UUID, case_id: uuid.UUID) -> None:
    desk.did(Review.ask, case_id, FORM)
    second = pending_case(patient)
    queue.claim(desk.user, second)
    desk.read(second)
    desk.did(Review.sign, case_id)
    assert service.published_answer(patient, case_id) is None
    desk.did(Review.ask, case_id, {**FORM, "plan": "Late."})
    assert desk.review.questions == 0


def test_giving_back_keeps_the_text_and_tells_the_next_one_whose_it_is(
    desk: Desk, patient: uuid.UUID, case_id: uuid.UUID
) -> None:
    desk.did(Review.keep, case_id, "impression", "Perioral dermatitis")
    desk.did(Review.release, case_id)
    assert sent(desk) == ["/clinic", "Flash.push"]
    chidi = Desk(doctor("chidi", "6980114"))
    queue.claim(chidi.user, case_id)
    page = chidi.read(case_id)
    assert (page.written["impression"], page.chart["begun_by"], page.words["signer"]) == (
        "Perioral dermatitis", "Amara", "Chidi",
    )  # fmt: skip
    desk.did(Review.release, case_id)
    assert desk.review.notice == "This case is not in your list any more."
    assert service.published_answer(patient, case_id) is None
    with transaction() as tx:
        assert tx.get_one(Consultation, case_id).status == Status.IN_REVIEW


def _away(*_: object, **__: object) -> None:
    raise Unavailable
