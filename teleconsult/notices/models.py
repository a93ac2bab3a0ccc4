"""The table of outgoing e-mail."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from teleconsult.db import Moment, utcnow


class Notice(SQLModel, table=True):
    """One e-mail to one person, promised in the transaction that made it necessary."""

    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    """Also its Message-ID, so that a mail sent twice after a crash is recognised as one."""
    kind: str
    recipient: str = Field(max_length=254)
    facts: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB, nullable=False)
    """What the template needs: reference, amount, due time. Nothing clinical."""
    created_at: datetime = Field(default_factory=utcnow, sa_type=Moment)
    sent_at: datetime | None = Field(default=None, sa_type=Moment)
