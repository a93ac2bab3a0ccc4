"""The fields of each way to pay, with test cards and test accounts at hand.

All of them are in the page; a style sheet shows those of the chosen method, so it works without a script.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from teleconsult.sandbox import banks, cards
from teleconsult.sandbox.pages import MERCHANT, Html, el, field, join, radio

EXAMPLE = {"expiry": "12 / 34", "cvc": "123", "name": "Test Person"}
LABELS = {
    "card": ("Card", "Paid at once"),
    banks.SEPA: ("SEPA Direct Debit", "The bank answers days later"),
    banks.ACH: ("US bank account", "The bank answers days later"),
}
PANELS = {"card": "card-fields", banks.SEPA: "sepa-debit", banks.ACH: "us-bank-account"}
GROUP = 4


def example(query: Mapping[str, str]) -> dict[str, str]:
    """What a tap on a test card or a test account fills in, without a script."""
    card, account = query.get("card", ""), query.get("account", "")
    if card.isdigit():
        return {"method": "card", "number": card, **EXAMPLE}
    if account.isalnum():
        kind = banks.ACH if account.isdigit() else banks.SEPA
        return {"method": kind, "account": account, "name": EXAMPLE["name"]}
    return {}


def methods(allowed: list[str], typed: dict[str, str], *, wrong: bool) -> Html:
    """The choice of a method, when there is one, and the fields of each."""
    chosen = typed.get("method", "")
    chosen = chosen if chosen in allowed else allowed[0]
    alone = len(allowed) == 1
    panels = [_panel(kind, typed, alone=alone, wrong=wrong) for kind in allowed]
    return join("" if alone else _choice(allowed, chosen), *panels, _name(typed))


def _choice(allowed: list[str], chosen: str) -> Html:
    rows = [radio("method", kind, *LABELS[kind], checked=kind == chosen) for kind in allowed]
    return el("fieldset", el("legend", "Pay with"), el("div", *rows, class_="choices"))


def _panel(kind: str, typed: dict[str, str], *, alone: bool, wrong: bool) -> Html:
    told: dict[str, Any] = {"required": alone} | ({"aria_describedby": "error"} if wrong else {})
    fields = _card(typed, told) if kind == "card" else _account(kind, typed, told)
    return el("div", *fields, class_="method" if alone else f"method one-of {PANELS[kind]}")


def _card(typed: dict[str, str], told: dict[str, Any]) -> list[Html]:
    chosen = typed.get("number", "")
    number, expiry, cvc = (typed.get(part, "") for part in ("number", "expiry", "cvc"))
    numeric = told | {"inputmode": "numeric"}
    return [
        _taps("Test cards", [_tap("card", card, end, chosen=card == chosen) for card, end in cards.CHOICES]),
        field("Card number", "number", value=number, autocomplete="cc-number", maxlength=24, **numeric),
        el(
            "div",
            field("Expiry (MM / YY)", "expiry", value=expiry, autocomplete="cc-exp", maxlength=9, **numeric),
            field("CVC", "cvc", value=cvc, autocomplete="cc-csc", maxlength=4, **numeric),
            class_="pair",
        ),
    ]


def _account(kind: str, typed: dict[str, str], told: dict[str, Any]) -> list[Html]:
    chosen = typed.get("account", "")
    taps = [_tap("account", account, end, chosen=account == chosen) for account, end in banks.CHOICES[kind]]
    label = "IBAN" if kind == banks.SEPA else "Account number"
    mandate = f"This stands for a mandate: you allow {MERCHANT} to debit this account once."
    typing = told | {"autocomplete": "off", "spellcheck": "false", "maxlength": 42}
    return [
        _taps("Test accounts", taps),
        field(label, "account", value=chosen, **typing),
        el("p", mandate, class_="hint"),
    ]


def _name(typed: dict[str, str]) -> Html:
    return field("Name", "name", value=typed.get("name", ""), autocomplete="name", maxlength=100, required=True)


def _taps(title: str, taps: list[Html]) -> Html:
    head = el("div", el("p", title, class_="choice-label"), el("p", "One tap fills the form.", class_="hint"))
    return el("div", head, el("div", *taps, class_="taps"), class_="cards")


def _tap(kind: str, number: str, end: str, *, chosen: bool) -> Html:
    words = join(el("span", grouped(number), class_="num"), el("span", end, class_="hint"))
    current = "true" if chosen else None
    return el("a", words, href=f"?{kind}={number}", data_fill=kind, data_value=number, aria_current=current)


def grouped(number: str) -> str:
    """A number as it is printed on a card or a bank statement."""
    return " ".join(number[start : start + GROUP] for start in range(0, len(number), GROUP))
