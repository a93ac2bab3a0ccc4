"""The one place where money becomes a queued consultation. Webhook, landing page and sweep all end here.

Lock order everywhere: consultation, then payment.
"""

from __future__ import annotations

import uuid
from enum import StrEnum

from sqlmodel import Session, col, select, update

from teleconsult import audit, privacy
from teleconsult.accounts.models import Role
from teleconsult.billing import disputes, holds, ledger, letters, reversals, rows, rules
from teleconsult.billing.gateway import GatewayDown, GatewayRefused, gateway
from teleconsult.billing.models import Payment
from teleconsult.billing.objects import CheckoutSession
from teleconsult.billing.refunds import refund_later
from teleconsult.billing.rules import LIVE, SETTLED, PaymentStatus, RefundReason
from teleconsult.consultations import service as consultations
from teleconsult.consultations.models import Consultation
from teleconsult.consultations.rules import Status
from teleconsult.db import changed, transaction, utcnow


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

    `failed` marks the event that says a delayed method came to nothing. The session's metadata holds a userId and a
    consultationId that are UUIDs.
    """
    rows.turn(tx, session.payment_intent)
    found = _found(tx, session)
    if found is None:
        _alert("payment_unknown", session, None)
        return Outcome.QUARANTINED, None
    payment, case = found
    if payment.status in SETTLED:
        return Outcome.NOOP, payment
    ours = _agrees(payment, session)
    if not ours:
        _alert("payment_unknown", session, payment)
    if session.paid:
        return _money(tx, case, payment, session, source, ours=ours), payment
    outcome = _step(tx, case, payment, session, _without_money(session, failed=failed))
    return (outcome if ours else Outcome.QUARANTINED), payment


def _without_money(session: CheckoutSession, *, failed: bool) -> PaymentStatus | None:
    if failed:
        return PaymentStatus.FAILED
    return {"complete": PaymentStatus.PROCESSING, "expired": PaymentStatus.EXPIRED}.get(session.status)


# ── Whose it is ────────────────────────────────────────────────────────────────────────────────────


def _found(tx: Session, session: CheckoutSession) -> tuple[Payment, Consultation] | None:
    """The attempt behind the session, locked. One whose answer from Stripe was lost is adopted by its metadata."""
    if found := rows.pair(tx, col(Payment.stripe_session_id) == session.id):
        return found
    attempt = _uuid(session.metadata.get("paymentId", ""))
    found = rows.pair(tx, col(Payment.id) == attempt) if attempt else None
    if found is None or found[0].stripe_session_id is not None or not _agrees(found[0], session):
        return None
    found[0].stripe_session_id, found[0].session_url = session.id, session.url
    return found


def _agrees(payment: Payment, session: CheckoutSession) -> bool:
    """Whether the metadata names the consultation and the person whose attempt this is."""
    named = (_uuid(session.metadata["consultationId"]), _uuid(session.metadata["userId"]))
    return named == (payment.consultation_id, payment.user_id)


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


# ── Without money ──────────────────────────────────────────────────────────────────────────────────


def _step(
    tx: Session, case: Consultation, payment: Payment, session: CheckoutSession, to: PaymentStatus | None
) -> Outcome:
    """A move of an attempt that brings no money."""
    if to is None or payment.status not in rules.MOVES[to] or (to in LIVE and _another_lives(tx, payment)):
        return Outcome.NOOP
    payment.status, payment.updated_at = to, utcnow()
    payment.stripe_payment_intent_id = session.payment_intent or payment.stripe_payment_intent_id
    audit.record(tx, f"payment_{to.lower()}", "payment", payment.id)
    if to is PaymentStatus.FAILED:
        privacy.alert("payment_failed", "info", fingerprint=("payment_failed",), payment_id=str(payment.id))
        if case.status == Status.DRAFT:
            letters.write(tx, "payment_failed", case, payment)
    return Outcome(to.lower())


def _another_lives(tx: Session, payment: Payment) -> bool:
    """Whether the patient has begun anew meanwhile. Then this attempt stays as it ended until its money comes."""
    other = select(Payment.id).where(
        col(Payment.consultation_id) == payment.consultation_id,
        col(Payment.id) != payment.id,
        col(Payment.status).in_(LIVE),
    )
    return tx.exec(other).first() is not None


# ── Money ──────────────────────────────────────────────────────────────────────────────────────────


def _money(
    tx: Session, case: Consultation, payment: Payment, session: CheckoutSession, source: Source, *, ours: bool
) -> Outcome:
    """Money has arrived. Late money wins over expired and failed."""
    payment.stripe_payment_intent_id = session.payment_intent
    payment.received_minor, payment.received_currency = session.amount_total or 0, session.currency
    payment.paid_at = payment.updated_at = utcnow()
    if not ours:
        outcome = _nobodys(tx, payment, source)
    elif reason := rules.mismatch(_expected(payment), _claimed(session)):
        outcome = _review(tx, payment, session, reason)
    else:
        outcome = take(tx, case, payment, source)
    earlier = ledger.waiting(tx, payment)
    ledger.settled(payment, earlier)
    reversals.catch_up(tx, payment, case, earlier)
    return outcome


def take(tx: Session, case: Consultation, payment: Payment, source: Source, actor: uuid.UUID | None = None) -> Outcome:
    """Let this money count: for the queue, or, when nothing waits for it any more, back to where it came from.

    The caller holds both locks, consultation first. `actor` is the operator who decided so.
    """
    payment.settled_by, payment.updated_at = source, utcnow()
    if case.status != Status.DRAFT:
        return _second(tx, case, payment, source, actor)
    payment.status = PaymentStatus.PAID
    tx.flush()  # the payment is PAID before the consultation points at it
    consultations.mark_paid(
        tx,
        case,
        payment_id=payment.id,
        payment_intent=payment.stripe_payment_intent_id,
        amount_minor=payment.received_minor,
        currency=payment.received_currency or payment.currency,
        source=source,
    )
    _audit(tx, "payment_paid", payment, actor, source=source)
    disputes.burden(tx, payment, case)
    if 0 < payment.received_minor == payment.refunded_minor:  # while it lay in quarantine all of it went back
        holds.without_pay(tx, case, holds.REFUND)
    letters.write(tx, "payment_received", case, payment)
    return Outcome.PROCESSED


def _second(tx: Session, case: Consultation, payment: Payment, source: Source, actor: uuid.UUID | None) -> Outcome:
    """Paid twice, or paid after it was cancelled: the money goes back by itself and the patient is told."""
    payment.status = PaymentStatus.DUPLICATE
    refund_later(tx, payment)
    privacy.alert(
        "payment_duplicate",
        "error",
        fingerprint=("payment_duplicate", payment.stripe_session_id),
        payment_id=str(payment.id),
    )
    _audit(tx, "payment_duplicate", payment, actor, source=source)
    letters.write(tx, "payment_returned" if case.paid_payment_id else "payment_too_late", case, payment)
    return Outcome.DUPLICATE_PAYMENT


def _nobodys(tx: Session, payment: Payment, source: Source) -> Outcome:
    """The page is ours, but its ids contradict our row: nobody can say what was bought, so the money goes back."""
    payment.status, payment.review_reason, payment.settled_by = PaymentStatus.RETURNED, "ids", source
    refund_later(tx, payment, RefundReason.UNASSIGNED)
    _audit(tx, "payment_unassigned", payment, None, source=source)
    return Outcome.QUARANTINED


def _review(tx: Session, payment: Payment, session: CheckoutSession, reason: str) -> Outcome:
    """It is not what was agreed: an operator accepts or returns it."""
    payment.status, payment.review_reason = PaymentStatus.REVIEW, reason
    _alert("payment_mismatch", session, payment)
    _audit(tx, "payment_review", payment, None, reason=reason)
    return Outcome.QUARANTINED


def _audit(tx: Session, action: str, payment: Payment, actor: uuid.UUID | None, **facts: str) -> None:
    role = Role.OPERATOR if actor else "system"
    audit.record(tx, action, "payment", payment.id, actor_id=actor, actor_role=role, **facts)


def _expected(payment: Payment) -> rules.Expected:
    return rules.Expected(
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        livemode=payment.livemode,
        consultation_id=str(payment.consultation_id),
    )


def _claimed(session: CheckoutSession) -> rules.Claimed:
    return rules.Claimed(
        mode=session.mode,
        amount_minor=session.amount_total,
        currency=session.currency,
        livemode=session.livemode,
        reference=session.client_reference_id,
    )


def _alert(code: str, session: CheckoutSession, payment: Payment | None) -> None:
    privacy.alert(code, "fatal", fingerprint=(code, session.id), payment_id=str(payment.id) if payment else "")


# ── Asking Stripe ──────────────────────────────────────────────────────────────────────────────────


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
    """Ask Stripe how an attempt stands and settle it. None when Stripe can't be asked now, or knows nothing of it."""
    try:
        return look(payment, source)
    except (GatewayDown, GatewayRefused):
        return None


def look(payment: Payment, source: Source) -> CheckoutSession | None:
    """The same. None when there is no page to ask about, or Stripe has never had it.

    Raises:
        GatewayDown, GatewayRefused: Stripe can't be asked now.
    """
    if payment.stripe_session_id is None:
        return None
    try:
        session = gateway().retrieve_session(payment.stripe_session_id)
    except GatewayRefused as error:
        if not error.gone:
            raise
        _give_up(payment)
        return None
    known = session.model_copy(update={"metadata": _completed(payment, session)})
    failed = _bank_refused(known)
    with transaction() as tx:
        settle(tx, known, source, failed=failed)
    return known


def _bank_refused(session: CheckoutSession) -> bool:
    """A page that is complete and unpaid looks alike before the bank has answered and after it said no."""
    waits = session.status == "complete" and not session.paid and session.payment_intent is not None
    return waits and gateway().intent_failed(str(session.payment_intent))


def _completed(payment: Payment, session: CheckoutSession) -> dict[str, str]:
    """The metadata with what is missing filled in from our row: metadata that was lost can't strand a patient.

    Ids that say something else stay, so that every way to here ends alike.
    """
    ids = {"userId": str(payment.user_id), "consultationId": str(payment.consultation_id), "paymentId": str(payment.id)}
    return {**ids, **{name: text for name, text in session.metadata.items() if name not in ids or _uuid(text)}}


def _give_up(payment: Payment) -> None:
    """Stripe has no such page, for example since its keys are of another account: nobody can pay on it."""
    privacy.alert("session_gone", "error", fingerprint=("session_gone", payment.id), payment_id=str(payment.id))
    with transaction() as tx:
        changed(
            tx,
            update(Payment)
            .where(col(Payment.id) == payment.id, col(Payment.status).in_(LIVE))
            .values(status=PaymentStatus.CANCELLED, updated_at=utcnow()),
        )
