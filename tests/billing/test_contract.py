"""Every request the gateway sends, and every answer it reads, against Stripe's own published contract."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import stripe
from sqlmodel import select

from teleconsult.billing import (
    account,
    checkout,
    customers,
    gateway,
    invariants,
    portal,
    refunds,
    reversals,
    settle,
    webhook,
)
from teleconsult.billing.models import Payment, Refund
from teleconsult.db import transaction
from tests.billing.deliveries import payments
from tests.sandbox.contract import ABSENT, CHECKER, checker, load_contract
from tests.sandbox_process import KEY, SECRET, Sandbox
from tests.support import fresh_settings

pytestmark = pytest.mark.skipif(not CHECKER.exists(), reason=ABSENT)


@pytest.fixture
def exchanged(sandbox: Sandbox, patient: uuid.UUID, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The gateway with a checker in its line: one row for each exchange, with the problems found."""
    assert patient
    fresh_settings(STRIPE_SECRET_KEY=KEY, STRIPE_WEBHOOK_SECRET=SECRET, STRIPE_API_BASE=sandbox.base)
    rows: list[dict[str, Any]] = []
    checked = checker().checked_client(load_contract(), rows, inner=stripe.RequestsClient(timeout=10))
    monkeypatch.setattr(stripe, "RequestsClient", lambda **_: checked)
    gateway.gateway.cache_clear()
    return rows


def problems(rows: list[dict[str, Any]]) -> list[str]:
    """What the contract has against them."""
    return [
        f"{row['method']} {row['path']}: {problem}"
        for row in rows
        for problem in [*row["problems"], *row.get("response_problems", [])]
    ]


def test_everything_exchanged_keeps_to_the_contract(
    exchanged: list[dict[str, Any]], sandbox: Sandbox, patient: uuid.UUID, draft: uuid.UUID
) -> None:
    link = checkout.start(patient, draft)
    checkout.start(patient, draft)
    sandbox.pay(link.session_id, webhook="never")
    settle.confirm(patient, link.session_id)
    portal.open_portal(patient)
    _refund(payments(draft)[0])
    customers.ensure(patient)
    invariants.check(with_stripe=True)
    assert {(r["method"], r["path"].split("/")[2]) for r in exchanged} == {
        ("POST", "customers"),
        ("POST", "checkout"),
        ("GET", "checkout"),
        ("POST", "billing_portal"),
        ("POST", "refunds"),
        ("GET", "refunds"),
    }
    assert problems(exchanged) == []
    assert payments(draft)[0].refund_status == "succeeded"


def test_what_operators_send_keeps_to_the_contract(exchanged: list[dict[str, Any]], sandbox: Sandbox) -> None:
    assert sandbox
    fresh_settings(PUBLIC_URL="https://clinic.example")
    product = account.create_product()
    account.mend_product(product.id)
    assert account.find_product() == account.retrieve_product(product.id)
    price = account.create_price(product.id, 4900, "eur")
    assert account.find_price() == account.retrieve_price(price.id)
    account.retire_price(price.id)
    portal_made = account.create_portal_configuration()
    account.mend_portal_configuration(portal_made.id)
    fresh_settings(STRIPE_PORTAL_CONFIGURATION=portal_made.id)
    gateway.gateway().create_portal(gateway.gateway().create_customer("x@example.com", {}, "k"), "https://c.example")
    endpoint = account.create_endpoint(account.webhook_url(), sorted(webhook.OURS))
    account.mend_endpoint(endpoint.id, sorted(webhook.OURS))
    assert [found.id for found in account.endpoints()] == [endpoint.id]
    account.delete_endpoint(endpoint.id)
    account.clock_skew()
    assert problems(exchanged) == []
    assert len(exchanged) >= 16


def _refund(payment: Payment) -> None:
    with transaction() as tx:
        refunds.refund_later(tx, tx.get_one(Payment, payment.id))
        [row] = tx.exec(select(Refund)).all()
    refunds.refund.func(str(row.id))
    refunds.refund.func(str(row.id))  # a repeat changes nothing
    reversals.recount.func(str(payment.id))


def test_the_checker_would_notice(exchanged: list[dict[str, Any]]) -> None:
    """Negative control: what Stripe removed from this API version is reported."""
    with pytest.raises(gateway.GatewayRefused):
        gateway.gateway().create_session({"mode": "payment", "payment_method_types": ["card"]}, "key")
    assert any("payment_method_types" in problem for problem in problems(exchanged))
