"""Money that goes back: what Stripe tells of refunds and disputes, applied by payment intent and only forward."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from sqlmodel import Session, col, select

from teleconsult import audit, jobs, privacy
from teleconsult.billing.gateway import gateway
from teleconsult.billing.models import Payment, ProcessedWebhook
from teleconsult.billing.objects import Charge, Dispute, Refund
from teleconsult.consultations.models import Consultation
from teleconsult.consultations.rules import Status
from teleconsult.db import transaction, utcnow

EVENTS = frozenset(
    {
        "charge.refunded",
        "refund.created",
        "refund.updated",
        "refund.failed",
        "charge.dispute.created",
        "charge.dispute.updated",
        "charge.dispute.closed",
    }
)
UNMATCHED = "unmatched"
"""Ledger outcome of news about a payment whose session we have not seen yet: looked at again when it comes."""

DISPUTE_OVER = frozenset({"won", "lost", "prevented", "warning_closed"})
HELD_BY_DISPUTE, HELD_BY_REFUND = "dispute", "refunded"
WITH_CLINIC = frozenset({Status.PENDING, Status.IN_REVIEW, Status.NEEDS_PHOTOS})


def apply(tx: Session, obj: Mapping[str, Any]) -> tuple[str, Payment | None, str]:
    """Bring one refund or dispute into our rows: outcome, payment, and the payment intent when nobody knows it yet.

    Raises:
        ValidationError: the object is not as we know it.
    """
    read: dict[str, Callable[[Any], Charge | Refund | Dispute]] = {
        "charge": Charge.model_validate,
        "refund": Refund.model_validate,
        "dispute": Dispute.model_validate,
    }
    news = read[str(obj.get("object"))](obj)
    payment, consultation = _rows(tx, news.payment_intent)
    if payment is None or consultation is None:
        return UNMATCHED, None, news.payment_intent or ""
    if isinstance(news, Charge):
        refunded(tx, payment, consultation, news.amount_refunded)
    elif isinstance(news, Refund):
        _refund(tx, payment, consultation, news)
    else:
        _dispute(tx, payment, consultation, news)
    return "processed", payment, ""


def _rows(tx: Session, intent: str | None) -> tuple[Payment | None, Consultation | None]:
    """Payment and consultation, locked in the order of everywhere: consultation first."""
    if not intent:
        return None, None
    owner = select(Payment.consultation_id).where(col(Payment.stripe_payment_intent_id) == intent)
    query = select(Consultation).where(col(Consultation.id).in_(owner)).with_for_update()
    consultation = tx.exec(query).one_or_none()
    attempt = select(Payment).where(col(Payment.stripe_payment_intent_id) == intent).with_for_update()
    return tx.exec(attempt).one_or_none(), consultation


def refunded(tx: Session, payment: Payment, consultation: Consultation, total_minor: int) -> None:
    """This much has been returned in all. Never less than we knew, whatever order the news comes in."""
    if total_minor <= payment.refunded_minor:
        return
    payment.refunded_minor = min(total_minor, payment.amount_minor)
    payment.updated_at = utcnow()
    audit.record(tx, "payment_refunded", "payment", payment.id, total_minor=payment.refunded_minor)
    if payment.refunded_minor == payment.amount_minor:
        payment.refund_status = "succeeded"
        if consultation.paid_payment_id == payment.id:
            _without_pay(tx, consultation)


def _without_pay(tx: Session, consultation: Consultation) -> None:
    """All money is back: a waiting case leaves the queue, one a dermatologist works on waits for an operator."""
    if consultation.status == Status.PENDING:
        consultation.status, consultation.hold_reason, consultation.updated_at = Status.CANCELLED, None, utcnow()
        audit.record(tx, "cancelled", "consultation", consultation.id, reason=HELD_BY_REFUND)
    elif consultation.status in WITH_CLINIC:
        consultation.hold_reason, consultation.updated_at = HELD_BY_REFUND, utcnow()
        audit.record(tx, "held", "consultation", consultation.id, reason=HELD_BY_REFUND)
        privacy.alert("refunded_in_review", "error", fingerprint=("refunded_in_review", consultation.id))


def _refund(tx: Session, payment: Payment, consultation: Consultation, news: Refund) -> None:
    if news.status in ("failed", "canceled"):
        payment.refund_status, payment.updated_at = "failed", utcnow()
        audit.record(tx, "refund_failed", "payment", payment.id)
        privacy.alert("refund_failed", "error", fingerprint=("refund_failed", payment.id), payment_id=str(payment.id))
        jobs.defer(tx, recount, lock=f"refund:{payment.id}", payment_id=str(payment.id))
    elif news.status == "succeeded":
        payment.refund_status = "succeeded"
        refunded(tx, payment, consultation, news.amount)
    elif payment.refund_status != "succeeded":
        payment.refund_status = "pending"


@jobs.app.task(name="billing.recount", retry=jobs.PERSISTENT, queue="money")
def recount(payment_id: str) -> None:
    """Ask Stripe what has really been returned: after a refund failed, and for news that came before its payment."""
    with transaction() as tx:
        payment = tx.get_one(Payment, uuid.UUID(payment_id))
    if not payment.stripe_payment_intent_id:
        return
    made = gateway().retrieve_refunds(payment.stripe_payment_intent_id)
    total = sum(r.amount for r in made if r.status == "succeeded")
    with transaction() as tx:
        row, consultation = _rows(tx, payment.stripe_payment_intent_id)
        if row is None or consultation is None:
            return
        if total < row.refunded_minor:  # the one way down: Stripe itself says that a refund came back
            row.refunded_minor, row.updated_at = total, utcnow()
            audit.record(tx, "payment_recounted", "payment", row.id, total_minor=total)
        refunded(tx, row, consultation, total)


def _dispute(tx: Session, payment: Payment, consultation: Consultation, news: Dispute) -> None:
    """An open dispute holds the case; one that ended stays ended, whatever comes late."""
    if payment.dispute_status in DISPUTE_OVER or payment.dispute_status == news.status:
        return
    payment.dispute_status, payment.updated_at = news.status, utcnow()
    audit.record(tx, f"dispute_{news.status}", "payment", payment.id)
    if news.status == "lost":
        privacy.alert("dispute_lost", "error", fingerprint=("dispute", payment.id), payment_id=str(payment.id))
    elif news.status in DISPUTE_OVER:
        if consultation.hold_reason == HELD_BY_DISPUTE:
            consultation.hold_reason, consultation.updated_at = None, utcnow()
            audit.record(tx, "unheld", "consultation", consultation.id, reason=HELD_BY_DISPUTE)
    elif consultation.status in WITH_CLINIC and consultation.hold_reason is None:
        consultation.hold_reason, consultation.updated_at = HELD_BY_DISPUTE, utcnow()
        audit.record(tx, "held", "consultation", consultation.id, reason=HELD_BY_DISPUTE)
        privacy.alert("dispute_opened", "error", fingerprint=("dispute", payment.id), payment_id=str(payment.id))


def catch_up(tx: Session, payment: Payment) -> None:
    """A payment has just become known: if there was news about it before, ask Stripe how it stands."""
    earlier = select(ProcessedWebhook).where(
        col(ProcessedWebhook.outcome) == UNMATCHED, col(ProcessedWebhook.detail) == payment.stripe_payment_intent_id
    )
    rows = tx.exec(earlier).all()
    for row in rows:
        row.outcome, row.detail, row.payment_id = "matched", "", payment.id
    if rows:
        jobs.defer(tx, recount, lock=f"refund:{payment.id}", payment_id=str(payment.id))
