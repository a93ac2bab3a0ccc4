"""The hosted checkout page: what is bought, a card form with test cards at hand, and how the webhook behaves."""

from __future__ import annotations

from typing import Any

from starlette.responses import HTMLResponse

from teleconsult.sandbox.cards import CHOICES
from teleconsult.sandbox.context import Sandbox
from teleconsult.sandbox.currencies import shown
from teleconsult.sandbox.pages import MERCHANT, Html, back, clock, el, facts, field, join, link, notice, page, radio

EXAMPLE = {"expiry": "12 / 34", "cvc": "123", "name": "Test Person"}
DELIVERY = (
    ("normal", "Arrives at once", "As Stripe does it"),
    ("late", "Arrives 30 seconds late", "To see “Confirming your payment”"),
    ("twice", "Arrives twice", "The second one must be ignored"),
    ("never", "Never arrives", "The payment must be found without it"),
)


def success_url(session: dict[str, Any]) -> str:
    """Where a paid session leads, with the template replaced."""
    return session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"])


def checkout_page(sandbox: Sandbox, session: dict[str, Any], typed: dict[str, str], error: str = "") -> HTMLResponse:
    """An open session. `typed` is what stands in the fields already."""
    lines = sandbox.store.note(session["id"])["line_items"]
    return page(
        "Test payment page",
        el("div", _order(session, lines), _form(session, typed, error), class_="pay"),
        script=True,
    )


def _order(session: dict[str, Any], lines: list[dict[str, Any]]) -> Html:
    currency = session["currency"]
    rows = [(_name(line), shown(line["amount_total"], currency)) for line in lines]
    return el(
        "section",
        back(session["cancel_url"]),
        el("h1", "Test payment page"),
        el("p", shown(session["amount_total"], currency), class_="amount"),
        facts([*rows, ("Total", shown(session["amount_total"], currency))]),
        el("p", f"Session {session['id'][:16]}…, expires {clock(session['expires_at'])}", class_="hint num"),
    )


def _name(line: dict[str, Any]) -> str:
    return line["description"] if line["quantity"] == 1 else f"{line['quantity']} × {line['description']}"


def _form(session: dict[str, Any], typed: dict[str, str], error: str) -> Html:
    amount = shown(session["amount_total"], session["currency"])
    return el(
        "form",
        el("h2", "Pay by card"),
        el("p", error, class_="alert", role="alert", id="error") if error else "",
        _email(session, typed),
        _test_cards(typed.get("number", "")),
        _card_fields(typed, wrong=bool(error)),
        _delivery(typed.get("delivery", "normal")),
        el("button", f"Pay {amount}", type="submit", class_="wide"),
        link("Leave without paying", session["cancel_url"], "button bare wide"),
        class_="card",
        id="pay",
        method="post",
        action=f"/c/pay/{session['id']}",
    )


def _email(session: dict[str, Any], typed: dict[str, str]) -> Html:
    known = (session["customer_details"] or {}).get("email")
    if known:
        return el("p", el("span", "E-mail", class_="hint"), el("span", known, class_="num"))
    kept = typed.get("email", "")
    return field("E-mail", "email", type="email", value=kept, required=True, autocomplete="email")


def _test_cards(chosen: str) -> Html:
    return el(
        "div",
        el("div", el("p", "Test cards", class_="choice-label"), el("p", "One tap fills the form.", class_="hint")),
        el("div", *(_tap(number, end, chosen == number) for number, end in CHOICES), class_="taps"),
        class_="cards",
    )


def _tap(number: str, end: str, chosen: bool) -> Html:
    words = join(el("span", grouped(number), class_="num"), el("span", end, class_="hint"))
    return el("a", words, href=f"?card={number}", data_card=number, aria_current="true" if chosen else None)


def grouped(number: str) -> str:
    """A card number as it is printed on a card."""
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))


def _card_fields(typed: dict[str, str], *, wrong: bool) -> Html:
    told = {"aria_describedby": "error"} if wrong else {}

    def card_field(label: str, name: str, complete: str, **more: Any) -> Html:
        value = typed.get(name, "")
        return field(label, name, value=value, autocomplete=complete, required=True, **told, **more)

    number = card_field("Card number", "number", "cc-number", inputmode="numeric", maxlength=24)
    expiry = card_field("Expiry (MM / YY)", "expiry", "cc-exp", inputmode="numeric", maxlength=9)
    cvc = card_field("CVC", "cvc", "cc-csc", inputmode="numeric", maxlength=4)
    name = card_field("Name on card", "name", "cc-name", maxlength=100)
    return join(number, el("div", expiry, cvc, class_="pair"), name)


def _delivery(chosen: str) -> Html:
    rows = [radio("delivery", value, label, text, checked=value == chosen) for value, label, text in DELIVERY]
    return el("fieldset", el("legend", "How should the webhook behave?"), el("div", *rows, class_="choices"))


def ended_page(session: dict[str, Any]) -> HTMLResponse:
    """A session that can't be paid any more, because it was or because its time is up."""
    if session["status"] == "complete":
        way = link(f"Back to {MERCHANT}", success_url(session), "button")
        return notice("This payment is complete", "It can’t be paid a second time.", way)
    way = link(f"Back to {MERCHANT}", session["cancel_url"], "button")
    return notice("This payment page has expired", "Nothing was charged. Go back to start the payment again.", way)


def authenticate_page(session: dict[str, Any], card: str) -> HTMLResponse:
    """The bank's page of 3D Secure."""
    amount = shown(session["amount_total"], session["currency"])
    form = el(
        "form",
        el("h1", "Your bank asks you to confirm"),
        el("p", f"{amount} with the card ending in {card}. This stands for the page of a bank (3D Secure)."),
        el("button", "Complete authentication", type="submit", name="answer", value="complete", class_="wide"),
        el("button", "Fail authentication", type="submit", name="answer", value="fail", class_="wide quiet"),
        class_="card",
        method="post",
    )
    return page("Confirm with your bank", el("div", form, class_="narrow"))
