"""Rules of money: pure, no database, no clock, no network. Amounts are integers in minor units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

APP = "teleconsult"
"""The marker in our metadata: other software may share the Stripe account."""

ITEM = "Online consultation"
"""All that Stripe, the card statement and the receipt ever say about what was bought."""

SESSION_LIFE = timedelta(hours=12)
"""How long a payment page stays open. Stripe allows 30 minutes to 24 hours."""

NEARLY_OVER = timedelta(minutes=5)
"""A page with less left is replaced rather than shown again."""

KEY_LIFE = timedelta(hours=23)
"""Stripe keeps an idempotency key for at least 24 hours; an older attempt is given up."""

ATTEMPTS_PER_HOUR = 20
"""New payment pages one person may open."""


class PaymentStatus(StrEnum):
    """Where one attempt to pay stands."""

    CREATING = "CREATING"
    OPEN = "OPEN"
    PROCESSING = "PROCESSING"
    PAID = "PAID"
    DUPLICATE = "DUPLICATE"
    REVIEW = "REVIEW"
    RETURNED = "RETURNED"
    """Money nobody could assign, or that an operator sent back: it buys nothing, and its refund is promised."""
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"


LIVE = frozenset({PaymentStatus.CREATING, PaymentStatus.OPEN, PaymentStatus.PROCESSING})
"""Attempts a patient may still finish. The database allows one for each consultation."""

SETTLED = frozenset({PaymentStatus.PAID, PaymentStatus.DUPLICATE, PaymentStatus.REVIEW, PaymentStatus.RETURNED})
"""Money has arrived and is accounted for. Nothing leaves these states by a late event."""

OWED = frozenset({PaymentStatus.DUPLICATE, PaymentStatus.RETURNED})
"""Money that buys nothing: all of it goes back."""

_UNPAID_ENDS = frozenset({PaymentStatus.EXPIRED, PaymentStatus.CANCELLED})
MOVES: dict[PaymentStatus, frozenset[PaymentStatus]] = {
    PaymentStatus.PROCESSING: frozenset({PaymentStatus.CREATING, PaymentStatus.OPEN}) | _UNPAID_ENDS,
    PaymentStatus.FAILED: LIVE | _UNPAID_ENDS,
    PaymentStatus.EXPIRED: frozenset({PaymentStatus.CREATING, PaymentStatus.OPEN}),
}
"""Steps that bring no money: to which state, from which ones. What a page came to outweighs that its time was up, so
that news in any order ends alike."""


class RefundStatus(StrEnum):
    """Where one return of money stands. Later ones in this list outweigh earlier ones, in whatever order news comes."""

    REQUESTED = "requested"
    """Promised here; Stripe may not know it yet."""
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """The bank sent it back, or Stripe refused: also after it had succeeded, up to 30 days later."""
    SUPERSEDED = "superseded"
    """Not needed any more: the money went back in another way."""


UNFINISHED = frozenset({RefundStatus.REQUESTED, RefundStatus.PENDING})
STRIPES_REFUNDS = {"succeeded": RefundStatus.SUCCEEDED, "failed": RefundStatus.FAILED, "canceled": RefundStatus.FAILED}
"""Stripe's words for a refund that is decided. Its others (pending, requires_action) are on their way."""


def outweighs(news: RefundStatus, known: str) -> bool:
    """Whether news about a refund changes what is known of it."""
    order = list(RefundStatus)
    return order.index(news) > order.index(RefundStatus(known))


class RefundReason(StrEnum):
    """Why money goes back. Stripe hears of it no more than "duplicate" or "requested by customer"."""

    DUPLICATE = "duplicate"
    """Paid a second time, or after the consultation was cancelled."""
    UNASSIGNED = "unassigned"
    """Its ids don't belong together, or it isn't what was agreed."""
    REQUESTED = "requested"
    """The patient asked for it."""
    LATE = "late"
    NOT_ASSESSABLE = "not_assessable"
    GOODWILL = "goodwill"
    OUTSIDE = "outside"
    """Made in Stripe's dashboard."""


@dataclass(frozen=True)
class Expected:
    """What an attempt asked for, to be compared with what Stripe says came of it."""

    amount_minor: int
    currency: str
    livemode: bool
    consultation_id: str


@dataclass(frozen=True)
class Claimed:
    """The same, as Stripe reports it."""

    mode: str
    amount_minor: int | None
    currency: str | None
    livemode: bool
    reference: str | None


def mismatch(expected: Expected, claimed: Claimed) -> str:
    """Why this money can't be taken for that attempt: one word, or "" when everything agrees."""
    checks = {
        "mode": claimed.mode == "payment",
        "livemode": claimed.livemode == expected.livemode,
        "amount": claimed.amount_minor == expected.amount_minor,
        "currency": (claimed.currency or "").lower() == expected.currency,
        "reference": claimed.reference in (None, expected.consultation_id),
    }
    return next((name for name, holds in checks.items() if not holds), "")


@dataclass(frozen=True)
class Offer:
    """What one consultation costs, as configured when the attempt was made."""

    amount_minor: int
    currency: str
    price_id: str = ""


def session_request(
    offer: Offer,
    *,
    ids: dict[str, str],
    customer: str,
    public_url: str,
    environment: str,
    expires_at: datetime,
    methods: Sequence[str] = ("card",),
) -> dict[str, Any]:
    """All parameters of a Checkout Session, to be frozen in the row before the call.

    `ids` holds userId, consultationId and paymentId; nothing else about the person or the case leaves us. `methods`
    are Stripe's names of ways to pay.
    """
    metadata = {**ids, "app": APP, "env": environment}
    return {
        "mode": "payment",
        "customer": customer,
        "client_reference_id": ids["consultationId"],
        "line_items": [_line_item(offer)],
        "allowed_payment_method_types": list(methods),
        "invoice_creation": {"enabled": True, "invoice_data": {"metadata": metadata}},
        "adaptive_pricing": {"enabled": False},
        "payment_intent_data": {"metadata": metadata},
        "metadata": metadata,
        "expires_at": int(expires_at.timestamp()),
        "locale": "auto",
        "success_url": f"{public_url}/consultations?payment=success&session_id={{CHECKOUT_SESSION_ID}}",
        "cancel_url": f"{public_url}/consultations?payment=cancelled",
    }


def _line_item(offer: Offer) -> dict[str, Any]:
    if offer.price_id:
        return {"price": offer.price_id, "quantity": 1}
    return {
        "price_data": {
            "currency": offer.currency,
            "unit_amount": offer.amount_minor,
            "product_data": {"name": ITEM},
            "tax_behavior": "inclusive",
        },
        "quantity": 1,
    }


ZERO_DECIMAL = frozenset(
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf"]
)
"""Currencies without a minor unit. Source: Stripe's list of zero-decimal currencies."""

THREE_DECIMAL = frozenset(["bhd", "jod", "kwd", "omr", "tnd"])

SIGNS = {"eur": "€", "usd": "$", "gbp": "£", "jpy": "¥"}


def money(amount_minor: int, currency: str) -> str:
    """An amount as people write it: €49.00, ¥4900, CHF 49.00."""
    places = 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2
    whole, rest = divmod(abs(amount_minor), 10**places)
    figure = f"{whole:,}" + (f".{rest:0{places}d}" if places else "")
    sign = "-" if amount_minor < 0 else ""
    return sign + (f"{SIGNS[currency]}{figure}" if currency in SIGNS else f"{currency.upper()} {figure}")


def vat_included(amount_minor: int, percent: int) -> int:
    """The tax inside a gross amount, rounded half up, in minor units."""
    return (2 * amount_minor * percent + 100 + percent) // (2 * (100 + percent))
