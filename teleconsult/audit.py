"""The audit log: who did what to which object, appended in the same transaction as the change. Never values."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Identity, insert
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, Session, SQLModel

from teleconsult.db import Moment, utcnow


class AuditLog(SQLModel, table=True):
    """One act. `detail` holds identifiers and outcome words only, nothing a person typed."""

    __tablename__ = "audit_log"

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    at: datetime = Field(default_factory=utcnow, sa_type=Moment, index=True)
    actor_id: uuid.UUID | None = Field(default=None, index=True)
    actor_role: str = "system"
    action: str
    object_type: str
    object_id: uuid.UUID = Field(index=True)
    detail: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB, nullable=False)


_ACT = insert(AuditLog)
"""Written at once and not by the unit of work, which costs more than the row: every move of money passes here."""


def record(
    tx: Session,
    action: str,
    object_type: str,
    object_id: uuid.UUID,
    *,
    actor_id: uuid.UUID | None = None,
    actor_role: str = "system",
    **detail: str | int | bool | None,
) -> None:
    """Append one act to the log, for example `record(tx, "submitted", "consultation", id, source="webhook")`."""
    row = {
        "at": utcnow(),
        "action": action,
        "object_type": object_type,
        "object_id": object_id,
        "actor_id": actor_id,
        "actor_role": actor_role,
        "detail": detail,
    }
    tx.connection().execute(_ACT, row)
