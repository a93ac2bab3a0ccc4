"""The life of a Checkout Session: paid, declined, authenticated, expired, each with its events in Stripe's order.

Everything here runs without a pause on the event loop's thread, so two payers can't both succeed.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from teleconsult.sandbox import delayed, payment_objects, payments, sale
from teleconsult.sandbox.banks import Debit
from teleconsult.sandbox.cards import NOT_AUTHENTICATED, Card
from teleconsult.sandbox.context import Sandbox
from teleconsult.sandbox.delivery import NORMAL, Manner
from teleconsult.sandbox.errors import refused
from teleconsult.sandbox.method_objects import Source
from teleconsult.sandbox.objects import TAX_EXEMPT
from teleconsult.sandbox.payments import Attempt

PAID, PROCESSING, DECLINED, AUTHENTICATE = "paid", "processing", "declined", "authenticate"
FINISHED = (PAID, PROCESSING)


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


def pay(sandbox: Sandbox, session: dict[str, Any], source: Source, manner: Manner = NORMAL, email: str = "") -> Outcome:
    """Try to pay an open session with a card, or order a debit of a bank account.

    Raises:
        StripeError: when the session isn't open, or doesn't take this kind.
    """
    must_be_open(session, "paid")
    if source.kind not in session["payment_method_types"]:
        raise refused(f"This Checkout Session does not accept `{source.kind}`.", param="method")
    sandbox.store.note(session["id"]).pop("authenticating", None)
    _learn(session, source, email)
    if session["amount_total"] == 0:
        return Outcome(PAID, events=[sale.complete(sandbox, session, None, manner)])
    intent, created = _intent(sandbox, session)
    payments.present(sandbox, intent, source, session["customer_details"]["email"])
    attempt = Attempt(sandbox, intent, source, manner, created)
    if isinstance(source, Debit):
        return Outcome(PROCESSING, events=delayed.begin(attempt, session, source))
    return _ask(attempt, session, source) if source.authenticates else _charge(attempt, session, source)


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
        return _charge(attempt, session, card)
    payments.fail(sandbox, intent, NOT_AUTHENTICATED, None)
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


def run_out(sandbox: Sandbox, facts: dict[str, Any]) -> None:
    """Its time is up: an open session expires."""
    session = sandbox.store.find("checkout.session", facts["session"])
    if session and session["status"] == "open":
        expire(sandbox, session)


def _learn(session: dict[str, Any], source: Source, email: str) -> None:
    known = session["customer_details"] or customer_details(session["customer_email"] or email or None, None)
    session["customer_details"] = known | {"name": source.name or known["name"]}


def _intent(sandbox: Sandbox, session: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The payment of this session, made at the first try; with it the event of its making, not yet sent."""
    note = sandbox.store.note(session["id"])
    if "intent" in note:
        return sandbox.store.get("payment_intent", note["intent"]), None
    made = payment_objects.payment_intent(session, note["payment_intent_data"], sandbox.store.now())
    note["intent"] = sandbox.store.put(made)["id"]
    return made, sandbox.draft("payment_intent.created", made)


def _ask(attempt: Attempt, session: dict[str, Any], card: Card) -> Outcome:
    """The bank wants to hear from the customer first."""
    sandbox, intent = attempt.sandbox, attempt.intent
    waiting = {"card": asdict(card), "manner": attempt.manner.facts, "intent": intent["id"]}
    sandbox.store.note(session["id"])["authenticating"] = waiting
    here = f"{sandbox.base}/c/pay/{session['id']}"
    where = {"return_url": here, "url": f"{here}/authenticate"}
    intent |= {"status": "requires_action", "next_action": {"type": "redirect_to_url", "redirect_to_url": where}}
    events = [attempt.emit("payment_intent.requires_action", intent)]
    return Outcome(AUTHENTICATE, events=[*events, *attempt.announce()])


def _charge(attempt: Attempt, session: dict[str, Any], card: Card) -> Outcome:
    """The bank's word on the money."""
    if card.decline:
        return Outcome(DECLINED, card.decline.message, payments.decline(attempt, card.decline))
    events = payments.succeed(attempt)
    return Outcome(PAID, events=[*events, sale.complete(attempt.sandbox, session, attempt.intent, attempt.manner)])
