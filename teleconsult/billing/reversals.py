"""Money that goes back: what Stripe tells of refunds and disputes, applied by payment intent and only forward."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlmodel import Session, col, or_, select

from teleconsult import audit, jobs, privacy
from teleconsult.billing import disputes, holds, ledger, letters, objects, rows, rules
from teleconsult.billing.gateway import gateway
from teleconsult.billing.models import Payment, ProcessedWebhook, Refund
from teleconsult.billing.objects import Charge, Dispute
from teleconsult.billing.rules import OWED, SETTLED, UNFINISHED, RefundReason, RefundStatus
from teleconsult.consultations.models import Consultation
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
News = Charge | objects.Refund | Dispute
_READ: dict[str, Callable[[Any], News]] = {
    "charge": Charge.model_validate,
    "refund": objects.Refund.model_validate,
    "dispute": Dispute.model_validate,
}


def apply(tx: Session, obj: Mapping[str, Any]) -> tuple[str, Payment | None]:
    """Bring one refund or dispute into our rows: the outcome, and whose it was.

    Raises:
        ValidationError, KeyError: the object is not as we know it.
    """
    news = _READ[str(obj.get("object"))](obj)
    rows.turn(tx, news.payment_intent)
    found = rows.pair(tx, col(Payment.stripe_payment_intent_id) == news.payment_intent) if news.payment_intent else None
    if found is None or found[0].status not in SETTLED:
        return ("processed" if _of_an_event(tx, news) else ledger.UNMATCHED), None
    _take(tx, *found, news)
    return "processed", found[0]


def _take(tx: Session, payment: Payment, case: Consultation, news: News) -> None:
    if isinstance(news, Charge):
        _charge(tx, payment, case, news)
    elif isinstance(news, objects.Refund):
        heard(tx, payment, case, news)
    else:
        disputes.heard(tx, payment, case, news)


def catch_up(tx: Session, payment: Payment, case: Consultation, earlier: Iterable[ProcessedWebhook]) -> None:
    """A payment has just become known: apply the news about it that came before."""
    for row in earlier:
        if row.outcome == ledger.UNMATCHED:
            _take(tx, payment, case, _retold(row))
            row.payment_id, row.outcome = payment.id, ledger.MATCHED
            ledger.resolve(row, ledger.MATCHED)


def _retold(row: ProcessedWebhook) -> News:
    """The news again, from what the ledger keeps of it."""
    told = {"id": row.object_id, "payment_intent": row.stripe_payment_intent_id, "status": row.detail}
    if row.type == "charge.refunded":
        return Charge(object="charge", amount_refunded=row.amount_minor or 0, payment_intent=told["payment_intent"])
    if row.type.startswith("refund."):
        amounts = {"amount": row.amount_minor, "currency": row.currency or ""}
        return objects.Refund.model_validate({"object": "refund", **told, **amounts})
    return Dispute.model_validate({"object": "dispute", **told})


# ── How much has left ──────────────────────────────────────────────────────────────────────────────


def _charge(tx: Session, payment: Payment, case: Consultation, news: Charge) -> None:
    """A running total. Once a refund has come back an old total may be too high, and only Stripe can count."""
    failed = select(Refund.id).where(col(Refund.payment_id) == payment.id, col(Refund.status) == RefundStatus.FAILED)
    if tx.exec(failed.limit(1)).first() is not None:
        recount_later(tx, payment)
    else:
        refunded(tx, payment, case, news.amount_refunded)
        summarise(tx, payment)


def refunded(tx: Session, payment: Payment, case: Consultation, total_minor: int) -> None:
    """This much has been returned in all. Never less than we knew, whatever order the news comes in."""
    total = min(total_minor, payment.received_minor)
    if total <= payment.refunded_minor:
        return
    payment.refunded_minor, payment.updated_at = total, utcnow()
    audit.record(tx, "payment_refunded", "payment", payment.id, total_minor=total)
    if total == payment.received_minor and case.paid_payment_id == payment.id:
        holds.without_pay(tx, case, holds.REFUND)


def summarise(tx: Session, payment: Payment) -> None:
    """Say the sum of a payment's refunds in one word."""
    tx.flush()
    query = select(Refund.status).where(
        col(Refund.payment_id) == payment.id, col(Refund.status) != RefundStatus.SUPERSEDED
    )
    states = tx.exec(query.order_by(col(Refund.created_at), col(Refund.id))).all()
    open_ones = [state for state in RefundStatus if state in UNFINISHED and state in states]
    if open_ones:
        payment.refund_status = open_ones[0]
    elif RefundStatus.FAILED in states and (states[-1] == RefundStatus.FAILED or _owes(payment)):
        payment.refund_status = RefundStatus.FAILED
    else:
        payment.refund_status = RefundStatus.SUCCEEDED if payment.refunded_minor else None


def _owes(payment: Payment) -> bool:
    """Whether money that buys nothing is still here: a part that went back in another way hides no failure."""
    return payment.status in OWED and payment.refunded_minor < payment.received_minor


# ── One refund ─────────────────────────────────────────────────────────────────────────────────────


def heard(tx: Session, payment: Payment, case: Consultation, news: objects.Refund) -> None:
    """Bring what Stripe says about one refund into its row; one from its dashboard gets a row here."""
    row = _row(tx, news) or _outside(payment, news)
    taken, row.stripe_refund_id = row.stripe_refund_id is None, news.id
    tx.add(row)
    status = rules.STRIPES_REFUNDS.get(news.status or "", RefundStatus.PENDING)
    if taken and status != RefundStatus.FAILED and row.reason != RefundReason.DUPLICATE:
        letters.write(tx, "refund_sent", case, payment, row.amount_minor)
    advance(tx, payment, case, row, status=status, failure=news.failure_reason or "")


def advance(
    tx: Session, payment: Payment, case: Consultation, row: Refund, *, status: RefundStatus, failure: str = ""
) -> None:
    """A refund has come further. News that is older than what we know changes nothing."""
    if _step(row, status, failure):
        audit.record(
            tx, f"refund_{status}", "payment", payment.id, refund_id=str(row.id), amount_minor=row.amount_minor
        )
        if status == RefundStatus.SUCCEEDED:
            refunded(tx, payment, case, _total(tx, payment))
        elif status == RefundStatus.FAILED:
            _failed(tx, payment, case, row)
    summarise(tx, payment)


def _step(row: Refund, status: RefundStatus, failure: str) -> bool:
    if not rules.outweighs(status, row.status):
        return False
    row.status, row.failure, row.updated_at = status, failure or None, utcnow()
    return True


def _row(tx: Session, news: objects.Refund) -> Refund | None:
    """The row of a refund, by Stripe's id or by ours that we sent along."""
    same = col(Refund.stripe_refund_id) == news.id
    with contextlib.suppress(ValueError):  # it has no id of ours: it was not made here
        same = or_(same, col(Refund.id) == uuid.UUID(news.ours))
    query = select(Refund).where(same, col(Refund.stripe_payment_intent_id) == news.payment_intent)
    return tx.exec(query.with_for_update()).first()


def _outside(payment: Payment, news: objects.Refund) -> Refund:
    return Refund(
        payment_id=payment.id,
        stripe_payment_intent_id=str(news.payment_intent),
        amount_minor=news.amount,
        currency=news.currency or payment.received_currency or payment.currency,
        reason=RefundReason.OUTSIDE,
        requested_by="stripe",
        status=RefundStatus.PENDING,
    )


def _total(tx: Session, payment: Payment) -> int:
    tx.flush()
    done = select(Refund.amount_minor).where(
        col(Refund.payment_id) == payment.id, col(Refund.status) == RefundStatus.SUCCEEDED
    )
    return sum(tx.exec(done).all())


def _failed(tx: Session, payment: Payment, case: Consultation, row: Refund) -> None:
    """The money is still here. Somebody who was told that it is on its way hears that we are looking into it."""
    _alert(row, payment_id=str(payment.id))
    if row.stripe_refund_id or row.reason == RefundReason.DUPLICATE:
        letters.write(tx, "refund_failed", case, payment, row.amount_minor)
    recount_later(tx, payment)


def _alert(row: Refund, **ids: str) -> None:
    privacy.alert("refund_failed", "error", fingerprint=("refund_failed", row.id), refund_id=str(row.id), **ids)


# ── Money that came by an event nobody could assign ────────────────────────────────────────────────


def _of_an_event(tx: Session, news: News) -> bool:
    """Whether this is news about a refund that an operator decided for a quarantined event."""
    row = _row(tx, news) if isinstance(news, objects.Refund) else None
    if row is None or not isinstance(news, objects.Refund):
        return False
    heard_of_event(tx, row, news)
    return True


def heard_of_event(tx: Session, row: Refund, news: objects.Refund) -> None:
    """Bring what Stripe says into the refund of an event."""
    row.stripe_refund_id = news.id
    status = rules.STRIPES_REFUNDS.get(news.status or "", RefundStatus.PENDING)
    advance_of_event(tx, row, status=status, failure=news.failure_reason or "")


def advance_of_event(tx: Session, row: Refund, *, status: RefundStatus, failure: str = "") -> None:
    """As `advance`. When it fails, the event lies in quarantine again."""
    if not _step(row, status, failure):
        return
    audit.record(tx, f"refund_{status}", "refund", row.id, event_id=row.event_id, amount_minor=row.amount_minor)
    if status == RefundStatus.FAILED:
        _alert(row)
        event = tx.get_one(ProcessedWebhook, row.event_id, with_for_update=True)
        event.resolution = event.resolved_at = event.resolved_by = None


# ── Stripe's own count ─────────────────────────────────────────────────────────────────────────────


def recount_later(tx: Session, payment: Payment) -> None:
    """Promise to ask Stripe what has really been returned."""
    jobs.defer(tx, recount, lock=f"refund:{payment.stripe_payment_intent_id}", payment_id=str(payment.id))


@jobs.app.task(name="billing.recount", retry=jobs.PERSISTENT, queue="money")
def recount(payment_id: str) -> None:
    """Ask Stripe what has really been returned of a payment, after a refund has come back."""
    with transaction() as tx:
        payment = tx.get_one(Payment, uuid.UUID(payment_id))
    made = gateway().retrieve_refunds(str(payment.stripe_payment_intent_id))
    with transaction() as tx:
        row, case = rows.by_id(tx, payment.id)
        for news in made:
            heard(tx, row, case, news)
        total = min(sum(r.amount for r in made if r.status == "succeeded"), row.received_minor)
        if total < row.refunded_minor:  # the one way down: Stripe itself says that a refund came back
            row.refunded_minor, row.updated_at = total, utcnow()
            audit.record(tx, "payment_recounted", "payment", row.id, total_minor=total)
        refunded(tx, row, case, total)
        summarise(tx, row)
