"""A patient with a draft that is ready to pay, and ears for the alerts."""

from __future__ import annotations

import uuid
from typing import NamedTuple

import pytest

from teleconsult import privacy
from teleconsult.accounts.models import Role
from teleconsult.billing import webhook
from tests import sandbox_process
from tests.billing.deliveries import SECRET
from tests.sandbox_process import KEY, Sandbox
from tests.support import fresh_settings, full_draft, person


class Alert(NamedTuple):
    """One call for a person's attention."""

    code: str
    level: str


@pytest.fixture
def alerts(monkeypatch: pytest.MonkeyPatch) -> list[Alert]:
    """What would have gone to Sentry. That it really arrives there is tests/test_privacy.py's."""
    heard: list[Alert] = []
    monkeypatch.setattr(privacy, "alert", lambda code, level, **_facts: heard.append(Alert(code, level)))
    monkeypatch.setattr(privacy, "capture", lambda error: heard.append(Alert(type(error).__name__, "error")))
    return heard


@pytest.fixture(autouse=True)
def _quiet() -> None:
    """Forged deliveries of other tests are not counted."""
    webhook.FORGERIES.clear()
    webhook.FLOODS.clear()


@pytest.fixture
def patient(database: str) -> uuid.UUID:
    """Somebody to pay."""
    assert database
    fresh_settings(STRIPE_SECRET_KEY="sk_test_none", STRIPE_WEBHOOK_SECRET=SECRET)
    return person()


@pytest.fixture
def draft(patient: uuid.UUID) -> uuid.UUID:
    """A complete draft."""
    return full_draft(patient)


@pytest.fixture
def operator(database: str) -> uuid.UUID:
    """Somebody who looks after the money."""
    assert database
    return person("olu@clinic.example", Role.OPERATOR)


@pytest.fixture
def shop(sandbox: Sandbox, patient: uuid.UUID) -> Sandbox:
    """The sandbox, with somebody to pay in it. Its webhooks go nowhere: tests settle by hand."""
    assert patient
    fresh_settings(STRIPE_SECRET_KEY=KEY, STRIPE_WEBHOOK_SECRET=sandbox_process.SECRET, STRIPE_API_BASE=sandbox.base)
    return sandbox
