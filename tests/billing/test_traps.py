"""Traps that others fell into, each with its test. The names in brackets are public threads about them."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from sqlalchemy import text

from teleconsult.billing import webhook as webhooks
from teleconsult.db import transaction
from tests.billing.deliveries import attempt, consultation, deliver, event, ledger, mails, payments, session
from tests.billing.test_webhook_classes import failing
from tests.support import ROOT

HERE, UI = Path("tests/billing"), Path("tests/ui/consultations")
TRAPS = {
    "the event is stored, its handler fails, the retry is ignored: payment lost (dj-stripe 832)": (
        HERE / "test_traps.py", "test_handler_that_failed_leaves_nothing_behind_and_the_retry_counts"),
    "a stale object saved after the Stripe call overwrites the webhook's PAID (statamic-cargo 195)": (
        HERE / "test_checkout.py", "test_webhook_that_is_faster_than_our_own_answer_stays_the_truth"),
    "a delayed method is shown as failure, and customers pay again (gameserverapp 1216)": (
        HERE / "test_delayed.py", "test_complete_is_not_paid"),
    "expired is treated as failure (woocommerce-gateway-stripe 5810)": (
        HERE / "test_traps.py", "test_page_whose_time_was_up_is_no_failure"),
    "expire() is refused because the page is complete, and taken as cancelled (ai-shifu 2850)": (
        HERE / "test_checkout.py", "test_discard_after_payment_settles_instead"),
    "an idempotency key is used again with a moving expires_at (onetimesecret 3690, revel-backend 803)": (
        HERE / "test_checkout.py", "test_lost_answer_is_asked_for_again_with_the_same_key_and_parameters"),
    "the portal opens from a session id without asking whose it is (rally GHSA-53rm-g57c-qxjp)": (
        HERE / "test_checkout.py", "test_portal_is_for_the_persons_own_customer"),
    "a customer that is gone bricks the checkout (commonly 877)": (
        HERE / "test_checkout.py", "test_customer_deleted_at_stripe_is_made_anew"),
    "two customers for one user (cocalc 8112)": (
        HERE / "test_checkout.py", "test_two_tabs_make_one_customer"),
    "what is published after the commit is lost (akash console 3431)": (
        HERE / "test_traps.py", "test_what_a_commit_promises_is_in_it"),
    "`.get()` on the SDK's objects (revel-backend 652)": (
        HERE / "test_traps.py", "test_no_object_of_the_sdk_leaves_the_gateway"),
    "events of others are answered 4xx until Stripe disables the endpoint (FormSG 6234, 3scale 3086)": (
        HERE / "test_webhook.py", "test_other_software_on_the_same_account_is_ignored"),
    "the literal {CHECKOUT_SESSION_ID} at the success address (stripe-php 1336)": (
        UI / "test_return.py", "test_an_id_that_is_none_of_ours_makes_no_call"),
    "an expired hosted page still says that you did it (stripe-node 2462)": (
        UI / "test_return.py", "test_an_attempt_that_came_to_nothing"),
    "200 although the update failed (firezone 9869)": (
        HERE / "test_traps.py", "test_handler_that_failed_leaves_nothing_behind_and_the_retry_counts"),
    "ordering by `created`, which has a resolution of one second (PostHog 98651)": (
        HERE / "test_order.py", "test_every_order_of_money_that_came_late_and_went_back_ends_in_one_state"),
    "reminders to people who have paid (cal.com 11272)": (
        HERE / "test_traps.py", "test_nobody_who_has_paid_is_told_that_a_payment_failed"),
}  # fmt: skip


@pytest.mark.parametrize("trap", TRAPS)
def test_every_trap_has_its_test(trap: str) -> None:
    path, name = TRAPS[trap]
    assert f"def {name}(" in (ROOT / path).read_text()


@pytest.mark.usefixtures("alerts")
def test_handler_that_failed_leaves_nothing_behind_and_the_retry_counts(draft: uuid.UUID) -> None:
    sent = event(session(attempt(draft)))
    with failing("40001"):
        assert deliver(sent).status == 503
    assert (ledger(), payments(draft)[0].status) == ({}, "OPEN")
    assert deliver(sent).body == {"outcome": "processed"}
    assert consultation(draft).status == "PENDING"


@pytest.mark.usefixtures("alerts")
def test_what_a_commit_promises_is_in_it(draft: uuid.UUID) -> None:
    """E-mail and jobs stand in the transaction of the payment: with it, or not at all."""
    sent = event(session(attempt(draft)))
    with failing("40001"):
        deliver(sent)
    assert (mails(), _jobs()) == ([], [])
    deliver(sent)
    assert ([m.kind for m in mails()], _jobs()) == (["payment_received"], ["notices.send"])


def _jobs() -> list[str]:
    with transaction() as tx:
        return list(tx.connection().execute(text("select task_name from procrastinate_jobs")).scalars())


def test_page_whose_time_was_up_is_no_failure(draft: uuid.UUID, alerts: list[object]) -> None:
    over = {"status": "expired", "payment_status": "unpaid", "payment_intent": None}
    deliver(event(session(attempt(draft), **over), "checkout.session.expired"))
    assert (payments(draft)[0].status, mails(), alerts) == ("EXPIRED", [], [])


def test_no_object_of_the_sdk_leaves_the_gateway() -> None:
    """They look like dicts and are none. So all that is read of Stripe is a model of ours; the linter keeps it so."""
    assert webhooks.Event.__module__ == "teleconsult.billing.objects"
    contracts = (ROOT / "pyproject.toml").read_text()
    assert 'protected_modules = ["stripe"]\nallowed_importers = ["teleconsult.billing.gateway"]' in contracts
    source = (ROOT / "teleconsult/billing/gateway.py").read_text()
    assert ".to_dict()" in source
    assert "made.get(" not in source


@pytest.mark.usefixtures("alerts")
def test_nobody_who_has_paid_is_told_that_a_payment_failed(draft: uuid.UUID) -> None:
    """The debit of an older attempt fails after another one was paid by card."""
    slow = attempt(draft, status="EXPIRED")
    deliver(event(session(attempt(draft, attempt=2))))
    unpaid = session(slow, payment_status="unpaid")
    assert deliver(event(unpaid, webhooks.FAILED_EVENT)).body == {"outcome": "failed"}
    assert [m.kind for m in mails()] == ["payment_received"]
