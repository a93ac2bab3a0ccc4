"""One sandbox for the folder, empty for each test; afterwards all it made is held against Stripe's contract."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import httpx
import pytest
import stripe

from tests.sandbox.contract import CHECKER, checker, load_contract
from tests.sandbox.process import KEY, OLD_SECRET, SECRET, Endpoint, Running, start

stripe.enable_telemetry = False


@pytest.fixture(scope="module")
def endpoint_server() -> Generator[Endpoint]:
    endpoint = Endpoint()
    yield endpoint
    endpoint.server.shutdown()


@pytest.fixture(scope="module")
def process(endpoint_server: Endpoint) -> Generator[Running]:
    secrets = f"{SECRET},{OLD_SECRET}"
    running = start("--webhook-url", endpoint_server.url, "--webhook-secret", secrets, "--retry-pauses", "0.1,0.2,0.3")
    yield running
    running.stop()


@pytest.fixture
def local(process: Running) -> Generator[Running]:
    """The sandbox. Whatever a test made it say, in answers, objects or events, must be what Stripe could say."""
    process.control("reset")
    process.problems.clear()
    yield process
    assert process.problems + faults_of(process.state()) == []


@pytest.fixture
def endpoint(endpoint_server: Endpoint, local: Running) -> Endpoint:
    endpoint_server.clear()
    assert local
    return endpoint_server


def faults_of(state: dict[str, Any]) -> list[str]:
    """What Stripe's contract has against these objects and events."""
    if not CHECKER.exists():
        return []
    contract, found = load_contract(), []
    for kind, items in state["objects"].items():
        found += [f"{kind}: {problem}" for item in items for problem in contract.validate(kind, item)]
    for event in state["events"]:
        found += [f"{event['type']}: {problem}" for problem in contract.validate_event(event)]
    return found


@pytest.fixture
def sdk(local: Running) -> Generator[stripe.StripeClient]:
    """The real SDK. What it sends and gets is checked too."""
    rows: list[dict[str, Any]] = []
    inner = stripe.HTTPXClient(timeout=15, allow_sync_methods=True)
    client = checker().checked_client(load_contract(), rows, inner) if CHECKER.exists() else inner
    yield stripe.StripeClient(KEY, base_addresses={"api": local.base}, http_client=client)
    for row in rows:
        found = row["problems"] + row.get("response_problems", [])
        local.problems += [f"{row['method']} {row['path']}: {problem}" for problem in found]


@pytest.fixture
def http(local: Running) -> Generator[httpx.Client]:
    with local.http() as client:
        yield client


SessionMaker = Callable[..., stripe.checkout.Session]


@pytest.fixture
def new_session(sdk: stripe.StripeClient) -> SessionMaker:
    """Makes sessions as the product does."""

    def make(**more: Any) -> stripe.checkout.Session:
        return sdk.v1.checkout.sessions.create(session_params(**more))

    return make


def session_params(**more: Any) -> Any:
    """The parameters of a consultation's session."""
    product = {"name": "Online consultation"}
    price = {"currency": "eur", "unit_amount": 4900, "product_data": product}
    metadata = {"userId": "u-1", "consultationId": "c-1", "paymentId": "p-1"}
    return {
        "mode": "payment",
        "client_reference_id": "c-1",
        "line_items": [{"price_data": price, "quantity": 1}],
        "allowed_payment_method_types": ["card"],
        "invoice_creation": {"enabled": True},
        "adaptive_pricing": {"enabled": False},
        "success_url": "http://127.0.0.1:9/consultations?payment=success&session_id={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://127.0.0.1:9/consultations?payment=cancelled",
        "metadata": metadata,
        "payment_intent_data": {"metadata": metadata},
    } | more


LINE = {
    "line_items[0][price_data][currency]": "eur",
    "line_items[0][price_data][unit_amount]": "4900",
    "line_items[0][price_data][product_data][name]": "Online consultation",
    "line_items[0][quantity]": "1",
}
PAGE = {"mode": "payment", "success_url": "http://127.0.0.1:9/{CHECKOUT_SESSION_ID}"}
"""A session as a form, for requests the SDK wouldn't make."""
