"""A case and its attempts to pay, in words: pure, from `billing.story`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypedDict

from teleconsult.billing import holds
from teleconsult.billing.rules import LIVE, PaymentStatus, RefundStatus, money
from teleconsult.billing.story import Attempt, Story
from teleconsult.consultations.rules import Status
from teleconsult.ui import times
from teleconsult.ui.operations import addresses
from teleconsult.ui.operations.happenings import Happening, happenings


class Look(NamedTuple):
    """A word, its tone and its icon."""

    word: str
    tone: str
    icon: str


class Fact(TypedDict):
    """One thing that is known. `href` leads to it at Stripe, or is ""."""

    term: str
    value: str
    href: str


class Try(TypedDict):
    """One attempt to pay."""

    id: str
    title: str
    word: str
    tone: str
    icon: str
    sums: list[Fact]
    """Amounts."""
    facts: list[Fact]
    """Names and states."""
    note: str
    """What is to be said about returning money, or ""."""
    decide: bool
    """Whether it waits for a decision on the overview."""
    returnable: bool


class CaseFile(TypedDict):
    """All the page shows about one case."""

    ref: str
    word: str
    tone: str
    icon: str
    id: str
    """The consultation's."""
    hold: str
    sums: list[Fact]
    tries: list[Try]
    history: list[Happening]


NO_FILE = CaseFile(ref="", word="", tone="", icon="", id="", hold="", sums=[], tries=[], history=[])

CASES = {
    Status.DRAFT: Look("Draft", "neutral", "pencil"),
    Status.PENDING: Look("Waiting for a dermatologist", "warn", "clock"),
    Status.IN_REVIEW: Look("In review", "info", "stethoscope"),
    Status.NEEDS_PHOTOS: Look("Waiting for photos", "ask", "camera"),
    Status.ANSWERED: Look("Answered", "ok", "circle-check"),
    Status.CLOSED: Look("Closed", "neutral", "check"),
    Status.REJECTED: Look("Sent back", "neutral", "undo-2"),
    Status.CANCELLED: Look("Cancelled", "neutral", "ban"),
}
TRIES = {
    PaymentStatus.CREATING: Look("Being opened", "info", "clock"),
    PaymentStatus.OPEN: Look("Open at Stripe", "info", "credit-card"),
    PaymentStatus.PROCESSING: Look("With the bank", "info", "clock"),
    PaymentStatus.PAID: Look("Paid", "ok", "circle-check"),
    PaymentStatus.DUPLICATE: Look("Paid twice, or too late", "warn", "copy"),
    PaymentStatus.REVIEW: Look("Waits for a decision", "warn", "hand"),
    PaymentStatus.RETURNED: Look("Sent back", "neutral", "undo-2"),
    PaymentStatus.FAILED: Look("Not made by the bank", "neutral", "circle-x"),
    PaymentStatus.EXPIRED: Look("Time was up", "neutral", "timer"),
    PaymentStatus.CANCELLED: Look("Closed unpaid", "neutral", "x"),
}
REFUNDS = {
    RefundStatus.REQUESTED: "Being sent to Stripe",
    RefundStatus.PENDING: "On its way",
    RefundStatus.SUCCEEDED: "Went through",
    RefundStatus.FAILED: "Failed",
}
DISPUTES = {
    "won": "Over: the payment stands",
    "prevented": "Over: the payment stands",
    "warning_closed": "Over: the payment stands",
    "lost": "Lost: the bank returned the payment",
}
OPEN_DISPUTE = "The patient’s bank looks into it"
HOLDS = {
    holds.DISPUTE: "The patient’s bank looks into the payment. No dermatologist sees the case meanwhile.",
    holds.REFUND: "All of its money went back while a dermatologist had it. Nobody sees the case now.",
}
SEEN = {
    "webhook": "Stripe’s event",
    "landing": "The patient’s way back",
    "sweep": "The sweep",
    "operator": "An operator",
}


def case_file(found: Story, timezone: str) -> CaseFile:
    """The whole page."""
    look = CASES[Status(found.status)]
    due = times.full(found.due_at, timezone) if found.due_at and found.status in _WAITING else ""
    return CaseFile(
        ref=found.ref,
        word=look.word,
        tone=look.tone,
        icon=look.icon,
        id=str(found.consultation_id),
        hold=HOLDS.get(found.hold_reason or "", "It is on hold." if found.hold_reason else ""),
        sums=_given(
            Fact(term="Received", value=_sum(found.attempts, lambda a: a.received_minor) or "Nothing", href=""),
            Fact(term="Returned", value=_sum(found.attempts, lambda a: a.refunded_minor) or "Nothing", href=""),
            Fact(term="Answer due", value=due, href=""),
        ),
        tries=[_try(attempt, timezone) for attempt in reversed(found.attempts)],
        history=happenings(found, timezone),
    )


_WAITING = (Status.PENDING, Status.IN_REVIEW, Status.NEEDS_PHOTOS)


def _sum(attempts: Sequence[Attempt], minor: Callable[[Attempt], int]) -> str:
    """Over all attempts, each currency by itself."""
    totals: dict[str, int] = {}
    for attempt in attempts:
        totals[attempt.currency] = totals.get(attempt.currency, 0) + minor(attempt)
    return " and ".join(money(total, currency) for currency, total in totals.items() if total)


def _try(attempt: Attempt, timezone: str) -> Try:
    look = TRIES[PaymentStatus(attempt.status)]
    return Try(
        id=str(attempt.id),
        title=f"Attempt {attempt.number}",
        word=look.word,
        tone=look.tone,
        icon=look.icon,
        sums=_sums(attempt),
        facts=_facts(attempt, timezone),
        note=_note(attempt),
        decide=attempt.status == PaymentStatus.REVIEW or attempt.refund_status == RefundStatus.FAILED,
        returnable=attempt.left_minor > 0 and attempt.refund_status != RefundStatus.REQUESTED,
    )


def _sums(attempt: Attempt) -> list[Fact]:
    def amount(minor: int) -> str:
        return money(minor, attempt.currency) if minor else ""

    return _given(
        Fact(term="Asked for", value=attempt.amount, href=""),
        Fact(term="Received", value=amount(attempt.received_minor), href=""),
        Fact(term="Returned", value=attempt.refunded, href=""),
        Fact(term="Can be returned", value=amount(attempt.left_minor), href=""),
    )


def _facts(attempt: Attempt, timezone: str) -> list[Fact]:
    until = times.full(attempt.expires_at, timezone) if attempt.status in LIVE else ""
    dispute = DISPUTES.get(attempt.dispute_status, OPEN_DISPUTE) if attempt.dispute_status else ""
    return _given(
        Fact(term="Refund", value=REFUNDS.get(attempt.refund_status or "", ""), href=""),
        Fact(term="Dispute", value=dispute, href=""),
        Fact(term="Seen first by", value=SEEN.get(attempt.settled_by or "", attempt.settled_by or ""), href=""),
        Fact(term="Open until", value=until, href=""),
        Fact(term="At Stripe", value=attempt.payment_intent or "", href=addresses.at_stripe(attempt.payment_intent)),
        Fact(term="Checkout session", value=attempt.session_id or "", href=""),
        Fact(term="Payment id", value=str(attempt.id), href=""),
    )


def _note(attempt: Attempt) -> str:
    if attempt.status == PaymentStatus.REVIEW:
        return "This payment waits for a decision."
    if attempt.refund_status == RefundStatus.FAILED:
        return "Its last refund failed and waits for a decision."
    if attempt.refund_status == RefundStatus.REQUESTED and attempt.left_minor > 0:
        return "A refund is being sent to Stripe. More can be returned in a minute."
    return ""


def _given(*facts: Fact) -> list[Fact]:
    return [fact for fact in facts if fact["value"]]
