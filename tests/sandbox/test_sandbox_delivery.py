"""Webhooks as an endpoint gets them: signed, repeated, late, or not at all."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest
import stripe

from tests.sandbox.conftest import SessionMaker
from tests.sandbox.process import OLD_SECRET, SECRET, Endpoint, Running, start

COMPLETED = "checkout.session.completed"


def test_the_sdk_accepts_the_signature_of_each_secret(sdk: stripe.StripeClient, endpoint: Endpoint) -> None:
    sdk.v1.customers.create({"email": "jane@example.com"})
    headers, body = endpoint.wait(1)[0]
    for secret in (SECRET, OLD_SECRET):
        assert stripe.Webhook.construct_event(body, headers["stripe-signature"], secret).type == "customer.created"
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body, headers["stripe-signature"], "whsec_another")
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body + b" ", headers["stripe-signature"], SECRET)
    assert headers["stripe-signature"].count("v1=") == 2
    assert headers["content-type"] == "application/json; charset=utf-8"
    assert headers["user-agent"].startswith("Stripe/1.0")


@pytest.mark.parametrize("failure", [500, 400, 303])
def test_anything_but_2xx_is_tried_again_with_a_fresh_signature(
    local: Running, sdk: stripe.StripeClient, endpoint: Endpoint, failure: int
) -> None:
    endpoint.statuses = [failure, failure]
    customer = sdk.v1.customers.create({"email": "jane@example.com"})
    tries = endpoint.wait(3)
    assert len({body for _, body in tries}) == 1, "the same event, byte for byte"
    assert json.loads(tries[0][1])["data"]["object"]["id"] == customer.id
    wait_until(lambda: local.state()["deliveries"][0]["status"] == "delivered")
    row = local.state()["deliveries"][0]
    assert [t["status"] for t in row["tries"]] == [failure, failure, 200]
    assert row["tries"][1]["at"] - row["tries"][0]["at"] >= 0.1
    assert local.state()["events"][0]["pending_webhooks"] == 0


def test_a_retry_in_another_second_has_another_timestamp(sdk: stripe.StripeClient, endpoint: Endpoint) -> None:
    endpoint.statuses = [500]
    endpoint.pause = 1.1
    sdk.v1.customers.create({"email": "jane@example.com"})
    first, second = (headers["stripe-signature"] for headers, _ in endpoint.wait(2))
    assert first != second


def test_tries_are_bounded(local: Running, sdk: stripe.StripeClient, endpoint: Endpoint) -> None:
    endpoint.statuses = [500] * 10
    sdk.v1.customers.create({"email": "jane@example.com"})
    endpoint.wait(4)
    wait_until(lambda: local.state()["deliveries"][0]["status"] == "failed")
    assert len(local.state()["deliveries"][0]["tries"]) == 4
    assert [e.type for e in sdk.v1.events.list({"delivery_success": False}).data] == ["customer.created"]


def test_twice_is_the_same_event_twice(local: Running, new_session: SessionMaker, endpoint: Endpoint) -> None:
    local.control(f"sessions/{new_session().id}/pay", webhook="twice")
    first, second = endpoint.wait_for(COMPLETED, 2)
    assert first[1]["id"] == second[1]["id"]


def test_late_comes_late_and_nobody_waits_for_it(local: Running, new_session: SessionMaker, endpoint: Endpoint) -> None:
    began = time.monotonic()
    local.control(f"sessions/{new_session().id}/pay", webhook="late", delay=1.5)
    assert time.monotonic() - began < 1
    assert endpoint.got.empty()
    assert endpoint.wait_for(COMPLETED)


def test_never_is_kept_for_those_who_ask(
    local: Running, sdk: stripe.StripeClient, new_session: SessionMaker, endpoint: Endpoint
) -> None:
    local.control(f"sessions/{new_session().id}/pay", webhook="never")
    lost = sdk.v1.events.list({"delivery_success": False, "types": [COMPLETED, "charge.refunded"]})
    assert [e.type for e in lost.data] == [COMPLETED]
    assert sdk.v1.events.retrieve(lost.data[0].id).type == COMPLETED
    assert endpoint.got.empty()
    again = local.control(f"deliver/{lost.data[0].id}")
    assert [d["status"] for d in again["deliveries"]] == ["delivered"]
    assert sdk.v1.events.list({"delivery_success": False, "type": COMPLETED}).data == []


def test_an_event_can_be_sent_again_several_times_at_once(
    local: Running, sdk: stripe.StripeClient, endpoint: Endpoint
) -> None:
    sdk.v1.customers.create({"email": "jane@example.com"})
    event = local.state()["events"][0]["id"]
    endpoint.wait(1)
    sent = httpx.post(f"{local.base}/_sandbox/deliver/{event}?times=8", timeout=15, trust_env=False).json()
    assert len(sent["deliveries"]) == 8
    assert {json.loads(body)["id"] for _, body in endpoint.wait(8)} == {event}
    assert local.control("deliver/evt_unknown")["http_status"] == 404
    assert local.control(f"deliver/{event}?times=0")["http_status"] == 400


def test_the_page_waits_for_the_endpoints_answer(local: Running, new_session: SessionMaker, endpoint: Endpoint) -> None:
    endpoint.pause = 0.8
    began = time.monotonic()
    form = {"number": "4242424242424242", "expiry": "12 / 34", "cvc": "123", "name": "Jane"}
    session = new_session()
    answer = httpx.post(f"{local.base}/c/pay/{session.id}", data=form, timeout=15, trust_env=False)
    assert answer.status_code == 303
    assert answer.headers["location"].endswith(f"session_id={session.id}")
    assert 0.8 <= time.monotonic() - began < 5


def test_registered_endpoints_get_what_they_asked_for(
    local: Running, sdk: stripe.StripeClient, new_session: SessionMaker, endpoint: Endpoint
) -> None:
    version: Any = stripe.api_version
    params: Any = {"url": endpoint.url + "/2", "enabled_events": [COMPLETED], "api_version": version}
    made = sdk.v1.webhook_endpoints.create(params)
    assert made.secret
    assert not hasattr(sdk.v1.webhook_endpoints.retrieve(made.id), "secret")
    local.control(f"sessions/{new_session().id}/pay")
    rows = [d for d in local.state()["deliveries"] if d["endpoint"] == made.id]
    assert [d["type"] for d in rows] == [COMPLETED]
    bodies = [(h["stripe-signature"], b) for h, b in endpoint.wait(5)]
    accepted = [signed for signed, body in bodies if _verifies(body, signed, made.secret)]
    assert len(accepted) == 1
    sdk.v1.webhook_endpoints.update(made.id, {"disabled": True})
    local.control(f"sessions/{new_session().id}/pay")
    assert len([d for d in local.state()["deliveries"] if d["endpoint"] == made.id]) == 1
    assert sdk.v1.webhook_endpoints.delete(made.id).deleted


def test_an_endpoint_gets_the_version_it_was_made_with(sdk: stripe.StripeClient, endpoint: Endpoint) -> None:
    params: Any = {"url": endpoint.url, "enabled_events": ["customer.created"], "api_version": "2024-06-20"}
    sdk.v1.webhook_endpoints.create(params)
    sdk.v1.customers.create({"email": "jane@example.com"})
    versions = {json.loads(body)["api_version"] for _, body in endpoint.wait(2)}
    assert versions == {"2024-06-20", stripe.api_version}
    assert sdk.v1.events.list({"type": "customer.created"}).data[0].api_version == stripe.api_version


def _verifies(body: bytes, header: str, secret: str) -> bool:
    try:
        stripe.WebhookSignature.verify_header(body.decode(), header, secret)
    except stripe.SignatureVerificationError:
        return False
    return True


def test_nothing_is_sent_beyond_this_machine(local: Running, sdk: stripe.StripeClient, endpoint: Endpoint) -> None:
    sdk.v1.webhook_endpoints.create({"url": "https://example.com/hook", "enabled_events": ["*"]})
    sdk.v1.customers.create({"email": "jane@example.com"})
    endpoint.wait(1)
    row = next(d for d in local.state()["deliveries"] if d["url"] == "https://example.com/hook")
    wait_until(lambda: any(d["tries"] for d in local.state()["deliveries"] if d["id"] == row["id"]))
    tried = next(d for d in local.state()["deliveries"] if d["id"] == row["id"])
    assert "only reaches addresses on this machine" in tried["tries"][0]["error"]


def test_only_chosen_types_reach_the_endpoint_of_the_command_line() -> None:
    endpoint = Endpoint()
    running = start("--webhook-url", endpoint.url, "--webhook-secret", SECRET, "--webhook-events", "product.created")
    try:
        with running.http() as http:
            http.post("/v1/customers", data={"email": "a@b.example"})
            http.post("/v1/products", data={"name": "x"})
        assert json.loads(endpoint.wait(1)[0][1])["type"] == "product.created"
        assert len(running.state()["deliveries"]) == 1
    finally:
        running.stop()
        endpoint.server.shutdown()


def wait_until(true: Any, seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.05)
