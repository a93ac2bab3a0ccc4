"""What a patient has agreed to, for them to see."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from teleconsult.consultations.models import Consent, Consultation
from teleconsult.consultations.questions import CONSENTS
from teleconsult.consultations.rules import Status
from teleconsult.db import transaction

PAGE = 60
"""The most that is listed, latest first: three for each of twenty consultations."""


@dataclass(frozen=True)
class Given:
    """One consent that is stored."""

    ref: str
    """The consultation it belongs to."""
    text: str
    """What was agreed to, in the words shown at that time as far as they are still in use."""
    version: str
    given_at: datetime


def given_by(user_id: uuid.UUID) -> tuple[Given, ...]:
    """All consents of one person that stand, latest first. Those of discarded drafts are left out."""
    query = (
        select(Consent, Consultation.ref)
        .join(Consultation, col(Consultation.id) == col(Consent.consultation_id))
        .where(
            col(Consultation.user_id) == user_id,
            col(Consultation.discarded_at).is_(None),
            (col(Consultation.status) != Status.CANCELLED) | col(Consultation.paid_payment_id).is_not(None),
            col(Consent.withdrawn_at).is_(None),
        )
        .order_by(col(Consent.given_at).desc(), col(Consent.kind))
        .limit(PAGE)
    )
    with transaction() as tx:
        rows = tx.exec(query).all()
    return tuple(Given(ref, _words(row), row.version, row.given_at) for row, ref in rows)


def _words(row: Consent) -> str:
    current = next((c for c in CONSENTS if c.kind == row.kind and c.version == row.version), None)
    return current.text if current else f"An earlier wording ({row.version}) of: {row.kind}."
