"""Money and events that wait for an operator, each with its reason and its age, and the one step that ends the wait."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import Session, col, select

from teleconsult import audit
from teleconsult.accounts.models import Role
from teleconsult.billing import ledger, refunds, reversals, rows, rules
from teleconsult.billing.models import Payment, ProcessedWebhook, Refund
from teleconsult.billing.rules import PaymentStatus, RefundReason, RefundStatus
from teleconsult.billing.settle import Outcome, Source, take
from teleconsult.consultations.models import Consultation
from teleconsult.db import transaction, utcnow
from teleconsult.errors import Conflict, Invalid, NotFound
from teleconsult.settings import get_settings

DECIDED = "This payment doesn’t wait for a decision any more."
UNMATCHED_AFTER = timedelta(hours=1)
"""News that is older and still has no payment is shown: its money should have come by now."""


class Kind(StrEnum):
    """What waits."""

    PAYMENT = "payment"
    """Money for a known attempt, which isn't what was agreed. Accept it or return it."""
    REFUND = "refund"
    """Money that should have gone back and didn't. Return it again, or say that it went back in another way."""
    EVENT = "event"
    """An event nobody could assign. Return its money; without money, dismiss it."""


class Dismissal(StrEnum):
    """Why an operator puts something aside."""

    OTHER_SOFTWARE = "other_software"
    TEST = "test"
    HANDLED = "handled"
    """It was dealt with in another way, for example by a bank transfer."""


@dataclass(frozen=True)
class Item:
    """One thing that waits. `id` is the payment's UUID or the event's id, and what the three acts are called with."""

    kind: Kind
    id: str
    reason: str
    """One word: the check that failed, the bank's reason, or why the event could not be applied."""
    since: datetime
    """UTC."""
    amount: str
    """The money it is about in words, or "" when none is known."""
    amount_minor: int | None
    currency: str | None
    ref: str
    """The consultation's reference, or ""."""
    payment_intent: str | None
    """Stripe's id, to look it up in the dashboard."""
    acts: tuple[str, ...]
    """What can be done: accept, refund, dismiss."""
    asked: str = ""
    """What the payment page asked for, in words; "" for an event."""
    event_type: str = ""
    """Stripe's name of what happened, of an event."""
    writes: bool = False
    """Whether the patient gets an e-mail when the money goes back."""


@dataclass(frozen=True)
class Decision:
    """What an act came to: queued, returned or dismissed. Repeated, it says the same and changes nothing."""

    outcome: str
    refund_id: uuid.UUID | None = None


def listed() -> list[Item]:
    """Everything that waits for an operator, longest first."""
    with transaction() as tx:
        items = [*_payments(tx), *_events(tx)]
    return sorted(items, key=lambda item: item.since)


# ── The list ───────────────────────────────────────────────────────────────────────────────────────


def _payments(tx: Session) -> Iterable[Item]:
    query = (
        select(Payment, Consultation.ref)
        .join(Consultation, col(Consultation.id) == col(Payment.consultation_id))
        .where((col(Payment.status) == PaymentStatus.REVIEW) | (col(Payment.refund_status) == RefundStatus.FAILED))
    )
    for payment, ref in tx.exec(query).all():
        review = payment.status == PaymentStatus.REVIEW
        currency = payment.received_currency or payment.currency
        amount = payment.received_minor if review else _due(tx, payment)
        yield Item(
            kind=Kind.PAYMENT if review else Kind.REFUND,
            id=str(payment.id),
            reason=(payment.review_reason or "") if review else _failure(tx, payment),
            since=payment.paid_at if review and payment.paid_at else payment.updated_at,
            amount=rules.money(amount, currency),
            amount_minor=amount,
            currency=currency,
            ref=ref,
            payment_intent=payment.stripe_payment_intent_id,
            acts=("accept", "refund") if review else ("refund", "dismiss"),
            asked=rules.money(payment.amount_minor, payment.currency),
            writes=amount > 0 and _why(tx, payment) != RefundReason.DUPLICATE,
        )


def _failure(tx: Session, payment: Payment) -> str:
    last = _failed(tx, payment)
    return (last.failure if last else None) or "refund_failed"


def _failed(tx: Session, payment: Payment) -> Refund | None:
    """The refund that failed last."""
    query = select(Refund).where(col(Refund.payment_id) == payment.id, col(Refund.status) == RefundStatus.FAILED)
    return tx.exec(query.order_by(col(Refund.created_at).desc()).limit(1)).first()


def _events(tx: Session) -> Iterable[Item]:
    """Events whose payment is known are represented by it."""
    query = select(ProcessedWebhook).where(*ledger.unresolved(), col(ProcessedWebhook.payment_id).is_(None))
    fresh = utcnow() - UNMATCHED_AFTER
    for row in tx.exec(query).all():
        if row.outcome == ledger.UNMATCHED and row.received_at > fresh:
            continue
        yield Item(
            kind=Kind.EVENT,
            id=row.id,
            reason=_reason(tx, row),
            since=row.received_at,
            amount=rules.money(row.amount_minor, row.currency) if row.amount_minor and row.currency else "",
            amount_minor=row.amount_minor,
            currency=row.currency,
            ref="",
            payment_intent=row.stripe_payment_intent_id,
            acts=("refund",) if _brings_money(row) else ("dismiss",),
            event_type=row.type,
        )


def _reason(tx: Session, row: ProcessedWebhook) -> str:
    if row.livemode != get_settings().livemode:
        return "livemode"
    if row.outcome == ledger.UNMATCHED:
        return "unmatched"
    tried = select(Refund.failure).where(col(Refund.event_id) == row.id, col(Refund.status) == RefundStatus.FAILED)
    if failures := tx.exec(tried.order_by(col(Refund.created_at).desc())).all():
        return failures[0] or "refund_failed"
    return "unknown" if row.object_id else "unreadable"


def _brings_money(row: ProcessedWebhook) -> bool:
    """Whether the event says that money has arrived which our key can return."""
    return bool(
        row.outcome == ledger.QUARANTINED
        and row.livemode == get_settings().livemode
        and row.type.startswith("checkout.session.")
        and row.detail == "paid"
        and row.stripe_payment_intent_id
        and row.amount_minor
        and row.currency
    )


# ── The acts ───────────────────────────────────────────────────────────────────────────────────────


def accept(operator_id: uuid.UUID, item: uuid.UUID | str) -> Decision:
    """Take a payment in REVIEW for what it is: its consultation is queued, or, when nothing waits, the money goes back.

    Raises:
        Forbidden: not an operator.
        NotFound: there is no such payment.
        Conflict: it was returned meanwhile, or never lay in quarantine.
    """
    with transaction() as tx:
        rows.require_operator(tx, operator_id)
        payment, case = rows.by_id(tx, _payment_id(item))
        accepted = payment.settled_by == Source.OPERATOR and payment.status != PaymentStatus.RETURNED
        if not accepted:
            if payment.status != PaymentStatus.REVIEW:
                raise Conflict(DECIDED)
            audit.record(tx, "payment_accepted", "payment", payment.id, actor_id=operator_id, actor_role=Role.OPERATOR)
            take(tx, case, payment, Source.OPERATOR, operator_id)
        queued = payment.status == PaymentStatus.PAID
        return Decision("queued" if queued else Outcome.DUPLICATE_PAYMENT, None if queued else _last(tx, payment))


def refund(operator_id: uuid.UUID, item: uuid.UUID | str) -> Decision:
    """Return the money of a payment in REVIEW, of a refund that failed, or of an event nobody could assign.

    Raises:
        Forbidden: not an operator.
        NotFound: there is no such payment or event.
        Conflict: it was decided otherwise meanwhile, or there is no money to return.
    """
    with transaction() as tx:
        rows.require_operator(tx, operator_id)
        if str(item).startswith("evt_"):
            return _return_event(tx, operator_id, str(item))
        return _return_payment(tx, operator_id, _payment_id(item))


def dismiss(operator_id: uuid.UUID, item: uuid.UUID | str, reason: str) -> Decision:
    """Put aside an event without money, or a failed refund whose money went back in another way.

    `reason` is a word of `Dismissal`.

    Raises:
        Forbidden: not an operator.
        NotFound: there is no such payment or event.
        Conflict: it brought money, or is no such thing.
        Invalid: there is no such reason.
    """
    try:
        why = Dismissal(reason)
    except ValueError:
        raise Invalid({"reason": "Choose one of: " + ", ".join(Dismissal) + "."}) from None
    with transaction() as tx:
        rows.require_operator(tx, operator_id)
        if str(item).startswith("evt_"):
            _dismiss_event(tx, operator_id, str(item), why)
        else:
            _dismiss_refund(tx, operator_id, _payment_id(item), why)
    return Decision(ledger.DISMISSED)


def _payment_id(item: uuid.UUID | str) -> uuid.UUID:
    try:
        return uuid.UUID(str(item))
    except ValueError:
        raise NotFound("There is no such payment or event.") from None


def _return_payment(tx: Session, operator_id: uuid.UUID, payment_id: uuid.UUID) -> Decision:
    payment, _ = rows.by_id(tx, payment_id)
    review = payment.status == PaymentStatus.REVIEW
    if not review and payment.refund_status != RefundStatus.FAILED:
        if payment.status == PaymentStatus.RETURNED:
            return Decision("returned", _last(tx, payment))
        raise Conflict(DECIDED)
    if review:
        payment.status, payment.settled_by, payment.updated_at = PaymentStatus.RETURNED, Source.OPERATOR, utcnow()
        audit.record(tx, "payment_returned", "payment", payment.id, actor_id=operator_id, actor_role=Role.OPERATOR)
    amount = refunds.left_of(tx, payment) if review else _due(tx, payment)
    made = refunds.promise(tx, payment, amount, _why(tx, payment), operator_id) if amount > 0 else None
    return Decision("returned", made.id if made else None)


def _due(tx: Session, payment: Payment) -> int:
    """What is still to go back after a refund has failed: as much as it was, or all of money that buys nothing."""
    last = _failed(tx, payment)
    owed = last.amount_minor if last and payment.status not in rules.OWED else payment.received_minor
    return min(refunds.left_of(tx, payment), owed)


def _why(tx: Session, payment: Payment) -> RefundReason:
    last = _failed(tx, payment)
    return RefundReason(last.reason) if last else RefundReason.UNASSIGNED


def _last(tx: Session, payment: Payment) -> uuid.UUID | None:
    query = select(Refund.id).where(col(Refund.payment_id) == payment.id).order_by(col(Refund.created_at).desc())
    return tx.exec(query.limit(1)).first()


def _event(tx: Session, event_id: str) -> ProcessedWebhook:
    row = ledger.find(tx, event_id, col(ProcessedWebhook.outcome).in_([ledger.QUARANTINED, ledger.UNMATCHED]))
    if row is None:
        raise NotFound("There is no such payment or event.")
    return row


def _return_event(tx: Session, operator_id: uuid.UUID, event_id: str) -> Decision:
    row = _event(tx, event_id)
    if row.resolution == ledger.REFUNDED:
        query = select(Refund.id).where(col(Refund.event_id) == row.id).order_by(col(Refund.created_at).desc())
        return Decision("returned", tx.exec(query.limit(1)).first())
    if row.resolution is not None or not _brings_money(row):
        raise Conflict("There is no money of this event to return.")
    made = refunds.promise_of_event(tx, row, operator_id)
    ledger.resolve(row, ledger.REFUNDED, operator_id)
    return Decision("returned", made.id)


def _dismiss_event(tx: Session, operator_id: uuid.UUID, event_id: str, why: Dismissal) -> None:
    row = _event(tx, event_id)
    if row.resolution == ledger.DISMISSED:
        return
    if row.resolution is not None or _brings_money(row):
        raise Conflict("This event brought money: return it.")
    ledger.resolve(row, ledger.DISMISSED, operator_id)
    audit.record(
        tx, "event_dismissed", "event", uuid.uuid5(uuid.NAMESPACE_URL, row.id), actor_id=operator_id,
        actor_role=Role.OPERATOR, event_id=row.id, reason=why,
    )  # fmt: skip


def _dismiss_refund(tx: Session, operator_id: uuid.UUID, payment_id: uuid.UUID, why: Dismissal) -> None:
    payment, case = rows.by_id(tx, payment_id)
    query = select(Refund).where(col(Refund.payment_id) == payment.id, col(Refund.status) == RefundStatus.FAILED)
    failed = tx.exec(query.with_for_update()).all()
    if payment.status == PaymentStatus.REVIEW:
        raise Conflict("This payment lies in quarantine: accept it or return it.")
    for row in failed:
        reversals.advance(tx, payment, case, row, status=RefundStatus.SUPERSEDED, failure=why)
    if failed:
        audit.record(
            tx, "refund_dismissed", "payment", payment.id, actor_id=operator_id, actor_role=Role.OPERATOR, reason=why
        )
