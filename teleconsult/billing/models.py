"""Tables of money: attempts to pay, money that goes back, and the ledger of webhook events."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSON
from sqlmodel import Field, SQLModel

from teleconsult.billing.rules import LIVE, UNFINISHED, PaymentStatus, RefundStatus
from teleconsult.consultations.models import Consultation
from teleconsult.db import Moment, utcnow


def _in(statuses: Iterable[str]) -> str:
    return "status in (" + ", ".join(f"'{s}'" for s in sorted(statuses)) + ")"


class Payment(SQLModel, table=True):
    """One attempt to pay a consultation = one Checkout Session. All it asks of Stripe is frozen before the call."""

    __table_args__ = (
        UniqueConstraint("consultation_id", "attempt"),
        UniqueConstraint("consultation_id", "id"),
        CheckConstraint(_in(PaymentStatus), name="status"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("received_minor >= 0", name="received"),
        CheckConstraint("refunded_minor between 0 and received_minor", name="refunded"),
        Index("uq_payment_live", "consultation_id", unique=True, postgresql_where=text(_in(LIVE))),
        Index("uq_payment_paid", "consultation_id", unique=True, postgresql_where=text("status = 'PAID'")),
        Index("ix_payment_unsettled", "created_at", postgresql_where=text(_in(LIVE))),
        # For the figures of health and metrics: each holds little, or is read at its end only.
        Index(
            "ix_payment_quarantined",
            "created_at",
            postgresql_where=text("status = 'REVIEW' or refund_status = 'failed'"),
        ),
        Index("ix_payment_swept", "paid_at", postgresql_where=text("settled_by = 'sweep'")),
        Index("ix_payment_begun", "created_at", "status"),
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
    received_minor: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """What Stripe says was paid: 0 before, and another figure than `amount_minor` only in REVIEW or after it."""
    received_currency: str | None = Field(default=None, max_length=3)
    refunded_minor: int = 0
    """How much of it has left again, as far as Stripe has said. Never shrinks but by Stripe's own count."""
    refund_status: str | None = None
    """The sum of its refunds in one word, for lists: None, or one of `RefundStatus` without superseded."""
    dispute_status: str | None = None
    """Stripe's word for the dispute, and whose it is: a closed dispute stays closed, a new one is another."""
    stripe_dispute_id: str | None = None
    review_reason: str | None = None
    created_at: datetime = Field(default_factory=utcnow, sa_type=Moment)
    paid_at: datetime | None = Field(default=None, sa_type=Moment)
    checked_at: datetime | None = Field(default=None, sa_type=Moment)
    """When Stripe was asked about it last."""
    updated_at: datetime = Field(default_factory=utcnow, sa_type=Moment)


class Refund(SQLModel, table=True):
    """One return of money, promised here or made in Stripe's dashboard. All that Stripe is asked is frozen in it."""

    __table_args__ = (
        CheckConstraint(_in(RefundStatus), name="status"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("num_nonnulls(payment_id, event_id) = 1", name="origin"),
        CheckConstraint("(key is null) = (requested_by = 'stripe')", name="key"),
        # Money of an event goes back once. That a payment's refunds stay within it is checked under the payment's lock:
        # a constraint over several rows would refuse what Stripe's dashboard has done already.
        Index(
            "uq_refund_event",
            "event_id",
            unique=True,
            postgresql_where=text(_in([RefundStatus.PENDING, RefundStatus.REQUESTED, RefundStatus.SUCCEEDED])),
        ),
        Index("ix_refund_unfinished", "updated_at", postgresql_where=text(_in(UNFINISHED))),
    )

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    payment_id: uuid.UUID | None = Field(default=None, foreign_key="payment.id", index=True)
    event_id: str | None = Field(default=None, max_length=255)
    """Instead of a payment: the quarantined event that brought money nobody could assign."""
    stripe_payment_intent_id: str
    amount_minor: int
    currency: str = Field(max_length=3)
    reason: str
    requested_by: str
    """system, operator, or stripe for one that was made in its dashboard."""
    operator_id: uuid.UUID | None = Field(default=None, foreign_key="user.id")
    key: str | None = Field(default=None, unique=True)
    """The idempotency key: a retry after any crash is the same refund."""
    stripe_refund_id: str | None = Field(default=None, unique=True)
    status: str = RefundStatus.REQUESTED
    failure: str | None = None
    """Stripe's word for why it failed."""
    created_at: datetime = Field(default_factory=utcnow, sa_type=Moment)
    updated_at: datetime = Field(default_factory=utcnow, sa_type=Moment)


class ProcessedWebhook(SQLModel, table=True):
    """The ledger: an event id stands here exactly when its effect is in the database. Never holds customer details."""

    __tablename__ = "processed_webhook"
    __table_args__ = (
        Index(
            "ix_processed_webhook_open",
            "received_at",
            postgresql_where=text("outcome in ('quarantined', 'unmatched') and resolution is null"),
        ),
    )

    id: str = Field(primary_key=True, max_length=255)
    type: str
    api_version: str | None = None
    livemode: bool
    created: datetime = Field(sa_type=Moment)
    """Stripe's time of the event, one-second resolution; never used for ordering."""
    received_at: datetime = Field(default_factory=utcnow, sa_type=Moment, index=True)
    secret: int | None = Field(default=None, sa_type=SmallInteger)
    """Place of the webhook secret that signed it; None when we fetched the event ourselves."""
    outcome: str
    payment_id: uuid.UUID | None = Field(default=None, foreign_key="payment.id", index=True)
    detail: str = ""
    """Stripe's status word of the object: payment_status of a session, status of a refund or dispute."""
    object_id: str | None = Field(default=None, max_length=255)
    stripe_payment_intent_id: str | None = Field(default=None, max_length=255, index=True)
    amount_minor: int | None = None
    currency: str | None = Field(default=None, max_length=3)
    resolution: str | None = None
    """What became of an event that needed a person or its payment: settled, matched, refunded or dismissed."""
    resolved_at: datetime | None = Field(default=None, sa_type=Moment)
    resolved_by: uuid.UUID | None = Field(default=None, foreign_key="user.id")


# A consultation is paid by a payment of its own and by no other. It stands here because consultations know no money.
Consultation.metadata.tables["consultation"].append_constraint(
    ForeignKeyConstraint(
        ["id", "paid_payment_id"],
        ["payment.consultation_id", "payment.id"],
        name="fk_consultation_paid_payment",
        use_alter=True,
    )
)
