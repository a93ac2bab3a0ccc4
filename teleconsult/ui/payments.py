"""What a patient reads about their money, step by step. Pure: the facts come from the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from teleconsult.billing.moments import Moment
from teleconsult.billing.views import Receipt
from teleconsult.ui import times

BANK_DAYS = "Banks usually take 5 to 10 days."


class Said(NamedTuple):
    """A short title and the sentences under it."""

    title: str
    text: str


NOTHING = Said("", "")

WORDS = {
    "bank": Said(
        "Your bank is confirming your payment",
        "With this way to pay that can take some days, up to 14. You don’t need to do anything: we’ll e-mail you. "
        "Please don’t pay again.",
    ),
    "checking": Said(
        "We’re checking your payment",
        "We received a payment and look at it in person before it counts. You don’t need to do anything, and please "
        "don’t pay again.",
    ),
    "failed": Said(
        "Your bank didn’t make the payment",
        "Nothing was charged. Your draft is saved, and you can pay again.",
    ),
    "returned": Said(
        "We’re returning your last payment",
        f"We couldn’t use it for this consultation. {BANK_DAYS} Your draft is saved, and you can pay again.",
    ),
}
"""About the payment of a draft, by `Case.payment`."""

DISPUTED = "On hold while your bank looks into the payment."
ON_HOLD = Said(
    "On hold while your bank looks into the payment",
    "Your consultation goes on when your bank has decided. You don’t need to do anything here.",
)

WAITING_LINES = {
    "bank": "Your bank is confirming your payment. That can take some days.",
    "checking": "We’re checking your payment. Please don’t pay again.",
}
DRAFT_LINES = {
    "failed": "Your bank didn’t make the payment. Nothing was charged.",
    "returned": "We’re returning your last payment. You can pay again.",
}
"""The same in the one line of a list."""

_MOMENTS = {
    "processing": ("Your bank began to confirm {}", "clock"),
    "failed": ("Your bank didn’t make the payment", "x"),
    "checking": ("We began to check your payment of {}", "clock"),
    "paid": ("You paid {}", "credit-card"),
    "again": ("You paid {} a second time, or too late", "credit-card"),
    "unusable": ("We couldn’t use your payment of {}", "undo-2"),
    "returning": ("{} is on its way back to you", "undo-2"),
    "returned": ("{} returned the way you paid", "undo-2"),
    "return_failed": ("Your bank didn’t take {} back. We’re looking into it", "clock"),
    "disputed": ("Your bank began to look into the payment", "clock"),
    "dispute_won": ("Your bank has finished: the payment stands", "check"),
    "dispute_lost": ("Your bank returned the payment to you", "undo-2"),
}
"""Words and icon of each moment; the amount goes where the braces are."""


def timeline(moments: Sequence[Moment], timezone: str, now: datetime) -> list[dict[str, str]]:
    """The payment's history as the page draws it, oldest first."""
    return [
        {
            "title": _MOMENTS[moment.what][0].format(moment.amount),
            "time": times.full(moment.at, timezone, now),
            "icon": _MOMENTS[moment.what][1],
            "state": "done",
        }
        for moment in moments
    ]


def closing(receipt: Receipt | None) -> str:
    """Where the money of a case without an answer is."""
    if receipt is None:
        return ""
    if receipt.bank_returned:
        return f"Your bank returned your payment of {receipt.amount} to you."
    if receipt.refund_failed:
        return (
            "Your bank didn’t take the money we returned. It is safe with us: we’re looking into it and will write to "
            "you."
        )
    if receipt.refund_due:
        return f"{receipt.amount} is on its way back to you, the way you paid. {BANK_DAYS}"
    return f"{receipt.refunded} went back to you, the way you paid. {BANK_DAYS}" if receipt.refunded else ""
