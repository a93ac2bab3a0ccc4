"""What the tests of money share."""

from __future__ import annotations

from tests.billing.conftest import alerts

__all__ = ["alerts"]
