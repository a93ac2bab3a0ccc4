"""What goes wrong on order: deliveries, sessions changed behind our back, other people's events, answers that lie."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest
import stripe

from tests.sandbox.conftest import SessionMaker
from tests.sandbox.process import SECRET, Endpoint, Running, start

COMPLETED, EXPIRED = "checkout.session.completed", "checkout.session.expired"


def ids(local: Running, kind: str) -> list[str]:
    return [event["id"] for event in local.state()["events"] if event["type"] == kind]


def test_the_next_deliveries_are_dropped(
    local: Running, sdk: stripe.StripeClient, new_session: SessionMaker, endpoint: Endpoint
) -> None:
    local.control("webhook-faults", kind="drop", type="checkout.session.*", times=1)
    local.control(f"sessions/{new_session().id}/pay")
    local.control(f"sessions/{new_session().id}/pay")
    (_, event) = endpoint.wait_for(COMPLETED)[0]
    lost, arrived = ids(local, COMPLETED)
    assert event["id"] == arrived
    missed = sdk.v1.events.list({"delivery_success": False, "type": COMPLETED}).data
    assert [e.id for e in missed] == [lost]
    assert missed[0].pending_webhooks == 1
    assert local.state()["webhook_faults"] == []


def test_the_next_deliveries_are_late(local: Running, new_session: SessionMaker, endpoint: Endpoint) -> None:
    local.control("webhook-faults", kind="delay", type=COMPLETED, seconds=3600)
    session, began = new_session().id, time.monotonic()
    local.control(f"sessions/{session}/pay")
    assert time.monotonic() - began < 5, "nobody waits for it"
    assert COMPLETED not in {json.loads(body)["type"] for _, body in endpoint.wait(3)}
    local.control("clock", advance=3600)
    assert endpoint.wait_for(COMPLETED), "the clock brings it"


def test_the_next_deliveries_are_doubled(local: Running, new_session: SessionMaker, endpoint: Endpoint) -> None:
    local.control("webhook-faults", kind="duplicate", type=COMPLETED, copies=8)
    local.control(f"sessions/{new_session().id}/pay")
    assert len({event["id"] for _, event in endpoint.wait_for(COMPLETED, 8)}) == 1


def test_the_next_deliveries_come_in_reverse(local: Running, new_session: SessionMaker, endpoint: Endpoint) -> None:
    local.control("webhook-faults", kind="reorder", type="checkout.session.*", times=3)
    sent = [new_session().id for _ in range(3)]
    for session in sent[:2]:
        local.control(f"sessions/{session}/expire")
    assert endpoint.got.empty()
    assert local.state()["webhook_faults"][0]["held"] == 2
    local.control(f"sessions/{sent[2]}/expire")
    assert [event["data"]["object"]["id"] for _, event in endpoint.wait_for(EXPIRED, 3)] == sent[::-1]


def test_a_collection_is_sent_when_it_waited_long_enough(
    local: Running, new_session: SessionMaker, endpoint: Endpoint
) -> None:
    local.control("webhook-faults", kind="reorder", times=9, seconds=60)
    local.control(f"sessions/{new_session().id}/expire")
    local.control("clock", advance=61)
    assert endpoint.wait_for(EXPIRED)


def test_an_answer_that_is_lost_brings_the_event_again(
    local: Running, new_session: SessionMaker, endpoint: Endpoint
) -> None:
    local.control("webhook-faults", kind="lose_answer", type=EXPIRED)
    local.control(f"sessions/{new_session().id}/expire")
    first, second = endpoint.wait_for(EXPIRED, 2)
    assert first[1]["id"] == second[1]["id"]


Changed = tuple[dict[str, Any], str, Any]
CHANGED: list[Changed] = [
    ({"kind": "api_version", "version": "2020-08-27"}, "api_version", "2020-08-27"),
    ({"kind": "livemode"}, "livemode", True),
    ({"kind": "thin"}, "type", f"v1.{EXPIRED}"),
]


@pytest.mark.parametrize("changed", CHANGED, ids=lambda changed: changed[1])
def test_what_is_sent_is_not_what_it_seems(
    local: Running, new_session: SessionMaker, endpoint: Endpoint, changed: Changed
) -> None:
    order, field, value = changed
    local.control("webhook-faults", **order)
    local.control(f"sessions/{new_session().id}/expire")
    headers, body = endpoint.wait(1)[0]
    assert json.loads(body)[field] == value
    stripe.WebhookSignature.verify_header(body.decode(), headers["stripe-signature"], SECRET)
    event = local.state()["events"][-1]
    assert (event["api_version"], event["livemode"], event["type"]) == (stripe.api_version, False, EXPIRED)
    changes = {"api_version": order["version"]} if "version" in order else {order["kind"]: True}
    local.control(f"deliver/{event['id']}", **changes)
    assert json.loads(endpoint.wait(1)[0][1])[field] == value, "by hand too"
    local.control(f"deliver/{event['id']}")
    assert json.loads(endpoint.wait(1)[0][1])["type"] == EXPIRED, "once"


def test_two_events_about_the_same(local: Running, new_session: SessionMaker, endpoint: Endpoint) -> None:
    local.control(f"sessions/{new_session().id}/pay")
    (_, first) = endpoint.wait_for(COMPLETED)[0]
    twin = local.control(f"events/{first['id']}/twin")["event"]
    (_, second) = endpoint.wait_for(COMPLETED)[0]
    assert second["id"] == twin["id"] != first["id"]
    assert second["data"] == first["data"]


def test_a_session_changed_behind_our_back(
    local: Running, sdk: stripe.StripeClient, new_session: SessionMaker, endpoint: Endpoint
) -> None:
    session = new_session().id
    changes = {"amount_total": 4899, "currency": "usd", "metadata": {"userId": None, "app": "another"}}
    local.control(f"sessions/{session}/tamper", **changes)
    local.control(f"sessions/{session}/pay")
    (_, event) = endpoint.wait_for(COMPLETED)[0]
    for item in (event["data"]["object"], sdk.v1.checkout.sessions.retrieve(session).to_dict()):
        assert (item["amount_total"], item["currency"]) == (4899, "usd")
        assert item["metadata"] == {"consultationId": "c-1", "paymentId": "p-1", "app": "another"}
    local.control(f"sessions/{session}/tamper", metadata=None)
    assert sdk.v1.checkout.sessions.retrieve(session).metadata is not None
    assert sdk.v1.checkout.sessions.retrieve(session).to_dict()["metadata"] == {}
    assert local.control(f"sessions/{session}/tamper", status="open")["http_status"] == 400


def test_another_app_on_the_same_account(local: Running, endpoint: Endpoint) -> None:
    made = local.control("foreign")["session"]
    (_, event) = endpoint.wait_for(COMPLETED)[0]
    assert event["data"]["object"]["id"] == made["id"]
    assert event["data"]["object"]["metadata"] == {"app": "another-shop", "order": "1234"}


def test_a_customer_deleted_in_the_dashboard(local: Running, sdk: stripe.StripeClient, endpoint: Endpoint) -> None:
    customer = sdk.v1.customers.create({"email": "jane@example.com"}).id
    assert local.control(f"customers/{customer}/delete")["deleted"]
    assert endpoint.wait_for("customer.deleted")[0][1]["data"]["object"]["id"] == customer
    assert sdk.v1.customers.retrieve(customer).deleted


def test_orders_that_make_no_sense(local: Running) -> None:
    assert local.control("webhook-faults", kind="explode")["http_status"] == 400
    assert local.control("webhook-faults", kind="drop", times=0)["http_status"] == 400
    local.control("webhook-faults", kind="drop")
    assert local.control("webhook-faults", clear=True)["webhook_faults"] == []


# ---- the API


@pytest.mark.parametrize("kind", ["500", "429", "409"])
def test_answers_that_lie(local: Running, http: httpx.Client, kind: str) -> None:
    """It was done, and the answer says that it failed: only the same key finds out."""
    local.control("faults", operation="POST /v1/customers", kind=f"{kind}_after")
    answers = [
        http.post("/v1/customers", data={"email": "a@b.example"}, headers={"Idempotency-Key": "k"}) for _ in "12"
    ]
    assert [answer.status_code for answer in answers] == [int(kind), 200]
    assert answers[1].headers["idempotent-replayed"] == "true"
    assert len(local.state()["objects"]["customer"]) == 1


def test_a_failure_that_a_key_remembers(local: Running, http: httpx.Client) -> None:
    local.control("faults", operation="POST /v1/customers", kind="500_stored")
    answers = [
        http.post("/v1/customers", data={"email": "a@b.example"}, headers={"Idempotency-Key": "k"}) for _ in "12"
    ]
    assert [answer.status_code for answer in answers] == [500, 500]
    assert len(local.state()["objects"]["customer"]) == 1


# ---- endpoints


def test_the_command_lines_endpoint_is_not_the_accounts(local: Running, sdk: stripe.StripeClient) -> None:
    """As that of `stripe listen` is not."""
    assert sdk.v1.webhook_endpoints.list().data == []
    assert [row["id"] for row in local.state()["endpoints"]] == ["command-line"]


def test_an_endpoint_is_switched_off_and_on(local: Running, sdk: stripe.StripeClient, endpoint: Endpoint) -> None:
    endpoint.statuses = [500]
    sdk.v1.customers.create({"email": "a@b.example"})
    endpoint.wait(1)
    local.control("endpoints/command-line", disabled=True)
    wait_until(lambda: local.state()["deliveries"][0]["status"] == "failed")
    assert endpoint.got.empty(), "its retries end too"
    sdk.v1.customers.create({"email": "b@b.example"})
    local.control("endpoints/command-line", disabled=False)
    sdk.v1.customers.create({"email": "c@b.example"})
    assert json.loads(endpoint.wait(1)[0][1])["data"]["object"]["email"] == "c@b.example"


def test_a_secret_is_rolled(local: Running, sdk: stripe.StripeClient, endpoint: Endpoint) -> None:
    def signed_by() -> list[bool]:
        sdk.v1.customers.create({"email": "a@b.example"})
        headers, body = endpoint.wait(1)[0]
        return [_verifies(body, headers["stripe-signature"], secret) for secret in ("whsec_new", SECRET)]

    local.control("endpoints/command-line", roll=True, secret="whsec_new")
    assert signed_by() == [True, True]
    local.control("clock", advance=86_401)
    assert signed_by() == [True, False], "the old one lasts a day"


def _verifies(body: bytes, header: str, secret: str) -> bool:
    try:
        stripe.WebhookSignature.verify_header(body.decode(), header, secret)
    except stripe.SignatureVerificationError:
        return False
    return True


def test_retries_like_stripes_by_the_clock_and_an_endpoint_given_up() -> None:
    endpoint = Endpoint()
    endpoint.statuses = [500] * 50
    options = ["--webhook-url", endpoint.url, "--webhook-secret", SECRET, "--webhook-events", "customer.created"]
    running = start(*options, "--retry-pauses", "live", "--disable-after", str(3 * 86_400))
    try:
        with running.http() as http:
            http.post("/v1/customers", data={"email": "a@b.example"})
            endpoint.wait(1)
            for pause in (300, 1800, 7200):
                wait_until(lambda: running.state()["deliveries"][0]["due"] > running.state()["now"] + 1)
                assert endpoint.got.empty()
                running.control("clock", advance=pause + 1)
                endpoint.wait(1)
            assert running.state()["endpoints"][0]["status"] == "enabled"
            running.control("clock", advance=3 * 86_400)
            endpoint.wait(1)
            wait_until(lambda: running.state()["endpoints"][0]["status"] == "disabled")
    finally:
        running.stop()
        endpoint.server.shutdown()


def wait_until(true: Any, seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.05)
