"""The life of a dispute: opened by the customer's bank, answered with evidence, won or lost.

From https://docs.stripe.com/disputes and https://docs.stripe.com/testing#disputes.
"""

from __future__ import annotations

from typing import Any

from teleconsult.sandbox import reversal_objects
from teleconsult.sandbox.context import Sandbox
from teleconsult.sandbox.delivery import NORMAL, Manner
from teleconsult.sandbox.errors import invalid, refused

OPEN, INQUIRY = "needs_response", "warning_needs_response"
CARDS = {
    "4000000000000259": ("fraudulent", OPEN),
    "4000000000002685": ("product_not_received", OPEN),
    "4000000000001976": ("fraudulent", INQUIRY),
}
"""Cards whose payments are disputed at once."""
REASONS = (
    "fraudulent", "product_not_received", "product_unacceptable", "duplicate", "credit_not_processed", "unrecognized",
    "general", "subscription_canceled",
)  # fmt: skip
MOVES = {
    OPEN: ("under_review", "won", "lost"),
    "under_review": ("won", "lost"),
    INQUIRY: ("warning_under_review", "warning_closed", OPEN),
    "warning_under_review": ("warning_closed", OPEN),
}
VERDICTS = {"winning_evidence": "won", "losing_evidence": "lost", "escalate_inquiry_evidence": OPEN}
"""Texts of evidence that decide a test dispute."""


def begin(
    sandbox: Sandbox,
    charged: dict[str, Any],
    reason: str = "fraudulent",
    status: str = OPEN,
    *,
    amount: int | None = None,
    manner: Manner = NORMAL,
) -> dict[str, Any]:
    """The bank takes the money back, or asks about the payment first (an inquiry).

    Raises:
        StripeError: when nothing was charged, or it is disputed already.
    """
    if charged["status"] != "succeeded" or charged["disputed"]:
        raise refused("Only a successful charge that is not disputed yet can be disputed.")
    if reason not in REASONS or status not in (OPEN, INQUIRY):
        raise invalid(f"Invalid reason: must be one of {', '.join(REASONS)}", param="reason")
    store, asked = sandbox.store, charged["amount"] if amount is None else amount
    if not 0 < asked <= charged["amount"]:
        raise invalid("A dispute is about no more than was charged.", param="amount")
    made = store.put(reversal_objects.dispute(charged, asked, reason, status, store.now()))
    charged["disputed"] = True
    sandbox.emit("charge.dispute.created", made, manner=manner)
    if status == OPEN:
        sandbox.emit("charge.dispute.funds_withdrawn", made, manner=manner)
    return made


def move(
    sandbox: Sandbox,
    made: dict[str, Any],
    status: str,
    manner: Manner = NORMAL,
    request: dict[str, Any] | None = None,
) -> None:
    """The bank's next word.

    Raises:
        StripeError: when the dispute can't come to this any more: what is closed stays closed.
    """
    if status not in MOVES.get(made["status"], ()):
        raise refused(f"A dispute that is {made['status']} cannot become {status}.", param="status")
    previous: dict[str, Any] = {"status": made["status"]}
    made["status"] = status
    if status in ("under_review", "warning_under_review"):
        sandbox.emit("charge.dispute.updated", made, previous=previous, manner=manner, request=request)
        return
    if status == OPEN:
        _escalate(sandbox, made, previous, manner, request)
        return
    if status == "won":
        _give_back(sandbox, made)
        sandbox.emit("charge.dispute.funds_reinstated", made, manner=manner, request=request)
    sandbox.emit("charge.dispute.closed", made, manner=manner, request=request)


def add_evidence(
    sandbox: Sandbox, made: dict[str, Any], params: dict[str, Any], request: dict[str, Any] | None = None
) -> None:
    """What the account has to say. Some texts decide the dispute; `submit=false` keeps it as a draft.

    Raises:
        StripeError: when the dispute is closed.
    """
    given = params.get("evidence") or {}
    if made["status"] not in MOVES:
        raise refused("This dispute is already closed.")
    details = made["evidence_details"]
    previous = {"evidence": made["evidence"], "evidence_details": details}
    made["evidence"] = made["evidence"] | {name: value or None for name, value in given.items()}
    sent = params.get("submit", True)
    method = "manual" if sent else details["submission_method"]
    made["evidence_details"] = details | {
        "has_evidence": True, "submission_count": details["submission_count"] + sent, "submission_method": method,
    }  # fmt: skip
    sandbox.emit("charge.dispute.updated", made, previous=previous, request=request)
    if not sent:
        return
    inquiry = made["status"].startswith("warning_")
    wanted = VERDICTS.get(given.get("uncategorized_text") or "", "under_review")
    if inquiry and wanted != OPEN:
        wanted = "warning_under_review" if wanted == "under_review" else "warning_closed"
    if wanted in MOVES[made["status"]]:
        move(sandbox, made, wanted, request=request)


def _escalate(
    sandbox: Sandbox, made: dict[str, Any], previous: dict[str, Any], manner: Manner, request: dict[str, Any] | None
) -> None:
    """An inquiry becomes a chargeback: now the money goes."""
    store = sandbox.store
    taken = reversal_objects.movement(-made["amount"], reversal_objects.DISPUTE_FEE, made["currency"], store.now())
    previous |= {"balance_transactions": made["balance_transactions"], "is_charge_refundable": True}
    made |= {"balance_transactions": [*made["balance_transactions"], taken], "is_charge_refundable": False}
    sandbox.emit("charge.dispute.updated", made, previous=previous, manner=manner, request=request)
    sandbox.emit("charge.dispute.funds_withdrawn", made, manner=manner, request=request)


def _give_back(sandbox: Sandbox, made: dict[str, Any]) -> None:
    given = reversal_objects.movement(made["amount"], 0, made["currency"], sandbox.store.now())
    made |= {"balance_transactions": [*made["balance_transactions"], given], "is_charge_refundable": True}
