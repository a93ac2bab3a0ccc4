"""The hosted checkout page: what is bought, what to pay it with, and how the webhook behaves."""

from __future__ import annotations

from typing import Any

from starlette.responses import HTMLResponse

from teleconsult.sandbox.context import Sandbox
from teleconsult.sandbox.currencies import shown
from teleconsult.sandbox.method_fields import methods
from teleconsult.sandbox.pages import MERCHANT, Html, back, clock, el, facts, field, link, notice, page, radio

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
        script="sandbox",
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
        el("h2", "Pay"),
        el("p", error, class_="alert", role="alert", id="error") if error else "",
        _email(session, typed),
        methods(session["payment_method_types"], typed, wrong=bool(error)),
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


def _delivery(chosen: str) -> Html:
    rows = [radio("delivery", value, label, text, checked=value == chosen) for value, label, text in DELIVERY]
    return el("fieldset", el("legend", "How should the webhook behave?"), el("div", *rows, class_="choices"))


def ended_page(session: dict[str, Any]) -> HTMLResponse:
    """A session that can't be paid any more, because it was or because its time is up."""
    if session["status"] == "complete":
        way = link(f"Back to {MERCHANT}", success_url(session), "button")
        if session["payment_status"] == "unpaid":
            return notice("Your bank is being asked", "The payment is on its way. It can’t be paid a second time.", way)
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
