"""With every webhook lost, a paid case is queued all the same; with every answer lost, nobody pays twice."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import text

from teleconsult.billing import checkout, customers, sweep
from teleconsult.billing import gateway as gateways
from teleconsult.billing.rules import PaymentStatus
from teleconsult.consultations.rules import Status
from teleconsult.db import transaction
from teleconsult.errors import Unavailable
from tests.billing.conftest import Alert
from tests.billing.deliveries import consultation, ledger, mails, payments
from tests.sandbox_process import KEY, SECRET, Sandbox
from tests.support import fresh_settings

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


def test_stripe_out_of_reach_is_reported_and_tried_again(
    shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID, alerts: list[Alert]
) -> None:
    checkout.start(patient, draft)
    shop.call("POST", "/_sandbox/faults", {"operation": "*", "kind": "500", "times": 9})
    sweep.sweep.func(0)
    assert [a.code for a in alerts] == ["sweep_unreachable"]
