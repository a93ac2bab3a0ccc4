"""What the tests of money share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator

import pytest

from teleconsult.billing import gateway
from tests.billing.conftest import alerts
from tests.money.machine import Trade
from tests.money.stripe_side import StripeSide
from tests.money.test_stocktaking import shop
from tests.ops.stripe.conftest import command
from tests.sandbox_process import Sandbox
from tests.support import fresh_settings

__all__ = ["alerts", "command", "shop", "trade"]


@pytest.fixture
def trade(database: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Generator[type[Trade]]:
    """The machine with its Stripe. The SDK's own second tries would only wait."""
    assert database
    monkeypatch.setattr(gateway, "RETRIES", 0)
    fresh_settings(STRIPE_PAYMENT_METHODS="card,sepa_debit")
    gateway.gateway.cache_clear()
    Trade.stripe, Trade.seen, Trade.wrong = StripeSide(sandbox), Counter(), []
    yield Trade
    Trade.stripe.close()
    gateway.gateway.cache_clear()
