"""What tests that buy at the sandbox share."""

from __future__ import annotations

import uuid
from typing import Any

from sqlmodel import col, select

from teleconsult.billing import checkout, settle
from teleconsult.billing.models import Payment, Refund
from teleconsult.consultations.models import Consultation
from teleconsult.db import transaction
from tests.billing.deliveries import payments
from tests.sandbox_process import Sandbox


def bought(shop: Sandbox, draft: uuid.UUID) -> Payment:
    """A draft paid for at the sandbox: its case waits in the queue."""
    with transaction() as tx:
        owner = tx.get_one(Consultation, draft).user_id
    link = checkout.start(owner, draft)
    shop.pay(link.session_id, webhook="never")
    settle.confirm(owner, link.session_id)
    return payments(draft)[-1]


def fail(shop: Sandbox, operation: str, kind: str, times: int = 1) -> None:
    """Let the next calls of an operation fail; one that hangs does so for 1.2 seconds."""
    shop.call("POST", "/_sandbox/faults", {"operation": operation, "kind": kind, "times": times, "seconds": 1.2})


def made(shop: Sandbox) -> list[dict[str, Any]]:
    """The refunds Stripe has made, oldest first."""
    return shop.state()["objects"].get("refund", [])


def rows(payment: Payment) -> list[Refund]:
    """The refunds of a payment as they are now, oldest first."""
    with transaction() as tx:
        query = select(Refund).where(col(Refund.payment_id) == payment.id).order_by(col(Refund.created_at))
        return list(tx.exec(query).all())


def now(payment: Payment) -> Payment:
    """The row as it is now."""
    with transaction() as tx:
        return tx.get_one(Payment, payment.id)
