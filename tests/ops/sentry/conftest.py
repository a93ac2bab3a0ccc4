"""Sentry on loopback, both of its sides: the API that keeps alerts, and the address events are sent to."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from teleconsult import privacy
from tests.ops.sentry.sentry_api import ORG, PROJECT, TOKEN, FakeSentryApi, sentry_api
from tests.ops.stripe.conftest import command  # noqa: F401 - a fixture
from tests.sentry_process import FakeSentry, fake_sentry
from tests.support import fresh_settings


@pytest.fixture
def api() -> Generator[FakeSentryApi]:
    """The API, and the settings that lead to it."""
    with sentry_api() as fake:
        fresh_settings(SENTRY_URL=fake.url, SENTRY_ORG=ORG, SENTRY_PROJECT=PROJECT, SENTRY_AUTH_TOKEN=TOKEN)
        yield fake


@pytest.fixture
def reports() -> Generator[FakeSentry]:
    """Where events go."""
    with fake_sentry() as fake:
        privacy.init_sentry(fake.dsn, environment="test", release="teleconsult@1.2.3")
        yield fake
