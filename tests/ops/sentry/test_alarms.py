"""The alarms really ring: what the app sends to Sentry sets off the alerts that the command made there."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from teleconsult.api import deliveries
from teleconsult.api.app import create_api
from teleconsult.api.gate import Gate
from teleconsult.billing import sweep, watch, webhook
from teleconsult.billing.gateway import GatewayDown
from teleconsult.billing.sweep import Report
from teleconsult.settings import get_settings
from tests.api.browser import Browser
from tests.billing.deliveries import SECRET, attempt, deliver, event, session, sign
from tests.ops.sentry.conftest import FakeSentry, FakeSentryApi
from tests.ops.stripe.conftest import Command
from tests.support import fresh_settings, full_draft, person

WEBHOOK = "/api/billing/webhook"
NO = "the webhook answered no"


@pytest.fixture
def alerts(command: Command, api: FakeSentryApi, database: str) -> FakeSentryApi:
    """Sentry with our alerts, and an empty database."""
    assert database
    assert command("sentry", "alerts").code == 0
    fresh_settings(STRIPE_SECRET_KEY="sk_test_x", STRIPE_WEBHOOK_SECRET=SECRET)
    deliveries._ONE_A_MINUTE.clear()
    return api


@pytest.fixture
def stripe(alerts: FakeSentryApi) -> Browser:
    """Stripe, at our door."""
    assert alerts
    return Browser(Gate(create_api()), get_settings().public_url)


def post(stripe: Browser, payload: object, **more: Any) -> int:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    headers = {"Stripe-Signature": sign(body), **more.pop("headers", {})}
    return stripe.post(WEBHOOK, content=body, headers=headers, **more).status_code


def endless() -> Iterator[bytes]:
    for _ in range(10_000):
        yield b"x" * 65_536


def chunked(stripe: Browser) -> int:
    async def body() -> Any:
        for chunk in endless():
            yield chunk

    return stripe.request("POST", WEBHOOK, content=body(), headers={}).status_code


def unsigned(stripe: Browser) -> int:
    return stripe.post(WEBHOOK, content=b"{}", headers={}).status_code


def without_secret(stripe: Browser) -> int:
    fresh_settings(STRIPE_SECRET_KEY="", STRIPE_WEBHOOK_SECRET="")
    return post(stripe, event({}))


def under_another_name(stripe: Browser) -> int:
    return Browser(stripe.app, "http://10.0.0.7").post(WEBHOOK, content=b"{}", headers={}).status_code


def bare(**metadata: str) -> dict[str, Any]:
    return event({"object": "checkout.session", "metadata": metadata})


REFUSALS: dict[str, tuple[int, Callable[[Browser], int]]] = {
    "GET": (405, lambda stripe: stripe.get(WEBHOOK).status_code),
    "PATCH": (405, lambda stripe: stripe.request("PATCH", WEBHOOK).status_code),
    "another host": (400, under_another_name),
    "announced too large": (413, lambda stripe: post(stripe, b"x" * (webhook.MAX_BYTES + 1))),
    "too large as it comes": (413, chunked),
    "no secret": (503, without_secret),
    "no signature": (400, unsigned),
    "no event": (400, lambda stripe: post(stripe, [])),
    "no ids": (400, lambda stripe: post(stripe, bare())),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_every_no_of_the_webhook_rings(alerts: FakeSentryApi, stripe: Browser, reports: FakeSentry, kind: str) -> None:
    status, ask = REFUSALS[kind]
    assert ask(stripe) == status
    rung = [event for event in reports.events if NO in alerts.set_off(event)]
    assert [event["tags"]["status"] for event in rung] == [status]
    assert rung[0]["level"] == "error"
    assert rung[0]["tags"]["route"] == WEBHOOK


def busy(*_args: object) -> None:
    raise OperationalError("select 1", {}, Exception("lock timeout"))


def broken(*_args: object) -> None:
    raise KeyError("unforeseen")


FAILURES: dict[int, Callable[..., None]] = {503: busy, 500: broken}


@pytest.mark.parametrize("status", FAILURES)
def test_our_own_failures_ring(
    alerts: FakeSentryApi, stripe: Browser, reports: FakeSentry, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr(webhook, "changed", FAILURES[status])
    assert post(stripe, event({"id": "cus_1"}, "customer.deleted")) == status
    rung = [event for event in reports.events if NO in alerts.set_off(event)]
    assert [event["tags"]["status"] for event in rung] == [status]


def test_what_is_answered_with_yes_rings_nothing(alerts: FakeSentryApi, stripe: Browser, reports: FakeSentry) -> None:
    """Negative control: the alert is not simply for everything."""
    paid = attempt(full_draft(person()))
    good = event(session(paid))
    assert [post(stripe, good), post(stripe, good), post(stripe, event({}, "invoice.paid"))] == [200, 200, 200]
    assert [alerts.set_off(event) for event in reports.events] == []


def test_strangers_cannot_drown_the_alarm_and_do_not_hide_another(
    alerts: FakeSentryApi, stripe: Browser, reports: FakeSentry
) -> None:
    for _ in range(20):
        unsigned(stripe)
    post(stripe, bare())
    rung = [event["tags"]["reason"] for event in reports.events if NO in alerts.set_off(event)]
    assert rung == ["signature", "metadata"]


def test_a_quarantine_that_is_not_empty_rings_until_it_is(alerts: FakeSentryApi, reports: FakeSentry) -> None:
    deliver(event({"id": "cus_1"}, "customer.deleted", livemode=True))
    before = len(reports.events)
    watch.watch.func(0)
    rung = [name for event in reports.events[before:] for name in alerts.set_off(event)]
    assert "the quarantine is not empty" in rung


def check_ins(reports: FakeSentry) -> list[dict[str, Any]]:
    assert reports.events is not None  # flushes
    found = []
    for body in reports.raw:
        lines = body.decode().split("\n")
        pairs = zip(lines[1::2], lines[2::2], strict=False)
        found += [json.loads(payload) for kind, payload in pairs if json.loads(kind)["type"] == "check_in"]
    return found


def test_the_worker_checks_in_and_its_silence_rings(alerts: FakeSentryApi, reports: FakeSentry) -> None:
    watch.watch.func(0)
    [sign_of_life] = check_ins(reports)
    assert (sign_of_life["monitor_slug"], sign_of_life["status"]) == ("teleconsult-worker", "ok")
    assert sign_of_life["monitor_config"]["schedule"] == {"type": "crontab", "value": watch.EVERY}
    assert alerts.set_off(missed("teleconsult-worker")) == ["the worker is silent"]


@pytest.mark.parametrize(("report", "status"), [(Report(), "ok"), (Report(unreachable=True), "error")])
def test_the_sweep_checks_in_and_its_silence_rings(
    alerts: FakeSentryApi, reports: FakeSentry, monkeypatch: pytest.MonkeyPatch, report: Report, status: str
) -> None:
    monkeypatch.setattr(sweep, "run", lambda: report)
    sweep.sweep.func(0)
    [sign_of_life] = check_ins(reports)
    assert (sign_of_life["monitor_slug"], sign_of_life["status"]) == ("teleconsult-sweep", status)
    assert sign_of_life["monitor_config"]["schedule"]["value"] == sweep.EVERY
    assert alerts.set_off(missed("teleconsult-sweep")) == ["the sweep is silent"]


def test_a_sweep_that_breaks_says_so(
    alerts: FakeSentryApi, reports: FakeSentry, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert alerts

    def fail() -> Report:
        raise GatewayDown("x")

    monkeypatch.setattr(sweep, "run", fail)
    with pytest.raises(GatewayDown):
        sweep.sweep.func(0)
    assert [sign["status"] for sign in check_ins(reports)] == ["error"]


def missed(slug: str) -> dict[str, Any]:
    """What Sentry itself raises when a check-in stays away. Source: its `monitors/logic/incident_occurrence.py`."""
    tags = {"monitor.id": str(uuid.uuid4()), "monitor.slug": slug, "monitor.incident": "1"}
    return {"level": "warning", "tags": tags}


def test_a_late_second_payment_is_told_but_wakes_nobody(alerts: FakeSentryApi, reports: FakeSentry) -> None:
    draft = full_draft(person())
    deliver(event(session(attempt(draft))))
    deliver(event(session(attempt(draft, attempt=2))))
    assert [event["tags"]["code"] for event in reports.events] == ["payment_duplicate"]
    assert alerts.set_off(reports.events[0]) == []
