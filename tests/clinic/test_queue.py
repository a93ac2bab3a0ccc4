from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlmodel import col, select

from teleconsult.accounts.models import Role
from teleconsult.audit import AuditLog
from teleconsult.clinic import queue, service
from teleconsult.consultations import photos
from teleconsult.consultations.rules import Status
from teleconsult.db import transaction, utcnow
from teleconsult.errors import Conflict, NotFound
from tests.clinic.conftest import COMPLETE, Clinic, answer, case
from tests.support import full_draft

Change = Callable[..., None]


def acts(case_id: uuid.UUID) -> list[tuple[str, str]]:
    with transaction() as tx:
        rows = tx.exec(select(AuditLog).where(AuditLog.object_id == case_id).order_by(col(AuditLog.id))).all()
        return [(row.action, row.actor_role) for row in rows]


def test_a_waiting_case_is_listed_without_name_and_complaint(clinic: Clinic) -> None:
    case_id = clinic.pending(dob="1991-3-27", sex="female", site="right_cheek", duration="weeks")
    (line,) = queue.queue(clinic.amara).waiting
    assert (line.id, line.place, line.flag) == (case_id, "Right cheek, for weeks", "")
    assert line.who.endswith(", F")
    assert line.who.split(",")[0].isdigit()
    assert len(line.photos) == 2
    assert "Jane" not in repr(line)
    assert "rash" not in repr(line)


def test_a_draft_is_never_listed_opened_or_claimed(clinic: Clinic) -> None:
    draft = full_draft(clinic.patient)
    assert queue.queue(clinic.amara).waiting == ()
    for act in (queue.claim, service.case_file, queue.release):
        with pytest.raises(NotFound):
            act(clinic.amara, draft)
    assert case(draft).status == Status.DRAFT


def test_a_case_on_hold_is_as_absent_as_a_draft(clinic: Clinic, change: Change) -> None:
    waiting, mine = clinic.pending(), clinic.claimed()
    picture = queue.queue(clinic.amara).waiting[0].photos[0]
    for case_id in (waiting, mine):
        change(case_id, hold_reason="dispute")
    seen = queue.queue(clinic.amara)
    assert (seen.waiting, seen.mine, seen.waiting_count, seen.oldest) == ((), (), 0, None)
    with pytest.raises(NotFound):
        photos.read(clinic.amara, Role.DERMATOLOGIST, picture)
    for case_id in (waiting, mine):
        with pytest.raises(NotFound):
            queue.claim(clinic.amara, case_id)
        with pytest.raises(NotFound):
            service.case_file(clinic.amara, case_id)


def test_most_urgent_first_and_a_changing_mole_before_all(clinic: Clinic, change: Change) -> None:
    later, sooner = clinic.pending(), clinic.pending()
    mole = clinic.pending(concern="spot", changing="bleeding")
    stale_mole = clinic.pending(concern="rash", changing="bleeding")  # the concern was changed afterwards
    calm_mole = clinic.pending(concern="spot", changing="no")
    now = utcnow()
    for hours, case_id in ((30, mole), (9, later), (2, sooner), (20, stale_mole), (21, calm_mole)):
        change(case_id, due_at=now + timedelta(hours=hours))
    lines = queue.queue(clinic.amara).waiting
    assert [line.id for line in lines] == [mole, sooner, later, stale_mole, calm_mole]
    assert [line.flag for line in lines] == ["Changing mole", "", "", "", ""]


def test_counts_all_that_waits_and_since_when(clinic: Clinic, change: Change, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "PAGE", 1)
    sent = utcnow() - timedelta(hours=21)
    change(clinic.pending(), submitted_at=sent)
    clinic.pending()
    seen = queue.queue(clinic.amara)
    assert (seen.waiting_count, seen.oldest, len(seen.waiting)) == (2, sent, 1)


def test_a_claimed_case_leaves_the_queue_and_is_mine_alone(clinic: Clinic) -> None:
    case_id = clinic.claimed()
    assert [line.id for line in queue.queue(clinic.amara).mine] == [case_id]
    for_chidi = queue.queue(clinic.chidi)
    assert (for_chidi.waiting, for_chidi.mine, for_chidi.waiting_count) == ((), (), 0)


def test_claiming_twice_is_one_claim(clinic: Clinic) -> None:
    case_id = clinic.claimed()
    queue.claim(clinic.amara, case_id)
    assert [act for act in acts(case_id) if act[0] == "claimed"] == [("claimed", "dermatologist")]


def test_of_two_who_claim_at_once_one_wins_and_the_other_hears_who(clinic: Clinic) -> None:
    for _ in range(5):
        case_id = clinic.pending()
        start = Barrier(2)

        def attempt(doctor: uuid.UUID, case_id: uuid.UUID = case_id, start: Barrier = start) -> str:
            start.wait()
            try:
                queue.claim(doctor, case_id)
            except Conflict as refusal:
                return refusal.message
            return "won"

        with ThreadPoolExecutor(2) as pool:
            amara, chidi = pool.map(attempt, (clinic.amara, clinic.chidi))
        holder = case(case_id).claimed_by
        expected = {
            clinic.amara: ("won", "Amara just claimed this."),
            clinic.chidi: ("Chidi just claimed this.", "won"),
        }
        assert holder is not None
        assert (amara, chidi) == expected[holder]
        assert [act for act in acts(case_id) if act[0] == "claimed"] == [("claimed", "dermatologist")]


def test_a_case_past_waiting_can_not_be_claimed(clinic: Clinic) -> None:
    case_id = clinic.claimed()
    seen = service.save_answer(clinic.amara, case_id, COMPLETE)
    service.publish(clinic.amara, case_id, seen=seen)
    for doctor in (clinic.amara, clinic.chidi):
        with pytest.raises(Conflict, match="not waiting any more"):
            queue.claim(doctor, case_id)


def test_giving_back_keeps_the_answer_for_whoever_takes_it_next(clinic: Clinic) -> None:
    case_id = clinic.claimed()
    service.save_answer(clinic.amara, case_id, {"impression": "Perioral dermatitis"})
    queue.release(clinic.amara, case_id)
    assert (case(case_id).status, case(case_id).claimed_by) == (Status.PENDING, None)
    with pytest.raises(NotFound):
        service.case_file(clinic.amara, case_id)
    queue.claim(clinic.chidi, case_id)
    taken_over = service.case_file(clinic.chidi, case_id)
    assert (taken_over.answer.impression, taken_over.begun_by) == ("Perioral dermatitis", "Amara")
    assert ("released", "dermatologist") in acts(case_id)


def test_only_who_has_it_gives_it_back_and_not_once_it_is_answered(clinic: Clinic) -> None:
    case_id = clinic.claimed()
    with pytest.raises(NotFound):
        queue.release(clinic.chidi, case_id)
    seen = service.save_answer(clinic.amara, case_id, COMPLETE)
    service.publish(clinic.amara, case_id, seen=seen)
    with pytest.raises(Conflict, match="answered already"):
        queue.release(clinic.amara, case_id)


def test_an_hour_without_activity_gives_the_case_back_with_its_answer(clinic: Clinic, change: Change) -> None:
    idle, busy = clinic.claimed(), clinic.claimed()
    service.save_answer(clinic.amara, idle, {"plan": "Wait."})
    change(idle, claimed_at=utcnow() - timedelta(minutes=queue.CLAIM_MINUTES, seconds=1))
    change(busy, claimed_at=utcnow() - timedelta(minutes=queue.CLAIM_MINUTES - 1))
    seen = queue.queue(clinic.chidi)
    assert [line.id for line in seen.waiting] == [idle]
    assert case(busy).claimed_by == clinic.amara
    kept = answer(idle)
    assert kept is not None
    assert kept.plan == "Wait."
    assert acts(idle)[-1] == ("released", "system")


def test_writing_keeps_the_claim_alive(clinic: Clinic, change: Change) -> None:
    case_id = clinic.claimed()
    long_ago = utcnow() - timedelta(minutes=queue.CLAIM_MINUTES + 5)
    for touch in (
        lambda: service.save_answer(clinic.amara, case_id, {"plan": "Wait."}),
        lambda: service.case_file(clinic.amara, case_id),
    ):
        change(case_id, claimed_at=long_ago)
        touch()
        assert queue.queue(clinic.chidi).waiting == ()
