"""Stripe's objects as we read them: small frozen models of the fields we rely on, nothing else kept.

Field names are Stripe's. Source: API 2026-10-28.endive.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StrictBool, StrictInt

API_VERSION = "2026-10-28.endive"
"""The version the SDK is pinned to. An event of another one is read as far as these models fit it."""


Minor = Annotated[StrictInt, Field(ge=0, lt=2**31)]
"""An amount in minor units, as far as our columns hold it."""


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
    amount_total: Minor | None
    currency: Annotated[str, Field(max_length=3)] | None
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


class HeldSession(_Model):
    """A payment page with the money behind it, as Stripe's list shows both."""

    session: CheckoutSession
    paid_at: datetime | None
    """When the charge was made; None while there is none."""
    refunded_minor: int
    """How much of it has gone back, in minor units."""

    @classmethod
    def read(cls, raw: dict[str, Any]) -> Self:
        """From a session whose payment intent and latest charge are expanded."""
        intent = raw.get("payment_intent") or {}
        charge = intent.get("latest_charge") or {}
        made = charge.get("created")
        return cls(
            session=CheckoutSession.model_validate({**raw, "payment_intent": intent.get("id")}),
            paid_at=datetime.fromtimestamp(made, UTC) if made else None,
            refunded_minor=charge.get("amount_refunded", 0),
        )


class Charge(_Model):
    """A payment as the card network sees it. `amount_refunded` is cumulative."""

    object: Literal["charge"]
    payment_intent: str | None = None
    amount_refunded: Minor


class Refund(_Model):
    """One return of money and how it stands: pending, requires_action, succeeded, failed or canceled."""

    object: Literal["refund"]
    id: str = Field(min_length=1, max_length=255)
    payment_intent: str | None = None
    amount: Annotated[Minor, Field(gt=0)]
    currency: str = Field(default="", max_length=3)
    status: str | None = None
    failure_reason: str | None = None
    metadata: dict[str, str] | None = None

    @property
    def ours(self) -> str:
        """The id we gave it when we asked for it, or ""."""
        return (self.metadata or {}).get("refundId", "")


class Dispute(_Model):
    """A cardholder's objection. Ends as won, lost, prevented or warning_closed."""

    object: Literal["dispute"]
    id: str = Field(min_length=1, max_length=255)
    payment_intent: str | None = None
    status: str


class Product(_Model):
    """What is sold, as receipts name it."""

    id: str
    name: str
    active: bool
    metadata: dict[str, str] = Field(default_factory=dict)


class Price(_Model):
    """What one of it costs, in minor units. Its amount never changes at Stripe: another amount is another price."""

    id: str
    product: str
    active: bool
    unit_amount: StrictInt | None
    currency: str
    type: str
    lookup_key: str | None = None


class Feature(_Model):
    """One thing the portal may offer."""

    enabled: bool


class PortalFeatures(_Model):
    """What the portal lets a customer do, as far as we use it."""

    invoice_history: Feature
    payment_method_update: Feature


class PortalConfiguration(_Model):
    """How the customer portal looks and what it offers."""

    id: str
    active: bool
    is_default: bool
    features: PortalFeatures
    metadata: dict[str, str] = Field(default_factory=dict)


class Endpoint(_Model):
    """Where Stripe sends events. `secret` is in the answer that creates it and in no other."""

    id: str
    url: str
    status: str
    """enabled or disabled; Stripe disables endpoints that keep failing."""
    enabled_events: list[str]
    api_version: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
    secret: SecretStr = SecretStr("")


class EventData(_Model):
    """The snapshot an event carries."""

    object: dict[str, Any]


class Event(_Model):
    """A webhook event's envelope."""

    id: str = Field(pattern=r"^evt_\w+$", max_length=255)
    type: str = Field(pattern=r"^[\w.]+$", max_length=100)
    api_version: str | None = Field(default=None, max_length=100)
    livemode: StrictBool
    created: Annotated[StrictInt, Field(ge=0, lt=2**32)]
    data: EventData
