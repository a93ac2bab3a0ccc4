"""What happened to the money of one consultation, as its patient may know it: from the audit log, in order."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from teleconsult.audit import AuditLog
from teleconsult.billing.models import Payment
from teleconsult.billing.rules import money
from teleconsult.consultations import service as consultations
from teleconsult.db import transaction

TOLD = {
    "payment_processing": "processing",
    "payment_failed": "failed",
    "payment_review": "checking",
    "payment_paid": "paid",
    "payment_duplicate": "again",
    "payment_unassigned": "unusable",
    "payment_returned": "unusable",
    "refund_requested": "returning",
    "refund_pending": "returning",
    "refund_succeeded": "returned",
    "refund_failed": "return_failed",
    "dispute_opened": "disputed",
    "dispute_won": "dispute_won",
    "dispute_prevented": "dispute_won",
    "dispute_warning_closed": "dispute_won",
    "dispute_lost": "dispute_lost",
}
"""Acts a patient sees, each with its word. A refund that was not needed after all is none of them."""


@dataclass(frozen=True)
class Moment:
    """One thing that happened."""

    what: str
    """One of the words of `TOLD`."""
    at: datetime
    amount: str
    """The money it is about, in words."""


def moments(user_id: uuid.UUID, consultation_id: uuid.UUID) -> tuple[Moment, ...]:
    """What happened to the money, oldest first. Each refund is told once, as it stands.

    Raises:
        NotFound: absent or somebody else's.
    """
    with transaction() as tx:
        consultations.owned(tx, user_id, consultation_id)
        payments = tx.exec(select(Payment).where(col(Payment.consultation_id) == consultation_id)).all()
        by_id = {payment.id: payment for payment in payments}
        acts = select(AuditLog).where(
            col(AuditLog.object_type) == "payment",
            col(AuditLog.object_id).in_(by_id),
            col(AuditLog.action).in_([*TOLD, "refund_superseded"]),
        )
        rows = tx.exec(acts.order_by(col(AuditLog.id))).all()
    told: dict[str, AuditLog] = {}
    for row in rows:
        thing = str(row.detail.get("refund_id", row.id))
        told.pop(thing, None)
        if row.action in TOLD:
            told[thing] = row
    return tuple(_moment(row, by_id[row.object_id]) for row in told.values())


def _moment(row: AuditLog, payment: Payment) -> Moment:
    currency = payment.received_currency or payment.currency
    amount = row.detail.get("amount_minor", payment.received_minor or payment.amount_minor)
    return Moment(TOLD[row.action], row.at, money(int(amount), currency))
