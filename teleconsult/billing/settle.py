"""The one place where money becomes a queued consultation. Webhook, landing page and sweep all end here.

Lock order everywhere: consultation, then payment.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from teleconsult import audit, privacy
from teleconsult.accounts.models import User
from teleconsult.billing import reversals, rules
from teleconsult.billing.gateway import GatewayDown, GatewayRefused, gateway
from teleconsult.billing.models import Payment
from teleconsult.billing.objects import CheckoutSession
from teleconsult.billing.refunds import refund_later
from teleconsult.billing.rules import LIVE, SETTLED, PaymentStatus
from teleconsult.consultations import service as consultations
from teleconsult.consultations.models import Consultation
from teleconsult.consultations.rules import Status
from teleconsult.db import transaction, utcnow
from teleconsult.notices.service import send_later


class Source(StrEnum):
    """Who told us."""

    WEBHOOK = "webhook"
    LANDING = "landing"
    SWEEP = "sweep"
    OPERATOR = "operator"


class Outcome(StrEnum):
    """What came of a session. The words stand in the ledger and in the webhook's answer."""

    PROCESSED = "processed"
    PROCESSING = "processing"
    EXPIRED = "expired"
    FAILED = "failed"
    NOOP = "noop"
    DUPLICATE_PAYMENT = "duplicate_payment"
    QUARANTINED = "quarantined"


def settle(
    tx: Session, session: CheckoutSession, source: Source, *, failed: bool = False
) -> tuple[Outcome, Payment | None]:
    """Bring our rows to what Stripe's session says. Safe to repeat, in any order, from anywhere.

    `failed` marks the event that says a delayed method came to nothing.
    """
    consultation = _consultation(tx, session)
    payment = _payment(tx, session, consultation)
    if consultation is None or payment is None:
        _alert("payment_unknown", session, payment)
        return Outcome.QUARANTINED, payment
    if payment.status in SETTLED:
        return Outcome.NOOP, payment
    if session.paid:
        return _money(tx, consultation, payment, session, source), payment
    return _step(tx, payment, session, _without_money(session, failed=failed)), payment


def _without_money(session: CheckoutSession, *, failed: bool) -> PaymentStatus | None:
    if failed:
        return PaymentStatus.FAILED
    return {"complete": PaymentStatus.PROCESSING, "expired": PaymentStatus.EXPIRED}.get(session.status)


def _consultation(tx: Session, session: CheckoutSession) -> Consultation | None:
    """The consultation our metadata names, if it belongs to the person the metadata names. Locked."""
    ids = session.metadata
    query = select(Consultation).where(
        col(Consultation.id) == uuid.UUID(ids["consultationId"]), col(Consultation.user_id) == uuid.UUID(ids["userId"])
    )
    return tx.exec(query.with_for_update()).one_or_none()


def _payment(tx: Session, session: CheckoutSession, consultation: Consultation | None) -> Payment | None:
    """The attempt behind the session. One whose answer from Stripe was lost is adopted by its metadata."""
    by_session = select(Payment).where(col(Payment.stripe_session_id) == session.id).with_for_update()
    if (found := tx.exec(by_session).one_or_none()) is not None:
        return found if consultation and found.consultation_id == consultation.id else None
    if consultation is None or not (attempt := _uuid(session.metadata.get("paymentId", ""))):
        return None
    query = select(Payment).where(
        col(Payment.id) == attempt,
        col(Payment.consultation_id) == consultation.id,
        col(Payment.stripe_session_id).is_(None),
    )
    adopted = tx.exec(query.with_for_update()).one_or_none()
    if adopted is not None:
        adopted.stripe_session_id, adopted.session_url = session.id, session.url
    return adopted


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _step(tx: Session, payment: Payment, session: CheckoutSession, to: PaymentStatus | None) -> Outcome:
    """A move of an attempt that brings no money. An attempt that is over stays as it ended."""
    movable = LIVE - {PaymentStatus.PROCESSING} if to is PaymentStatus.EXPIRED else LIVE
    if to is None or payment.status not in movable or payment.status == to:
        return Outcome.NOOP
    payment.status, payment.updated_at = to, utcnow()
    payment.stripe_payment_intent_id = session.payment_intent or payment.stripe_payment_intent_id
    audit.record(tx, f"payment_{to.lower()}", "payment", payment.id)
    return Outcome(to.lower())


def _money(
    tx: Session, consultation: Consultation, payment: Payment, session: CheckoutSession, source: Source
) -> Outcome:
    """Money has arrived: for the queue, a second time, or not as agreed. Late money wins over expired and failed."""
    payment.stripe_payment_intent_id = session.payment_intent
    payment.paid_at = payment.updated_at = utcnow()
    payment.settled_by = source
    if reason := rules.mismatch(_expected(payment), _claimed(session)):
        payment.status, payment.review_reason = PaymentStatus.REVIEW, reason
        _alert("payment_mismatch", session, payment)
        audit.record(tx, "payment_review", "payment", payment.id, reason=reason)
        return Outcome.QUARANTINED
    if consultation.status != Status.DRAFT:
        return _second(tx, consultation, payment, session)
    payment.status = PaymentStatus.PAID
    tx.flush()  # the payment is PAID before the consultation points at it
    due = consultations.mark_paid(
        tx,
        consultation,
        payment_id=payment.id,
        payment_intent=session.payment_intent,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        source=source,
    )
    audit.record(tx, "payment_paid", "payment", payment.id, source=source)
    reversals.catch_up(tx, payment)
    owner = tx.get_one(User, consultation.user_id)
    local = due.astimezone(ZoneInfo(owner.timezone))
    _mail(
        tx,
        owner,
        "payment_received",
        consultation,
        payment,
        due=f"{local:%A} {local.day} {local:%B, %H:%M} ({local:%Z})",
    )
    return Outcome.PROCESSED


def _second(tx: Session, consultation: Consultation, payment: Payment, session: CheckoutSession) -> Outcome:
    """Paid twice, or paid after it was cancelled: the money goes back by itself and the patient is told."""
    payment.status = PaymentStatus.DUPLICATE
    refund_later(tx, payment)
    _alert("payment_duplicate", session, payment)
    audit.record(tx, "payment_duplicate", "payment", payment.id)
    _mail(tx, tx.get_one(User, consultation.user_id), "payment_returned", consultation, payment)
    return Outcome.DUPLICATE_PAYMENT


def _spoken(moment: datetime, timezone: str) -> str:
    local = moment.astimezone(ZoneInfo(timezone))
    return f"{local:%A} {local.day} {local:%B, %H:%M} ({local:%Z})"


def _mail(tx: Session, owner: User, kind: str, consultation: Consultation, payment: Payment, **facts: str) -> None:
    amount = rules.money(payment.amount_minor, payment.currency)
    send_later(tx, kind, owner.email, ref=consultation.ref, amount=amount, **facts)


def _expected(payment: Payment) -> rules.Expected:
    return rules.Expected(
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        livemode=payment.livemode,
        consultation_id=str(payment.consultation_id),
        session_id=payment.stripe_session_id,
    )


def _claimed(session: CheckoutSession) -> rules.Claimed:
    return rules.Claimed(
        mode=session.mode,
        amount_minor=session.amount_total,
        currency=session.currency,
        livemode=session.livemode,
        reference=session.client_reference_id,
        session_id=session.id,
    )


def _alert(code: str, session: CheckoutSession, payment: Payment | None) -> None:
    level = "error" if code == "payment_duplicate" else "fatal"
    privacy.alert(code, level, fingerprint=(code, session.id), payment_id=str(payment.id) if payment else "")


def confirm(user_id: uuid.UUID, session_id: str) -> str:
    """The patient is back from Stripe: if our row isn't settled yet, ask Stripe about it and settle.

    Only the owner's own session is looked up; anything else makes no call. Stripe's silence is not an error here:
    the webhook is on its way.

    Returns:
        Stripe's word for the session (open, complete, expired), or "" when it was not asked or didn't answer.
    """
    mine = select(Payment).where(col(Payment.stripe_session_id) == session_id, col(Payment.user_id) == user_id)
    with transaction() as tx:
        payment = tx.exec(mine).one_or_none()
    if payment is None or payment.status not in LIVE:
        return ""
    seen = refresh(payment, Source.LANDING)
    return seen.status if seen else ""


def refresh(payment: Payment, source: Source) -> CheckoutSession | None:
    """Ask Stripe how an attempt stands and settle it. None when Stripe can't be asked now.

    The row decides whose money it is, so broken metadata can't strand a patient.
    """
    if payment.stripe_session_id is None:
        return None
    try:
        session = gateway().retrieve_session(payment.stripe_session_id)
    except (GatewayDown, GatewayRefused):
        return None
    ids = {"userId": str(payment.user_id), "consultationId": str(payment.consultation_id), "paymentId": str(payment.id)}
    known = session.model_copy(update={"metadata": {**session.metadata, **ids}})
    with transaction() as tx:
        settle(tx, known, source)
    return known
