"""Tables of people and their sessions."""

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from teleconsult.db import Moment, utcnow


class Role(StrEnum):
    """What a person may do here. Each has exactly one."""

    PATIENT = "patient"
    DERMATOLOGIST = "dermatologist"
    OPERATOR = "operator"


class User(SQLModel, table=True):
    """A person with an account."""

    __table_args__ = (
        CheckConstraint("role in ('patient', 'dermatologist', 'operator')", name="role"),
        CheckConstraint("email = lower(email)", name="email_lower"),
    )

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    email: str = Field(unique=True, max_length=254)
    name: str = Field(default="", max_length=120)
    password_hash: str
    role: str = Role.PATIENT
    timezone: str = Field(default="UTC", max_length=64)
    title: str = Field(default="", max_length=120)
    """A dermatologist's professional title, shown with every answer."""
    registration_no: str = Field(default="", max_length=40)
    """A dermatologist's entry in the medical register, shown with every answer."""
    stripe_customer_id: str | None = Field(default=None, unique=True)
    stripe_customer_generation: int = 0
    """Counts customers made for this person, so that each creation has its own idempotency key."""
    created_at: datetime = Field(default_factory=utcnow, sa_type=Moment)
    disabled_at: datetime | None = Field(default=None, sa_type=Moment)


class UserSession(SQLModel, table=True):
    """One signed-in browser. The token itself is never stored, only its SHA-256."""

    __tablename__ = "user_session"

    id: str = Field(primary_key=True, max_length=64)
    user_id: uuid.UUID = Field(foreign_key="user.id", index=True, ondelete="CASCADE")
    created_at: datetime = Field(default_factory=utcnow, sa_type=Moment)
    last_seen_at: datetime = Field(default_factory=utcnow, sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment)
