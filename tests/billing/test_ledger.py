"""What the ledger keeps of an event, and for how long."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from sqlalchemy import text

from teleconsult.billing import ledger as ledgers
from teleconsult.db import transaction
from tests.billing.deliveries import attempt, deliver, event, ledger, session


def test_identifiers_amount_and_status_and_nothing_of_the_person() -> None:
    obj = {
        "object": "checkout.session", "id": "cs_test_1", "payment_intent": "pi_1", "amount_total": 4900,
        "currency": "eur", "payment_status": "paid", "customer_details": {"email": "jane@example.com"},
    }  # fmt: skip
    assert ledgers.projection(obj) == {
        "object_id": "cs_test_1", "stripe_payment_intent_id": "pi_1", "amount_minor": 4900, "currency": "eur",
        "detail": "paid",
    }  # fmt: skip


@pytest.mark.parametrize("odd", [None, "jane@example.com", -1, 2**31, 4900.5, True, ["pi_1"], {"id": "pi_1"}])
def test_what_has_another_form_is_not_kept(odd: Any) -> None:
    fields = ("id", "payment_intent", "amount_total", "currency", "payment_status")
    kept = ledgers.projection({"object": "checkout.session", **dict.fromkeys(fields, odd)})
    assert set(kept.values()) <= {None, ""}


@pytest.mark.parametrize(
    ("kind", "amount", "word"),
    [
        ("checkout.session", "amount_total", "payment_status"),
        ("charge", "amount_refunded", "status"),
        ("refund", "amount", "status"),
        ("dispute", "amount", "status"),
    ],
)
@pytest.mark.parametrize("minor", [0, 1, 2**31 - 1])
def test_each_kind_has_its_amount_and_its_word(kind: str, amount: str, word: str, minor: int) -> None:
    kept = ledgers.projection({"object": kind, "amount_due": 7, "state": "odd", amount: minor, word: "done"})
    assert (kept["amount_minor"], kept["detail"]) == (minor, "done")


def test_an_object_of_another_kind_is_kept_without_an_amount() -> None:
    kept = ledgers.projection({"object": "payout", "id": "po_1", "amount": 4900, "currency": "eur", "status": "paid"})
    assert (kept["object_id"], kept["amount_minor"], kept["detail"]) == ("po_1", None, "paid")


def test_old_rows_go_and_those_that_still_need_somebody_stay(draft: uuid.UUID) -> None:
    page = attempt(draft)
    done, waiting = event(session(page)), event(session(page), livemode=True)
    for sent in (done, waiting):
        deliver(sent)
    _age(89)
    ledgers.prune.func(0)
    assert len(ledger()) == 2
    _age(91)
    ledgers.prune.func(0)
    assert ledger() == {waiting["id"]: "quarantined"}
    with transaction() as tx:
        tx.connection().execute(text("update processed_webhook set resolution = 'dismissed', resolved_at = now()"))
    ledgers.prune.func(0)
    assert ledger(), "a decision is kept as long from when it was made"


def _age(days: int) -> None:
    with transaction() as tx:
        statement = text("update processed_webhook set received_at = now() - make_interval(days => :days)")
        tx.connection().execute(statement, {"days": days})
