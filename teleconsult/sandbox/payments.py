"""Money moving: charges that succeed, fail or wait for the bank, cards kept, and the events each of them sends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from teleconsult.sandbox import disputes, method_objects, payment_objects
from teleconsult.sandbox.cards import Card, Decline
from teleconsult.sandbox.context import Sandbox
from teleconsult.sandbox.delivery import Manner
from teleconsult.sandbox.ids import new_id
from teleconsult.sandbox.method_objects import Source

BALANCE_SECONDS = 2.0


@dataclass(frozen=True)
class Attempt:
    """One try to pay an intent. `created` is the event of the intent's making, drafted and not yet sent."""

    sandbox: Sandbox
    intent: dict[str, Any]
    source: Source
    manner: Manner
    created: dict[str, Any] | None = None

    def emit(self, kind: str, item: dict[str, Any]) -> dict[str, Any]:
        """An event that arrives in the manner chosen for this payment."""
        return self.sandbox.emit(kind, item, manner=self.manner)

    def announce(self) -> list[dict[str, Any]]:
        """Send the event of the intent's making, if it is new."""
        return [self.sandbox.publish(self.created, self.manner)] if self.created else []

    def charge(self) -> dict[str, Any]:
        """Ask the bank, whose answer is still to come."""
        store = self.sandbox.store
        method = store.get("payment_method", self.intent["payment_method"])
        made = store.put(payment_objects.charge(self.intent, method, self.source, self.sandbox.base, store.now()))
        if isinstance(self.source, Card):
            store.note(made["id"])["number"] = self.source.number
        self.intent["latest_charge"] = made["id"]
        return made


def present(sandbox: Sandbox, intent: dict[str, Any], source: Source, email: str | None) -> None:
    """Put what somebody wants to pay with on the payment."""
    billing = {"address": None, "email": email, "name": source.name or None, "phone": None, "tax_id": None}
    method = sandbox.store.put(method_objects.payment_method(source, billing, sandbox.store.now()))
    intent |= {"payment_method": method["id"], "last_payment_error": None, "next_action": None}


def succeed(attempt: Attempt) -> list[dict[str, Any]]:
    """The bank says yes at once. `payment_intent.created` comes after `.succeeded`, as seen from the real Checkout.

    A card that is disputed at once is so before the payment itself is known to have succeeded.
    """
    made, intent, source = attempt.charge(), attempt.intent, attempt.source
    take(made, intent)
    if isinstance(source, Card) and source.authenticates:
        events = [attempt.emit("payment_intent.succeeded", intent), attempt.emit("charge.succeeded", made)]
    else:
        events = [attempt.emit("charge.succeeded", made)]
        if isinstance(source, Card) and source.number in disputes.CARDS:
            reason, status = disputes.CARDS[source.number]
            disputes.begin(attempt.sandbox, made, reason, status, manner=attempt.manner)
        events.append(attempt.emit("payment_intent.succeeded", intent))
    book_later(attempt.sandbox, made, attempt.manner)
    return [*events, *attempt.announce()]


def take(charged: dict[str, Any], intent: dict[str, Any]) -> None:
    """The money is taken."""
    charged.update(payment_objects.succeeded(charged["amount"]))
    intent |= {"status": "succeeded", "amount_received": intent["amount"]}


def decline(attempt: Attempt, why: Decline) -> list[dict[str, Any]]:
    """The bank says no at once: the payment waits for another card."""
    made = attempt.charge()
    made.update(payment_objects.failed(why))
    fail(attempt.sandbox, attempt.intent, why, made["id"])
    events = attempt.announce()
    events.append(attempt.emit("charge.failed", made))
    return [*events, attempt.emit("payment_intent.payment_failed", attempt.intent)]


def fail(sandbox: Sandbox, intent: dict[str, Any], why: Decline, charged: str | None) -> None:
    """Put the payment back to where it waits for something to pay with, and say why."""
    method = sandbox.store.get("payment_method", intent["payment_method"])
    error = {
        "type": "card_error" if charged else "invalid_request_error",
        "code": why.code,
        "message": why.message,
        "payment_method": dict(method),
        "doc_url": f"https://stripe.com/docs/error-codes/{why.code.replace('_', '-')}",
    }
    error |= {"charge": charged} if charged else {}
    error |= {"decline_code": why.decline_code} if why.decline_code else {}
    intent.update(status="requires_payment_method", payment_method=None, last_payment_error=error)


def keep_card(sandbox: Sandbox, intent: dict[str, Any], customer: str | None) -> None:
    """Attach what was paid with to the customer, only if the session asked for `setup_future_usage`."""
    if customer and intent["setup_future_usage"]:
        method = sandbox.store.get("payment_method", intent["payment_method"])
        attach(sandbox, method, customer)


def attach(sandbox: Sandbox, method: dict[str, Any], customer: str) -> None:
    """From now on the card belongs to the customer."""
    method["customer"] = customer
    sandbox.emit("payment_method.attached", method)


def book_later(sandbox: Sandbox, charged: dict[str, Any], manner: Manner) -> None:
    """Seconds later the money shows in the balance."""
    sandbox.plan(BALANCE_SECONDS, "book", charge=charged["id"], manner=manner.facts)


def book(sandbox: Sandbox, facts: dict[str, Any]) -> None:
    """It shows now."""
    charged = sandbox.store.find("charge", facts["charge"])
    if charged:
        charged["balance_transaction"] = new_id("txn_3")
        manner = Manner(**facts["manner"])
        sandbox.emit("charge.updated", charged, previous={"balance_transaction": None}, manner=manner)
