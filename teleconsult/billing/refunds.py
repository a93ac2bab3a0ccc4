"""Returning money: promised in the transaction that decides it, carried out by a job under a stored key."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import Session, col, select

from teleconsult import audit, jobs
from teleconsult.accounts.models import Role
from teleconsult.billing import holds, objects, reversals, rows, rules
from teleconsult.billing.gateway import GatewayDown, GatewayRefused, gateway
from teleconsult.billing.models import Payment, ProcessedWebhook, Refund
from teleconsult.billing.rules import APP, OWED, SETTLED, UNFINISHED, PaymentStatus, RefundReason, RefundStatus
from teleconsult.consultations.models import Consultation
from teleconsult.db import transaction, utcnow
from teleconsult.errors import Conflict, Invalid
from teleconsult.settings import get_settings

ALREADY = "charge_already_refunded"
"""Stripe's word for a refund that happened before: success for us."""

QUIET = timedelta(minutes=30)
"""A refund that has heard nothing for so long is looked at by the sweep."""


@dataclass(frozen=True)
class Promised:
    """A refund that is on its way. `amount_minor` in minor units of `currency`."""

    refund_id: uuid.UUID
    amount_minor: int
    currency: str


# ── The promise ────────────────────────────────────────────────────────────────────────────────────


def refund_later(tx: Session, payment: Payment, reason: RefundReason = RefundReason.DUPLICATE) -> None:
    """Promise to return all that is left of a payment within the caller's transaction, which holds its lock."""
    left = left_of(tx, payment)
    if left > 0:
        promise(tx, payment, left, reason)


def request(operator_id: uuid.UUID, payment_id: uuid.UUID, amount_minor: int | None, reason: str) -> Promised:
    """An operator returns money: `amount_minor`, or None for all that is left. A failed refund is tried again so, too.

    `reason` is a word of `RefundReason`. When all of it goes back, a case that waits is closed at once.

    Raises:
        Forbidden: not an operator.
        NotFound: there is no such payment.
        Conflict: no money has arrived, it lies in quarantine, or another refund is about to start.
        Invalid: the amount is more than is left, or there is no such reason.
    """
    why = _reason(reason)
    with transaction() as tx:
        rows.require_operator(tx, operator_id)
        payment, case = rows.by_id(tx, payment_id)
        _refuse(payment)
        left = left_of(tx, payment)
        amount = left if amount_minor is None else amount_minor
        if not 1 <= amount <= left:
            most = rules.money(left, payment.received_currency or payment.currency)
            raise Invalid({"amount": f"Between the smallest coin and {most} can be returned."})
        made = promise(tx, payment, amount, why, operator_id)
        if amount == left and case.paid_payment_id == payment.id:
            holds.without_pay(tx, case, holds.REFUND)
    return Promised(made.id, made.amount_minor, made.currency)


def _reason(word: str) -> RefundReason:
    try:
        return RefundReason(word)
    except ValueError:
        raise Invalid({"reason": "Choose one of: " + ", ".join(RefundReason) + "."}) from None


def _refuse(payment: Payment) -> None:
    if payment.status == PaymentStatus.REVIEW:
        raise Conflict("This payment lies in quarantine: accept it or return it there.")
    if payment.status not in SETTLED:
        raise Conflict("No money has arrived by this payment.")
    if payment.refund_status == RefundStatus.REQUESTED:
        raise Conflict("A refund of this payment is just being sent to Stripe. Please look again in a minute.")


def left_of(tx: Session, payment: Payment) -> int:
    """What can still be returned, in minor units. The caller holds the payment's lock, so the sum can't move."""
    if not payment.stripe_payment_intent_id:
        return 0
    tx.flush()
    query = select(Refund.status, Refund.amount_minor).where(col(Refund.payment_id) == payment.id)
    made = tx.exec(query).all()
    promised = sum(amount for status, amount in made if status == RefundStatus.REQUESTED)
    at_stripe = sum(a for status, a in made if status in (RefundStatus.PENDING, RefundStatus.SUCCEEDED))
    return payment.received_minor - max(payment.refunded_minor, at_stripe) - promised


def promise(
    tx: Session, payment: Payment, amount_minor: int, reason: RefundReason, operator_id: uuid.UUID | None = None
) -> Refund:
    """The row and the job of one refund, in the caller's transaction, which holds the payment's lock."""
    row = _new(str(payment.stripe_payment_intent_id), amount_minor, reason, operator_id)
    row.payment_id, row.currency = payment.id, payment.received_currency or payment.currency
    _defer(tx, row)
    reversals.summarise(tx, payment)
    _audit(tx, row, "payment", payment.id)
    return row


def promise_of_event(tx: Session, event: ProcessedWebhook, operator_id: uuid.UUID) -> Refund:
    """The same for money that only an event tells of, with its intent and amount. The caller holds the event's lock."""
    row = _new(str(event.stripe_payment_intent_id), event.amount_minor or 0, RefundReason.UNASSIGNED, operator_id)
    row.event_id, row.currency = event.id, event.currency or ""
    _defer(tx, row)
    _audit(tx, row, "refund", row.id)
    return row


def _new(intent: str, amount_minor: int, reason: RefundReason, operator_id: uuid.UUID | None) -> Refund:
    row = Refund(
        stripe_payment_intent_id=intent,
        amount_minor=amount_minor,
        currency="",
        reason=reason,
        requested_by="operator" if operator_id else "system",
        operator_id=operator_id,
    )
    row.key = f"refund:{row.id}"
    return row


def _defer(tx: Session, row: Refund) -> None:
    tx.add(row)
    tx.flush()
    jobs.defer(tx, refund, lock=f"refund:{row.stripe_payment_intent_id}", refund_id=str(row.id))


def _audit(tx: Session, row: Refund, what: str, which: uuid.UUID) -> None:
    role = Role.OPERATOR if row.operator_id else "system"
    facts = {"refund_id": str(row.id), "amount_minor": row.amount_minor, "reason": row.reason}
    audit.record(tx, "refund_requested", what, which, actor_id=row.operator_id, actor_role=role, **facts)


# ── Carrying it out ────────────────────────────────────────────────────────────────────────────────


@jobs.app.task(name="billing.refund", retry=jobs.PERSISTENT, queue="money")
def refund(refund_id: str) -> None:
    """Have Stripe return the money, or ask how that stands. A repeat after a crash is the same refund, by its key.

    Raises:
        GatewayDown: Stripe can't be asked now; the job is tried again.
        GatewayRefused: our key is refused; the same.
    """
    with transaction() as tx:
        row = tx.get_one(Refund, uuid.UUID(refund_id))
    if row.status not in UNFINISHED:
        return
    try:
        told = _at_stripe(row)
    except GatewayRefused as error:
        if error.about_us:
            raise
        if error.param != "amount" or not _less_is_left(row):
            _refused(row, error.code)
    else:
        _told(row, told)


def _at_stripe(row: Refund) -> objects.Refund:
    """The refund as Stripe has it: known, made under a key that Stripe has forgotten by now, or made just now."""
    if row.stripe_refund_id:
        return gateway().retrieve_refund(row.stripe_refund_id)
    if utcnow() - row.created_at > rules.KEY_LIFE:
        made = gateway().retrieve_refunds(row.stripe_payment_intent_id)
        if found := next((one for one in made if one.ours == str(row.id)), None):
            return found
    marks = {"refundId": str(row.id), "app": APP, "env": get_settings().environment}
    reason = "duplicate" if row.reason == RefundReason.DUPLICATE else "requested_by_customer"
    return gateway().refund(
        row.stripe_payment_intent_id, row.amount_minor, reason=reason, metadata=marks, key=str(row.key)
    )


def _told(row: Refund, news: objects.Refund) -> None:
    with transaction() as tx:
        if row.payment_id:
            payment, case = rows.by_id(tx, row.payment_id)
            reversals.heard(tx, payment, case, news)
        else:
            reversals.heard_of_event(tx, tx.get_one(Refund, row.id, with_for_update=True), news)


def _refused(row: Refund, code: str) -> None:
    """Stripe won't: because all of it has gone back already, or for a reason an operator has to look at."""
    status = RefundStatus.SUPERSEDED if code == ALREADY else RefundStatus.FAILED
    with transaction() as tx:
        if row.payment_id:
            payment, case = rows.by_id(tx, row.payment_id)
            mine = tx.get_one(Refund, row.id, with_for_update=True)
            reversals.advance(tx, payment, case, mine, status=status, failure=code)
            if status == RefundStatus.SUPERSEDED:
                _returned_already(tx, payment, case)
        else:
            mine = tx.get_one(Refund, row.id, with_for_update=True)
            reversals.advance_of_event(tx, mine, status=status, failure=code)


def _less_is_left(row: Refund) -> bool:
    """Whether part of money that buys nothing went back in another way meanwhile: then the rest is promised anew."""
    made = gateway().retrieve_refunds(row.stripe_payment_intent_id)
    with transaction() as tx:
        found = rows.pair(tx, col(Payment.id) == row.payment_id)
        if found is None or found[0].status not in OWED:
            return False
        payment, case = found
        for news in made:
            reversals.heard(tx, payment, case, news)
        rest = left_of(tx, payment) + row.amount_minor  # its own promise is still counted
        if not 0 < rest < row.amount_minor:
            return False
        mine = tx.get_one(Refund, row.id, with_for_update=True)
        reversals.advance(tx, payment, case, mine, status=RefundStatus.SUPERSEDED, failure="amount")
        promise(tx, payment, rest, RefundReason(row.reason))
        return True


def _returned_already(tx: Session, payment: Payment, case: Consultation) -> None:
    reversals.refunded(tx, payment, case, payment.received_minor)
    reversals.recount_later(tx, payment)
    reversals.summarise(tx, payment)


def chase(limit: int, *, dry: bool = False) -> int:
    """Look at refunds that have heard nothing for a while: a lost job or a lost webhook strands none. How many moved.

    With `dry` nothing is done, and those are counted that would be looked at.

    Raises:
        GatewayDown: Stripe can't be asked now.
    """
    query = (
        select(Refund)
        .where(col(Refund.status).in_(UNFINISHED), col(Refund.updated_at) < utcnow() - QUIET)
        .order_by(col(Refund.updated_at))
        .limit(limit)
    )
    with transaction() as tx:
        quiet = tx.exec(query).all()
    return sum(dry or _chased(row) for row in quiet)


def _chased(row: Refund) -> bool:
    try:
        refund.func(str(row.id))
    except GatewayRefused:
        raise GatewayDown("key refused") from None
    with transaction() as tx:
        seen = tx.get_one(Refund, row.id, with_for_update=True)
        if seen.status == row.status:
            seen.updated_at = utcnow()
        return seen.status != row.status
