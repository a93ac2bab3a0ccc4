"""Which cases a dermatologist may know of. Drafts and cases on hold are as absent as those that never were."""

from __future__ import annotations

import uuid

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from teleconsult.consultations.models import Consultation
from teleconsult.consultations.rules import Status
from teleconsult.errors import NotFound

GONE = "This case is not in your list any more."
UNSEEN = (Status.DRAFT, Status.CANCELLED)


def visible() -> tuple[ColumnElement[bool], ...]:
    """Conditions that every query of this slice begins with."""
    return (col(Consultation.status).not_in(UNSEEN), col(Consultation.hold_reason).is_(None))


def locked(tx: Session, case_id: uuid.UUID) -> Consultation:
    """A visible case, locked until the transaction ends.

    Raises:
        NotFound: absent, unpaid or on hold.
    """
    case = tx.exec(
        select(Consultation).where(col(Consultation.id) == case_id, *visible()).with_for_update()
    ).one_or_none()
    if case is None:
        raise NotFound(GONE)
    return case


def held_by(tx: Session, doctor_id: uuid.UUID, case_id: uuid.UUID) -> Consultation:
    """A case this dermatologist has claimed or answered, locked until the transaction ends.

    Raises:
        NotFound: absent, unpaid, on hold, or somebody else's.
    """
    case = locked(tx, case_id)
    if case.claimed_by != doctor_id:
        raise NotFound(GONE)
    return case
