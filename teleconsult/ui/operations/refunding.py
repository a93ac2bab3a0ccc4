"""Returning money: what is asked, how the answer is read, and what came of it. Pure."""

from __future__ import annotations

from typing import TypedDict

import typing_extensions

from teleconsult.billing.rules import RefundReason, money
from teleconsult.billing.story import Attempt, Story
from teleconsult.consultations.rules import Status
from teleconsult.errors import Invalid
from teleconsult.ui.operations import amounts
from teleconsult.ui.operations.decisions import BANK_DAYS, Result

REASONS: dict[str, str] = {
    RefundReason.REQUESTED: "The patient asked for it",
    RefundReason.LATE: "We were late",
    RefundReason.NOT_ASSESSABLE: "It couldn’t be assessed",
    RefundReason.GOODWILL: "Goodwill",
}
"""What an operator chooses from. The other reasons are found by the system itself."""

MAIL = "The patient gets an e-mail when Stripe has taken the refund."

NO_PROBLEMS = {amounts.FIELD: "", "reason": "", "confirm": ""}

_HELD = "If all that is left goes back, the case is put on hold: its dermatologist doesn’t see it then."
IF_ALL = {
    Status.PENDING: "If all that is left goes back, the consultation is cancelled and nobody answers it.",
    Status.IN_REVIEW: _HELD,
    Status.NEEDS_PHOTOS: _HELD,
}
"""What becomes of the case, by its state. Otherwise it stays as it is."""


class RefundForm(typing_extensions.TypedDict):  # the guard reads it with pydantic, which asks for this one
    """The form, as it was written."""

    amount: str
    reason: str
    confirm: str


class RefundQuestion(TypedDict):
    """What the dialog says."""

    ref: str
    title: str
    text: str
    left: str
    start: str
    """What stands in the field at first: all that is left."""


NO_REFUND = RefundQuestion(ref="", title="", text="", left="", start="")


def question(found: Story, attempt: Attempt) -> RefundQuestion:
    """What returning money of this attempt will do."""
    effect = IF_ALL.get(Status(found.status), "The consultation stays as it is.")
    return RefundQuestion(
        ref=found.ref,
        title=f"Return money of {found.ref}",
        text=f"It goes back the way it was paid. {BANK_DAYS} {effect}",
        left=f"{money(attempt.left_minor, attempt.currency)} can be returned. Write less to return a part.",
        start=amounts.plain(attempt.left_minor, attempt.currency),
    )


def read(form: RefundForm, attempt: Attempt, ref: str) -> int:
    """The amount in minor units.

    Raises:
        Invalid: with a message for each field that has to be mended, in the order of the form.
    """
    problems, amount = {}, 0
    try:
        amount = amounts.minor(form["amount"], attempt.currency)
    except Invalid as invalid:
        problems |= invalid.problems
    if amount > attempt.left_minor:
        problems[amounts.FIELD] = f"No more than {money(attempt.left_minor, attempt.currency)} can be returned."
    if form["reason"] not in REASONS:
        problems["reason"] = "Choose a reason."
    if form["confirm"].strip().upper() != ref:
        problems["confirm"] = f"Write {ref} to confirm."
    if problems:
        raise Invalid(problems)
    return amount


def done(amount: str) -> Result:
    """It is promised; a job carries it out."""
    return Result(title=f"{amount} is going back", text=f"{MAIL} {BANK_DAYS}", tone="ok")


def refused(message: str) -> Result:
    """The payment has moved on meanwhile."""
    return Result(title="Nothing was returned", text=message, tone="neutral")


def out_of_touch() -> Result:
    """The server was started anew between question and answer."""
    return Result(title="Nothing was returned", text="The connection was lost in between. Ask again.", tone="neutral")


def unsure() -> Result:
    """The database went away in the middle, and a refund that is asked for twice is two refunds."""
    text = "The database doesn’t answer. Before you try again, see below whether the refund was promised."
    return Result(title="We don’t know yet whether that worked", text=text, tone="danger")
