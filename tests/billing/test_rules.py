"""Money is exact, and nothing but identifiers leaves us."""

from __future__ import annotations

import ast
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teleconsult.billing import rules
from teleconsult.billing.rules import LIVE, SETTLED, Claimed, Expected, Offer, PaymentStatus, RefundStatus
from tests.support import ROOT

EXPECTED = Expected(4900, "eur", livemode=False, consultation_id="c1")
AGREED = Claimed("payment", 4900, "EUR", livemode=False, reference="c1")


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        (4900, "eur", "€49.00"),
        (5, "usd", "$0.05"),
        (123456, "jpy", "¥123,456"),
        (49000, "kwd", "KWD 49.000"),
        (-4900, "gbp", "-£49.00"),
        (4900, "chf", "CHF 49.00"),
    ],
)
def test_money_in_words(amount: int, currency: str, words: str) -> None:
    assert rules.money(amount, currency) == words


@given(st.integers(1, 10**9), st.integers(0, 40))
def test_vat_is_rounded_to_the_nearest_minor_unit(amount: int, percent: int) -> None:
    exact = Fraction(amount * percent, 100 + percent)
    assert abs(rules.vat_included(amount, percent) - exact) <= Fraction(1, 2)


def test_vat_of_the_default_price() -> None:
    assert rules.vat_included(4900, 19) == 782


def test_half_a_minor_unit_of_vat_is_rounded_up() -> None:
    assert [rules.vat_included(amount, 100) for amount in (1, 2, 3)] == [1, 1, 2]


def test_agreeing_session_matches_also_without_reference() -> None:
    assert rules.mismatch(EXPECTED, AGREED) == ""
    assert rules.mismatch(EXPECTED, Claimed("payment", 4900, "eur", livemode=False, reference=None)) == ""


@pytest.mark.parametrize(
    ("differs", "word"),
    [
        ({"mode": "subscription"}, "mode"),
        ({"livemode": True}, "livemode"),
        ({"amount_minor": 4899}, "amount"),
        ({"amount_minor": 4901}, "amount"),
        ({"amount_minor": None}, "amount"),
        ({"currency": "usd"}, "currency"),
        ({"currency": None}, "currency"),
        ({"reference": "c2"}, "reference"),
    ],
)
def test_each_difference_has_its_word(differs: dict[str, Any], word: str) -> None:
    assert rules.mismatch(EXPECTED, replace(AGREED, **differs)) == word


@pytest.mark.parametrize("known", RefundStatus)
def test_only_news_from_further_on_changes_what_is_known(known: RefundStatus) -> None:
    order = list(RefundStatus)
    further = [news for news in RefundStatus if rules.outweighs(news, known)]
    assert further == order[order.index(known) + 1 :]


def test_states_of_money_and_of_waiting_are_disjoint() -> None:
    assert LIVE.isdisjoint(SETTLED)
    assert set(PaymentStatus) - LIVE - SETTLED == {"FAILED", "EXPIRED", "CANCELLED"}


def test_request_says_nothing_but_ids_and_a_neutral_item() -> None:
    ids = {"userId": "u", "consultationId": "c", "paymentId": "p"}
    request = rules.session_request(
        Offer(4900, "eur"),
        ids=ids,
        customer="cus_1",
        public_url="https://clinic.example",
        environment="test",
        expires_at=datetime(2026, 11, 23, tzinfo=UTC),
    )
    marks = {**ids, "app": "teleconsult", "env": "test"}
    price = {
        "currency": "eur", "unit_amount": 4900, "tax_behavior": "inclusive",
        "product_data": {"name": "Online consultation"},
    }  # fmt: skip
    assert request == {
        "mode": "payment",
        "customer": "cus_1",
        "client_reference_id": "c",
        "line_items": [{"price_data": price, "quantity": 1}],
        "allowed_payment_method_types": ["card"],
        "invoice_creation": {"enabled": True, "invoice_data": {"metadata": marks}},
        "adaptive_pricing": {"enabled": False},
        "payment_intent_data": {"metadata": marks},
        "metadata": marks,
        "expires_at": 1795392000,
        "locale": "auto",
        "success_url": "https://clinic.example/consultations?payment=success&session_id={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://clinic.example/consultations?payment=cancelled",
    }


def test_configured_price_is_sent_by_its_id() -> None:
    line = rules._line_item(Offer(4900, "eur", "price_1"))
    assert line == {"price": "price_1", "quantity": 1}


def test_no_float_in_billing() -> None:
    """Money is an integer: neither a float literal nor a true division may stand in these files."""
    for path in sorted((ROOT / "teleconsult" / "billing").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), path
            assert not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)), path
            assert not (isinstance(node, ast.Name) and node.id == "float"), path
