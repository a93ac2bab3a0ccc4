"""A session from creation to its end, as the application and the customer see it."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest
import stripe

from tests.sandbox.conftest import SessionMaker, session_params
from tests.sandbox.process import Endpoint, Running

DECLINED, NO_FUNDS, SECURE = "4000000000000002", "4000000000009995", "4000002500003155"


def kinds(local: Running) -> list[str]:
    return [event["type"] for event in local.state()["events"]]


def test_a_new_session_is_open_unpaid_and_without_a_payment_intent(
    sdk: stripe.StripeClient, new_session: SessionMaker
) -> None:
    customer = sdk.v1.customers.create({"email": "jane@example.com"})
    session = new_session(customer=customer.id)
    assert (session.status, session.payment_status, session.payment_intent) == ("open", "unpaid", None)
    assert (session.amount_total, session.currency, session.mode) == (4900, "eur", "payment")
    assert session.id.startswith("cs_test_")
    assert len(session.id) == 66
    assert session.url
    assert session.url.endswith(f"/c/pay/{session.id}")
    assert session.customer_details
    assert session.customer_details.email == "jane@example.com"
    assert abs(session.expires_at - time.time() - 24 * 3600) < 10


def test_paying_completes_it_and_sends_the_events_in_stripes_order(
    local: Running, sdk: stripe.StripeClient, new_session: SessionMaker, endpoint: Endpoint
) -> None:
    session = new_session()
    paid = local.control(f"sessions/{session.id}/pay", email="jane@example.com")
    assert paid["redirect_url"].endswith(f"payment=success&session_id={session.id}")
    assert kinds(local)[-4:] == [
        "charge.succeeded", "payment_intent.succeeded", "payment_intent.created", "checkout.session.completed"
    ]  # fmt: skip
    assert endpoint.wait_for("checkout.session.completed"), "answered before the redirect"
    after = sdk.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge", "line_items"]})
    assert (after.status, after.payment_status, after.url) == ("complete", "paid", None)
    assert isinstance(after.payment_intent, stripe.PaymentIntent)
    assert after.payment_intent.status == "succeeded"
    assert after.payment_intent.metadata["consultationId"] == "c-1"
    assert isinstance(after.payment_intent.latest_charge, stripe.Charge)
    assert after.payment_intent.latest_charge.paid
    assert after.line_items
    assert after.line_items.data[0].description == "Online consultation"
    (_, event) = endpoint.wait_for("charge.updated")[0]
    assert event["data"]["previous_attributes"] == {"balance_transaction": None}


Decline = tuple[str, str, str | None, str]
DECLINES: list[Decline] = [
    (DECLINED, "card_declined", "generic_decline", "Your card was declined."),
    (NO_FUNDS, "card_declined", "insufficient_funds", "Your card has insufficient funds."),
    ("4000000000009987", "card_declined", "lost_card", "Your card was declined."),
    ("4000000000009979", "card_declined", "stolen_card", "Your card was declined."),
    ("4000000000000069", "expired_card", None, "Your card has expired."),
    ("4000000000000127", "incorrect_cvc", None, "Your card's security code is incorrect."),
]


@pytest.mark.parametrize("expected", DECLINES, ids=lambda expected: expected[0][-4:])
def test_a_declined_card_leaves_the_session_open(
    local: Running, sdk: stripe.StripeClient, new_session: SessionMaker, expected: Decline
) -> None:
    card, code, decline_code, message = expected
    session = new_session()
    outcome = local.control(f"sessions/{session.id}/pay", card=card)
    assert (outcome["result"], outcome["message"]) == ("declined", message)
    after = sdk.v1.checkout.sessions.retrieve(session.id)
    assert (after.status, after.payment_status, after.payment_intent) == ("open", "unpaid", None)
    assert kinds(local)[-3:] == ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]
    failed = local.state()["events"][-1]["data"]["object"]
    assert failed["status"] == "requires_payment_method"
    error = failed["last_payment_error"]
    assert (error["code"], error.get("decline_code"), error["message"]) == (code, decline_code, message)


def test_decline_then_success_is_one_intent_with_two_charges(local: Running, new_session: SessionMaker) -> None:
    session = new_session()
    local.control(f"sessions/{session.id}/pay", card=DECLINED)
    assert local.control(f"sessions/{session.id}/pay")["result"] == "paid"
    objects = local.state()["objects"]
    assert len(objects["payment_intent"]) == 1
    assert [charge["status"] for charge in objects["charge"]] == ["failed", "succeeded"]
    assert kinds(local)[-3:] == ["charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"]


def test_three_d_secure_asks_first(local: Running, new_session: SessionMaker) -> None:
    session = new_session()
    assert local.control(f"sessions/{session.id}/pay", card=SECURE)["result"] == "paid"
    assert kinds(local)[-5:] == [
        "payment_intent.requires_action", "payment_intent.created", "payment_intent.succeeded", "charge.succeeded",
        "checkout.session.completed",
    ]  # fmt: skip


def test_failed_authentication_leaves_the_session_open_without_a_charge(
    local: Running, sdk: stripe.StripeClient, new_session: SessionMaker
) -> None:
    session = new_session()
    outcome = local.control(f"sessions/{session.id}/pay", card=SECURE, authenticate=False)
    assert outcome["message"].startswith("We are unable to authenticate your payment method.")
    assert sdk.v1.checkout.sessions.retrieve(session.id).status == "open"
    assert local.state()["objects"].get("charge", []) == []


def test_another_card_while_the_bank_waits_makes_the_old_question_void(
    local: Running, new_session: SessionMaker
) -> None:
    session = new_session()
    page = httpx.Client(base_url=local.base, trust_env=False)
    form = {"expiry": "12/34", "cvc": "123", "name": "J"}
    asked = page.post(f"/c/pay/{session.id}", data={**form, "number": SECURE})
    assert asked.headers["location"].endswith("/authenticate")
    page.post(f"/c/pay/{session.id}", data={**form, "number": DECLINED})
    late = page.post(f"/c/pay/{session.id}/authenticate", data={"answer": "complete"})
    assert late.headers["location"] == f"/c/pay/{session.id}"
    assert local.state()["objects"]["checkout.session"][0]["status"] == "open"


def test_expiring_by_call(local: Running, sdk: stripe.StripeClient, new_session: SessionMaker) -> None:
    session = new_session()
    local.control(f"sessions/{session.id}/pay", card=DECLINED)
    gone = sdk.v1.checkout.sessions.expire(session.id)
    assert (gone.status, gone.url) == ("expired", None)
    assert kinds(local)[-2:] == ["payment_intent.canceled", "checkout.session.expired"]
    assert local.control(f"sessions/{session.id}/pay")["http_status"] == 400


def test_only_an_open_session_can_be_expired(
    local: Running, sdk: stripe.StripeClient, new_session: SessionMaker
) -> None:
    session = new_session()
    local.control(f"sessions/{session.id}/pay")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.checkout.sessions.expire(session.id)
    assert refused.value.http_status == 400
    assert refused.value.user_message == (
        'Only Checkout Sessions with a status in ["open"] can be expired. '
        "This Checkout Session has a status of `complete`."
    )


def test_time_ends_a_session_without_anybody_asking(
    local: Running, new_session: SessionMaker, endpoint: Endpoint
) -> None:
    session = new_session(expires_at=int(time.time()) + 45 * 60)
    local.control("clock", advance=45 * 60 - 30)
    assert local.state()["objects"]["checkout.session"][0]["status"] == "open"
    local.control("clock", advance=31)
    (_, event) = endpoint.wait_for("checkout.session.expired")[0]
    assert event["data"]["object"]["id"] == session.id


@pytest.mark.parametrize(
    ("minutes", "message"),
    [
        (29, "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation."),
        (24 * 60 + 1, "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation."),
    ],
)
def test_limits_of_expires_at(http: httpx.Client, minutes: int, message: str) -> None:
    body = {"mode": "payment", "success_url": "http://x/y", "expires_at": int(time.time()) + minutes * 60}
    error = http.post("/v1/checkout/sessions", data=body).json()["error"]
    assert error == {"type": "invalid_request_error", "message": message}


def test_nothing_to_pay_needs_no_payment(local: Running, sdk: stripe.StripeClient) -> None:
    free: Any = session_params()
    free["line_items"][0]["price_data"]["unit_amount"] = 0
    session = sdk.v1.checkout.sessions.create(free)
    assert session.payment_status == "no_payment_required"
    local.control(f"sessions/{session.id}/pay")
    after = sdk.v1.checkout.sessions.retrieve(session.id)
    assert (after.status, after.payment_intent) == ("complete", None)


def test_a_price_of_the_catalogue_can_be_sold(sdk: stripe.StripeClient, new_session: SessionMaker) -> None:
    product = sdk.v1.products.create({"name": "Online consultation"})
    price = sdk.v1.prices.create(
        {"product": product.id, "currency": "eur", "unit_amount": 4900, "lookup_key": "consultation"}
    )
    assert sdk.v1.prices.list({"lookup_keys": ["consultation"]}).data[0].id == price.id
    session = new_session(line_items=[{"price": price.id, "quantity": 2}])
    assert session.amount_total == 9800


def test_a_customer_is_made_when_asked(local: Running, sdk: stripe.StripeClient, new_session: SessionMaker) -> None:
    session = new_session(customer_creation="always")
    local.control(f"sessions/{session.id}/pay", email="new@example.com", name="Jane Doe")
    after = sdk.v1.checkout.sessions.retrieve(session.id, {"expand": ["customer"]})
    assert isinstance(after.customer, stripe.Customer)
    assert (after.customer.email, after.customer.name) == ("new@example.com", "Jane Doe")


def test_refunds(local: Running, sdk: stripe.StripeClient, new_session: SessionMaker, endpoint: Endpoint) -> None:
    session = new_session()
    local.control(f"sessions/{session.id}/pay")
    intent = str(sdk.v1.checkout.sessions.retrieve(session.id).payment_intent)
    part = sdk.v1.refunds.create({"payment_intent": intent, "amount": 900, "metadata": {"paymentId": "p-1"}})
    (_, event) = endpoint.wait_for("charge.refunded")[0]
    assert (event["data"]["object"]["amount_refunded"], event["data"]["object"]["refunded"]) == (900, False)
    with pytest.raises(stripe.InvalidRequestError, match=r"is greater than unrefunded amount on charge \(€40.00\)"):
        sdk.v1.refunds.create({"payment_intent": intent, "amount": 4001})
    sdk.v1.refunds.create({"payment_intent": intent})
    (_, event) = endpoint.wait_for("charge.refunded")[0]
    assert (event["data"]["object"]["amount_refunded"], event["data"]["object"]["refunded"]) == (4900, True)
    with pytest.raises(stripe.InvalidRequestError) as again:
        sdk.v1.refunds.create({"payment_intent": intent})
    assert again.value.code == "charge_already_refunded"
    assert [r.amount for r in sdk.v1.refunds.list({"payment_intent": intent}).data] == [4000, 900]
    assert sdk.v1.refunds.retrieve(part.id).to_dict()["metadata"] == {"paymentId": "p-1"}
    assert endpoint.wait_for("charge.refund.updated", 2)


def test_a_refund_needs_money_that_was_taken(local: Running, http: httpx.Client, new_session: SessionMaker) -> None:
    local.control(f"sessions/{new_session().id}/pay", card=DECLINED)
    charge = local.state()["objects"]["charge"][0]["id"]
    wanted = ({"charge": charge}, {}, {"payment_intent": "pi_unknown"})
    assert [http.post("/v1/refunds", data=body).status_code for body in wanted] == [400, 400, 404]
    assert local.state()["objects"].get("refund", []) == []
