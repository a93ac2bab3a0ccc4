"""Sessions with their state, what was paid and sent back, and the acts each of them allows."""

from __future__ import annotations

from typing import Any

from teleconsult.sandbox import banks, disputes, refunds
from teleconsult.sandbox.console.answers import answers
from teleconsult.sandbox.console.frame import View, line, more, select, tag
from teleconsult.sandbox.currencies import shown
from teleconsult.sandbox.pages import Html, clock, el, join, link

STATES = (
    ("", "All"), ("open", "Open"), ("waiting", "Waiting for the bank"), ("paid", "Paid"), ("unpaid", "Failed"),
    ("expired", "Expired"), ("reversed", "Refunded or disputed"),
)  # fmt: skip
WORDS = {
    "open": ("Open", ""), "waiting": ("Waiting for the bank", "warn"), "paid": ("Paid", "good"),
    "unpaid": ("Debit failed", "bad"), "expired": ("Expired", "off"), "reversed": ("Paid", "good"),
}  # fmt: skip
CARDS = [
    ("4242424242424242", "Succeeds"), ("4000000000000002", "Declined"), ("4000000000009995", "Insufficient funds"),
    ("4000002500003155", "3D Secure"), ("4000000000000259", "Disputed at once"),
    ("4000000000007726", "Refunds wait"), ("4000000000005126", "Refunds fail later"),
]  # fmt: skip
ARRIVALS = [("normal", "at once"), ("late", "30 s late"), ("twice", "twice"), ("never", "never")]
Item = dict[str, Any]


def payments_view(view: View) -> list[Html]:
    """The sessions the address asks for, newest first."""
    store, wanted, find = view.sandbox.store, view.asked("state"), view.asked("find").lower()
    rows = [s for s in store.all("checkout.session").values() if wanted in ("", _state(view, s)) and _has(s, find)]
    newest, turn = view.paged(rows)
    search = el(
        "form",
        el("input", type="hidden", name="state", value=wanted) if wanted else "",
        line("Find by id, customer or metadata", "find", "s", value=view.asked("find"), type="search"),
        el("button", "Find", type="submit", class_="quiet"),
        method="get",
        class_="act find",
    )
    told = _told(view, {s["id"] for s in newest})
    nothing = "No session is like that." if wanted or find else "None yet. One is made when somebody pays."
    body = [_session(view, s, told.get(s["id"], Html(""))) for s in newest] or [el("p", nothing, class_="hint nothing")]
    return [el("div", view.filters("state", STATES, "Sessions by state"), search, class_="sieve"), *body, turn]


def _told(view: View, wanted: set[str]) -> dict[str, Html]:
    """What the app was last told about each session, and what it answered."""
    found: dict[str, Html] = {}
    for event in view.sandbox.store.all("event").values():
        item = event["data"]["object"]
        if item["id"] in wanted:
            kind = event["type"].removeprefix("checkout.session.").replace("_", " ")
            found[item["id"]] = join(f"{kind} ", *answers(view.sandbox, event))
    return found


def _has(session: Item, text: str) -> bool:
    places = (session["id"], session["payment_intent"], session["customer"], *session["metadata"].values())
    return any(text in (place or "").lower() for place in places)


def _state(view: View, session: Item) -> str:
    """In one word where it stands."""
    if session["status"] != "complete":
        return session["status"]
    intent = view.sandbox.store.all("payment_intent").get(session["payment_intent"] or "")
    if session["payment_status"] == "unpaid":
        return "waiting" if intent and intent["status"] == "processing" else "unpaid"
    charged = _charge(view, intent)
    return "reversed" if charged and (charged["disputed"] or _refunds_of(view, charged)) else "paid"


def _charge(view: View, intent: Item | None) -> Item | None:
    return view.sandbox.store.all("charge").get(intent["latest_charge"] or "") if intent else None


def _refunds_of(view: View, charged: Item) -> list[Item]:
    return [r for r in view.sandbox.store.all("refund").values() if r["charge"] == charged["id"]]


def _session(view: View, session: Item, told: Html) -> Html:
    state = _state(view, session)
    intent = view.sandbox.store.all("payment_intent").get(session["payment_intent"] or "")
    head = el(
        "div",
        el("h2", shown(session["amount_total"], session["currency"]), class_="num"),
        tag(*WORDS[state]),
        *_marks(view, intent),
        class_="head",
    )
    return el(
        "article",
        el("div", head, _facts(session, told), class_="what"),
        el("div", *_acts(view, session, state, intent), class_="acts"),
        class_="card item",
        id=session["id"],
    )


def _marks(view: View, intent: Item | None) -> list[Html]:
    charged = _charge(view, intent)
    if charged is None:
        return []
    found = []
    if charged["amount_refunded"]:
        part = shown(charged["amount_refunded"], charged["currency"])
        found.append(tag("Refunded" if charged["refunded"] else f"{part} refunded", "warn"))
    return [*found, tag("Disputed", "bad")] if charged["disputed"] else found


def _facts(session: Item, told: Html) -> Html:
    known = session["customer_details"] or {}
    metadata = [el("span", f"{name} {value}") for name, value in session["metadata"].items()]
    rows = [
        ("Session", session["id"]), ("Payment", session["payment_intent"]), ("Customer", session["customer"]),
        ("E-mail", known.get("email")), ("Metadata", join(*metadata) if metadata else "none"), ("Webhook", told),
    ]  # fmt: skip
    times = f"Made {clock(session['created'])}"
    times += f", expires {clock(session['expires_at'])}" if session["status"] == "open" else ""
    listed = [el("div", el("dt", name), el("dd", value, class_="code")) for name, value in rows if value]
    return el("div", el("p", times, class_="hint num"), el("dl", *listed, class_="known"))


def _acts(view: View, session: Item, state: str, intent: Item | None) -> list[Html]:
    wanted = session["id"]
    events = link("Events", f"/events?about={wanted}")
    if state == "open":
        leave = view.button(f"sessions/{wanted}/expire", "Expire", anchor=wanted)
        page = link("Open payment page", session["url"], "button")
        return [el("div", page, leave, events, class_="buttons"), _pay(view, session), _tamper(view, session)]
    if state == "waiting":
        yes = view.button(f"sessions/{wanted}/async", "Succeed now", anchor=wanted, class_="", outcome="succeeded")
        no = view.button(f"sessions/{wanted}/async", "Fail now", anchor=wanted, outcome="failed")
        return [el("div", yes, no, events, class_="buttons")]
    charged = _charge(view, intent)
    parts = [el("div", events, class_="buttons")]
    if intent and charged and charged["status"] == "succeeded":
        parts += [_refund_rows(view, charged, wanted), _dispute_rows(view, charged, wanted)]
        parts += [_refund(view, intent, charged, wanted), _dispute(view, intent, charged, wanted)]
    return [part for part in parts if part]


def _pay(view: View, session: Item) -> Html:
    wanted = session["id"]
    arrival = select("Webhooks arrive", "webhook", ARRIVALS, wanted)
    forms = []
    for kind in session["payment_method_types"]:
        if kind == "card":
            cards = [(number, f"…{number[-4:]}: {end}") for number, end in CARDS]
            fields, label = [select("Card", "card", cards, wanted), arrival], "Pay by card"
        else:
            accounts = [(account, f"…{account[-4:]}: {end}") for account, end in banks.CHOICES[kind]]
            fields, label = [select("Account", "account", accounts, wanted)], "Order the debit"
        act = f"sessions/{wanted}/pay"
        forms.append(view.form(act, label, *fields, anchor=wanted, class_="", hidden={"method": kind}))
    return more(f"pay-{wanted}", "Pay without the page", *forms)


def _tamper(view: View, session: Item) -> Html:
    wanted, act = session["id"], f"sessions/{session['id']}/tamper"
    amount = line("Amount in minor units", "amount_total", wanted, value=session["amount_total"], inputmode="numeric")
    currency = line("Currency", "currency", wanted, value=session["currency"], maxlength=3)
    return more(
        f"tamper-{wanted}",
        "Change it behind the app’s back",
        view.form(act, "Change the price", amount, currency, anchor=wanted),
        el(
            "div",
            view.button(act, "Remove the metadata", anchor=wanted, metadata=""),
            view.button(act, "Flip the mode", anchor=wanted, livemode="" if session["livemode"] else "true"),
            class_="buttons",
        ),
    )


def _refund(view: View, intent: Item, charged: Item, wanted: str) -> Html:
    left = charged["amount"] - charged["amount_refunded"]
    if not left:
        return Html("")
    amount = line("Amount in minor units", "amount", f"refund-{wanted}", value=left, inputmode="numeric")
    begins = [("", "as the card decides"), ("succeeded", "succeeded"), ("pending", "pending")]
    fields = (amount, select("It begins", "status", begins, f"refund-{wanted}"))
    return more(
        f"refund-{wanted}", "Refund", view.form(f"payments/{intent['id']}/refund", "Refund", *fields, anchor=wanted)
    )


def _dispute(view: View, intent: Item, charged: Item, wanted: str) -> Html:
    if charged["disputed"]:
        return Html("")
    reasons = [(reason, reason.replace("_", " ")) for reason in disputes.REASONS]
    kinds = [("", "Chargeback: the money goes at once"), ("true", "Inquiry: the bank asks first")]
    fields = (
        select("Reason", "reason", reasons, f"dispute-{wanted}"),
        select("Kind", "inquiry", kinds, f"dispute-{wanted}"),
    )
    act = view.form(f"payments/{intent['id']}/dispute", "Dispute", *fields, anchor=wanted)
    return more(f"dispute-{wanted}", "Dispute", act)


def _refund_rows(view: View, charged: Item, anchor: str) -> Html:
    rows = []
    for made in _refunds_of(view, charged):
        moves = refunds.MOVES.get(made["status"], ())
        words = f"Refund of {shown(made['amount'], made['currency'])}"
        buttons = [view.button(f"refunds/{made['id']}", _verb(m), anchor=anchor, status=m) for m in moves]
        rows.append(_reversal(made, words, buttons))
    return el("ul", *rows, class_="reversals") if rows else Html("")


def _dispute_rows(view: View, charged: Item, anchor: str) -> Html:
    rows = []
    for made in view.sandbox.store.all("dispute").values():
        if made["charge"] == charged["id"]:
            moves = disputes.MOVES.get(made["status"], ())
            words = f"Dispute of {shown(made['amount'], made['currency'])}: {made['reason'].replace('_', ' ')}"
            buttons = [view.button(f"disputes/{made['id']}", _verb(m), anchor=anchor, status=m) for m in moves]
            rows.append(_reversal(made, words, buttons))
    return el("ul", *rows, class_="reversals") if rows else Html("")


def _reversal(made: Item, words: str, buttons: list[Html]) -> Html:
    told = el("div", el("span", words), " ", tag(made["status"].replace("_", " ")), class_="told")
    return el("li", told, el("div", *buttons, class_="buttons") if buttons else "")


def _verb(status: str) -> str:
    known = {"succeeded": "Succeed", "failed": "Fail", "canceled": "Cancel", "won": "Win", "lost": "Lose"}
    known |= {"needs_response": "Escalate", "warning_closed": "Close"}
    return known.get(status, status.removeprefix("warning_").replace("_", " ").capitalize())
