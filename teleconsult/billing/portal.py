"""Manage Billing: a way into Stripe's customer portal, for the signed-in person's own customer only."""

from __future__ import annotations

import uuid

from teleconsult import privacy
from teleconsult.accounts.models import User
from teleconsult.billing.gateway import GatewayDown, GatewayRefused, gateway
from teleconsult.db import transaction
from teleconsult.errors import Conflict, Unavailable
from teleconsult.settings import get_settings

NOTHING_YET = "You haven’t paid for anything yet."
GONE = "Your billing page isn’t available any more. Your receipts are listed under each consultation."
"""The customer was deleted at Stripe. A checkout makes a new one; the portal never does: it would be empty."""

DOWN = "Stripe isn’t responding. Your receipts are also listed under each consultation."


def open_portal(user_id: uuid.UUID) -> str:
    """A fresh link to the portal: made for each click, never stored, never logged.

    Raises:
        Conflict: this person has no customer at Stripe yet, or not any more.
        Unavailable: Stripe doesn't answer, or the portal isn't set up.
    """
    with transaction() as tx:
        user = tx.get_one(User, user_id)
    if not user.stripe_customer_id:
        raise Conflict(NOTHING_YET)
    try:
        portal = gateway().create_portal(user.stripe_customer_id, f"{get_settings().public_url}/settings?billing=back")
    except (GatewayDown, GatewayRefused) as error:
        privacy.alert("portal_unavailable", "warning", fingerprint=("portal_unavailable", type(error).__name__))
        if isinstance(error, GatewayRefused) and error.customer_gone:
            raise Conflict(GONE) from None
        raise Unavailable(DOWN) from None
    return portal.url
