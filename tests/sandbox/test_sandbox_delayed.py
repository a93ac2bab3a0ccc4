"""Payments whose bank answers days later."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import stripe

from tests.sandbox.conftest import SessionMaker
from tests.sandbox.process import Endpoint, Running

BOTH = ["card", "sepa_debit"]
PAYS, FAILS = "DE89370400440532013000", "DE62370400440532013001"
PAYS_LATE, FAILS_LATE, DISPUTED = "DE08370400440532013003", "DE78370400440532013004", "DE35370400440532013002"


def order_debit(local: Running, new_session: SessionMaker, iban: str = PAYS, **more: Any) -> str:
    session = new_session(allowed_payment_method_types=BOTH).id
    answer = local.control(f"sessions/{session}/pay", method="sepa_debit", iban=iban, **more)
    assert answer["result"] == "processing", answer
    return session


def last_kinds(local: Running, count: int) -> list[str]:
    """Without the one that comes by itself a moment after each payment."""
    seen = [event["type"] for event in local.state()["events"]]
    return [kind for kind in seen if kind != "charge.updated"][-count:]


def test_a_debit_completes_the_session_unpaid(
    local: Running, sdk: stripe.StripeClient, new_session: SessionMaker, endpoint: Endpoint
) -> None:
    wanted = order_debit(local, new_session)
    assert last_kinds(local, 4) == [
        "payment_intent.processing", "charge.pending", "payment_intent.created", "checkout.session.completed"
    ]  # fmt: skip
    (_, event) = endpoint.wait_for("checkout.session.completed")[0]
    assert event["data"]["object"]["payment_status"] == "unpaid"
    session = sdk.v1.checkout.sessions.retrieve(wanted, {"expand": ["payment_intent.latest_charge"]})
    assert (session.status, session.payment_status, session.url, session.invoice) == ("complete", "unpaid", None, None)
    assert isinstance(session.payment_intent, stripe.PaymentIntent)
    assert session.payment_intent.status == "processing"
    assert isinstance(session.payment_intent.latest_charge, stripe.Charge)
    assert session.payment_intent.latest_charge.status == "pending"
    assert session.payment_intent.latest_charge.payment_method_details
    assert session.payment_intent.latest_charge.payment_method_details.type == "sepa_debit"


def test_the_bank_says_yes(
    local: Running, sdk: stripe.StripeClient, new_session: SessionMaker, endpoint: Endpoint
) -> None:
    wanted = order_debit(local, new_session)
    local.control(f"sessions/{wanted}/async", outcome="succeeded")
    assert endpoint.wait_for("checkout.session.async_payment_succeeded"), "answered before the control was"
    kinds = [event["type"] for event in local.state()["events"]]
    at = kinds.index("charge.succeeded")
    assert kinds[at + 1 : at + 3] == ["payment_intent.succeeded", "checkout.session.async_payment_succeeded"]
    session = sdk.v1.checkout.sessions.retrieve(wanted)
    assert (session.status, session.payment_status) == ("complete", "paid")
    assert session.invoice, "the receipt is written when the money is there"
    again = local.control(f"sessions/{wanted}/async", outcome="failed")
    assert again["http_status"] == 400, "the bank answers once"


def test_the_bank_says_no(local: Running, sdk: stripe.StripeClient, new_session: SessionMaker) -> None:
    wanted = order_debit(local, new_session)
    local.control(f"sessions/{wanted}/async", outcome="failed")
    assert last_kinds(local, 3) == [
        "charge.failed", "payment_intent.payment_failed", "checkout.session.async_payment_failed"
    ]  # fmt: skip
    session = sdk.v1.checkout.sessions.retrieve(wanted, {"expand": ["payment_intent"]})
    assert (session.status, session.payment_status) == ("complete", "unpaid")
    assert isinstance(session.payment_intent, stripe.PaymentIntent)
    assert session.payment_intent.status == "requires_payment_method"
    assert local.control(f"sessions/{wanted}/pay")["http_status"] == 400, "a new session is needed"


MINUTE, WEEK = 61, 5 * 86_400 + 1


@pytest.mark.parametrize(
    ("iban", "seconds", "ends"),
    [
        (PAYS, MINUTE, "succeeded"),
        (FAILS, MINUTE, "failed"),
        (PAYS_LATE, WEEK, "succeeded"),
        (FAILS_LATE, WEEK, "failed"),
    ],
)
def test_time_decides_what_nobody_decided(
    local: Running, new_session: SessionMaker, iban: str, seconds: int, ends: str
) -> None:
    order_debit(local, new_session, iban)
    local.control("clock", advance=seconds - 30)
    assert last_kinds(local, 1) == ["checkout.session.completed"]
    local.control("clock", advance=30)
    assert last_kinds(local, 1) == [f"checkout.session.async_payment_{ends}"]
    local.control("clock", advance=WEEK)
    kinds = [event["type"] for event in local.state()["events"]]
    assert sum(kind.startswith("checkout.session.async") for kind in kinds) == 1


def test_a_debit_that_is_disputed_at_once(local: Running, new_session: SessionMaker) -> None:
    order_debit(local, new_session, DISPUTED)
    local.control("clock", advance=MINUTE)
    assert last_kinds(local, 2) == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]


def test_american_accounts_in_dollars(local: Running, new_session: SessionMaker) -> None:
    price = {"currency": "usd", "unit_amount": 4900, "product_data": {"name": "Online consultation"}}
    dollars = {"line_items": [{"price_data": price, "quantity": 1}]}
    for account, ends in (("000123456789", "succeeded"), ("000222222227", "failed")):
        session = new_session(allowed_payment_method_types=["us_bank_account"], **dollars).id
        paid = local.control(f"sessions/{session}/pay", method="us_bank_account", account=account)
        assert paid["result"] == "processing"
        local.control("clock", advance=MINUTE)
        assert last_kinds(local, 1) == [f"checkout.session.async_payment_{ends}"]


def test_what_is_not_allowed_is_not_taken(local: Running, sdk: stripe.StripeClient, new_session: SessionMaker) -> None:
    card_only = new_session().id
    refused = local.control(f"sessions/{card_only}/pay", method="sepa_debit")
    assert (refused["http_status"], refused["error"]["param"]) == (400, "method")
    wrong = local.control(f"sessions/{card_only}/pay", method="sepa_debit", iban="DE00370400440532013000")
    assert wrong["error"]["message"] == "The IBAN you entered is invalid."
    price = {"currency": "usd", "unit_amount": 4900, "product_data": {"name": "x"}}
    with pytest.raises(stripe.InvalidRequestError, match="only supports the currency `eur`"):
        new_session(allowed_payment_method_types=BOTH, line_items=[{"price_data": price, "quantity": 1}])
    with pytest.raises(stripe.InvalidRequestError, match="does not simulate `paypal`"):
        new_session(allowed_payment_method_types=["card", "paypal"])
    assert sdk.v1.checkout.sessions.retrieve(card_only).status == "open"


def test_the_page_offers_both_ways(local: Running, new_session: SessionMaker) -> None:
    session = new_session(allowed_payment_method_types=BOTH)
    with httpx.Client(base_url=local.base, timeout=15, trust_env=False) as browser:
        page = browser.get(f"/c/pay/{session.id}").text
        assert "SEPA Direct Debit" in page
        tapped = browser.get(f"/c/pay/{session.id}?account={PAYS}").text
        assert f'name="account" value="{PAYS}"' in tapped
        assert 'value="sepa_debit" checked' in tapped
        typed = {
            "method": "sepa_debit",
            "account": "DE89 3704 0044 0532 0130 01",
            "name": "Jane",
            "email": "j@x.example",
        }
        wrong = browser.post(f"/c/pay/{session.id}", data=typed)
        assert "The IBAN you entered is invalid." in wrong.text
        assert 'value="sepa_debit" checked' in wrong.text, "the choice stays"
        done = browser.post(f"/c/pay/{session.id}", data=typed | {"account": "de89 3704 0044 0532 0130 00"})
        assert done.headers["location"].endswith(f"session_id={session.id}")
        assert "Your bank is being asked" in browser.get(f"/c/pay/{session.id}").text
