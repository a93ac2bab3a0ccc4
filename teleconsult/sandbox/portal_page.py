"""The customer portal: receipts, the card on file, the billing address."""

from __future__ import annotations

from typing import Any

from starlette.responses import HTMLResponse

from teleconsult.sandbox.context import Sandbox
from teleconsult.sandbox.currencies import shown
from teleconsult.sandbox.method_fields import LABELS
from teleconsult.sandbox.pages import Html, back, day, el, facts, field, page

CARDS = (
    ("4242424242424242", "Visa ending in 4242"),
    ("5555555555554444", "Mastercard ending in 4444"),
    ("378282246310005", "American Express ending in 0005"),
)
BRANDS = {"visa": "Visa", "mastercard": "Mastercard", "amex": "American Express", "discover": "Discover"}
SAVED = {"card": "The card was changed.", "address": "The billing details were saved."}


def portal_page(sandbox: Sandbox, link_: dict[str, Any], features: dict[str, Any], saved: str) -> HTMLResponse:
    """Everything one customer may see and change, as far as the configuration allows it."""
    customer = sandbox.store.get("customer", link_["customer"])
    known = ", ".join(part for part in (customer["email"], customer["id"]) if part)
    blocks = [
        _card(sandbox, customer, link_["id"]) if features["payment_method_update"]["enabled"] else "",
        _billing(customer, link_["id"]) if features["customer_update"]["enabled"] else "",
        _receipts(sandbox, customer) if features["invoice_history"]["enabled"] else "",
    ]
    return page(
        "Test billing page",
        el(
            "div",
            el(
                "div",
                back(link_["return_url"]),
                el("h1", "Test billing page"),
                el("p", known, class_="hint num"),
            ),
            el("p", SAVED[saved], class_="done", role="status") if saved in SAVED else "",
            *blocks,
            class_="portal",
        ),
    )


def card_words(card: dict[str, Any]) -> str:
    """`Visa •••• 4242`."""
    return f"{BRANDS.get(card['brand'], 'Card')} •••• {card['last4']}"


def paid_with(charge: dict[str, Any]) -> str:
    """The same for whatever a charge was paid with."""
    details = charge["payment_method_details"]
    kind = details["type"]
    return card_words(details["card"]) if kind == "card" else f"{LABELS[kind][0]} •••• {details[kind]['last4']}"


def card_on_file(sandbox: Sandbox, customer: dict[str, Any]) -> dict[str, Any] | None:
    """The customer's default card, or the one attached last."""
    kept = [
        m
        for m in sandbox.store.all("payment_method").values()
        if m["customer"] == customer["id"] and m["type"] == "card"
    ]
    default = customer["invoice_settings"]["default_payment_method"]
    return next((m for m in kept if m["id"] == default), kept[-1] if kept else None)


def _card(sandbox: Sandbox, customer: dict[str, Any], wanted: str) -> Html:
    method = card_on_file(sandbox, customer)
    shown_card = "No card on file." if method is None else _words_and_expiry(method["card"])
    options = [el("option", label, value=number) for number, label in CARDS]
    form = el(
        "form",
        el(
            "div",
            el("label", "Test card", for_="f-card"),
            el("select", *options, id="f-card", name="card"),
            class_="field",
        ),
        el("button", "Save card", type="submit"),
        method="post",
        action=f"/p/session/{wanted}/card",
    )
    change = el("details", el("summary", "Change card" if method else "Add card"), form)
    return el("section", el("h2", "Payment method"), el("p", shown_card, class_="num"), change, class_="card")


def _words_and_expiry(card: dict[str, Any]) -> str:
    return f"{card_words(card)}, {card['exp_month']:02}/{card['exp_year'] % 100:02}"


def _billing(customer: dict[str, Any], wanted: str) -> Html:
    address = customer["address"] or {}
    lines = [customer["name"], address.get("line1"), address.get("line2")]
    town = " ".join(part for part in (address.get("postal_code"), address.get("city")) if part)
    words = ", ".join(part for part in (*lines, town, address.get("country")) if part)
    form = el(
        "form",
        field("Name", "name", value=customer["name"] or "", autocomplete="name", maxlength=256),
        field("Address", "line1", value=address.get("line1") or "", autocomplete="address-line1"),
        field(
            "Address, second line (optional)", "line2", value=address.get("line2") or "", autocomplete="address-line2"
        ),
        el(
            "div",
            field("Postal code", "postal_code", value=address.get("postal_code") or "", autocomplete="postal-code"),
            field("City", "city", value=address.get("city") or "", autocomplete="address-level2"),
            class_="pair",
        ),
        field(
            "Country (two letters)", "country", value=address.get("country") or "", maxlength=2, autocomplete="country"
        ),
        el("button", "Save billing details", type="submit"),
        method="post",
        action=f"/p/session/{wanted}/address",
    )
    return el(
        "section",
        el("h2", "Billing address"),
        el("p", words or "No address yet."),
        el("details", el("summary", "Change billing details"), form),
        class_="card",
    )


def _receipts(sandbox: Sandbox, customer: dict[str, Any]) -> Html:
    mine = [i for i in sandbox.store.all("invoice").values() if i["customer"] == customer["id"]]
    rows = [_receipt_row(sandbox, invoice) for invoice in reversed(mine)]
    body = el("ul", *rows, class_="list") if rows else el("p", "No payments yet.")
    return el("section", el("h2", "Receipts"), body, class_="card")


def _receipt_row(sandbox: Sandbox, invoice: dict[str, Any]) -> Html:
    charge = charge_of(sandbox, invoice)
    left = el(
        "div",
        el("span", day(invoice["created"]), class_="choice-label"),
        el("span", invoice["number"], class_="hint num"),
        el("span", f"Paid with {paid_with(charge)}", class_="hint") if charge else "",
    )
    right = el(
        "div",
        _refund_tag(charge),
        el("span", shown(invoice["total"], invoice["currency"]), class_="num"),
        el("a", "Receipt", href=f"/receipts/{invoice['id']}", class_="back", aria_label=f"Receipt {invoice['number']}"),
        class_="row",
    )
    return el("li", el("div", left, right, class_="row"))


def charge_of(sandbox: Sandbox, invoice: dict[str, Any]) -> dict[str, Any] | None:
    """The charge that paid an invoice; none for an amount of zero."""
    intent = sandbox.store.find("payment_intent", invoice["payment_intent"])
    return sandbox.store.find("charge", intent["latest_charge"]) if intent else None


def _refund_tag(charge: dict[str, Any] | None) -> Html:
    if charge is None or not charge["amount_refunded"]:
        return Html("")
    part = shown(charge["amount_refunded"], charge["currency"])
    return el("span", "Refunded" if charge["refunded"] else f"{part} refunded", class_="tag")


def receipt_page(invoice: dict[str, Any] | None, charge: dict[str, Any] | None) -> HTMLResponse:
    """One payment on a page that prints."""
    source = invoice or charge or {}
    total = invoice["total"] if invoice else source["amount"]
    rows = [("Number", invoice["number"])] if invoice else []
    rows.append(("Date", day(source["created"])))
    if charge:
        rows.append(("Paid with", paid_with(charge)))
    if charge and charge["amount_refunded"]:
        rows.append(("Refunded", shown(charge["amount_refunded"], charge["currency"])))
    rows.append(("Total", shown(total, source["currency"])))
    return page("Receipt", el("div", el("h1", "Receipt"), facts(rows), class_="narrow card"))
