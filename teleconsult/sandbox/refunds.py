"""The life of a refund: made, sometimes pending, now and then failed weeks later.

From https://docs.stripe.com/refunds and https://docs.stripe.com/testing#refunds. A pending refund isn't counted on the
charge yet, and one that fails is taken off it again: `amount_refunded` goes down.
"""

from __future__ import annotations

from typing import Any

from teleconsult.sandbox import reversal_objects
from teleconsult.sandbox.context import Sandbox
from teleconsult.sandbox.currencies import shown
from teleconsult.sandbox.delivery import NORMAL, Manner
from teleconsult.sandbox.errors import StripeError, invalid, refused
from teleconsult.sandbox.ids import new_id

REFERENCE_SECONDS, OUTCOME_SECONDS = 1.0, 60.0
SUCCEEDED, PENDING, FAILED, CANCELED = "succeeded", "pending", "failed", "canceled"
CARDS = {"4000000000007726": (PENDING, SUCCEEDED), "4000000000005126": (SUCCEEDED, FAILED)}
"""Cards whose refunds begin in one state and a minute later are in another."""
FAILURES = ("expired_or_canceled_card", "lost_or_stolen_card", "declined", "insufficient_funds", "unknown")
MOVES = {PENDING: (SUCCEEDED, FAILED, CANCELED), SUCCEEDED: (FAILED,)}


def checked(sandbox: Sandbox, charged: dict[str, Any] | None, wanted: int | None) -> tuple[dict[str, Any], int]:
    """The charge and the amount to send back: all that is left, unless `wanted` says how much.

    Raises:
        StripeError: when nothing, or not so much, is left to send back.
    """
    if charged is None or charged["status"] != "succeeded":
        raise refused("This PaymentIntent does not have a successful charge to refund.", param="payment_intent")
    if charged["refunded"]:
        raise refused(f"Charge {charged['id']} has already been refunded.", code="charge_already_refunded")
    if _charged_back(sandbox, charged):
        text = f"Charge {charged['id']} has been charged back; cannot issue a refund."
        raise refused(text, code="charge_disputed")
    left = charged["amount"] - charged["amount_refunded"] - _on_the_way(sandbox, charged)
    amount = left if wanted is None else wanted
    if amount < 1 and wanted is not None:
        raise invalid("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if amount > left or amount < 1:
        raise _too_much(amount, left, charged["currency"])
    return charged, amount


def _charged_back(sandbox: Sandbox, charged: dict[str, Any]) -> bool:
    if not charged["disputed"]:
        return False
    disputes = sandbox.store.all("dispute").values()
    return any(d["charge"] == charged["id"] and not d["is_charge_refundable"] for d in disputes)


def _on_the_way(sandbox: Sandbox, charged: dict[str, Any]) -> int:
    rows = sandbox.store.note(charged["id"]).get("refunds", ())
    return sum(r["amount"] for r in (sandbox.store.get("refund", row) for row in rows) if r["status"] == PENDING)


def _too_much(amount: int, left: int, currency: str) -> StripeError:
    text = (
        f"Refund amount ({shown(amount, currency)}) is greater than unrefunded amount on charge "
        f"({shown(left, currency)})"
    )
    return refused(text, param="amount")


def create(
    sandbox: Sandbox,
    charged: dict[str, Any],
    amount: int,
    params: dict[str, Any],
    *,
    status: str | None = None,
    request: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Send money back. `checked` has said that so much is left. Some test cards decide how it goes on."""
    store = sandbox.store
    begins, ends = CARDS.get(store.note(charged["id"]).get("number", ""), (SUCCEEDED, SUCCEEDED))
    begins = status or begins
    made = store.put(reversal_objects.refund(charged, amount, params, begins, store.now()))
    store.note(charged["id"]).setdefault("refunds", []).append(made["id"])
    sandbox.emit("refund.created", made, request=request)
    if begins == SUCCEEDED:
        _count(sandbox, charged, amount, request)
        sandbox.plan(REFERENCE_SECONDS, "reference", refund=made["id"])
    if status is None and ends != begins:
        sandbox.plan(OUTCOME_SECONDS, "refund", refund=made["id"], status=ends)
    return made


def move(
    sandbox: Sandbox,
    made: dict[str, Any],
    status: str,
    *,
    why: str = FAILURES[0],
    manner: Manner = NORMAL,
    request: dict[str, Any] | None = None,
) -> None:
    """The bank's later word on a refund.

    Raises:
        StripeError: when it can't come to this any more.
    """
    if status not in MOVES.get(made["status"], ()):
        raise refused(f"A refund that is {made['status']} cannot become {status}.", param="status")
    before, store = made["status"], sandbox.store
    previous: dict[str, Any] = {"status": before}
    made["status"] = status
    if made.pop("pending_reason", None):
        previous["pending_reason"] = "processing"
    charged = store.get("charge", made["charge"])
    if status == SUCCEEDED:
        _count(sandbox, charged, made["amount"], request, manner)
    if status == FAILED:
        previous |= {"failure_balance_transaction": None, "failure_reason": None}
        made |= {"failure_balance_transaction": new_id("txn_3"), "failure_reason": why}
        _take_off(charged, made["amount"] if before == SUCCEEDED else 0)
    _updated(sandbox, made, previous, manner, request)
    if status == FAILED:
        sandbox.emit("refund.failed", made, manner=manner, request=request)


def refer(sandbox: Sandbox, facts: dict[str, Any]) -> None:
    """A second later the bank's reference is known."""
    made = sandbox.store.find("refund", facts["refund"])
    if made and made["status"] == SUCCEEDED:
        previous = {"destination_details": made["destination_details"]}
        made["destination_details"] = reversal_objects.referenced(made)
        _updated(sandbox, made, previous)


def come_true(sandbox: Sandbox, facts: dict[str, Any]) -> None:
    """What the card decided comes to pass, unless somebody was faster."""
    made = sandbox.store.find("refund", facts["refund"])
    if made and facts["status"] in MOVES.get(made["status"], ()):
        move(sandbox, made, facts["status"])


def _count(
    sandbox: Sandbox,
    charged: dict[str, Any],
    amount: int,
    request: dict[str, Any] | None,
    manner: Manner = NORMAL,
) -> None:
    """From now on the money counts as returned."""
    previous = {name: charged[name] for name in ("amount_refunded", "refunded")}
    charged["amount_refunded"] += amount
    charged["refunded"] = charged["amount_refunded"] == charged["amount"]
    sandbox.emit("charge.refunded", charged, previous=previous, request=request, manner=manner)


def _take_off(charged: dict[str, Any], amount: int) -> None:
    """The money is back in the account's balance, and counts as refunded no more."""
    charged["amount_refunded"] -= amount
    charged["refunded"] = charged["refunded"] and not amount


def _updated(
    sandbox: Sandbox,
    made: dict[str, Any],
    previous: dict[str, Any],
    manner: Manner = NORMAL,
    request: dict[str, Any] | None = None,
) -> None:
    for kind in ("refund.updated", "charge.refund.updated"):
        sandbox.emit(kind, made, previous=previous, manner=manner, request=request)
