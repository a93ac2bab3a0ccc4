"""Manage Billing: a way into Stripe's customer portal, for the signed-in person's own customer only."""

from __future__ import annotations

import uuid

from teleconsult import privacy
from teleconsult.accounts.models import User
from teleconsult.billing.gateway import GatewayDown, GatewayRefused, gateway
from teleconsult.db import transaction
from teleconsult.errors import Conflict, NotFound, Unavailable
from teleconsult.settings import get_settings

NOTHING_YET = "You haven’t paid for anything yet."
DOWN = "Stripe isn’t responding. Your receipts are also listed under each consultation."


def open_portal(user_id: uuid.UUID) -> str:
    """A fresh link to the portal: made for each click, never stored, never logged.

    Raises:
        Conflict: this person has no customer at Stripe yet.
        Unavailable: Stripe doesn't answer, or the portal isn't set up.
    """
    with transaction() as tx:
        user = tx.get(User, user_id)
    if user is None:
        raise NotFound
    if not user.stripe_customer_id:
        raise Conflict(NOTHING_YET)
    try:
        portal = gateway().create_portal(user.stripe_customer_id, f"{get_settings().public_url}/settings?billing=back")
    except (GatewayDown, GatewayRefused) as error:
        privacy.alert("portal_unavailable", "warning", fingerprint=("portal_unavailable", type(error).__name__))
        raise Unavailable(DOWN) from None
    return portal.url
