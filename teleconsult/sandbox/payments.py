"""Money moving: charges that succeed or fail, cards kept, refunds, and the events each of them sends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from teleconsult.sandbox import payment_objects
from teleconsult.sandbox.cards import Card, Decline
from teleconsult.sandbox.context import Sandbox
from teleconsult.sandbox.delivery import Manner
from teleconsult.sandbox.ids import new_id, random_text

BALANCE_SECONDS, REFERENCE_SECONDS = 2.0, 1.0


@dataclass(frozen=True)
class Attempt:
    """One try to pay an intent with a card. `created` is the event of the intent's making, drafted and not yet sent."""

    sandbox: Sandbox
    intent: dict[str, Any]
    card: Card
    manner: Manner
    created: dict[str, Any] | None = None

    def emit(self, kind: str, item: dict[str, Any]) -> dict[str, Any]:
        """An event that arrives in the manner chosen for this payment."""
        return self.sandbox.emit(kind, item, manner=self.manner)

    def announce(self) -> list[dict[str, Any]]:
        """Send the event of the intent's making, if it is new."""
        return [self.sandbox.publish(self.created, self.manner)] if self.created else []

    def charge(self) -> dict[str, Any]:
        """Ask the bank, and keep what it said."""
        store = self.sandbox.store
        method = store.get("payment_method", self.intent["payment_method"])
        made = store.put(payment_objects.charge(self.intent, method, self.card, self.sandbox.base, store.now()))
        self.intent["latest_charge"] = made["id"]
        return made


def succeed(attempt: Attempt) -> list[dict[str, Any]]:
    """The bank says yes. `payment_intent.created` comes after `.succeeded`, as seen from the real Checkout."""
    made, intent = attempt.charge(), attempt.intent
    intent |= {"status": "succeeded", "amount_received": intent["amount"]}
    kinds = [("charge.succeeded", made), ("payment_intent.succeeded", intent)]
    if attempt.card.authenticates:
        kinds.reverse()
    events = [attempt.emit(kind, item) for kind, item in kinds]
    attempt.sandbox.later(BALANCE_SECONDS, lambda: _book(attempt.sandbox, made, attempt.manner))
    return [*events, *attempt.announce()]


def decline(attempt: Attempt, why: Decline) -> list[dict[str, Any]]:
    """The bank says no: the payment waits for another card."""
    made = attempt.charge()
    fail(attempt, why, made["id"])
    events = attempt.announce()
    events.append(attempt.emit("charge.failed", made))
    return [*events, attempt.emit("payment_intent.payment_failed", attempt.intent)]


def fail(attempt: Attempt, why: Decline, charged: str | None) -> None:
    """Put the payment back to where it waits for a card, with the reason."""
    method = attempt.sandbox.store.get("payment_method", attempt.intent["payment_method"])
    error = {
        "type": "card_error" if charged else "invalid_request_error",
        "code": why.code,
        "message": why.message,
        "payment_method": dict(method),
        "doc_url": f"https://stripe.com/docs/error-codes/{why.code.replace('_', '-')}",
    }
    error |= {"charge": charged} if charged else {}
    error |= {"decline_code": why.decline_code} if why.decline_code else {}
    attempt.intent.update(status="requires_payment_method", payment_method=None, last_payment_error=error)


def keep_card(sandbox: Sandbox, intent: dict[str, Any], customer: str | None) -> None:
    """Attach the card to the customer, only if the session asked for `setup_future_usage`."""
    if customer and intent["setup_future_usage"]:
        method = sandbox.store.get("payment_method", intent["payment_method"])
        attach(sandbox, method, customer)


def attach(sandbox: Sandbox, method: dict[str, Any], customer: str) -> None:
    """From now on the card belongs to the customer."""
    method["customer"] = customer
    sandbox.emit("payment_method.attached", method)


def refund(
    sandbox: Sandbox, charged: dict[str, Any], amount: int, params: dict[str, Any], request: dict[str, Any]
) -> dict[str, Any]:
    """Send money back. The caller has checked that so much is left."""
    made = sandbox.store.put(payment_objects.refund(charged, amount, params, sandbox.store.now()))
    previous = {name: charged[name] for name in ("amount_refunded", "refunded")}
    charged["amount_refunded"] += amount
    charged["refunded"] = charged["amount_refunded"] == charged["amount"]
    sandbox.emit("refund.created", made, request=request)
    sandbox.emit("charge.refunded", charged, previous=previous, request=request)
    sandbox.later(REFERENCE_SECONDS, lambda: _reference(sandbox, made))
    return made


def _book(sandbox: Sandbox, charged: dict[str, Any], manner: Manner) -> None:
    """Seconds later the money shows in the balance."""
    if sandbox.store.find("charge", charged["id"]) is not charged:
        return
    charged["balance_transaction"] = new_id("txn_3")
    sandbox.emit("charge.updated", charged, previous={"balance_transaction": None}, manner=manner)


def _reference(sandbox: Sandbox, made: dict[str, Any]) -> None:
    """A second later the bank's reference is known."""
    if sandbox.store.find("refund", made["id"]) is not made:
        return
    previous = {"destination_details": made["destination_details"]}
    reference = {"reference": random_text(12).upper(), "reference_status": "available"}
    reference |= {"reference_type": "acquirer_reference_number", "type": "refund"}
    made["destination_details"] = {"card": reference, "type": "card"}
    for kind in ("refund.updated", "charge.refund.updated"):
        sandbox.emit(kind, made, previous=previous)
