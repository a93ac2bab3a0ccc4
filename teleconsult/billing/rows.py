"""Finding and locking the rows of money, always in one order: turn, consultation, payment, refund."""

from __future__ import annotations

import uuid

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, select

from teleconsult.accounts.models import Role, User
from teleconsult.billing.models import Payment
from teleconsult.consultations.models import Consultation
from teleconsult.errors import Forbidden, NotFound

_LOCKED = (
    select(Payment, Consultation)
    .join(Consultation, col(Consultation.id) == col(Payment.consultation_id))
    .with_for_update(of=(Consultation, Payment))  # PostgreSQL locks them in this order
    .execution_options(populate_existing=True)
)


def turn(tx: Session, payment_intent: str | None) -> None:
    """Wait until nobody else brings news about this payment at Stripe; it is our turn until the transaction ends.

    While its row doesn't know the payment intent there is no row to lock: without a turn, money and its refund that
    arrive at the same moment would each look past the other, and the refund would wait for ever.
    """
    if payment_intent:
        tx.exec(select(func.pg_advisory_xact_lock(func.hashtextextended(payment_intent, 0)))).one()


def pair(tx: Session, which: ColumnElement[bool]) -> tuple[Payment, Consultation] | None:
    """The payment that fulfils a condition, and its consultation; both locked."""
    found = tx.exec(_LOCKED.where(which)).one_or_none()
    return (found[0], found[1]) if found else None


def by_id(tx: Session, payment_id: uuid.UUID) -> tuple[Payment, Consultation]:
    """One payment and its consultation, locked.

    Raises:
        NotFound: there is no such payment.
    """
    found = pair(tx, col(Payment.id) == payment_id)
    if found is None:
        raise NotFound("There is no such payment.")
    return found


def require_operator(tx: Session, user_id: uuid.UUID) -> None:
    """Refuse everybody who isn't an operator with an account that works.

    Raises:
        Forbidden: somebody else, or nobody.
    """
    user = tx.get(User, user_id)
    if user is None or user.role != Role.OPERATOR or user.disabled_at is not None:
        raise Forbidden("Only operators can do this.")
