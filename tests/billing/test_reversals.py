"""Refunds and disputes: forward only, whatever the order, and held cases wait."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

import pytest

from teleconsult.billing import reversals
from teleconsult.billing.models import Payment
from teleconsult.billing.rules import PaymentStatus
from teleconsult.consultations.models import Consultation
from teleconsult.consultations.rules import Status
from teleconsult.db import transaction
from tests.billing.conftest import Alert
from tests.billing.deliveries import attempt, consultation, deliver, event, ledger, mails, payments, session


@pytest.fixture
def paid(draft: uuid.UUID) -> Payment:
    """A paid attempt whose case waits."""
    page = attempt(draft)
    deliver(event(session(page)))
    return payments(draft)[0]


def charge(payment: Payment, refunded: int) -> dict[str, Any]:
    intent = payment.stripe_payment_intent_id or f"pi_{payment.id.hex}"
    return {"object": "charge", "id": "ch_1", "payment_intent": intent, "amount_refunded": refunded}


def refund(payment: Payment, status: str, amount: int = 4900) -> dict[str, Any]:
    intent = payment.stripe_payment_intent_id or f"pi_{payment.id.hex}"
    return {"object": "refund", "id": "re_1", "payment_intent": intent, "amount": amount, "status": status}


def dispute(payment: Payment, status: str) -> dict[str, Any]:
    intent = payment.stripe_payment_intent_id or f"pi_{payment.id.hex}"
    return {"object": "dispute", "id": "du_1", "payment_intent": intent, "status": status}


def now(payment: Payment) -> Payment:
    with transaction() as tx:
        return tx.get_one(Payment, payment.id)


def test_full_refund_takes_a_waiting_case_out_of_the_queue(paid: Payment) -> None:
    assert deliver(event(charge(paid, 4900), "charge.refunded")).body == {"outcome": "processed"}
    assert (now(paid).refunded_minor, now(paid).refund_status, now(paid).status) == (4900, "succeeded", "PAID")
    assert consultation(paid.consultation_id).status == Status.CANCELLED


def test_partial_refund_changes_nothing_about_the_case(paid: Payment) -> None:
    deliver(event(charge(paid, 1000), "charge.refunded"))
    assert now(paid).refunded_minor == 1000
    assert consultation(paid.consultation_id).status == Status.PENDING


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_refund_news_in_any_order_and_twice_end_alike(paid: Payment, order: tuple[int, ...]) -> None:
    news = [
        (refund(paid, "pending"), "refund.created"),
        (charge(paid, 4900), "charge.refunded"),
        (refund(paid, "succeeded"), "refund.updated"),
    ]
    for index in [*order, *order]:
        deliver(event(*news[index]))
    assert (now(paid).refunded_minor, now(paid).refund_status) == (4900, "succeeded")
    assert consultation(paid.consultation_id).status == Status.CANCELLED


def test_more_than_was_paid_is_never_recorded(paid: Payment) -> None:
    deliver(event(charge(paid, 9999), "charge.refunded"))
    assert now(paid).refunded_minor == 4900


def test_refund_during_review_holds_the_case_and_calls_somebody(paid: Payment, alerts: list[Alert]) -> None:
    _in_review(paid)
    deliver(event(charge(paid, 4900), "charge.refunded"))
    held = consultation(paid.consultation_id)
    assert (held.status, held.hold_reason) == (Status.IN_REVIEW, "refunded")
    assert alerts == [("refunded_in_review", "error")]


def _in_review(paid: Payment) -> None:
    from teleconsult.accounts.models import Role
    from teleconsult.clinic import queue
    from tests.support import person

    queue.claim(person("amara@clinic.example", Role.DERMATOLOGIST), paid.consultation_id)


def test_failed_refund_is_recounted_at_stripe(
    paid: Payment, alerts: list[Alert], monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(event(refund(paid, "failed"), "refund.failed"))
    assert now(paid).refund_status == "failed"
    assert alerts == [("refund_failed", "error")]

    class Nothing:
        """Stripe, with no refund that held."""

        def retrieve_refunds(self, _intent: str) -> list[Any]:
            return []

    deliver(event(charge(paid, 4900), "charge.refunded"))
    monkeypatch.setattr(reversals, "gateway", Nothing)
    reversals.recount.func(str(paid.id))
    assert now(paid).refunded_minor == 0


@pytest.mark.parametrize("status", ["pending", "succeeded"])
def test_news_before_the_payment_is_known_is_matched_later(draft: uuid.UUID, status: str) -> None:
    page = attempt(draft)
    early = [
        event(refund(page, status), "refund.created"),
        event(charge(page, 4900), "charge.refunded"),
        event(dispute(page, "needs_response"), "charge.dispute.created"),
    ]
    assert {deliver(one).body["outcome"] for one in early} == {"unmatched"}
    deliver(event(session(page)))
    assert {ledger()[one["id"]] for one in early} == {"matched"}
    row = now(page)
    assert (row.refunded_minor, row.refund_status, row.dispute_status) == (4900, status, "needs_response")
    assert consultation(page.consultation_id).status == Status.CANCELLED


def test_dispute_holds_and_a_won_one_lets_go(paid: Payment, alerts: list[Alert]) -> None:
    deliver(event(dispute(paid, "needs_response"), "charge.dispute.created"))
    assert consultation(paid.consultation_id).hold_reason == "dispute"
    deliver(event(dispute(paid, "won"), "charge.dispute.closed"))
    assert consultation(paid.consultation_id).hold_reason is None
    deliver(event(dispute(paid, "needs_response"), "charge.dispute.updated"))
    assert now(paid).dispute_status == "won"
    assert consultation(paid.consultation_id).hold_reason is None
    assert alerts == [("dispute_opened", "error")]


def test_lost_dispute_closes_a_case_that_waits(paid: Payment, alerts: list[Alert]) -> None:
    deliver(event(dispute(paid, "under_review"), "charge.dispute.created"))
    deliver(event(dispute(paid, "lost"), "charge.dispute.closed"))
    case = consultation(paid.consultation_id)
    assert (case.status, case.hold_reason) == (Status.CANCELLED, None)
    assert [a.code for a in alerts] == ["dispute_opened", "dispute_lost"]
    assert [m.kind for m in mails()] == ["payment_received", "dispute_lost"]


def test_lost_dispute_holds_a_case_a_dermatologist_works_on(paid: Payment, alerts: list[Alert]) -> None:
    _in_review(paid)
    deliver(event(dispute(paid, "lost"), "charge.dispute.closed"))
    held = consultation(paid.consultation_id)
    assert (held.status, held.hold_reason) == (Status.IN_REVIEW, "dispute")
    assert [a.code for a in alerts] == ["dispute_lost", "refunded_in_review"]


def test_another_dispute_after_one_that_ended_holds_again(paid: Payment, alerts: list[Alert]) -> None:
    deliver(event(dispute(paid, "warning_needs_response"), "charge.dispute.created"))
    deliver(event(dispute(paid, "warning_closed"), "charge.dispute.closed"))
    second = {**dispute(paid, "needs_response"), "id": "du_2"}
    deliver(event(second, "charge.dispute.created"))
    assert consultation(paid.consultation_id).hold_reason == "dispute"
    deliver(event(dispute(paid, "warning_closed"), "charge.dispute.closed"))  # late, about the first one
    assert (now(paid).stripe_dispute_id, now(paid).dispute_status) == ("du_2", "needs_response")
    assert alerts == [("dispute_opened", "error")] * 2


def test_dispute_the_bank_looks_into_is_told_once(paid: Payment, alerts: list[Alert]) -> None:
    for status in ("needs_response", "under_review", "under_review"):
        deliver(event(dispute(paid, status), "charge.dispute.updated"))
    assert now(paid).dispute_status == "under_review"
    assert alerts == [("dispute_opened", "error")]


def test_lost_dispute_about_a_second_payment_leaves_the_case_alone(paid: Payment, alerts: list[Alert]) -> None:
    second = attempt(paid.consultation_id, attempt=2, status="EXPIRED")
    deliver(event(session(second)))
    deliver(event(dispute(second, "lost"), "charge.dispute.closed"))
    assert consultation(paid.consultation_id).status == Status.PENDING
    assert ("dispute_lost", "error") in alerts


def test_won_dispute_leaves_another_hold_in_place(paid: Payment, alerts: list[Alert]) -> None:
    _in_review(paid)
    deliver(event(dispute(paid, "needs_response"), "charge.dispute.created"))
    deliver(event(charge(paid, 4900), "charge.refunded"))
    deliver(event(dispute(paid, "won"), "charge.dispute.closed"))
    assert consultation(paid.consultation_id).hold_reason == "refunded"
    assert alerts == [("dispute_opened", "error"), ("refunded_in_review", "error")]


def test_dispute_about_an_answered_case_calls_somebody_and_holds_nothing(paid: Payment, alerts: list[Alert]) -> None:
    _in_review(paid)
    with transaction() as tx:
        tx.get_one(Consultation, paid.consultation_id).status = Status.ANSWERED
    deliver(event(dispute(paid, "needs_response"), "charge.dispute.created"))
    assert consultation(paid.consultation_id).hold_reason is None
    assert alerts == [("dispute_opened", "error")]


def test_object_that_does_not_fit_is_kept_for_a_person(paid: Payment, alerts: list[Alert]) -> None:
    for strange in ({**charge(paid, 1), "amount_refunded": "1"}, {"object": "coupon"}):
        assert deliver(event(strange, "charge.refunded")).body == {"outcome": "quarantined"}
    assert [a.code for a in alerts] == ["webhook_object_unfit"] * 2
    assert now(paid).status == PaymentStatus.PAID
