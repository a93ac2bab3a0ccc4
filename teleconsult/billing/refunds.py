"""Returning money: promised in the transaction that decides it, carried out by a job under a stored key."""

from __future__ import annotations

import uuid

from sqlmodel import Session

from teleconsult import audit, jobs
from teleconsult.billing.gateway import GatewayRefused, gateway
from teleconsult.billing.models import Payment
from teleconsult.billing.rules import APP
from teleconsult.db import transaction, utcnow
from teleconsult.settings import get_settings

ALREADY = "charge_already_refunded"
"""Stripe's word for a refund that happened before: success for us."""


def refund_later(tx: Session, payment: Payment) -> None:
    """Promise to return all of a payment within the caller's transaction."""
    payment.refund_status = "requested"
    jobs.defer(tx, refund, lock=f"refund:{payment.id}", payment_id=str(payment.id))


@jobs.app.task(name="billing.refund", retry=jobs.PERSISTENT, queue="money")
def refund(payment_id: str) -> None:
    """Return one payment in full. A repeat after a crash is the same refund at Stripe, by its key."""
    with transaction() as tx:
        payment = tx.get_one(Payment, uuid.UUID(payment_id))
    if payment.refund_status not in ("requested", "pending") or not payment.stripe_payment_intent_id:
        return
    marks = {"paymentId": payment_id, "app": APP, "env": get_settings().environment}
    try:
        state = gateway().refund(payment.stripe_payment_intent_id, marks, f"refund:{payment_id}")
    except GatewayRefused as error:
        if error.code != ALREADY:
            raise
        state = "succeeded"
    _keep(payment.id, state)


def _keep(payment_id: uuid.UUID, state: str) -> None:
    with transaction() as tx:
        row = tx.get_one(Payment, payment_id, with_for_update=True)
        row.refund_status, row.updated_at = state, utcnow()
        if state == "succeeded":
            row.refunded_minor = row.amount_minor
        audit.record(tx, f"refund_{state}", "payment", payment_id)
