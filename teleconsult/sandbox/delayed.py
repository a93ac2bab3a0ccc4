"""Payments whose bank answers days later: the session is complete and unpaid meanwhile.

From https://docs.stripe.com/checkout/fulfillment#delayed-notification.
"""

from __future__ import annotations

from typing import Any

from teleconsult.sandbox import disputes, payment_objects, payments, sale
from teleconsult.sandbox.banks import Debit
from teleconsult.sandbox.cards import Decline
from teleconsult.sandbox.context import Sandbox
from teleconsult.sandbox.delivery import NORMAL, Manner
from teleconsult.sandbox.errors import refused
from teleconsult.sandbox.payments import Attempt


def begin(attempt: Attempt, session: dict[str, Any], debit: Debit) -> list[dict[str, Any]]:
    """The debit is on its way: `completed`, and unpaid. The account decides what comes of it, and when."""
    sandbox, intent, ending = attempt.sandbox, attempt.intent, debit.ending
    made = attempt.charge()
    made |= {"captured": True, "amount_captured": made["amount"]}
    intent["status"] = "processing"
    events = [attempt.emit("payment_intent.processing", intent), attempt.emit("charge.pending", made)]
    events += attempt.announce()
    if ending.after is not None:
        why = [ending.refusal.code, ending.refusal.message] if ending.refusal else None
        sandbox.plan(ending.after, "settle", session=session["id"], why=why, disputed=ending.disputed)
    return [*events, sale.complete(sandbox, session, intent, attempt.manner, paid=False)]


def settle(
    sandbox: Sandbox, session: dict[str, Any], why: Decline | None = None, manner: Manner = NORMAL
) -> list[dict[str, Any]]:
    """The bank's answer: the money, or `why` not. Returns the events.

    Raises:
        StripeError: when no bank is being waited for.
    """
    intent = sandbox.store.find("payment_intent", session["payment_intent"])
    if intent is None or intent["status"] != "processing":
        raise refused("This session does not wait for a bank.")
    charged = sandbox.store.get("charge", intent["latest_charge"])
    if why:
        return _fail(sandbox, session, charged, why, manner)
    payments.take(charged, intent)
    session["payment_status"] = "paid"
    sale.write_invoice(sandbox, session, intent)
    payments.book_later(sandbox, charged, manner)
    return [
        sandbox.emit("charge.succeeded", charged, manner=manner),
        sandbox.emit("payment_intent.succeeded", intent, manner=manner),
        sandbox.emit("checkout.session.async_payment_succeeded", session, manner=manner),
    ]


def come_true(sandbox: Sandbox, facts: dict[str, Any]) -> None:
    """What the account decided comes to pass, unless somebody was faster."""
    session = sandbox.store.find("checkout.session", facts["session"])
    intent = session and sandbox.store.find("payment_intent", session["payment_intent"])
    if session is None or intent is None or intent["status"] != "processing":
        return
    settle(sandbox, session, Decline(*facts["why"]) if facts["why"] else None)
    if facts["disputed"]:
        disputes.begin(sandbox, sandbox.store.get("charge", intent["latest_charge"]))


def _fail(
    sandbox: Sandbox,
    session: dict[str, Any],
    charged: dict[str, Any],
    why: Decline,
    manner: Manner,
) -> list[dict[str, Any]]:
    """The session stays complete and unpaid: who wants to pay needs a new one."""
    intent = sandbox.store.get("payment_intent", charged["payment_intent"])
    charged.update(payment_objects.failed(why) | {"captured": False, "amount_captured": 0})
    payments.fail(sandbox, intent, why, charged["id"])
    return [
        sandbox.emit("charge.failed", charged, manner=manner),
        sandbox.emit("payment_intent.payment_failed", intent, manner=manner),
        sandbox.emit("checkout.session.async_payment_failed", session, manner=manner),
    ]
