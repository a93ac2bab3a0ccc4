"""Amounts as operators write them, read exactly: no fractions of a coin, no floating point, no guessing."""

from __future__ import annotations

import re

from teleconsult.billing.rules import SIGNS, THREE_DECIMAL, ZERO_DECIMAL
from teleconsult.errors import Invalid

FIELD = "amount"

_AMOUNT = re.compile(r"(?P<whole>[0-9]{1,3}(?:,[0-9]{3}){1,3}|[0-9]{1,12})(?:\.(?P<rest>[0-9]{1,12}))?")
"""Commas stand between thousands and nowhere else: "49,00" may mean two things, so it means none."""


def minor(text: str, currency: str) -> int:
    """What somebody wrote, in minor units: "49", "49.0", "49.00", "1,234.50", "€49.00" and "EUR 49" are understood.

    Raises:
        Invalid: it isn't an amount of that currency above nothing; the message belongs to `FIELD`.
    """
    places = _places(currency)
    found = _AMOUNT.fullmatch(_bare(text, currency))
    if found is None:
        raise Invalid({FIELD: f"Write an amount like {plain(49 * 10**places, currency)}."})
    rest = found["rest"] or ""
    if len(rest) > places:
        raise Invalid({FIELD: _too_fine(places, currency)})
    amount = int(found["whole"].replace(",", "")) * 10**places + int(rest.ljust(places, "0") or "0")
    if amount == 0:
        raise Invalid({FIELD: "Write an amount above nothing."})
    return amount


def plain(amount_minor: int, currency: str) -> str:
    """An amount as a field holds it, without sign and commas: "1234.50"."""
    places = _places(currency)
    whole, rest = divmod(amount_minor, 10**places)
    return f"{whole}.{rest:0{places}d}" if places else str(whole)


def _bare(text: str, currency: str) -> str:
    """Without the currency in front."""
    stripped = text.strip(" ")
    for mark in (SIGNS.get(currency), currency.upper()):
        if mark and stripped.upper().startswith(mark):
            return stripped[len(mark) :].lstrip(" ")
    return stripped


def _too_fine(places: int, currency: str) -> str:
    name = currency.upper()
    return f"{name} has at most {places} digits after the point." if places else f"{name} has no digits after a point."


def _places(currency: str) -> int:
    """How many digits a minor unit takes."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2
