"""The API's manners: keys, refusals, idempotency, pages, objects around the payment."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest
import stripe

from tests.sandbox.conftest import LINE, PAGE, SessionMaker
from tests.sandbox.process import AUTH, Running


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({}, "You did not provide an API key."),
        ({"Authorization": "Bearer sk_live_0123456789"}, "Invalid API Key provided: sk_live_************"),
        ({"Authorization": "Bearer pk_test_0123456789"}, "Invalid API Key provided: pk_test_************"),
        ({"Authorization": "Basic !"}, "You did not provide an API key."),
    ],
)
def test_only_secret_test_keys_are_let_in(local: Running, header: dict[str, str], message: str) -> None:
    answer = httpx.get(f"{local.base}/v1/account", headers=header, trust_env=False)
    assert answer.status_code == 401
    assert answer.json()["error"]["message"].startswith(message)


def test_restricted_keys_and_basic_are_let_in(local: Running) -> None:
    bearer = httpx.get(f"{local.base}/v1/account", headers={"Authorization": "Bearer rk_test_1"}, trust_env=False)
    basic = httpx.get(f"{local.base}/v1/account", auth=("sk_test_1", ""), trust_env=False)
    assert (bearer.status_code, basic.status_code) == (200, 200)


def test_headers_of_every_answer(http: httpx.Client) -> None:
    answer = http.get("/v1/nothing", headers={"Stripe-Version": "2026-10-28.endive"})
    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == "Unrecognized request URL (GET: /v1/nothing)."
    assert answer.headers["request-id"].startswith("req_")
    assert answer.headers["stripe-version"] == "2026-10-28.endive"


def test_answers_carry_the_time_of_the_sandboxs_clock(local: Running, http: httpx.Client) -> None:
    local.control("clock", advance=7200)
    at = http.get("/v1/account").headers.get_list("date")
    assert len(at) == 1
    assert abs(parsedate_to_datetime(at[0]).timestamp() - time.time() - 7200) < 30


def test_another_host_name_is_refused(local: Running) -> None:
    answer = httpx.get(f"{local.base}/_sandbox/state", headers={"Host": "evil.example"}, trust_env=False)
    assert answer.status_code == 400


Refusal = tuple[dict[str, str], str | None, str | None, str]
REFUSED: list[Refusal] = [
    ({"payment_method_types[0]": "card"}, "parameter_unknown", "payment_method_types", "Received unknown parameter: "),
    ({"colour": "teal", "size": "9"}, "parameter_unknown", "colour", "Received unknown parameters: colour, size"),
    ({"line_items[0][colour]": "t"}, "parameter_unknown", "line_items[0][colour]", "Received unknown parameter: line"),
    ({"expires_at": "49.00"}, "parameter_invalid_integer", "expires_at", "Invalid integer: 49.00"),
    ({"mode": "rent"}, None, "mode", "Invalid mode: must be one of payment, setup, or subscription"),
    ({"mode": "subscription"}, None, "mode", "The sandbox does not simulate"),
    ({"customer": "cus_unknown"}, "resource_missing", "customer", "No such customer: 'cus_unknown'"),
    ({"customer": ""}, "parameter_invalid_empty", "customer", "You passed an empty string for 'customer'."),
    (
        {"customer": "cus_1", "customer_email": "a@b.example"}, None, "customer_email",
        "You may only specify one of these parameters: customer, customer_email.",
    ),
    ({"success_url": "consultations"}, "url_invalid", "success_url", "Not a valid URL"),
    ({"client_reference_id": "x" * 201}, None, "client_reference_id", "Invalid string: xxxxxx...xxxx; must be at most"),
    (
        {"metadata[note]": "y" * 801}, None, "metadata[note]",
        "Metadata values can have up to 500 characters, but you passed in a value that is 801 characters.",
    ),
    ({"metadata[" + "k" * 41 + "]": "v"}, None, "metadata", "Metadata keys can have up to 40 characters"),
    ({"line_items[0][price]": "price_1"}, None, "line_items[0]", "You must specify either `price` or `price_data`"),
    ({"line_items[0][price_data][unit_amount]": "49"}, "amount_too_small", None, "The Checkout Session's total amount"),
    ({"line_items[0][price_data][currency]": "abc"}, None, "currency", "Invalid currency: abc."),
    ({"line_items[0][quantity]": "0"}, None, "line_items[0][quantity]", "This value must be greater than or equal to"),
    ({"payment_intent_data[capture_method]": "manual"}, None, "payment_intent_data[capture_method]", "The sand"),
    ({"discounts[0][coupon]": "free"}, None, "discounts", "The sandbox does not simulate `discounts`."),
    ({"invoice_creation[invoice_data][footer]": "x"}, "parameter_missing", "invoice_creation[enabled]", "Missing "),
]  # fmt: skip


@pytest.mark.parametrize("refusal", REFUSED, ids=lambda refusal: next(iter(refusal[0]))[:40])
def test_what_a_session_is_refused_for(local: Running, http: httpx.Client, refusal: Refusal) -> None:
    change, code, param, message = refusal
    answer = http.post("/v1/checkout/sessions", data={**PAGE, **LINE, **change})
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["type"], error.get("code"), error.get("param")) == ("invalid_request_error", code, param)
    assert error["message"].startswith(message)
    assert not any(local.state()["objects"].get(kind) for kind in ("checkout.session", "price", "product"))


@pytest.mark.parametrize("absent", ["mode", "success_url", *(name for name in LINE if "product_data" not in name)])
def test_what_a_session_needs(http: httpx.Client, absent: str) -> None:
    body = {**PAGE, **LINE}
    del body[absent]
    error = http.post("/v1/checkout/sessions", data=body).json()["error"]
    assert (error["code"], error["param"]) == ("parameter_missing", absent)


def test_metadata_keys_are_the_callers_own(http: httpx.Client) -> None:
    """`customer` and `success_url` are parameters with rules; as names of metadata they are only names."""
    made = http.post("/v1/customers", data={"metadata[customer]": "", "metadata[success_url]": "no link"}).json()
    assert made["metadata"] == {"success_url": "no link"}
    changed = http.post(f"/v1/customers/{made['id']}", data={"metadata[success_url]": "", "metadata[a]": "1"}).json()
    assert changed["metadata"] == {"a": "1"}
    assert http.post(f"/v1/customers/{made['id']}", data={"metadata": ""}).json()["metadata"] == {}


def test_a_deleted_customer(local: Running, sdk: stripe.StripeClient, new_session: SessionMaker) -> None:
    customer = sdk.v1.customers.create({"email": "jane@example.com"})
    assert sdk.v1.customers.delete(customer.id).deleted
    assert sdk.v1.customers.retrieve(customer.id).deleted
    event = local.state()["events"][-1]
    assert event["type"] == "customer.deleted"
    assert event["data"]["object"]["email"] == "jane@example.com"
    assert "deleted" not in event["data"]["object"]
    for call in (
        lambda: new_session(customer=customer.id),
        lambda: sdk.v1.billing_portal.sessions.create({"customer": customer.id}),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            call()
        assert (refused.value.http_status, refused.value.code, refused.value.param) == (
            400, "resource_missing", "customer"
        )  # fmt: skip


def test_customer_updates_tell_what_was_before(local: Running, sdk: stripe.StripeClient) -> None:
    customer = sdk.v1.customers.create({"email": "old@example.com"})
    sdk.v1.customers.update(customer.id, {"email": "new@example.com", "address": {"city": "Dublin"}})
    event = local.state()["events"][-1]
    assert event["data"]["previous_attributes"] == {"email": "old@example.com", "address": None}
    assert event["request"]["id"].startswith("req_")
    assert sdk.v1.customers.list({"email": "new@example.com"}).data[0].id == customer.id


# ---- pages


def test_pages_go_both_ways(sdk: stripe.StripeClient) -> None:
    made = [sdk.v1.customers.create({"email": f"{n}@example.com"}).id for n in range(12)]
    newest = list(reversed(made))
    first = sdk.v1.customers.list()
    assert [c.id for c in first.data] == newest[:10]
    assert first.has_more
    second = sdk.v1.customers.list({"starting_after": newest[9], "limit": 2})
    assert [c.id for c in second.data] == newest[10:]
    assert not second.has_more
    before = sdk.v1.customers.list({"ending_before": newest[9], "limit": 3})
    assert [c.id for c in before.data] == newest[6:9]
    assert before.has_more
    assert [c.id for c in sdk.v1.customers.list({"limit": 5}).auto_paging_iter()] == newest


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "starting_after=cus_unknown", "ending_before=cus_unknown"])
def test_pages_that_cannot_be(http: httpx.Client, query: str) -> None:
    assert http.get(f"/v1/customers?{query}").status_code == 400


def test_sessions_are_found_by_what_is_known(
    local: Running, sdk: stripe.StripeClient, new_session: SessionMaker
) -> None:
    customer = sdk.v1.customers.create({"email": "jane@example.com"}).id
    paid, open_ = new_session(customer=customer).id, new_session().id
    local.control(f"sessions/{paid}/pay")
    intent = str(sdk.v1.checkout.sessions.retrieve(paid).payment_intent)
    searches: list[tuple[Any, list[str]]] = [
        ({"customer": customer}, [paid]),
        ({"payment_intent": intent}, [paid]),
        ({"status": "open"}, [open_]),
        ({"customer_details": {"email": "jane@example.com"}}, [paid]),
        ({"created": {"gte": int(time.time()) - 60}}, [open_, paid]),
        ({"created": {"lt": int(time.time()) - 60}}, []),
    ]
    for params, found in searches:
        assert [s.id for s in sdk.v1.checkout.sessions.list(params).data] == found
    assert sdk.v1.checkout.sessions.line_items.list(paid).data[0].amount_total == 4900
    assert sdk.v1.charges.list({"payment_intent": intent}).data[0].customer == customer
    assert sdk.v1.payment_intents.retrieve(intent).amount_received == 4900


def test_expanding_what_cannot_be_expanded(http: httpx.Client, new_session: SessionMaker) -> None:
    error = http.get(f"/v1/checkout/sessions/{new_session().id}?expand[]=currency").json()["error"]
    assert error["message"] == "This property cannot be expanded (currency)."


def test_what_stripe_was_told_can_be_searched(local: Running, http: httpx.Client) -> None:
    http.post("/v1/customers", data={"email": "a@b.example"}, headers={"Idempotency-Key": "seen"})
    row = local.state()["requests"][-1]
    assert (row["method"], row["path"], row["body"]) == ("POST", "/v1/customers", "email=a%40b.example")
    assert row["headers"]["idempotency-key"] == "seen"
    assert AUTH["Authorization"] not in str(row)
