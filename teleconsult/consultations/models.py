"""Tables of consultations: what the patient tells, agrees to and shows."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from teleconsult.consultations.rules import Status
from teleconsult.db import Moment, utcnow


class Consultation(SQLModel, table=True):
    """One request for an answer, from the first word to the closed case."""

    __table_args__ = (
        CheckConstraint("status in (" + ", ".join(f"'{s}'" for s in Status) + ")", name="status"),
        # Nobody leaves DRAFT unpaid. That the payment is the consultation's own is a foreign key in billing.
        CheckConstraint("status in ('DRAFT', 'CANCELLED') or paid_payment_id is not null", name="paid"),
        CheckConstraint("status not in ('PENDING', 'IN_REVIEW') or due_at is not null", name="due"),
        CheckConstraint("status <> 'IN_REVIEW' or claimed_by is not null", name="claimed"),
        Index("ix_consultation_queue", "due_at", postgresql_where=text("status = 'PENDING'")),
    )

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    ref: str = Field(unique=True, max_length=12)
    user_id: uuid.UUID = Field(foreign_key="user.id", index=True)
    status: str = Status.DRAFT
    intake: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB, nullable=False)
    user_notes: str = ""
    price_minor: int | None = None
    currency: str | None = Field(default=None, max_length=3)
    paid_payment_id: uuid.UUID | None = Field(default=None, unique=True)
    stripe_payment_id: str | None = None
    """Stripe's payment intent, for people who look at both sides."""
    hold_reason: str | None = None
    claimed_by: uuid.UUID | None = Field(default=None, foreign_key="user.id", index=True)
    claimed_at: datetime | None = Field(default=None, sa_type=Moment)
    created_at: datetime = Field(default_factory=utcnow, sa_type=Moment)
    updated_at: datetime = Field(default_factory=utcnow, sa_type=Moment)
    submitted_at: datetime | None = Field(default=None, sa_type=Moment)
    due_at: datetime | None = Field(default=None, sa_type=Moment)
    answered_at: datetime | None = Field(default=None, sa_type=Moment)
    answer_read_at: datetime | None = Field(default=None, sa_type=Moment)
    discarded_at: datetime | None = Field(default=None, sa_type=Moment)


class Consent(SQLModel, table=True):
    """One thing a patient agreed to, in the words shown at that moment. A withdrawal keeps the row."""

    __table_args__ = (Index("uq_consent_given", "consultation_id", "kind", unique=True),)

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    consultation_id: uuid.UUID = Field(foreign_key="consultation.id", ondelete="CASCADE")
    kind: str
    version: str
    text_sha256: str = Field(max_length=64)
    given_at: datetime = Field(default_factory=utcnow, sa_type=Moment)
    withdrawn_at: datetime | None = Field(default=None, sa_type=Moment)


class Photo(SQLModel, table=True):
    """A photo as we keep it: re-encoded, without metadata. Its bytes lie in the photo store under `store_key`."""

    __table_args__ = (
        Index(
            "uq_photo_content",
            "consultation_id",
            "source_sha256",
            unique=True,
            postgresql_where=text("removed_at is null"),
        ),
    )

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    user_id: uuid.UUID = Field(foreign_key="user.id", index=True)
    consultation_id: uuid.UUID | None = Field(default=None, foreign_key="consultation.id", index=True)
    """None while an API client has uploaded it and not yet named its consultation."""
    kind: str = "other"
    """What it shows: overview, close, side or other."""
    store_key: str = Field(unique=True)
    source_sha256: str = Field(max_length=64)
    """Hash of the uploaded bytes: the same file twice is one photo."""
    bytes: int
    width: int
    height: int
    quality: str = "good"
    """Advice for the patient: good, blurry or dark. It never blocks."""
    created_at: datetime = Field(default_factory=utcnow, sa_type=Moment)
    removed_at: datetime | None = Field(default=None, sa_type=Moment)
