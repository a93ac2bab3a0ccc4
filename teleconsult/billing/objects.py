"""Stripe's objects as we read them: small frozen models of the fields we rely on, nothing else kept.

Field names are Stripe's. Source: API 2026-10-28.endive.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt

API_VERSION = "2026-10-28.endive"
"""The version the SDK is pinned to. An event of another one is read as far as these models fit it."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class CheckoutSession(_Model):
    """A hosted payment page and how it ended. Amounts in minor units."""

    id: str = Field(min_length=1, max_length=255)
    object: Literal["checkout.session"]
    mode: str
    status: Literal["open", "complete", "expired"]
    payment_status: str
    """paid, unpaid (also while a delayed method runs) or no_payment_required."""
    amount_total: StrictInt | None
    currency: str | None
    livemode: StrictBool
    customer: str | None = None
    client_reference_id: str | None = None
    payment_intent: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
    url: str | None = None

    @property
    def paid(self) -> bool:
        """Whether the money has arrived: a complete page alone doesn't say so."""
        return self.status == "complete" and self.payment_status in ("paid", "no_payment_required")


class Charge(_Model):
    """A payment as the card network sees it. `amount_refunded` is cumulative."""

    object: Literal["charge"]
    payment_intent: str | None = None
    amount_refunded: StrictInt


class Refund(_Model):
    """One return of money and how it stands: pending, requires_action, succeeded, failed or canceled."""

    object: Literal["refund"]
    id: str
    payment_intent: str | None = None
    amount: StrictInt
    status: str | None = None


class Dispute(_Model):
    """A cardholder's objection. Ends as won, lost, prevented or warning_closed."""

    object: Literal["dispute"]
    payment_intent: str | None = None
    status: str


class EventData(_Model):
    """The snapshot an event carries."""

    object: dict[str, Any]


class Event(_Model):
    """A webhook event's envelope."""

    id: str = Field(pattern=r"^evt_\w+$", max_length=255)
    type: str = Field(min_length=1, max_length=100)
    api_version: str | None = None
    livemode: StrictBool
    created: StrictInt
    data: EventData
