"""The control page: what the sandbox holds and what it sent, with the buttons a developer wants."""

from __future__ import annotations

from typing import Any

from starlette.responses import HTMLResponse

from teleconsult.sandbox.context import Sandbox
from teleconsult.sandbox.currencies import shown
from teleconsult.sandbox.pages import Html, clock, el, join, link, page

NEWEST = 30


def control_page(sandbox: Sandbox) -> HTMLResponse:
    """The newest sessions, events and deliveries."""
    store = sandbox.store
    sessions = [_session(s) for s in _newest(store.all("checkout.session").values())]
    events = [_event(e) for e in _newest(store.all("event").values())]
    deliveries = [_delivery(d) for d in _newest(store.deliveries.values())]
    head = el(
        "div",
        el("div", el("h1", "Local Stripe"), el("p", f"Its clock says {clock(store.now())}.", class_="hint num")),
        _button("/_sandbox/reset", "Forget everything", "quiet"),
        class_="row",
    )
    return page(
        "Local Stripe",
        el(
            "div",
            head,
            _block("Sessions", sessions, "No session yet. One is made when somebody proceeds to payment."),
            _block("Events", events, "No event yet."),
            _block("Deliveries", deliveries, "Nothing was sent yet."),
            class_="stack list",
        ),
    )


def _newest(items: Any) -> list[dict[str, Any]]:
    return list(reversed(list(items)))[:NEWEST]


def _block(title: str, rows: list[Html], nothing: str) -> Html:
    body = el("ul", *rows, class_="list") if rows else el("p", nothing, class_="hint")
    return el("section", el("h2", title), body, class_="card")


def _session(session: dict[str, Any]) -> Html:
    amount = shown(session["amount_total"], session["currency"])
    words = el(
        "div",
        el("span", f"{amount}, {session['status']}, {session['payment_status']}", class_="choice-label num"),
        el("span", session["id"], class_="hint code"),
        el("span", f"Made {clock(session['created'])}, expires {clock(session['expires_at'])}", class_="hint num"),
    )
    actions = ""
    if session["status"] == "open":
        expire = _button(f"/_sandbox/sessions/{session['id']}/expire", "Expire", "quiet")
        actions = el("div", link("Open payment page", session["url"]), expire, class_="row")
    return el("li", el("div", words, actions, class_="row"))


def _event(event: dict[str, Any]) -> Html:
    words = el(
        "div",
        el("span", event["type"], class_="choice-label"),
        el("span", event["id"], class_="hint code"),
        el("span", f"{clock(event['created'])}, about {event['data']['object']['id'][:24]}", class_="hint num"),
    )
    again = f"/_sandbox/deliver/{event['id']}"
    buttons = join(_button(again, "Deliver again", "quiet"), _button(f"{again}?times=2", "Deliver twice", "quiet"))
    return el("li", el("div", words, el("div", buttons, class_="row"), class_="row"))


def _delivery(row: dict[str, Any]) -> Html:
    tries = ", ".join(str(t.get("status") or t["error"]) for t in row["tries"]) or "not tried yet"
    return el(
        "li",
        el("span", f"{row['type']}: {row['status']}", class_="choice-label"),
        el("span", f"{row['url']} answered {tries}" if row["tries"] else f"{row['url']}, {tries}", class_="hint"),
        el("span", f"{row['event']}, due {clock(row['due'])}", class_="hint code"),
    )


def _button(action: str, label: str, class_: str) -> Html:
    return el("form", el("button", label, type="submit", class_=class_), method="post", action=action)
