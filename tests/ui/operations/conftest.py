"""An operator at the desk, and money that waits for a decision."""

from __future__ import annotations

import uuid

import pytest

from teleconsult import privacy
from teleconsult.accounts.models import Role
from teleconsult.billing.models import Payment
from tests.billing.deliveries import SECRET, attempt, deliver, event, payments, session
from tests.support import fresh_settings, full_draft, person
from tests.ui.operations.desk import Desk


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privacy, "alert", lambda *_args, **_facts: None)


@pytest.fixture
def draft(database: str) -> uuid.UUID:
    """A complete draft of a patient."""
    assert database
    fresh_settings(STRIPE_SECRET_KEY="sk_test_none", STRIPE_WEBHOOK_SECRET=SECRET)
    return full_draft(person())


@pytest.fixture
def operator(database: str) -> uuid.UUID:
    assert database
    return person("olu@clinic.example", Role.OPERATOR)


@pytest.fixture
def desk(operator: uuid.UUID) -> Desk:
    """An operator's tab."""
    return Desk(operator)


@pytest.fixture
def wrong(draft: uuid.UUID) -> Payment:
    """Five euros too much were paid."""
    deliver(event(session(attempt(draft), amount_total=5400)))
    return payments(draft)[0]
