"""Keys that make repeating safe, and the faults that make repeating needed."""

from __future__ import annotations

import threading
import time

import httpx
import pytest
import stripe

from tests.sandbox.conftest import LINE, PAGE, SessionMaker
from tests.sandbox.process import Running


def keyed(http: httpx.Client, key: str, **body: str) -> httpx.Response:
    return http.post("/v1/customers", data=body, headers={"Idempotency-Key": key})


def test_the_same_key_gives_the_first_answer_again(local: Running, http: httpx.Client) -> None:
    first, second = keyed(http, "k1", email="a@b.example"), keyed(http, "k1", email="a@b.example")
    assert second.text == first.text
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert second.headers["idempotency-key"] == "k1"
    assert first.headers["request-id"] != second.headers["request-id"]
    assert len(local.state()["objects"]["customer"]) == 1


def test_a_replay_shows_the_session_as_it_was(sdk: stripe.StripeClient, http: httpx.Client) -> None:
    body = {**PAGE, **LINE}
    first = http.post("/v1/checkout/sessions", data=body, headers={"Idempotency-Key": "checkout:1"}).json()
    sdk.v1.checkout.sessions.expire(first["id"])
    again = http.post("/v1/checkout/sessions", data=body, headers={"Idempotency-Key": "checkout:1"}).json()
    assert again == first
    assert again["status"] == "open"
    assert sdk.v1.checkout.sessions.retrieve(first["id"]).status == "expired"


def test_the_same_key_with_other_parameters_is_an_error(http: httpx.Client) -> None:
    keyed(http, "k2", email="a@b.example")
    error = keyed(http, "k2", email="c@d.example").json()["error"]
    assert error == {
        "type": "idempotency_error",
        "message": "Keys for idempotent requests can only be used with the same parameters they were first used with. "
        "Try using a key other than 'k2' if you meant to execute a different request.",
    }
    elsewhere = http.post("/v1/products", data={"name": "x"}, headers={"Idempotency-Key": "k2"})
    assert elsewhere.json()["error"]["type"] == "idempotency_error"


def test_validation_errors_leave_the_key_free(http: httpx.Client) -> None:
    assert keyed(http, "k3", email="not an address").status_code == 400
    assert keyed(http, "k3", email="a@b.example").status_code == 200


def test_a_refusal_after_execution_began_is_kept(local: Running, http: httpx.Client, new_session: SessionMaker) -> None:
    session = new_session().id
    local.control(f"sessions/{session}/pay")
    expire = [http.post(f"/v1/checkout/sessions/{session}/expire", headers={"Idempotency-Key": "k4"}) for _ in "12"]
    assert [answer.status_code for answer in expire] == [400, 400]
    assert expire[1].headers["idempotent-replayed"] == "true"


def test_a_key_in_use_is_refused_meanwhile(local: Running, http: httpx.Client) -> None:
    local.control("faults", operation="POST /v1/customers", kind="slow", seconds=0.6)
    slow: list[httpx.Response] = []
    thread = threading.Thread(target=lambda: slow.append(keyed(http, "k5", email="a@b.example")))
    thread.start()
    time.sleep(0.25)
    busy = keyed(http, "k5", email="a@b.example")
    thread.join()
    assert (busy.status_code, busy.json()["error"]["code"]) == (409, "idempotency_key_in_use")
    assert slow[0].status_code == 200
    assert keyed(http, "k5", email="a@b.example").text == slow[0].text


def test_keys_are_forgotten_after_a_day(local: Running, http: httpx.Client) -> None:
    first = keyed(http, "k6", email="a@b.example").json()
    local.control("clock", advance=24 * 3600 + 1)
    assert keyed(http, "k6", email="a@b.example").json()["id"] != first["id"]


def test_reading_and_deleting_ignore_keys(http: httpx.Client) -> None:
    for _ in "12":
        answer = http.get("/v1/account", headers={"Idempotency-Key": "k7"})
        assert "idempotent-replayed" not in answer.headers


# ---- faults


@pytest.mark.parametrize("kind", ["500", "429"])
def test_failures_on_order(local: Running, http: httpx.Client, kind: str) -> None:
    local.control("faults", operation="POST /v1/customers", kind=kind, times=2)
    statuses = [keyed(http, "f1", email="a@b.example").status_code for _ in range(3)]
    assert statuses == [int(kind), int(kind), 200]


@pytest.mark.parametrize("kind", ["drop", "timeout"])
def test_a_lost_answer_does_not_tell_what_was_done(local: Running, http: httpx.Client, kind: str) -> None:
    for moment, made in (("before", 0), ("after", 1)):
        order = {"operation": "POST /v1/customers", "kind": f"{kind}_{moment}", "seconds": 0.1}
        local.control("faults", **order)
        with pytest.raises(httpx.RemoteProtocolError, match="disconnected without sending a response"):
            keyed(http, moment, email="a@b.example")
        assert len(local.state()["objects"].get("customer", [])) == made
    assert keyed(http, "after", email="a@b.example").headers["idempotent-replayed"] == "true"
    assert len(local.state()["objects"]["customer"]) == 1


def test_the_sdk_sees_a_dropped_connection_and_repeats_with_the_same_key(local: Running) -> None:
    client = stripe.StripeClient("sk_test_1", base_addresses={"api": local.base}, max_network_retries=1)
    local.control("faults", operation="POST /v1/customers", kind="drop_after")
    made = client.v1.customers.create({"email": "a@b.example"})
    assert [customer["id"] for customer in local.state()["objects"]["customer"]] == [made.id]
    local.control("faults", kind="drop_before", times=2)
    with pytest.raises(stripe.APIConnectionError):
        client.v1.customers.create({"email": "a@b.example"})


def test_an_order_that_makes_no_sense(local: Running) -> None:
    assert local.control("faults", kind="explode")["http_status"] == 400
