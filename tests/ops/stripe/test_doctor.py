"""`teleconsult stripe doctor`: each thing that can be wrong is found, named, and told how to mend."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import text

from teleconsult.billing import checkout, sweep
from teleconsult.billing.gateway import gateway
from teleconsult.db import transaction
from teleconsult.settings import get_settings
from tests.billing.deliveries import deliver, event
from tests.ops.stripe.conftest import SITE, Command, Ran
from tests.sandbox_process import KEY, SECRET, Sandbox
from tests.support import fresh_settings

URL = f"{SITE}/api/billing/webhook"


@pytest.fixture
def ready(command: Command, shop: Sandbox) -> Sandbox:
    """Everything as `setup` leaves it."""
    made = command("stripe", "setup", "--json").facts["settings"]
    fresh_settings(**made)
    fresh_settings(STRIPE_WEBHOOK_SECRET=SECRET)
    return shop


def statuses(ran: Ran) -> dict[str, str]:
    return {check["name"]: check["status"] for check in ran.facts["checks"]}


def found(ran: Ran) -> dict[str, str]:
    """What isn't ok."""
    return {name: status for name, status in statuses(ran).items() if status != "ok"}


def test_all_is_well_after_setup(command: Command, ready: Sandbox) -> None:
    assert ready
    ran = command("stripe", "doctor", "--json")
    assert (ran.code, found(ran), ran.facts["ok"]) == (0, {}, True)
    assert set(statuses(ran)) == {
        "key", "secret", "clock", "price", "portal", "endpoint", "undelivered", "last event", "quarantine",
    }  # fmt: skip
    assert "All is well." in command("stripe", "doctor").out


def test_it_changes_nothing(command: Command, ready: Sandbox) -> None:
    before = len(ready.state()["requests"])
    command("stripe", "doctor")
    assert {request["method"] for request in ready.state()["requests"][before:]} == {"GET"}


def update_endpoint(**changes: Any) -> None:
    [made] = [e for e in gateway().ask(lambda v1: v1.webhook_endpoints.list()).data if e.url == URL]
    gateway().ask(lambda v1: v1.webhook_endpoints.update(made.id, changes))


def off_the_portal() -> None:
    off = {"features": {"invoice_history": {"enabled": False}}}
    mine = get_settings().stripe_portal_configuration
    gateway().ask(lambda v1: v1.billing_portal.configurations.update(mine, off))


def archive_the_price() -> None:
    gateway().ask(lambda v1: v1.prices.update(get_settings().stripe_price_id, {"active": False}))


WRONG: dict[str, tuple[Callable[[], None], str, str]] = {
    "disabled": (lambda: update_endpoint(disabled=True), "endpoint", "fail"),
    "too few events": (lambda: update_endpoint(enabled_events=["charge.refunded"]), "endpoint", "fail"),
    "too many events": (lambda: update_endpoint(enabled_events=["*"]), "endpoint", "warn"),
    "elsewhere": (lambda: update_endpoint(url="https://old.example/hook"), "endpoint", "fail"),
    "portal": (off_the_portal, "portal", "warn"),
    "no such portal": (lambda: fresh_settings(STRIPE_PORTAL_CONFIGURATION="bpc_gone"), "portal", "fail"),
    "price differs": (lambda: fresh_settings(PRICE_MINOR="4950"), "price", "fail"),
    "price archived": (archive_the_price, "price", "fail"),
    "price unknown": (lambda: fresh_settings(STRIPE_PRICE_ID="price_gone"), "price", "fail"),
    "no secret": (lambda: fresh_settings(STRIPE_SECRET_KEY="", STRIPE_WEBHOOK_SECRET=""), "secret", "fail"),
    "two secrets": (lambda: fresh_settings(STRIPE_WEBHOOK_SECRET=f"{SECRET},whsec_new"), "secret", "warn"),
}


@pytest.mark.parametrize("fault", WRONG)
def test_what_is_wrong_is_found(command: Command, ready: Sandbox, fault: str) -> None:
    assert ready
    break_it, name, status = WRONG[fault]
    break_it()
    gateway.cache_clear()
    ran = command("stripe", "doctor", "--json")
    gateway.cache_clear()
    assert found(ran)[name] == status
    assert ran.code == (1 if "fail" in found(ran).values() else 0)
    assert all(check["todo"] for check in ran.facts["checks"] if check["status"] != "ok")


def test_stripe_out_of_reach_is_told_from_a_refused_key(command: Command, ready: Sandbox) -> None:
    fresh_settings(STRIPE_API_BASE="http://127.0.0.1:9")
    gateway.cache_clear()
    assert "doesn’t answer" in command("stripe", "doctor").out
    fresh_settings(STRIPE_API_BASE=ready.base, STRIPE_SECRET_KEY="rk_live_nobody")
    gateway.cache_clear()
    ran = command("stripe", "doctor")
    gateway.cache_clear()
    assert ran.code == 2  # a live key is never sent to a sandbox
    fresh_settings(STRIPE_SECRET_KEY=KEY)


@pytest.mark.parametrize(("off", "status"), [(30, "ok"), (100, "warn"), (-290, "fail")])
def test_a_clock_that_is_off(command: Command, ready: Sandbox, off: int, status: str) -> None:
    assert ready
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=off)):
        ran = command("stripe", "doctor", "--json")
    assert statuses(ran)["clock"] == status


def test_events_that_wait_at_stripe(command: Command, ready: Sandbox, patient: uuid.UUID, draft: uuid.UUID) -> None:
    link = checkout.start(patient, draft)
    ready.pay(link.session_id, webhook="never")
    ran = command("stripe", "doctor", "--json")
    assert (ran.code, found(ran)) == (0, {"undelivered": "warn"})
    sweep.run(older_than=timedelta(0))
    assert found(command("stripe", "doctor", "--json")) == {}


def test_money_that_no_event_told_of(command: Command, ready: Sandbox, patient: uuid.UUID, draft: uuid.UUID) -> None:
    deliver(event({"id": "cus_somebody"}, "customer.deleted"), secret=SECRET)
    link = checkout.start(patient, draft)
    ready.pay(link.session_id, webhook="never")
    sweep.run(older_than=timedelta(0))
    with transaction() as tx:  # as if the sweep's own catch-up had found no event either
        tx.connection().execute(text("delete from processed_webhook where payment_id is not null"))
    ran = command("stripe", "doctor", "--json")
    assert (ran.code, statuses(ran)["last event"]) == (1, "fail")


def test_a_full_quarantine(command: Command, ready: Sandbox) -> None:
    assert ready
    deliver(event({"id": "cus_x"}, "customer.deleted", livemode=True), secret=SECRET)
    ran = command("stripe", "doctor", "--json")
    assert (ran.code, statuses(ran)["quarantine"]) == (1, "fail")


def test_the_lines_are_for_reading(command: Command, ready: Sandbox) -> None:
    assert ready
    lines = command("stripe", "doctor").out.splitlines()
    assert lines[0].split()[:2] == ["ok", "key"]
    assert max(map(len, lines)) < 140
