"""What money that leaves does to the case it had paid for. The caller holds the consultation's lock."""

from __future__ import annotations

from sqlmodel import Session

from teleconsult import audit, privacy
from teleconsult.consultations.models import Consultation
from teleconsult.consultations.rules import Status
from teleconsult.db import utcnow

DISPUTE, REFUND = "dispute", "refunded"
"""Why a case is held: no dermatologist sees it meanwhile."""

WITH_CLINIC = frozenset({Status.PENDING, Status.IN_REVIEW, Status.NEEDS_PHOTOS})


def hold(tx: Session, case: Consultation, reason: str) -> None:
    """Take a case that is with the clinic out of sight. One that is held already keeps its reason."""
    if case.status in WITH_CLINIC and case.hold_reason is None:
        case.hold_reason, case.updated_at = reason, utcnow()
        audit.record(tx, "held", "consultation", case.id, reason=reason)


def release(tx: Session, case: Consultation, reason: str) -> None:
    """Let a case go that is held for this reason and no other."""
    if case.hold_reason == reason:
        case.hold_reason, case.updated_at = None, utcnow()
        audit.record(tx, "unheld", "consultation", case.id, reason=reason)


def without_pay(tx: Session, case: Consultation, reason: str) -> None:
    """Nobody pays for it any more: a waiting case is closed, one a dermatologist works on waits for an operator."""
    if case.status == Status.PENDING:
        case.status, case.hold_reason, case.updated_at = Status.CANCELLED, None, utcnow()
        audit.record(tx, "cancelled", "consultation", case.id, reason=reason)
    elif case.status in WITH_CLINIC and case.hold_reason != REFUND:
        case.hold_reason, case.updated_at = reason, utcnow()
        audit.record(tx, "held", "consultation", case.id, reason=reason)
        privacy.alert(
            "refunded_in_review", "error", fingerprint=("refunded_in_review", case.id), consultation_id=str(case.id)
        )
