"""The words of the list: each consultation as one row, in the three groups of the page. Pure."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import NamedTuple, TypedDict

from teleconsult.billing.views import Case
from teleconsult.ui import payments, times


class Row(TypedDict):
    """One consultation as the page draws it."""

    ref: str
    site: str
    status: str
    line: str
    at: str
    src: str
    """Address of the thumbnail, or ""."""
    action: str
    """The one button's words, or "" for none."""
    href: str
    primary: bool
    resume: bool
    """Whether the button goes on with a draft."""


class Groups(NamedTuple):
    """The page's three lists."""

    needs_you: list[Row]
    in_progress: list[Row]
    closed: list[Row]


NEEDS_YOU = ("unpaid", "needs_photos", "answered", "draft")
"""In this order. An answer that has been read needs nobody any more."""

CLOSED = ("closed", "refunded")


def grouped(cases: list[Case], timezone: str, now: datetime, confirming: uuid.UUID | None = None) -> Groups:
    """Rows in the order of the page; `cases` come newest first. `confirming` is the one whose payment is awaited."""
    groups = Groups([], [], [])
    for case in sorted(cases, key=_urgency):
        awaited = case.id == confirming and case.status in ("draft", "unpaid")
        made = _row(case, "confirming" if awaited else case.status, timezone, now)
        _group_of(groups, case, made["status"]).append(made)
    return groups


def _urgency(case: Case) -> int:
    return NEEDS_YOU.index(case.status) if case.status in NEEDS_YOU else len(NEEDS_YOU)


def _group_of(groups: Groups, case: Case, status: str) -> list[Row]:
    if status in CLOSED or (status == "answered" and not case.unread):
        return groups.closed
    return groups.needs_you if status in NEEDS_YOU else groups.in_progress


def _row(case: Case, status: str, timezone: str, now: datetime) -> Row:
    line, at = _words(case, status, timezone, now)
    action, href = _action(case, status)
    return Row(
        ref=case.ref,
        site=case.site,
        status=status,
        line=line,
        at=at,
        src=f"/api/photos/{case.photo_id}?size=thumb" if case.photo_id else "",
        action=action,
        href=href,
        primary=status in ("unpaid", "needs_photos") or (status == "answered" and case.unread),
        resume=status in ("draft", "unpaid"),
    )


def _action(case: Case, status: str) -> tuple[str, str]:
    page = f"/consultations/{case.id}"
    if status == "draft":
        return "Resume draft", f"{page}/{case.resume_step}"
    if status == "unpaid":
        return "Continue to payment", f"{page}/review"
    if status == "confirming":
        return ("View", page) if case.payment else ("", "")
    return ("Read answer" if status == "answered" else "View"), page


def _words(case: Case, status: str, timezone: str, now: datetime) -> tuple[str, str]:
    """What is to be said, and since when it is so."""
    since = case.saved_at
    match status:
        case "draft" | "unpaid":
            unpaid = f"{_photos(case.photos)}. Nothing has been charged."
            line, verb = payments.DRAFT_LINES.get(case.payment, unpaid), "Saved"
        case "confirming":
            line, verb = payments.WAITING_LINES.get(case.payment, "We’re finishing your payment."), "Sent"
        case "pending" | "in_review" | "needs_photos":
            line, verb, since = _in_the_queue(case, status, timezone, now), "Sent", case.submitted_at or since
        case "answered" | "closed":
            line, verb, since = f"From {case.doctor}.", "Answered", case.answered_at or since
        case _:
            line, verb = f"You get {case.amount or 'your money'} back the way you paid.", "Closed"
    return line, f"{verb} {times.recent(since, timezone, now)}"


def _in_the_queue(case: Case, status: str, timezone: str, now: datetime) -> str:
    if case.payment == "disputed":
        return payments.DISPUTED
    if status == "in_review":
        return f"{case.doctor} is looking at your case."
    if status == "needs_photos":
        return f"{case.doctor or 'Your dermatologist'} asked for another photo."
    return f"Paid {case.amount}. {_due(case.due_at, timezone, now)}" if case.due_at else f"Paid {case.amount}."


def _due(due_at: datetime, timezone: str, now: datetime) -> str:
    shown = times.full(due_at, timezone, now)
    return f"Answer by {shown}." if now <= due_at else f"It was due {shown}. We’re late, and still on it."


def _photos(count: int) -> str:
    return {0: "No photos yet", 1: "1 photo"}.get(count, f"{count} photos")
