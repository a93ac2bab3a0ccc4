"""Stripe customers: one for each patient, made before the first checkout."""

from __future__ import annotations

import uuid

from sqlmodel import Session, col, update

from teleconsult.accounts.models import User
from teleconsult.billing.gateway import gateway
from teleconsult.billing.rules import APP
from teleconsult.db import changed, transaction
from teleconsult.settings import get_settings


def ensure(user_id: uuid.UUID) -> str:
    """The patient's customer id, made at Stripe if there is none. Two tabs end with the same one.

    Raises:
        GatewayDown, GatewayRefused: from Stripe; nothing is stored then.
    """
    with transaction() as tx:
        user = tx.get_one(User, user_id)
    if user.stripe_customer_id:
        return user.stripe_customer_id
    marks = {"userId": str(user.id), "app": APP, "env": get_settings().environment}
    key = f"customer:{user.id}:{user.stripe_customer_generation}"
    made = gateway().create_customer(user.email, marks, key)
    return _keep(user_id, made)


def _keep(user_id: uuid.UUID, customer_id: str) -> str:
    """First one wins; the loser reads the winner's."""
    with transaction() as tx:
        mine = col(User.id) == user_id
        changed(
            tx, update(User).where(mine, col(User.stripe_customer_id).is_(None)).values(stripe_customer_id=customer_id)
        )
        return tx.get_one(User, user_id, populate_existing=True).stripe_customer_id or customer_id


def forget(tx: Session, customer_id: str) -> None:
    """Stripe no longer has this customer: the next checkout makes a new one, under a new key."""
    changed(
        tx,
        update(User)
        .where(col(User.stripe_customer_id) == customer_id)
        .values(stripe_customer_id=None, stripe_customer_generation=col(User.stripe_customer_generation) + 1),
    )
