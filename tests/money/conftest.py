"""What the tests of money share."""

from __future__ import annotations

from tests.billing.conftest import alerts
from tests.money.test_stocktaking import shop
from tests.ops.stripe.conftest import command

__all__ = ["alerts", "command", "shop"]
