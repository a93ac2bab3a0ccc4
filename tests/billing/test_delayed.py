"""Ways to pay whose bank answers days later: nothing is queued before, nobody pays twice, no sweep gives up."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import text

from teleconsult.billing import checkout, discard, settle, sweep
from teleconsult.billing.rules import PaymentStatus
from teleconsult.consultations.rules import Status
from teleconsult.db import transaction
from teleconsult.errors import Conflict
from teleconsult.settings import SettingsError, get_settings
from tests.billing.conftest import Alert
from tests.billing.deliveries import consultation, mails, payments
from tests.sandbox_process import Sandbox
from tests.support import fresh_settings

SUCCEEDS, FAILS = "DE89370400440532013000", "DE62370400440532013001"


@pytest.fixture
def debit(shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID) -> str:
    """The session of a draft paid by direct debit, which the bank has not confirmed yet."""
    fresh_settings(STRIPE_PAYMENT_METHODS="card, sepa_debit")
    link = checkout.start(patient, draft)
    paid = shop.call(
        "POST",
        f"/_sandbox/sessions/{link.session_id}/pay",
        {"method": "sepa_debit", "iban": SUCCEEDS, "webhook": "never"},
    )
    assert paid["result"] == "processing"
    settle.confirm(patient, link.session_id)
    return link.session_id


def bank_says(shop: Sandbox, session: str, outcome: str) -> None:
    """The bank's answer, whose webhook is lost."""
    shop.call("POST", f"/_sandbox/sessions/{session}/async", {"outcome": outcome, "webhook": "never"})


def test_the_setting_decides_what_the_page_offers(shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID) -> None:
    assert get_settings().payment_methods == ("card",)
    checkout.start(patient, draft)
    fresh_settings(STRIPE_PAYMENT_METHODS="card,sepa_debit")
    checkout.start(patient, draft)  # the page that is open stays as it was begun
    [made] = shop.state()["objects"]["checkout.session"]
    assert made["allowed_payment_method_types"] == ["card"]
    assert payments(draft)[0].request["allowed_payment_method_types"] == ["card"]


@pytest.mark.parametrize("words", [",", "Card", "card;sepa_debit"])
def test_a_setting_that_names_nothing_is_refused(words: str) -> None:
    fresh_settings(STRIPE_PAYMENT_METHODS=words)
    with pytest.raises(SettingsError, match="STRIPE_PAYMENT_METHODS"):
        get_settings()


def test_complete_is_not_paid(debit: str, patient: uuid.UUID, draft: uuid.UUID) -> None:
    [attempt] = payments(draft)
    assert (attempt.status, attempt.stripe_session_id, attempt.paid_at) == (PaymentStatus.PROCESSING, debit, None)
    assert consultation(draft).status == Status.DRAFT
    assert mails() == []
    with pytest.raises(Conflict, match="still confirming"):
        checkout.start(patient, draft)
    with pytest.raises(Conflict, match="still confirming"):
        discard.discard(patient, draft)
    assert len(payments(draft)) == 1


def test_paying_again_before_we_have_heard_of_it_finds_out(shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID) -> None:
    """The patient has given the debit, comes back by the back button, and presses Pay again."""
    fresh_settings(STRIPE_PAYMENT_METHODS="sepa_debit")
    link = checkout.start(patient, draft)
    order = {"method": "sepa_debit", "iban": SUCCEEDS, "webhook": "never"}
    shop.call("POST", f"/_sandbox/sessions/{link.session_id}/pay", order)
    with pytest.raises(Conflict, match="still confirming"):
        checkout.start(patient, draft)
    assert [p.status for p in payments(draft)] == [PaymentStatus.PROCESSING]


def test_no_sweep_gives_up_before_the_bank_has_answered(shop: Sandbox, debit: str, draft: uuid.UUID) -> None:
    """The page's time is long over, and so is the life of its key."""
    with transaction() as tx:
        tx.connection().execute(
            text("update payment set created_at = now() - interval '14 days', expires_at = now() - interval '13 days'")
        )
    assert sweep.run().moved == 0
    assert payments(draft)[0].status == PaymentStatus.PROCESSING
    bank_says(shop, debit, "succeeded")
    sweep.run()
    assert payments(draft)[0].status == PaymentStatus.PAID
    assert consultation(draft).status == Status.PENDING
    assert [m.kind for m in mails()] == ["payment_received"]


def test_a_bank_that_says_no_leaves_a_draft_to_pay_again(
    shop: Sandbox, debit: str, patient: uuid.UUID, draft: uuid.UUID, alerts: list[Alert]
) -> None:
    bank_says(shop, debit, "failed")
    assert sweep.run(older_than=timedelta(0)).moved == 1
    assert payments(draft)[0].status == PaymentStatus.FAILED
    assert [m.kind for m in mails()] == ["payment_failed"]
    assert alerts == [("payment_failed", "info")]
    assert consultation(draft).status == Status.DRAFT
    again = checkout.start(patient, draft)
    assert again.session_id != debit
    assert [p.status for p in payments(draft)] == [PaymentStatus.FAILED, PaymentStatus.OPEN]
