"""Tables of money: attempts to pay, and the ledger of webhook events."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSON
from sqlmodel import Field, SQLModel

from teleconsult.billing.rules import LIVE, PaymentStatus
from teleconsult.consultations.models import Consultation
from teleconsult.db import Moment, utcnow


def _in(statuses: "frozenset[PaymentStatus] | type[PaymentStatus]") -> str:
    return "status in (" + ", ".join(f"'{s}'" for s in sorted(statuses)) + ")"


class Payment(SQLModel, table=True):
    """One attempt to pay a consultation = one Checkout Session. All it asks of Stripe is frozen before the call."""

    __table_args__ = (
        UniqueConstraint("consultation_id", "attempt"),
        UniqueConstraint("consultation_id", "id"),
        CheckConstraint(_in(PaymentStatus), name="status"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("refunded_minor between 0 and amount_minor", name="refunded"),
        Index("uq_payment_live", "consultation_id", unique=True, postgresql_where=text(_in(LIVE))),
        Index("uq_payment_paid", "consultation_id", unique=True, postgresql_where=text("status = 'PAID'")),
        Index("ix_payment_unsettled", "created_at", postgresql_where=text(_in(LIVE))),
    )

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    consultation_id: uuid.UUID = Field(foreign_key="consultation.id", index=True)
    user_id: uuid.UUID = Field(foreign_key="user.id", index=True)
    attempt: int
    status: str = PaymentStatus.CREATING
    amount_minor: int
    currency: str = Field(max_length=3)
    livemode: bool
    customer_id: str | None = None
    request: dict[str, Any] = Field(default_factory=dict, sa_type=JSON, nullable=False)
    """The frozen parameters of the Checkout Session: a retry sends exactly these, byte for byte, under the same key.

    JSON and not JSONB, which would sort them.
    """
    stripe_session_id: str | None = Field(default=None, unique=True)
    stripe_payment_intent_id: str | None = Field(default=None, index=True)
    session_url: str | None = None
    expires_at: datetime = Field(sa_type=Moment)
    settled_by: str | None = None
    """Who saw the money first: webhook, landing, sweep or operator."""
    refunded_minor: int = 0
    refund_status: str | None = None
    dispute_status: str | None = None
    review_reason: str | None = None
    created_at: datetime = Field(default_factory=utcnow, sa_type=Moment)
    paid_at: datetime | None = Field(default=None, sa_type=Moment)
    updated_at: datetime = Field(default_factory=utcnow, sa_type=Moment)


class ProcessedWebhook(SQLModel, table=True):
    """The ledger: an event id stands here exactly when its effect is in the database. Never holds customer details."""

    __tablename__ = "processed_webhook"

    id: str = Field(primary_key=True, max_length=255)
    type: str
    api_version: str | None = None
    livemode: bool
    created: datetime = Field(sa_type=Moment)
    """Stripe's time of the event, one-second resolution; never used for ordering."""
    received_at: datetime = Field(default_factory=utcnow, sa_type=Moment, index=True)
    outcome: str
    payment_id: uuid.UUID | None = Field(default=None, foreign_key="payment.id", index=True)
    detail: str = ""


# A consultation is paid by a payment of its own and by no other. It stands here because consultations know no money.
Consultation.metadata.tables["consultation"].append_constraint(
    ForeignKeyConstraint(
        ["id", "paid_payment_id"],
        ["payment.consultation_id", "payment.id"],
        name="fk_consultation_paid_payment",
        use_alter=True,
    )
)
