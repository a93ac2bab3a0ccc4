"""Events with their deliveries, the endpoint's answers, and the ways to send them again."""

from __future__ import annotations

import json
from typing import Any

from teleconsult.sandbox.console.answers import delivery
from teleconsult.sandbox.console.frame import View, line, more, select, tag
from teleconsult.sandbox.delivery import DELIVERED, FAILED, PENDING, WITHHELD
from teleconsult.sandbox.pages import Html, clock, el

STATES = (("", "All"), (DELIVERED, "Delivered"), (PENDING, "Under way"), ("lost", "Not delivered"))
WORDS = {
    DELIVERED: ("Delivered", "good"), PENDING: ("Under way", "warn"), FAILED: ("Given up", "bad"),
    WITHHELD: ("Held back", "bad"), "": ("Nobody asked for it", "off"),
}  # fmt: skip
Item = dict[str, Any]


def events_view(view: View) -> list[Html]:
    """The events the address asks for, newest first."""
    store, kind, about = view.sandbox.store, view.asked("type"), view.asked("about")
    everything = list(store.all("event").values())
    ids = _relatives(view, about)
    rows = [e for e in everything if kind in ("", e["type"]) and (not about or _names(e, ids))]
    wanted = view.asked("delivery")
    rows = [e for e in rows if wanted in ("", _state(view, e), "lost" if _is_lost(view, e) else None)]
    newest, turn = view.paged(rows)
    types = [("", "Every type"), *((name, name) for name in sorted({e["type"] for e in everything}))]
    search = el(
        "form",
        el("input", type="hidden", name="delivery", value=wanted) if wanted else "",
        select("Type", "type", types, "e", kind),
        line("About (an id)", "about", "e", value=about, type="search"),
        el("button", "Filter", type="submit", class_="quiet"),
        method="get",
        class_="act find",
    )
    body = [_event(view, event) for event in newest] or [el("p", "No event is like that.", class_="hint nothing")]
    return [el("div", view.filters("delivery", STATES, "Events by delivery"), search, class_="sieve"), *body, turn]


def _relatives(view: View, about: str) -> set[str]:
    """A session and its payment are the same thing to whoever looks for either."""
    session = view.sandbox.store.all("checkout.session").get(about)
    intent = session and (session["payment_intent"] or view.sandbox.store.note(about).get("intent"))
    return {about, intent} if intent else {about}


def _names(event: Item, ids: set[str]) -> bool:
    item = event["data"]["object"]
    return any(item.get(name) in ids for name in ("id", "payment_intent", "charge", "customer"))


def _state(view: View, event: Item) -> str:
    """Delivered when every endpoint has it; or else what its last delivery came to."""
    rows = view.sandbox.store.deliveries_of(event["id"])
    if not rows:
        return ""
    return DELIVERED if not event["pending_webhooks"] else rows[-1]["status"]


def _is_lost(view: View, event: Item) -> bool:
    return _state(view, event) in (FAILED, WITHHELD)


def _event(view: View, event: Item) -> Html:
    item, wanted = event["data"]["object"], event["id"]
    head = el("div", el("h2", event["type"]), tag(*WORDS[_state(view, event)]), class_="head")
    words = f"{clock(event['created'])}, about {item['id'][:30]}{'…' if len(item['id']) > 30 else ''}"  # noqa: PLR2004 - what fits
    again = f"deliver/{wanted}"
    buttons = el(
        "div",
        view.button(again, "Deliver again", anchor=wanted),
        view.button(again, "Deliver twice", anchor=wanted, times="2"),
        view.button(f"events/{wanted}/twin", "Send a twin", anchor=wanted),
        class_="buttons",
    )
    rows = view.sandbox.store.deliveries_of(wanted)
    others = el(
        "div",
        view.button(again, "As another API version", anchor=wanted, api_version="2024-06-20"),
        view.button(again, "In the other mode", anchor=wanted, livemode="true"),
        view.button(again, "As a thin event", anchor=wanted, thin="true"),
        class_="buttons",
    )
    text = el("pre", json.dumps(event, indent=2), tabindex="0", aria_label=f"JSON of {wanted}")
    return el(
        "article",
        el("div", head, el("p", words, class_="hint num"), el("p", wanted, class_="code hint"), class_="what"),
        el("div", *(delivery(row) for row in rows), buttons, class_="acts"),
        more(f"more-{wanted}", "Event and other ways to send it", others, text),
        class_="card item",
        id=wanted,
    )
