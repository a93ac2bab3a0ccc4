from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from teleconsult.accounts.models import Role, User
from teleconsult.audit import AuditLog
from teleconsult.clinic import queue, service
from teleconsult.consultations.rules import Status
from teleconsult.db import transaction, utcnow
from teleconsult.errors import Conflict, Invalid, NotFound
from teleconsult.notices.models import Notice
from tests.clinic.conftest import COMPLETE, Clinic, answer, case
from tests.support import ANSWERS, full_draft, person

Change = Callable[..., None]


def notices() -> list[Notice]:
    with transaction() as tx:
        return list(tx.exec(select(Notice)).all())


def mail_jobs() -> int:
    with transaction() as tx:
        return tx.connection().execute(text("select count(*) from procrastinate_jobs")).scalar_one()


def signed(clinic: Clinic) -> uuid.UUID:
    case_id = clinic.claimed()
    service.publish(clinic.amara, case_id, seen=service.save_answer(clinic.amara, case_id, COMPLETE))
    return case_id


def test_the_file_holds_everything_the_patient_sent(clinic: Clinic) -> None:
    file = service.case_file(clinic.amara, clinic.claimed())
    assert file.answers["story"] == ANSWERS["story"]
    assert file.answers["allergies_text"] == ANSWERS["allergies_text"]
    assert [photo.kind for photo in file.photos] == ["overview", "close"]
    assert file.signature == service.Signature("Amara", "Consultant dermatologist", "7412036")
    assert (file.begun_by, file.answer_saved_at, file.published_at) == ("", None, None)
    assert file.released_at is not None
    assert file.released_at - utcnow() == pytest.approx(timedelta(minutes=60), abs=timedelta(seconds=20))


def test_each_look_is_in_the_access_log_and_refused_looks_are_not(clinic: Clinic) -> None:
    case_id = clinic.claimed()
    for _ in range(2):
        service.case_file(clinic.amara, case_id)
    with pytest.raises(NotFound):
        service.case_file(clinic.chidi, case_id)
    with transaction() as tx:
        rows = tx.exec(select(AuditLog).where(AuditLog.object_id == case_id, AuditLog.action == "viewed")).all()
        assert [(row.actor_id, row.actor_role, row.detail) for row in rows] == [(clinic.amara, "dermatologist", {})] * 2


def test_nobody_elses_case_can_be_read_written_or_signed(clinic: Clinic) -> None:
    case_id, nowhere = clinic.claimed(), uuid.uuid4()
    seen = service.save_answer(clinic.amara, case_id, COMPLETE)
    for doctor, target in ((clinic.chidi, case_id), (clinic.amara, nowhere), (clinic.patient, case_id)):
        refusals = set()
        for act in (
            service.case_file,
            lambda d, c: service.save_answer(d, c, {"plan": "Mine now."}),
            lambda d, c: service.publish(d, c, seen=seen),
        ):
            with pytest.raises(NotFound) as refused:
                act(doctor, target)
            refusals.add(refused.value.message)
        assert refusals == {"This case is not in your list any more."}
    assert case(case_id).status == Status.IN_REVIEW


def test_a_waiting_case_has_to_be_claimed_before_it_is_opened(clinic: Clinic) -> None:
    with pytest.raises(NotFound):
        service.case_file(clinic.amara, clinic.pending())


def test_fields_are_saved_one_by_one(clinic: Clinic) -> None:
    case_id = clinic.claimed()
    service.save_answer(clinic.amara, case_id, {"impression": "  Perioral\n dermatitis "})
    later = service.save_answer(clinic.amara, case_id, {"certainty": "possible", "plan": "One.\nTwo."})
    file = service.case_file(clinic.amara, case_id)
    assert (file.answer.impression, file.answer.certainty) == ("Perioral dermatitis", "possible")
    assert file.answer.steps == ("One.", "Two.")
    assert file.answer_saved_at == later


@pytest.mark.parametrize(
    "fields", [{"published_at": "now"}, {"certainty": "sure"}, {"impression": "x" * 161}, {"plan": None}]
)
def test_what_is_no_answer_is_refused_and_nothing_of_it_is_kept(clinic: Clinic, fields: dict) -> None:
    case_id = clinic.claimed()
    with pytest.raises(Invalid) as refused:
        service.save_answer(clinic.amara, case_id, {"explanation": "Fine.", **fields})
    assert set(refused.value.problems) == set(fields)
    assert answer(case_id) is None


def test_the_patient_sees_nothing_before_it_is_signed(clinic: Clinic) -> None:
    case_id = clinic.claimed()
    service.save_answer(clinic.amara, case_id, COMPLETE)
    assert service.published_answer(clinic.patient, case_id) is None
    assert case(case_id).answer_read_at is None


def test_signing_shows_freezes_and_promises_the_mail_at_once(clinic: Clinic) -> None:
    case_id = signed(clinic)
    shown = service.published_answer(clinic.patient, case_id)
    assert shown is not None
    assert (shown.name, shown.title, shown.registration_no) == ("Amara", "Consultant dermatologist", "7412036")
    assert shown.text.headline == "Likely perioral dermatitis"
    assert case(case_id).status == Status.ANSWERED
    assert case(case_id).answered_at == shown.published_at
    (notice,) = notices()
    assert (notice.kind, notice.recipient, notice.facts) == (
        "case_update",
        "jane@example.com",
        {"ref": case(case_id).ref},
    )
    assert mail_jobs() == 1


def test_a_signed_answer_can_not_change(clinic: Clinic) -> None:
    case_id = signed(clinic)
    with pytest.raises(Conflict):
        service.save_answer(clinic.amara, case_id, {"plan": "Something else."})
    with pytest.raises(Conflict):
        service.publish(clinic.amara, case_id, seen=utcnow())
    kept = answer(case_id)
    assert kept is not None
    assert kept.plan == COMPLETE["plan"]
    assert len(notices()) == 1


def test_the_signature_is_that_of_the_day_it_was_signed(clinic: Clinic) -> None:
    case_id = signed(clinic)
    with transaction() as tx:
        tx.get_one(User, clinic.amara).name = "Amara Other"
    file = service.case_file(clinic.amara, case_id)
    assert file.signature.name == "Amara"
    assert file.released_at is None
    assert file.published_at is not None


def test_signing_is_all_or_nothing(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    case_id = clinic.claimed()
    seen = service.save_answer(clinic.amara, case_id, COMPLETE)

    def broken(*_: object, **__: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(service, "send_later", broken)
    with pytest.raises(ConnectionError):
        service.publish(clinic.amara, case_id, seen=seen)
    assert case(case_id).status == Status.IN_REVIEW
    assert service.published_answer(clinic.patient, case_id) is None
    assert (notices(), mail_jobs()) == ([], 0)


def test_an_unfinished_answer_can_not_be_signed(clinic: Clinic) -> None:
    case_id = clinic.claimed()
    with pytest.raises(Invalid) as refused:
        service.publish(clinic.amara, case_id, seen=utcnow())
    assert list(refused.value.problems) == ["impression", "explanation", "plan", "safety_net"]
    assert answer(case_id) is None
    seen = service.save_answer(clinic.amara, case_id, {**COMPLETE, "medicine": "Metronidazole", "safety_net": " \n"})
    with pytest.raises(Invalid) as refused:
        service.publish(clinic.amara, case_id, seen=seen)
    assert list(refused.value.problems) == ["medicine_use", "safety_net"]
    assert case(case_id).status == Status.IN_REVIEW


def test_only_what_was_read_is_signed(clinic: Clinic) -> None:
    case_id = clinic.claimed()
    seen = service.save_answer(clinic.amara, case_id, COMPLETE)
    service.save_answer(clinic.amara, case_id, {"plan": "Written in another tab."})
    with pytest.raises(Conflict, match="changed in another tab"):
        service.publish(clinic.amara, case_id, seen=seen)
    assert case(case_id).status == Status.IN_REVIEW


def test_nobody_signs_without_a_registration_number(clinic: Clinic) -> None:
    locum = person("locum@clinic.example", Role.DERMATOLOGIST)
    case_id = clinic.pending()
    queue.claim(locum, case_id)
    seen = service.save_answer(locum, case_id, COMPLETE)
    with pytest.raises(Conflict, match="registration number is missing"):
        service.publish(locum, case_id, seen=seen)


def test_a_colleague_who_takes_over_signs_for_it(clinic: Clinic) -> None:
    case_id = clinic.claimed()
    service.save_answer(clinic.amara, case_id, COMPLETE)
    queue.release(clinic.amara, case_id)
    queue.claim(clinic.chidi, case_id)
    saved_at = service.case_file(clinic.chidi, case_id).answer_saved_at
    assert saved_at is not None
    service.publish(clinic.chidi, case_id, seen=saved_at)
    shown = service.published_answer(clinic.patient, case_id)
    assert shown is not None
    assert (shown.name, shown.registration_no) == ("Chidi", "6980114")


def test_reading_an_answer_marks_it_once_and_only_for_its_owner(clinic: Clinic) -> None:
    case_id, stranger = signed(clinic), person("tom@example.com")
    for target in (case_id, uuid.uuid4()):
        with pytest.raises(NotFound):
            service.published_answer(stranger, target)
    assert case(case_id).answer_read_at is None
    service.published_answer(clinic.patient, case_id)
    first = case(case_id).answer_read_at
    service.published_answer(clinic.patient, case_id)
    assert first is not None
    assert case(case_id).answer_read_at == first


def test_a_draft_has_no_answer_to_read(clinic: Clinic) -> None:
    assert service.published_answer(clinic.patient, full_draft(clinic.patient)) is None


def test_the_log_says_who_answered(clinic: Clinic) -> None:
    case_id = signed(clinic)
    with transaction() as tx:
        actions = tx.exec(select(AuditLog.action).where(AuditLog.object_id == case_id).order_by(col(AuditLog.id))).all()
    assert list(actions) == ["drafted", "submitted", "claimed", "answered"]
