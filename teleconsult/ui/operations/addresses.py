"""Where the operators' pages are, and what they link to at Stripe."""

from __future__ import annotations

from urllib.parse import quote

from teleconsult.settings import get_settings

OVERVIEW = "/operations"
PAYMENTS = f"{OVERVIEW}/payments"

DASHBOARD = "https://dashboard.stripe.com"


def payment(name: str) -> str:
    """The page that tells the story of whatever has this name."""
    return f"{PAYMENTS}?ref={quote(name, safe='')}"


def at_stripe(thing: str | None) -> str:
    """Where Stripe's dashboard shows a payment (`pi_…`) or an event (`evt_…`): "" for anything else.

    With a sandbox in Stripe's place, its control page.
    """
    kind = {"pi_": "payments", "evt": "events"}.get((thing or "")[:3])
    if thing is None or kind is None:
        return ""
    settings = get_settings()
    if settings.stripe_api_base:
        page = "?find=" if kind == "payments" else "events?about="
        return f"{settings.stripe_api_base}/{page}{quote(thing, safe='')}"
    mode = "" if settings.livemode else "/test"
    return f"{DASHBOARD}{mode}/{kind}/{quote(thing, safe='')}"
