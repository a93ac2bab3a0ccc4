"""The life of a Checkout Session: paid, declined, authenticated, expired, each with its events in Stripe's order.

Everything here runs without a pause on the event loop's thread, so two payers can't both succeed.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from teleconsult.sandbox import payment_objects, payments, session_objects
from teleconsult.sandbox.cards import NOT_AUTHENTICATED, Card
from teleconsult.sandbox.context import Sandbox
from teleconsult.sandbox.delivery import NORMAL, Manner
from teleconsult.sandbox.errors import refused
from teleconsult.sandbox.objects import TAX_EXEMPT, customer
from teleconsult.sandbox.payments import Attempt

PAID, DECLINED, AUTHENTICATE = "paid", "declined", "authenticate"


@dataclass(frozen=True)
class Outcome:
    """How a try to pay ended. `message` is the sentence for the customer, `events` what was sent about it."""

    result: str
    message: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)


def customer_details(email: str | None, name: str | None) -> dict[str, Any]:
    """What Checkout learned about the payer."""
    return {
        "address": None,
        "business_name": None,
        "email": email,
        "individual_name": None,
        "name": name,
        "phone": None,
        "tax_exempt": TAX_EXEMPT,
        "tax_ids": [],
    }


def must_be_open(session: dict[str, Any], verb: str) -> None:
    """Raises: StripeError, when the session has ended."""
    if session["status"] != "open":
        text = (
            f'Only Checkout Sessions with a status in ["open"] can be {verb}. '
            f"This Checkout Session has a status of `{session['status']}`."
        )
        raise refused(text)


def pay(sandbox: Sandbox, session: dict[str, Any], card: Card, manner: Manner = NORMAL, email: str = "") -> Outcome:
    """Try to pay an open session with a card.

    Raises:
        StripeError: when the session isn't open.
    """
    must_be_open(session, "paid")
    sandbox.store.note(session["id"]).pop("authenticating", None)
    _learn(session, card, email)
    if session["amount_total"] == 0:
        return Outcome(PAID, events=_complete(sandbox, session, None, manner))
    intent, created = _intent(sandbox, session)
    billing = {"address": None, "email": session["customer_details"]["email"], "name": card.name or None}
    billing |= {"phone": None, "tax_id": None}
    method = sandbox.store.put(payment_objects.payment_method(card, billing, sandbox.store.now()))
    intent |= {"payment_method": method["id"], "last_payment_error": None, "next_action": None}
    attempt = Attempt(sandbox, intent, card, manner, created)
    return _ask(attempt, session) if card.authenticates else _charge(attempt, session)


def authenticate(sandbox: Sandbox, session: dict[str, Any], *, agreed: bool) -> Outcome:
    """The customer's answer on the bank's page, for a payment that waits for it.

    Raises:
        StripeError: when the session isn't open, or nothing waits.
    """
    must_be_open(session, "paid")
    waiting = sandbox.store.note(session["id"]).pop("authenticating", None)
    if waiting is None:
        raise refused("This payment does not wait for authentication.")
    card, manner = Card(**waiting["card"]), Manner(**waiting["manner"])
    intent = sandbox.store.get("payment_intent", waiting["intent"])
    intent["next_action"] = None
    attempt = Attempt(sandbox, intent, card, manner)
    if agreed:
        return _charge(attempt, session)
    payments.fail(attempt, NOT_AUTHENTICATED, None)
    return Outcome(DECLINED, NOT_AUTHENTICATED.message, [attempt.emit("payment_intent.payment_failed", intent)])


def expire(sandbox: Sandbox, session: dict[str, Any], request: dict[str, Any] | None = None) -> None:
    """Close an open session; a payment begun in it is cancelled.

    Raises:
        StripeError: when it isn't open any more.
    """
    must_be_open(session, "expired")
    session |= {"status": "expired", "url": None}
    intent = sandbox.store.find("payment_intent", sandbox.store.note(session["id"]).get("intent"))
    if intent:
        now = sandbox.store.now()
        intent |= {"status": "canceled", "canceled_at": now, "cancellation_reason": "expired", "next_action": None}
        sandbox.emit("payment_intent.canceled", intent, request=request)
    sandbox.emit("checkout.session.expired", session, request=request)


def expire_due(sandbox: Sandbox) -> bool:
    """Close every session whose time is up. Returns whether there was one."""
    now = sandbox.store.now()
    due = [
        s for s in sandbox.store.all("checkout.session").values() if s["status"] == "open" and s["expires_at"] <= now
    ]
    for session in due:
        expire(sandbox, session)
    return bool(due)


def _learn(session: dict[str, Any], card: Card, email: str) -> None:
    known = session["customer_details"] or customer_details(session["customer_email"] or email or None, None)
    session["customer_details"] = known | {"name": card.name or known["name"]}


def _intent(sandbox: Sandbox, session: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The payment of this session, made at the first try; with it the event of its making, not yet sent."""
    note = sandbox.store.note(session["id"])
    if "intent" in note:
        return sandbox.store.get("payment_intent", note["intent"]), None
    made = payment_objects.payment_intent(session, note["payment_intent_data"], sandbox.store.now())
    note["intent"] = sandbox.store.put(made)["id"]
    return made, sandbox.draft("payment_intent.created", made)


def _ask(attempt: Attempt, session: dict[str, Any]) -> Outcome:
    """The bank wants to hear from the customer first."""
    sandbox, intent = attempt.sandbox, attempt.intent
    waiting = {"card": asdict(attempt.card), "manner": asdict(attempt.manner), "intent": intent["id"]}
    sandbox.store.note(session["id"])["authenticating"] = waiting
    here = f"{sandbox.base}/c/pay/{session['id']}"
    where = {"return_url": here, "url": f"{here}/authenticate"}
    intent |= {"status": "requires_action", "next_action": {"type": "redirect_to_url", "redirect_to_url": where}}
    events = [attempt.emit("payment_intent.requires_action", intent)]
    return Outcome(AUTHENTICATE, events=[*events, *attempt.announce()])


def _charge(attempt: Attempt, session: dict[str, Any]) -> Outcome:
    """The bank's word on the money."""
    refusal = attempt.card.decline
    if refusal:
        return Outcome(DECLINED, refusal.message, payments.decline(attempt, refusal))
    events = payments.succeed(attempt)
    return Outcome(PAID, events=[*events, *_complete(attempt.sandbox, session, attempt.intent, attempt.manner)])


def _complete(
    sandbox: Sandbox, session: dict[str, Any], intent: dict[str, Any] | None, manner: Manner
) -> list[dict[str, Any]]:
    _make_customer(sandbox, session, intent)
    session |= {"status": "complete", "url": None}
    if intent:
        session |= {"payment_status": "paid", "payment_intent": intent["id"]}
        payments.keep_card(sandbox, intent, session["customer"])
    if session["invoice_creation"]["enabled"]:
        _invoice(sandbox, session, intent)
    return [sandbox.emit("checkout.session.completed", session, manner=manner)]


def _make_customer(sandbox: Sandbox, session: dict[str, Any], intent: dict[str, Any] | None) -> None:
    if session["customer"] is None and session["customer_creation"] == "always":
        made = customer(session["customer_details"], sandbox.store.now())
        session["customer"] = sandbox.store.put(made)["id"]
        if intent:
            intent["customer"] = made["id"]
        sandbox.emit("customer.created", made)
    owner = sandbox.store.find("customer", session["customer"])
    rename = sandbox.store.note(session["id"])["customer_update"].get("name") == "auto"
    name = session["customer_details"]["name"]
    if owner and rename and name and owner["name"] != name:
        previous = {"name": owner["name"]}
        owner["name"] = name
        sandbox.emit("customer.updated", owner, previous=previous)


def _invoice(sandbox: Sandbox, session: dict[str, Any], intent: dict[str, Any] | None) -> None:
    owner = sandbox.store.find("customer", session["customer"])
    paid = intent["id"] if intent else None
    made = sandbox.store.put(session_objects.invoice(session, owner, paid, sandbox.store.now()))
    session["invoice"] = made["id"]
    if owner:
        owner["next_invoice_sequence"] += 1
