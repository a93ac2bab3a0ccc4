"""Standing orders for deliveries and for the API, endpoints, customers, and forgetting everything."""

from __future__ import annotations

from typing import Any

from teleconsult.sandbox import endpoints
from teleconsult.sandbox.console.frame import View, line, more, select, tag
from teleconsult.sandbox.faults import KINDS as API_KINDS
from teleconsult.sandbox.pages import Html, el
from teleconsult.sandbox.parameters import contract
from teleconsult.sandbox.webhook_faults import KINDS as WEBHOOK_KINDS

WEBHOOK_WORDS = {
    "drop": "never leave", "delay": "leave late", "duplicate": "leave several times", "reorder": "leave in reverse",
    "lose_answer": "lose their answer", "api_version": "have another API version", "livemode": "say the other mode",
    "thin": "are thin events",
}  # fmt: skip
API_WORDS = {
    "429": "answer 429, nothing done", "409": "answer 409, nothing done", "500": "answer 500, nothing done",
    "429_after": "act, then answer 429", "409_after": "act, then answer 409", "500_after": "act, then answer 500",
    "500_stored": "act, then answer 500 whenever repeated", "slow": "act slowly",
    "timeout_before": "hang, nothing done", "timeout_after": "act, then hang",
    "drop_before": "cut the connection, nothing done", "drop_after": "act, then cut the connection",
}  # fmt: skip
TYPES = ("*", "checkout.session.*", "checkout.session.completed", "charge.*", "refund.*", "charge.dispute.*")
MOST_CUSTOMERS = 20
Item = dict[str, Any]


def orders_view(view: View) -> list[Html]:
    """Everything that is on order, and the ways to order more."""
    return [
        el("div", _webhooks(view), _api(view), class_="halves"),
        el("div", _endpoints(view), _others(view), class_="halves"),
    ]


def _block(title: str, text: str, *body: Any) -> Html:
    return el("section", el("h2", title), el("p", text, class_="hint"), *body, class_="card")


def _webhooks(view: View) -> Html:
    kinds = [(kind, WEBHOOK_WORDS[kind]) for kind in WEBHOOK_KINDS]
    fields = (
        select("The next deliveries", "kind", kinds, "w"),
        select("Of type", "type", [(kind, "every type" if kind == "*" else kind) for kind in TYPES], "w"),
        line("How many", "times", "w", value="1", inputmode="numeric"),
        line("Seconds (late, reverse)", "seconds", "w", value="10", inputmode="decimal"),
    )
    rows = [
        f"The next {order.times} of {order.type} {WEBHOOK_WORDS[order.kind]}"
        + (f", {len(order.held)} held" if order.held else "")
        for order in view.sandbox.deliverer.orders.open
    ]
    return _block(
        "Deliveries on order",
        "What is about to be sent does not arrive as it should.",
        _open(view, "webhook-faults", rows),
        view.form("webhook-faults", "Order", *fields, class_="", shape="act order"),
    )


def _api(view: View) -> Html:
    operations = [("*", "every call"), *((name, name) for name in contract() if " " in name)]
    fields = (
        select("The next calls", "kind", [(kind, API_WORDS[kind]) for kind in API_KINDS], "a"),
        select("Of", "operation", operations, "a"),
        line("How many", "times", "a", value="1", inputmode="numeric"),
        line("Seconds (slow, hang)", "seconds", "a", value="30", inputmode="decimal"),
    )
    rows = [
        f"The next {order['times']} of {order['operation']} {API_WORDS[order['kind']]}"
        for order in view.sandbox.faults.shown()
    ]
    return _block(
        "Answers on order",
        "The API fails in a chosen way, before or after it has acted.",
        _open(view, "faults", rows),
        view.form("faults", "Order", *fields, class_="", shape="act order"),
    )


def _open(view: View, act: str, rows: list[str]) -> Html:
    if not rows:
        return el("p", "Nothing is on order.", class_="nothing")
    return el("div", el("ul", *(el("li", row) for row in rows), class_="open"), view.button(act, "Clear", clear="true"))


def _endpoints(view: View) -> Html:
    rows = [_endpoint(view, row) for row in endpoints.everyone(view.sandbox.store)]
    return _block(
        "Endpoints",
        "Who gets the events.",
        el("ul", *rows, class_="reversals") if rows else el("p", "None is registered.", class_="nothing"),
    )


def _endpoint(view: View, row: Item) -> Html:
    on, act = row["status"] == endpoints.ENABLED, f"endpoints/{row['id']}"
    secrets = len(view.sandbox.store.note(row["id"])["secrets"])
    both = tag("two secrets sign", "warn") if secrets > 1 else ""
    told = el(
        "div",
        el("span", row["url"], class_="code"),
        tag("On", "good") if on else tag("Off", "bad"),
        both,
        class_="told",
    )
    switch = view.button(act, "Switch off" if on else "Switch on", disabled="true" if on else "false")
    roll = view.button(act, "Roll the secret", roll="true")
    forget = view.button(act, "Forget the old secret", forget_old="true") if secrets > 1 else ""
    return el("li", told, el("div", switch, roll, forget, class_="buttons"))


def _others(view: View) -> Html:
    rows = list(view.sandbox.store.all("customer").values())[::-1][:MOST_CUSTOMERS]
    customers = [
        el(
            "li",
            el(
                "div", el("span", row["email"] or "no e-mail"), el("span", row["id"], class_="code hint"), class_="told"
            ),
            view.button(f"customers/{row['id']}/delete", "Delete"),
        )
        for row in rows
    ]
    return _block(
        "What others do",
        "On the same account, without asking the app.",
        view.button("foreign", "Another app sells something"),
        el("h3", "Customers"),
        el("ul", *customers, class_="reversals") if customers else el("p", "No customer yet.", class_="nothing"),
        more("forget", "Begin anew", view.button("reset", "Forget everything there is")),
    )
