"""The table of answers."""

import uuid
from datetime import datetime

from sqlmodel import Field, SQLModel

from teleconsult.db import Moment, utcnow


class Answer(SQLModel, table=True):
    """A dermatologist's answer. Invisible to the patient until `published_at`; frozen from then on."""

    consultation_id: uuid.UUID = Field(primary_key=True, foreign_key="consultation.id")
    author_id: uuid.UUID = Field(foreign_key="user.id", index=True)
    impression: str = ""
    certainty: str = "likely"
    """likely, possible or uncertain."""
    explanation: str = ""
    plan: str = ""
    """One step on each line."""
    medicine: str = ""
    medicine_use: str = ""
    safety_net: str = ""
    """When to see a doctor in person: mandatory."""
    signed_name: str = ""
    signed_title: str = ""
    signed_registration_no: str = ""
    updated_at: datetime = Field(default_factory=utcnow, sa_type=Moment)
    published_at: datetime | None = Field(default=None, sa_type=Moment)
