"""What the list says about a payment when somebody comes back from Stripe. Pure: the facts come from the database."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict

from teleconsult.billing.rules import PaymentStatus
from teleconsult.billing.views import Attempt, Case
from teleconsult.ui import times

FRESH = timedelta(hours=1)
"""How long a payment that arrived is announced above the list."""

LATE = timedelta(minutes=2)
"""From here on the wait for a confirmation is called long."""

AWAITED = frozenset({"confirming", "slow"})
"""Kinds that end by themselves when the database changes."""

QUEUED = ("pending", "in_review")
UNSENT = ("draft", "unpaid")


class Banner(TypedDict):
    """One message.

    `kind` is received, confirming, slow, bank, checking, unfinished, declined, twice, or "" for none.
    """

    kind: str
    due: str
    ref: str
    href: str
    """Where an unfinished payment goes on, or ""."""


NONE = Banner(kind="", due="", ref="", href="")


@dataclass(frozen=True)
class Return:
    """What the address said when somebody came back from Stripe, and what Stripe said when we asked."""

    outcome: str
    """success or cancelled: a hint about what to look for, never a fact."""
    session_id: str
    at: datetime
    still_open: bool = False
    """Stripe says that nobody has paid on that page yet."""


def banner(cases: list[Case], back: Return | None, attempt: Attempt | None, timezone: str, now: datetime) -> Banner:
    """The one message above the list."""
    by_id = {case.id: case for case in cases}
    if back is not None and attempt is not None and attempt.consultation_id in by_id:
        found = _of_attempt(by_id[attempt.consultation_id], back, attempt, now)
        if found != NONE:
            return found
    return _without_return(by_id, timezone, now)


def _of_attempt(case: Case, back: Return, attempt: Attempt, now: datetime) -> Banner:
    late = now - back.at > LATE
    match attempt.status:
        case PaymentStatus.PROCESSING | PaymentStatus.REVIEW:
            return _waiting(case)
        case PaymentStatus.CREATING | PaymentStatus.OPEN if back.outcome == "cancelled" or back.still_open:
            return _unfinished(case)
        case PaymentStatus.CREATING | PaymentStatus.OPEN:
            return NONE if late and not attempt.named else _awaited(case, late=late)
        case PaymentStatus.EXPIRED | PaymentStatus.FAILED | PaymentStatus.CANCELLED if case.status in UNSENT:
            return _unfinished(case, "declined" if attempt.status is PaymentStatus.FAILED else "unfinished")
        case PaymentStatus.DUPLICATE:
            return Banner(kind="twice", due="", ref=case.ref, href="")
        case _:
            return NONE


def _without_return(by_id: Mapping[uuid.UUID, Case], timezone: str, now: datetime) -> Banner:
    for case in by_id.values():
        if case.status == "confirming":
            return _waiting(case)
    paid = [c for c in by_id.values() if c.status in QUEUED and c.submitted_at and now - c.submitted_at < FRESH]
    if not paid:
        return NONE
    latest = max(paid, key=lambda c: c.submitted_at or now)
    due = times.full(latest.due_at, timezone, now) if latest.due_at else ""
    return Banner(kind="received", due=due, ref=latest.ref, href="")


def _unfinished(case: Case, kind: str = "unfinished") -> Banner:
    return Banner(kind=kind, due="", ref=case.ref, href=f"/consultations/{case.id}/review")


def _waiting(case: Case) -> Banner:
    """For days, maybe: the page doesn't stay and look."""
    return Banner(kind=case.payment, due="", ref=case.ref, href="") if case.status == "confirming" else NONE


def _awaited(case: Case, *, late: bool) -> Banner:
    return Banner(kind="slow" if late else "confirming", due="", ref=case.ref, href="")
