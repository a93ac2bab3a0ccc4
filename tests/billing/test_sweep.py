"""With every webhook lost, a paid case is queued all the same; with every answer lost, nobody pays twice."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from teleconsult.billing import checkout, customers, sweep
from teleconsult.billing import gateway as gateways
from teleconsult.billing.rules import PaymentStatus
from teleconsult.consultations.rules import Status
from teleconsult.db import transaction
from teleconsult.errors import Unavailable
from tests.billing.conftest import Alert
from tests.billing.deliveries import attempt, consultation, deliver, event, ledger, mails, payments, session
from tests.sandbox_process import KEY, SECRET, Sandbox
from tests.support import fresh_settings, full_draft

NOW = timedelta(0)


@pytest.fixture
def shop(sandbox: Sandbox, patient: uuid.UUID) -> Sandbox:
    """The sandbox, with somebody to pay in it."""
    assert patient
    fresh_settings(STRIPE_SECRET_KEY=KEY, STRIPE_WEBHOOK_SECRET=SECRET, STRIPE_API_BASE=sandbox.base)
    return sandbox


def test_all_webhooks_lost(shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID) -> None:
    link = checkout.start(patient, draft)
    shop.pay(link.session_id, webhook="never")
    assert sweep.run(older_than=NOW, dry=True).attempts == 1
    assert consultation(draft).status == Status.DRAFT
    assert sweep.run(older_than=NOW).moved == 1
    assert consultation(draft).status == Status.PENDING
    assert payments(draft)[0].settled_by == "sweep"
    again = sweep.run(older_than=NOW)
    assert (again.attempts, again.moved) == (0, 0)
    assert [m.kind for m in mails()] == ["payment_received"]


def test_young_attempts_are_left_alone(shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID) -> None:
    checkout.start(patient, draft)
    before = len([r for r in shop.state()["requests"] if r["method"] == "GET"])
    assert sweep.run().attempts == 0
    assert len([r for r in shop.state()["requests"] if r["path"].startswith("/v1/checkout/sessions/")]) == before


def test_undelivered_event_is_fetched_and_applied_although_no_attempt_hangs(
    shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID
) -> None:
    link = checkout.start(patient, draft)
    shop.pay(link.session_id, webhook="never")
    report = sweep.run()  # the attempt is too young to be looked at by itself
    assert (report.attempts, report.events) == (0, 1)
    assert consultation(draft).status == Status.PENDING
    assert "processed" in ledger().values()


def test_expired_pages_are_closed(shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID) -> None:
    link = checkout.start(patient, draft)
    shop.call("POST", f"/_sandbox/sessions/{link.session_id}/expire", {})
    sweep.run(older_than=NOW)
    assert payments(draft)[0].status == PaymentStatus.EXPIRED
    assert consultation(draft).status == Status.DRAFT


@pytest.fixture
def lost(
    shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID, alerts: list[Alert], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stripe made the page, and its answer never came."""
    customers.ensure(patient)
    monkeypatch.setattr(gateways, "RETRIES", 0)
    gateways.gateway.cache_clear()
    shop.call("POST", "/_sandbox/faults", {"operation": "POST /v1/checkout/sessions", "kind": "drop_after"})
    with pytest.raises(Unavailable):
        checkout.start(patient, draft)
    gateways.gateway.cache_clear()
    assert [p.status for p in payments(draft)] == [PaymentStatus.CREATING]
    assert [a.code for a in alerts] == ["stripe_unreachable"]


@pytest.mark.usefixtures("lost")
def test_lost_answer_is_recovered(shop: Sandbox, draft: uuid.UUID) -> None:
    sweep.run(older_than=NOW)
    [attempt] = payments(draft)
    [made] = shop.state()["objects"]["checkout.session"]
    assert (attempt.status, attempt.stripe_session_id) == (PaymentStatus.OPEN, made["id"])


@pytest.mark.usefixtures("lost")
def test_lost_answer_too_old_to_ask_for_is_given_up(draft: uuid.UUID) -> None:
    with transaction() as tx:
        tx.connection().execute(text("update payment set created_at = now() - interval '24 hours'"))
    sweep.run()
    assert payments(draft)[0].status == PaymentStatus.CANCELLED


def test_page_nobody_needs_any_more_is_closed(shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID) -> None:
    """Late money for an old attempt has paid for the consultation while a newer page is open."""
    old = attempt(draft, status=PaymentStatus.EXPIRED)
    with transaction() as tx:
        tx.connection().execute(text("update payment set attempt = 7"))
    link = checkout.start(patient, draft)
    deliver(event(session(old)), secret=SECRET)
    assert sweep.run(older_than=NOW, dry=True).moved == 1
    assert sweep.run(older_than=NOW).moved == 1
    assert {s["id"]: s["status"] for s in shop.state()["objects"]["checkout.session"]} == {link.session_id: "expired"}
    assert {p.status for p in payments(draft)} == {PaymentStatus.PAID, PaymentStatus.EXPIRED}


def test_attempts_take_turns(shop: Sandbox, patient: uuid.UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    """More hang than one sweep can look at, some of them for two weeks: none waits behind the others for ever."""
    drafts = [full_draft(patient) for _ in range(4)]
    links = [checkout.start(patient, draft) for draft in drafts]
    monkeypatch.setattr(sweep, "BATCH", 2)
    shop.pay(links[3].session_id, webhook="never")
    monkeypatch.setattr(sweep, "_missed_events", lambda **_: 0)
    assert [sweep.run(older_than=NOW).moved for _ in range(2)] == [0, 1]
    assert consultation(drafts[3]).status == Status.PENDING


def test_one_that_stripe_stumbles_over_keeps_no_other_waiting(shop: Sandbox, patient: uuid.UUID) -> None:
    drafts = [full_draft(patient) for _ in range(3)]
    links = [checkout.start(patient, draft) for draft in drafts]
    shop.call("POST", f"/_sandbox/sessions/{links[0].session_id}/tamper", {"amount_total": -1})
    shop.pay(links[2].session_id, webhook="never")
    report = sweep.run(older_than=NOW)
    assert (report.moved, report.unreachable) == (1, True)
    assert consultation(drafts[2]).status == Status.PENDING


def test_silence_ends_the_sweep_after_three(shop: Sandbox, patient: uuid.UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateways, "RETRIES", 0)
    gateways.gateway.cache_clear()
    for _ in range(5):
        checkout.start(patient, full_draft(patient))
    before = len(shop.state()["requests"])
    shop.call("POST", "/_sandbox/faults", {"operation": "*", "kind": "500", "times": 100})
    assert sweep.run(older_than=NOW).unreachable
    assert len(shop.state()["requests"]) - before == sweep.PATIENCE
    gateways.gateway.cache_clear()


def test_more_events_than_one_page_holds_are_all_fetched(
    shop: Sandbox, patient: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = gateways.Gateway._all
    monkeypatch.setattr(gateways.Gateway, "_all", lambda self, fetch, params: real(self, _two_at_a_time(fetch), params))
    drafts = [full_draft(patient) for _ in range(5)]
    for draft in drafts:
        shop.pay(checkout.start(patient, draft).session_id, webhook="never")
    assert sweep.run().events == 5
    assert {consultation(draft).status for draft in drafts} == {Status.PENDING}


def _two_at_a_time(fetch: Any) -> Any:
    return lambda params: fetch({**params, "limit": 2})


def test_refused_events_count_for_nothing(shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID) -> None:
    """They are refused as the webhook refuses them, every time, until somebody mends their metadata."""
    link = checkout.start(patient, draft)
    shop.call("POST", f"/_sandbox/sessions/{link.session_id}/tamper", {"metadata": {"userId": None}})
    shop.pay(link.session_id, webhook="never")
    assert sweep.run().events == 0
    assert consultation(draft).status == Status.DRAFT
    assert sweep.run(older_than=NOW).moved == 1, "and our own row needs no metadata"
    assert consultation(draft).status == Status.PENDING


def test_the_job_tells_what_it_did(shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID, alerts: list[Alert]) -> None:
    with capture_logs() as lines:
        sweep.sweep.func(0)
        shop.pay(checkout.start(patient, draft).session_id, webhook="never")
        sweep.sweep.func(1)
    assert [(line["due"], line["events"]) for line in lines if line["event"] == "sweep"] == [(1, 1)]
    assert alerts == []


@pytest.mark.usefixtures("lost")
def test_lost_answer_that_stripe_now_refuses_is_given_up(draft: uuid.UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    statuses = iter([401, 400])

    def refused(*_: object) -> None:
        raise gateways.GatewayRefused("", "", "req_1", next(statuses))

    monkeypatch.setattr(gateways.Gateway, "create_session", refused)
    assert sweep.run(older_than=NOW).unreachable, "it is our key that is wrong: nothing is given up"
    assert payments(draft)[0].status == PaymentStatus.CREATING
    assert not sweep.run(older_than=NOW).unreachable
    assert payments(draft)[0].status == PaymentStatus.CANCELLED


def test_stripe_out_of_reach_is_reported_and_tried_again(
    shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID, alerts: list[Alert]
) -> None:
    checkout.start(patient, draft)
    shop.call("POST", "/_sandbox/faults", {"operation": "*", "kind": "500", "times": 9})
    sweep.sweep.func(0)
    assert [a.code for a in alerts] == ["sweep_unreachable"]
