"""A small world of money in every state that it can healthily be in, made by the services themselves."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlmodel import col, select

from teleconsult.accounts.models import Role
from teleconsult.billing.models import Payment, Refund
from teleconsult.clinic import queue
from teleconsult.db import transaction
from tests.billing.deliveries import attempt, deliver, event, payments, session
from tests.support import full_draft, person


@dataclass(frozen=True)
class World:
    """Who and what there is in it."""

    paid: Payment
    claimed: Payment
    disputed: Payment
    duplicate: Payment
    refund: uuid.UUID
    """Promised for the duplicate."""
    review: Payment
    open: Payment
    expired: Payment
    draft: uuid.UUID


def make() -> World:
    """One patient for each state, so that no limit on one person is in the way."""
    paid, claimed, disputed = (_paid() for _ in range(3))
    queue.claim(person("amara@clinic.example", Role.DERMATOLOGIST), claimed.consultation_id)
    dispute = {"object": "dispute", "id": "du_1", "payment_intent": disputed.stripe_payment_intent_id}
    deliver(event({**dispute, "status": "needs_response"}, "charge.dispute.created"))
    expired = attempt(_draft())
    deliver(event(session(expired, status="expired", payment_status="unpaid"), "checkout.session.expired"))
    wrong = attempt(_draft())
    deliver(event(session(wrong, amount_total=4800)))
    duplicate = _duplicate()
    with transaction() as tx:
        refund = tx.exec(select(Refund.id).where(col(Refund.payment_id) == duplicate.id)).one()
    return World(
        paid=paid,
        claimed=claimed,
        disputed=disputed,
        duplicate=duplicate,
        refund=refund,
        review=_now(wrong),
        open=attempt(_draft()),
        expired=_now(expired),
        draft=_draft(),
    )


def _draft() -> uuid.UUID:
    return full_draft(person(f"{uuid.uuid4().hex}@example.com"))


def _paid() -> Payment:
    page = attempt(_draft())
    deliver(event(session(page)))
    return _now(page)


def _duplicate() -> Payment:
    """Paid on two pages: the second one's refund is promised."""
    first = _paid()
    second = attempt(first.consultation_id, attempt=2)
    deliver(event(session(second)))
    return payments(first.consultation_id)[1]


def _now(payment: Payment) -> Payment:
    with transaction() as tx:
        return tx.get_one(Payment, payment.id)
