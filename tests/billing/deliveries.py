"""Webhook deliveries made by hand: the fields we read, signed as Stripe signs."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from typing import Any

import stripe
from sqlmodel import col, select

from teleconsult.billing import webhook
from teleconsult.billing.models import Payment, ProcessedWebhook
from teleconsult.billing.objects import API_VERSION
from teleconsult.billing.rules import PaymentStatus
from teleconsult.consultations.models import Consultation
from teleconsult.db import transaction, utcnow
from teleconsult.notices.models import Notice

SECRET = "whsec_for_these_tests"


def attempt(consultation_id: uuid.UUID, **changes: Any) -> Payment:
    """An open payment page for a draft, as `checkout.start` leaves it."""
    with transaction() as tx:
        owner = tx.get_one(Consultation, consultation_id).user_id
        row = Payment(
            consultation_id=consultation_id,
            user_id=owner,
            attempt=1,
            status=PaymentStatus.OPEN,
            amount_minor=4900,
            currency="eur",
            livemode=False,
            stripe_session_id=f"cs_test_{uuid.uuid4().hex}",
            expires_at=utcnow(),
        )
        tx.add(row.sqlmodel_update(changes))
        return row


def session(payment: Payment, **changes: Any) -> dict[str, Any]:
    """The paid Checkout Session of an attempt."""
    ids = {"userId": payment.user_id, "consultationId": payment.consultation_id, "paymentId": payment.id}
    return {
        "id": payment.stripe_session_id or f"cs_test_{payment.id.hex}",
        "object": "checkout.session",
        "mode": "payment",
        "status": "complete",
        "payment_status": "paid",
        "amount_total": payment.amount_minor,
        "currency": payment.currency,
        "livemode": False,
        "client_reference_id": str(payment.consultation_id),
        "payment_intent": f"pi_{payment.id.hex}",
        "metadata": {**{k: str(v) for k, v in ids.items()}, "app": "teleconsult", "env": "test"},
        **changes,
    }


def event(obj: Mapping[str, Any], kind: str = "checkout.session.completed", **changes: Any) -> dict[str, Any]:
    """An event about an object."""
    return {
        "id": f"evt_{uuid.uuid4().hex}",
        "object": "event",
        "type": kind,
        "api_version": API_VERSION,
        "livemode": False,
        "created": int(time.time()),
        "data": {"object": dict(obj)},
        **changes,
    }


def sign(body: bytes, *, secret: str = SECRET, age: float = 0) -> str:
    """The Stripe-Signature header of a delivery made `age` seconds ago."""
    stamp = int(time.time() - age)
    return stripe.WebhookSignature.generate_signature_header(body.decode(), secret, timestamp=stamp)


def deliver(payload: object, **signing: Any) -> webhook.Reply:
    """Send one signed delivery straight to the use case."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return webhook.receive(body, sign(body, **signing))


def ledger() -> dict[str, str]:
    """Event id → outcome."""
    with transaction() as tx:
        return {row.id: row.outcome for row in tx.exec(select(ProcessedWebhook)).all()}


def consultation(consultation_id: uuid.UUID) -> Consultation:
    """The row as it is now."""
    with transaction() as tx:
        return tx.get_one(Consultation, consultation_id)


def payments(consultation_id: uuid.UUID) -> list[Payment]:
    """All attempts, in order."""
    with transaction() as tx:
        query = select(Payment).where(col(Payment.consultation_id) == consultation_id)
        return list(tx.exec(query.order_by(col(Payment.attempt))).all())


def mails() -> list[Notice]:
    """All e-mail promised so far."""
    with transaction() as tx:
        return list(tx.exec(select(Notice)).all())
