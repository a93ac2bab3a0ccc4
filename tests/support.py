"""What tests share: settings for a test, and people and drafts that are ready to use."""

from __future__ import annotations

import os
import uuid
from datetime import timedelta
from pathlib import Path

from sqlalchemy import text

import teleconsult.settings
from teleconsult.accounts.models import Role, User
from teleconsult.billing.models import Payment
from teleconsult.billing.rules import PaymentStatus
from teleconsult.consultations import service
from teleconsult.consultations.models import Consultation, Photo
from teleconsult.consultations.questions import CONSENTS
from teleconsult.db import transaction, utcnow
from teleconsult.settings import get_settings

ROOT = Path(__file__).parents[1]

ANSWERS: dict[str, object] = {
    "site": "right_cheek",
    "concern": "rash",
    "duration": "weeks",
    "symptoms": ["itch", "scaling"],
    "sleep": "no",
    "story": "Started three weeks ago as a small dry patch and has spread since.",
    "flags": ["none"],
    "dob": "1991-3-27",
    "sex": "female",
    "pregnant": "no",
    "allergies": "some",
    "allergies_text": "Penicillin: rash all over",
    "medicines": "none",
    "conditions": ["none"],
    "skin_cancer": "none",
}
"""A complete form."""


def fresh_settings(**values: str) -> None:
    """Change settings for this process and drop what was built from the old ones."""
    os.environ.update(values)
    teleconsult.settings.get_settings.cache_clear()


def person(email: str = "jane@example.com", role: Role = Role.PATIENT, **more: str) -> uuid.UUID:
    """Somebody with an account nobody can sign in to: services need no password."""
    with transaction() as tx:
        user = User(email=email, name=email.split("@", maxsplit=1)[0].title(), password_hash="none", role=role, **more)
        tx.add(user)
        return user.id


def full_draft(user_id: uuid.UUID, **changes: object) -> uuid.UUID:
    """A draft that only waits to be paid."""
    consents = {c.kind: True for c in CONSENTS}
    saved = service.save_form(user_id, None, {**ANSWERS, **changes}, consents)
    with transaction() as tx:
        for kind in ("overview", "close"):
            tx.add(_photo(user_id, saved.consultation_id, kind))
    return saved.consultation_id


def _photo(user_id: uuid.UUID, consultation_id: uuid.UUID, kind: str) -> Photo:
    """A row without a file: enough where nobody looks at the picture."""
    key = uuid.uuid4().hex
    return Photo(
        user_id=user_id, consultation_id=consultation_id, kind=kind, store_key=key, source_sha256=key, bytes=1,
        width=1200, height=900,
    )  # fmt: skip


def pending_case(user_id: uuid.UUID, **changes: object) -> uuid.UUID:
    """A paid consultation that waits for a dermatologist, without asking Stripe."""
    case_id = full_draft(user_id, **changes)
    price = get_settings()
    with transaction() as tx:
        payment = Payment(
            consultation_id=case_id, user_id=user_id, attempt=1, status=PaymentStatus.PAID, livemode=False,
            amount_minor=price.price_minor, currency=price.currency, expires_at=utcnow() + timedelta(hours=1),
            paid_at=utcnow(), received_minor=price.price_minor, received_currency=price.currency,
        )  # fmt: skip
        tx.add(payment)
        tx.flush()
        service.mark_paid(
            tx, tx.get_one(Consultation, case_id), payment_id=payment.id, payment_intent=None,
            amount_minor=payment.amount_minor, currency=payment.currency, source="test",
        )  # fmt: skip
    return case_id


def somebody_waits() -> bool:
    """Whether a session waits for a lock. Not by its query's text, of which the server shows only 1024 bytes."""
    waits = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    with transaction() as tx:  # one transaction sees only one picture of the others
        return tx.connection().execute(text(waits)).scalar_one() > 0
