"""The words of the list: what is said about each consultation, where it stands, and what can be done."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from teleconsult.billing.views import Case
from teleconsult.ui.consultations.rows import Row, grouped

NOW = datetime(2025, 11, 25, 13, 30, tzinfo=UTC)
DRAFT = Case(
    id=uuid.UUID(int=7), ref="TC-7Q4MX", status="draft", site="Right cheek", photo_id=None, photos=0,
    saved_at=NOW - timedelta(minutes=2), submitted_at=None, due_at=None, answered_at=None, followup_until=None,
    unread=False, doctor="", doctor_title="", amount="", resume_step="photos",
)  # fmt: skip
SENT = replace(
    DRAFT, status="pending", amount="€49.00", submitted_at=NOW - timedelta(hours=1), due_at=NOW + timedelta(hours=47)
)
PAGE = f"/consultations/{DRAFT.id}"


def only_row(case: Case, **more: Any) -> tuple[str, Row]:
    groups = grouped([case], "Europe/Berlin", NOW, **more)
    (found,) = ((name, rows[0]) for name, rows in groups._asdict().items() if rows)
    return found


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (DRAFT, ("needs_you", "No photos yet. Nothing has been charged.", "Saved 2 min ago", "Resume draft",
                 f"{PAGE}/photos")),
        (replace(DRAFT, status="unpaid", photos=3), ("needs_you", "3 photos. Nothing has been charged.",
                 "Saved 2 min ago", "Continue to payment", f"{PAGE}/review")),
        (replace(DRAFT, status="confirming", photos=2), ("in_progress", "We’re finishing your payment.",
                 "Sent 2 min ago", "", "")),
        (SENT, ("in_progress", "Paid €49.00. Answer by Thu 27 Nov, 13:30.", "Sent today 13:30", "View", PAGE)),
        (replace(SENT, due_at=NOW - timedelta(hours=1)), ("in_progress",
                 "Paid €49.00. It was due Tue 25 Nov, 13:30. We’re late, and still on it.", "Sent today 13:30",
                 "View", PAGE)),
        (replace(SENT, status="in_review", doctor="Dr. Amara Lindqvist"), ("in_progress",
                 "Dr. Amara Lindqvist is looking at your case.", "Sent today 13:30", "View", PAGE)),
        (replace(SENT, status="needs_photos", doctor="Dr. Chidi Okafor"), ("needs_you",
                 "Dr. Chidi Okafor asked for another photo.", "Sent today 13:30", "View", PAGE)),
        (replace(SENT, payment="disputed"), ("in_progress", "On hold while your bank looks into the payment.",
                 "Sent today 13:30", "View", PAGE)),
        (replace(SENT, status="answered", doctor="Dr. Chidi Okafor", answered_at=NOW, unread=True), ("needs_you",
                 "From Dr. Chidi Okafor.", "Answered just now", "Read answer", PAGE)),
        (replace(SENT, status="answered", doctor="Dr. Chidi Okafor", answered_at=NOW), ("closed",
                 "From Dr. Chidi Okafor.", "Answered just now", "Read answer", PAGE)),
        (replace(SENT, status="refunded"), ("closed", "You get €49.00 back the way you paid.",
                 "Closed 2 min ago", "View", PAGE)),
    ],
    ids=lambda value: value.status if isinstance(value, Case) else "",
)  # fmt: skip
def test_what_is_said(case: Case, expected: tuple[str, ...]) -> None:
    """Group, line, time, button, address."""
    group, row = only_row(case)
    assert (group, row["line"], row["at"], row["action"], row["href"]) == expected


def test_what_needs_the_patient_comes_in_the_order_of_urgency() -> None:
    cases = [DRAFT] + [replace(SENT, status=s, unread=True, doctor="Dr. X") for s in ("answered", "needs_photos")]
    cases.append(replace(DRAFT, status="unpaid"))
    groups = grouped(cases, "UTC", NOW)
    assert [row["status"] for row in groups.needs_you] == ["unpaid", "needs_photos", "answered", "draft"]


def test_within_a_kind_the_newest_stays_first() -> None:
    newest, older = replace(DRAFT, ref="TC-NEWER"), replace(DRAFT, ref="TC-OLDER")
    assert [row["ref"] for row in grouped([newest, older], "UTC", NOW).needs_you] == ["TC-NEWER", "TC-OLDER"]


def test_the_awaited_payment_offers_nothing_to_press() -> None:
    group, row = only_row(replace(DRAFT, status="unpaid"), confirming=DRAFT.id)
    assert (group, row["status"], row["action"]) == ("in_progress", "confirming", "")


def test_a_paid_one_is_never_called_awaited() -> None:
    assert only_row(SENT, confirming=SENT.id)[1]["status"] == "pending"


def test_the_first_photo_is_shown_small() -> None:
    photo = uuid.uuid4()
    assert only_row(replace(SENT, photo_id=photo))[1]["src"] == f"/api/photos/{photo}?size=thumb"
