"""What a patient sees of money: frozen views of their own consultations only."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import text

from teleconsult import audit
from teleconsult.accounts.models import Role
from teleconsult.billing import moments, views
from teleconsult.billing.rules import PaymentStatus
from teleconsult.clinic import queue
from teleconsult.db import transaction
from teleconsult.errors import NotFound
from tests.billing.deliveries import attempt, consultation, deliver, event, payments, session
from tests.support import full_draft, pending_case, person


@pytest.mark.parametrize(
    ("history", "status", "said"),
    [
        ([], "draft", ""),
        (["CREATING"], "draft", ""),
        (["OPEN"], "unpaid", ""),
        (["EXPIRED"], "draft", ""),
        (["PROCESSING"], "confirming", "bank"),
        (["REVIEW"], "confirming", "checking"),
        (["FAILED"], "unpaid", "failed"),
        (["RETURNED"], "unpaid", "returned"),
        (["FAILED", "OPEN"], "unpaid", ""),
        (["FAILED", "EXPIRED"], "draft", ""),
        (["PROCESSING", "EXPIRED"], "confirming", "bank"),
        (["REVIEW", "OPEN"], "confirming", "checking"),
    ],
)
def test_a_draft_shows_the_attempt_that_decides(
    patient: uuid.UUID, draft: uuid.UUID, history: list[str], status: str, said: str
) -> None:
    for number, word in enumerate(history, 1):
        attempt(draft, attempt=number, status=word)
    [case] = views.my_cases(patient)
    assert case == views.my_case(patient, draft)
    assert (case.status, case.payment) == (status, said)
    assert (case.resume_step, case.photos, case.amount, case.doctor) == ("review", 2, "", "")


def test_a_case_that_was_sent(patient: uuid.UUID) -> None:
    case_id = pending_case(patient)
    case = views.my_case(patient, case_id)
    assert (case.status, case.amount, case.payment) == ("pending", "€49.00", "")
    assert case.due_at
    assert case.submitted_at
    assert case.due_at - case.submitted_at == timedelta(hours=48)
    with transaction() as tx:
        tx.connection().execute(text("update consultation set hold_reason = 'dispute'"))
    assert views.my_case(patient, case_id).payment == "disputed"
    with transaction() as tx:
        tx.connection().execute(text("update consultation set hold_reason = null"))
    queue.claim(person("amara@clinic.example", Role.DERMATOLOGIST, title="Consultant"), case_id)
    seen = views.my_case(patient, case_id)
    assert (seen.status, seen.doctor) == ("in_review", "Amara")
    assert seen.doctor_title


def test_what_was_discarded_is_gone_and_what_was_refunded_stays(patient: uuid.UUID, draft: uuid.UUID) -> None:
    refunded = pending_case(patient)
    with transaction() as tx:
        tx.connection().execute(text("update consultation set status = 'CANCELLED'"))
    assert [(case.id, case.status) for case in views.my_cases(patient)] == [(refunded, "refunded")]
    with pytest.raises(NotFound):
        views.my_case(patient, draft)
    with pytest.raises(NotFound):
        views.my_case(person("bob@example.com"), refunded)


def test_a_draft_without_photos_has_none(patient: uuid.UUID, draft: uuid.UUID) -> None:
    with transaction() as tx:
        tx.connection().execute(text("update photo set removed_at = now()"))
    case = views.my_case(patient, draft)
    assert (case.photo_id, case.photos, case.resume_step) == (None, 0, "photos")


def test_the_attempt_somebody_came_back_from(patient: uuid.UUID, draft: uuid.UUID) -> None:
    assert views.attempt(patient, "") is None
    page = attempt(draft)
    assert views.attempt(patient, str(page.stripe_session_id)) == views.Attempt(draft, PaymentStatus.OPEN, named=True)
    assert views.attempt(patient, "cs_test_x") == views.Attempt(draft, PaymentStatus.OPEN, named=False)
    assert views.attempt(person("bob@example.com"), str(page.stripe_session_id)) is None


def test_the_receipt_tells_what_was_paid_and_what_came_back(patient: uuid.UUID, draft: uuid.UUID) -> None:
    assert views.receipt(patient, draft) is None
    assert views.last_payment(patient) is None
    deliver(event(session(attempt(draft))))
    receipt = views.receipt(patient, draft)
    assert receipt == views.last_payment(patient)
    assert receipt
    assert (receipt.amount, receipt.refunded, receipt.refund_due, receipt.refund_failed) == ("€49.00", "", False, False)
    with transaction() as tx:
        tx.connection().execute(text("update payment set refunded_minor = 900, refund_status = 'failed'"))
    changed = views.receipt(patient, draft)
    assert changed
    assert (changed.refunded, changed.refund_due, changed.refund_failed, changed.bank_returned) == (
        "€9.00", False, True, False,
    )  # fmt: skip
    assert views.receipt(person("bob@example.com"), draft) is None


def test_manage_billing_is_for_people_with_a_customer(patient: uuid.UUID) -> None:
    assert not views.has_customer(patient)
    with transaction() as tx:
        tx.connection().execute(text("update \"user\" set stripe_customer_id = 'cus_1'"))
    assert views.has_customer(patient)
    assert not views.has_customer(uuid.uuid4())


def test_the_story_of_the_money_of_one_consultation(patient: uuid.UUID, draft: uuid.UUID) -> None:
    attempt(draft, status=PaymentStatus.EXPIRED)
    second = attempt(draft, attempt=2)
    deliver(event(session(second)))
    deliver(event(session(payments(draft)[0])))
    refund = {"object": "refund", "id": "re_1", "payment_intent": f"pi_{second.id.hex}", "amount": 1000}
    deliver(event({**refund, "status": "pending"}, "refund.created"))
    deliver(event({**refund, "status": "succeeded"}, "refund.updated"))
    deliver(event(session(attempt(full_draft(patient)))))
    with transaction() as tx:
        for action in ("refund_requested", "refund_superseded"):
            audit.record(tx, action, "payment", second.id, refund_id="r", amount_minor=1)
    told = moments.moments(patient, draft)
    assert [(m.what, m.amount) for m in told] == [
        ("paid", "€49.00"), ("returning", "€49.00"), ("again", "€49.00"), ("returned", "€10.00"),
    ]  # fmt: skip
    assert [m.at for m in told] == sorted(m.at for m in told)
    assert consultation(draft).status == "PENDING"
    with pytest.raises(NotFound):
        moments.moments(person("bob@example.com"), draft)
