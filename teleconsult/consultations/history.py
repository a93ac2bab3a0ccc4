"""What happened to a consultation, from the audit log: the part of it that its patient sees."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from teleconsult.accounts.models import Role, User
from teleconsult.audit import AuditLog
from teleconsult.consultations.service import owned
from teleconsult.db import transaction

SHOWN = ("drafted", "submitted", "claimed", "answered", "cancelled")
"""Acts a patient sees. Looks and payments that came to nothing are not among them."""


@dataclass(frozen=True)
class Act:
    """One thing that happened."""

    what: str
    """One of `SHOWN`."""
    at: datetime
    doctor: str
    """Name of the dermatologist who did it, or ""."""


def history(user_id: uuid.UUID, consultation_id: uuid.UUID) -> tuple[Act, ...]:
    """The acts of one consultation in their order. A claim that was given back is left out.

    Raises:
        NotFound: absent or somebody else's.
    """
    query = (
        select(AuditLog, User)
        .join(User, col(User.id) == col(AuditLog.actor_id), isouter=True)
        .where(
            col(AuditLog.object_type) == "consultation",
            col(AuditLog.object_id) == consultation_id,
            col(AuditLog.action).in_([*SHOWN, "released"]),
        )
        .order_by(col(AuditLog.id))
    )
    with transaction() as tx:
        owned(tx, user_id, consultation_id)
        rows = tx.exec(query).all()
    acts: list[Act] = []
    for row, actor in rows:
        if row.action == "released":
            acts = [act for act in acts if act.what != "claimed"]
        else:
            acts.append(Act(row.action, row.at, actor.name if actor and actor.role == Role.DERMATOLOGIST else ""))
    return tuple(acts)
