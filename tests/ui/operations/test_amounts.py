"""Amounts are read exactly as they were written, or not at all."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teleconsult.billing.rules import money
from teleconsult.errors import Invalid
from teleconsult.ui.operations import amounts


@pytest.mark.parametrize(("text", "currency", "minor"), [
    ("49", "eur", 4900), ("49.00", "eur", 4900), ("49.0", "eur", 4900), (" 49.5 ", "eur", 4950), ("0.01", "eur", 1),
    ("1,234.50", "eur", 123_450), ("1,234", "eur", 123_400), ("1,234,567.89", "eur", 123_456_789),
    ("0049", "eur", 4900), ("€49.00", "eur", 4900), ("€ 49", "eur", 4900), ("EUR 49.00", "eur", 4900),
    ("eur49", "eur", 4900), ("$49", "usd", 4900), ("chf 49.05", "chf", 4905),
    ("4900", "jpy", 4900), ("4,900", "jpy", 4900), ("¥4900", "jpy", 4900),
    ("1.234", "bhd", 1234), ("1.2", "bhd", 1200), ("1", "bhd", 1000),
    ("0.29", "eur", 29), ("4.35", "eur", 435), ("1.10", "eur", 110),
    ("90071992547.93", "eur", 9_007_199_254_793), ("999999999999.99", "eur", 99_999_999_999_999),
])  # fmt: skip
def test_what_is_understood(text: str, currency: str, minor: int) -> None:
    assert amounts.minor(text, currency) == minor


@pytest.mark.parametrize("text", [
    "", " ", "-5", "\u22125", "+5", "4-9", "49,00", "49,0", "1,23", "12,34.50", "1,2345", ",123", "1.234.50", "49.",
    ".5", "1 234", "49\u00a000", "4 9", "49e2", "0x31", "1_000", "\uff14\uff19", "٤٩", "49.00.00", "nan", "inf", "$49",
    "USD 49", "49 €", "9999999999999", "1,000,000,000,000", "forty-nine", "49\n", "\t49",
])  # fmt: skip
def test_what_may_mean_two_things_or_none(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        amounts.minor(text, "eur")
    assert refused.value.problems == {"amount": "Write an amount like 49.00."}


@pytest.mark.parametrize(("text", "currency", "said"), [
    ("49.001", "eur", "EUR has at most 2 digits after the point."),
    ("49.000", "eur", "EUR has at most 2 digits after the point."),
    ("49.0", "jpy", "JPY has no digits after a point."),
    ("1.2345", "bhd", "BHD has at most 3 digits after the point."),
    ("0", "eur", "Write an amount above nothing."), ("0.00", "eur", "Write an amount above nothing."),
    ("49,0", "jpy", "Write an amount like 49."), ("x", "bhd", "Write an amount like 49.000."),
])  # fmt: skip
def test_what_is_wrong_is_said(text: str, currency: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        amounts.minor(text, currency)


@given(st.integers(1, 10**14 - 1), st.sampled_from(["eur", "usd", "chf", "jpy", "bhd"]))
def test_an_amount_as_we_write_it_is_read_as_it_was(minor: int, currency: str) -> None:
    if currency == "bhd" or len(amounts.plain(minor, currency).split(".")[0]) <= 12:
        assert amounts.minor(amounts.plain(minor, currency), currency) == minor
        assert amounts.minor(money(minor, currency), currency) == minor


@given(st.text(max_size=20))
def test_any_text_is_an_amount_or_a_refusal(text: str) -> None:
    with contextlib.suppress(Invalid):
        assert amounts.minor(text, "eur") > 0
