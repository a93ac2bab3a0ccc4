"""All that happened to one consultation and its payments, in the order of time, for people who must explain it.

Nothing clinical and no e-mail address: statuses, amounts, identifiers of ours and of Stripe's, and when.
"""

from __future__ import annotations

import uuid
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import Session, col, select

from teleconsult.audit import AuditLog
from teleconsult.billing import refunds
from teleconsult.billing.models import Payment, ProcessedWebhook, Refund
from teleconsult.billing.rules import SETTLED, PaymentStatus, RefundStatus, money
from teleconsult.consultations.models import Consultation
from teleconsult.db import transaction
from teleconsult.errors import NotFound
from teleconsult.notices.models import Notice
from teleconsult.privacy import harmless

UNKNOWN = "Nothing here has that name. Try a reference (TC-…), or an id of ours, cs_…, pi_… or evt_…."


SAID_ELSEWHERE = ("ref", "payment_id", "refund_id", "amount_minor")
"""Details of an act that stand in the head of the story, or in a line of their own."""


@dataclass(frozen=True)
class Attempt:
    """One attempt to pay, as it stands."""

    id: uuid.UUID
    number: int
    status: str
    amount: str
    refunded: str
    """"" when nothing was returned."""
    session_id: str | None
    payment_intent: str | None
    settled_by: str | None
    refund_status: str | None
    dispute_status: str | None
    review_reason: str | None
    expires_at: datetime
    currency: str
    """What arrived was in this one; before that, what was asked for."""
    received_minor: int
    refunded_minor: int
    left_minor: int
    """How much an operator can still return."""


@dataclass(frozen=True)
class Moment:
    """One thing that happened. `kind` is case, payment, event, refund, mail or job."""

    at: datetime
    kind: str
    text: str
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Story:
    """A consultation, its attempts, and everything in order."""

    ref: str
    consultation_id: uuid.UUID
    status: str
    hold_reason: str | None
    due_at: datetime | None
    attempts: Sequence[Attempt]
    moments: Sequence[Moment]


def tell(name: str) -> Story:
    """The story of whatever has this name: reference, consultation or payment id, session, payment intent or event.

    Raises:
        NotFound: nothing here has it.
    """
    with transaction() as tx:
        consultation = _find(tx, name.strip())
        if consultation is None:
            raise NotFound(UNKNOWN)
        mine = col(Payment.consultation_id) == consultation.id
        payments = tx.exec(select(Payment).where(mine).order_by(col(Payment.attempt))).all()
        notices = _notices(tx, consultation.ref)
        moments = [
            *_audit(tx, consultation, payments),
            *_events(tx, payments),
            *_refunds(tx, payments),
            *_mails(notices),
            *_jobs(tx, payments, notices),
        ]
        return Story(
            ref=consultation.ref,
            consultation_id=consultation.id,
            status=consultation.status,
            hold_reason=consultation.hold_reason,
            due_at=consultation.due_at,
            attempts=[_attempt(tx, payment) for payment in payments],
            moments=sorted(moments, key=lambda moment: moment.at),
        )


def _find(tx: Session, name: str) -> Consultation | None:
    if found := tx.exec(select(Consultation).where(col(Consultation.ref) == name.upper())).one_or_none():
        return found
    if given := _uuid(name):
        by_id = select(Consultation).where(col(Consultation.id) == given)
        return tx.exec(by_id).one_or_none() or _of_payment(tx, col(Payment.id) == given)
    if name.startswith("evt_"):
        event = tx.get(ProcessedWebhook, name)
        return _of_payment(tx, col(Payment.id) == event.payment_id) if event and event.payment_id else None
    column = {"cs_": Payment.stripe_session_id, "pi_": Payment.stripe_payment_intent_id}.get(name[:3])
    return _of_payment(tx, col(column) == name) if column is not None else None


def _of_payment(tx: Session, which: Any) -> Consultation | None:
    owner = select(Payment.consultation_id).where(which)
    return tx.exec(select(Consultation).where(col(Consultation.id).in_(owner))).one_or_none()


def _uuid(name: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(name)
    except ValueError:
        return None


def _attempt(tx: Session, payment: Payment) -> Attempt:
    currency = payment.received_currency or payment.currency
    returnable = payment.status in SETTLED and payment.status != PaymentStatus.REVIEW
    return Attempt(
        id=payment.id,
        number=payment.attempt,
        status=payment.status,
        amount=money(payment.amount_minor, payment.currency),
        refunded=money(payment.refunded_minor, currency) if payment.refunded_minor else "",
        session_id=payment.stripe_session_id,
        payment_intent=payment.stripe_payment_intent_id,
        settled_by=payment.settled_by,
        refund_status=payment.refund_status,
        dispute_status=payment.dispute_status,
        review_reason=payment.review_reason,
        expires_at=payment.expires_at,
        currency=currency,
        received_minor=payment.received_minor,
        refunded_minor=payment.refunded_minor,
        left_minor=refunds.left_of(tx, payment) if returnable else 0,
    )


def _audit(tx: Session, consultation: Consultation, payments: Iterable[Payment]) -> Generator[Moment]:
    numbers = {payment.id: payment.attempt for payment in payments}
    query = select(AuditLog).where(col(AuditLog.object_id).in_([consultation.id, *numbers]))
    for row in tx.exec(query).all():
        detail = {name: harmless.value(value) for name, value in row.detail.items()}
        which = f" (attempt {numbers[row.object_id]})" if row.object_id in numbers else ""
        words = "".join(f", {name} {value}" for name, value in detail.items() if name not in SAID_ELSEWHERE)
        kind = "payment" if row.object_id in numbers else "case"
        facts = {"action": row.action, "by": row.actor_role, "object": str(row.object_id), **detail}
        yield Moment(row.at, kind, f"{row.action}{which} by {row.actor_role}{words}", facts)


def _events(tx: Session, payments: Sequence[Payment]) -> Generator[Moment]:
    intents = [payment.stripe_payment_intent_id for payment in payments if payment.stripe_payment_intent_id]
    known = col(ProcessedWebhook.payment_id).in_([payment.id for payment in payments])
    early = col(ProcessedWebhook.stripe_payment_intent_id).in_(intents)
    for row in tx.exec(select(ProcessedWebhook).where(known | early)).all():
        facts = {name: getattr(row, name) for name in ("type", "outcome", "created", "secret", "resolution")}
        late = (row.received_at - row.created).total_seconds()
        after = f", {late:.0f} s after it happened" if late >= 60 else ""  # noqa: PLR2004 - a minute
        end = f", {row.resolution} later" if row.resolution else ""
        yield Moment(
            row.received_at, "event", f"{row.type} {row.id}: {row.outcome}{after}{end}", {"event": row.id, **facts}
        )


def _refunds(tx: Session, payments: Sequence[Payment]) -> Generator[Moment]:
    ids = [payment.id for payment in payments]
    for row in tx.exec(select(Refund).where(col(Refund.payment_id).in_(ids))).all():
        amount = money(row.amount_minor, row.currency)
        facts = {"refund": str(row.id), "stripe_refund": row.stripe_refund_id, "reason": row.reason, "amount": amount}
        yield Moment(row.created_at, "refund", f"{amount} asked for by {row.requested_by}: {row.reason}", facts)
        if row.status != RefundStatus.REQUESTED:
            why = f", {harmless.word(row.failure)}" if row.failure else ""
            known = f" {row.stripe_refund_id}" if row.stripe_refund_id else ""
            yield Moment(
                row.updated_at, "refund", f"{amount} {row.status}{known}{why}", {**facts, "status": row.status}
            )


def _notices(tx: Session, ref: str) -> Sequence[Notice]:
    return tx.exec(select(Notice).where(col(Notice.facts)["ref"].astext == ref)).all()  # type: ignore[union-attr]


def _mails(notices: Iterable[Notice]) -> Generator[Moment]:
    for notice in notices:
        facts = {"notice": str(notice.id), "mail": notice.kind}
        sent = "" if notice.sent_at else ", not sent yet"
        yield Moment(notice.created_at, "mail", f"{notice.kind} promised{sent}", {**facts, "sent": False})
        if notice.sent_at:
            yield Moment(notice.sent_at, "mail", f"{notice.kind} sent", {**facts, "sent": True})


def _jobs(tx: Session, payments: Sequence[Payment], notices: Iterable[Notice]) -> Generator[Moment]:
    """Jobs that are not done: what is still to come, or has failed."""
    returned = tx.exec(select(Refund.id).where(col(Refund.payment_id).in_([payment.id for payment in payments]))).all()
    ids = [str(key) for key in (*(payment.id for payment in payments), *(notice.id for notice in notices), *returned)]
    for row in tx.connection().execute(text(_UNFINISHED), {"ids": ids}):
        when = f", next try {row.scheduled_at:%H:%M:%S} UTC" if row.scheduled_at and row.status == "todo" else ""
        words = f"{row.task_name} {row.status} after {row.attempts} tries{when}"
        facts = {"job": row.id, "task": row.task_name, "status": row.status, "attempts": row.attempts}
        yield Moment(row.promised_at, "job", words, facts)


_UNFINISHED = """
select job.id, task_name, status::text as status, attempts, scheduled_at,
    (select min(at) from procrastinate_events where job_id = job.id) as promised_at
from procrastinate_jobs job
where status in ('todo', 'doing', 'failed')
    and (args ->> 'payment_id' = any(:ids) or args ->> 'refund_id' = any(:ids) or args ->> 'notice_id' = any(:ids))
"""
