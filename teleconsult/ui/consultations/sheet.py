"""One consultation in words: everything its page shows, read in one go and formatted for its reader."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypedDict

from teleconsult.billing import views
from teleconsult.billing.moments import moments
from teleconsult.billing.views import Case, Receipt
from teleconsult.clinic.service import PublishedAnswer, published_answer
from teleconsult.consultations import intake
from teleconsult.consultations import service as consultations
from teleconsult.consultations.history import Act, history
from teleconsult.consultations.questions import BY_NAME, Step
from teleconsult.consultations.service import PhotoLine
from teleconsult.ui import payments, times
from teleconsult.ui.answer import NO_WORDS, Words, words
from teleconsult.ui.parts.photos import PHOTO_LABELS


class Fact(TypedDict):
    """A term and its value."""

    term: str
    value: str


class Section(TypedDict):
    """One page of the form: its name and the answers given there."""

    title: str
    rows: list[Fact]


class Picture(TypedDict):
    """A photo: two addresses and what it shows."""

    thumb: str
    full: str
    text: str


@dataclass(frozen=True)
class Sheet:
    """What the page shows. `elsewhere` is the address to go to instead, when this consultation isn't sent yet."""

    elsewhere: str = ""
    site: str = ""
    ref: str = ""
    status: str = ""
    patient: str = ""
    due: str = ""
    late: bool = False
    doctor: str = ""
    credentials: str = ""
    since: str = ""
    closing: str = ""
    """Why and how it was closed without an answer."""
    moments: list[dict[str, str]] = field(default_factory=list)
    notice_title: str = ""
    notice: str = ""
    """What is to be said about its payment before anything else: that the bank confirms it, or that it is on hold."""
    payment: list[Fact] = field(default_factory=list)
    money: list[dict[str, str]] = field(default_factory=list)
    """What happened to the payment, oldest first."""
    photos: list[Picture] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    words: Words = field(default_factory=lambda: Words(**NO_WORDS))


def read(user_id: uuid.UUID, consultation_id: uuid.UUID, name: str, timezone: str) -> Sheet:
    """The page of one consultation for its patient, whose `name` heads the printed answer. Reads it as read.

    Raises:
        NotFound: absent, somebody else's, or discarded for good.
    """
    case = views.my_case(user_id, consultation_id)
    if case.status in ("draft", "unpaid"):
        return Sheet(elsewhere=f"/consultations/{case.id}/{case.resume_step}")
    sent = consultations.draft(user_id, consultation_id)
    acts, receipt = history(user_id, consultation_id), views.receipt(user_id, consultation_id)
    answer, now = published_answer(user_id, consultation_id), datetime.now(UTC)
    said = payments.ON_HOLD if case.payment == "disputed" else payments.WORDS.get(case.payment, payments.NOTHING)
    return Sheet(
        site=case.site,
        ref=case.ref,
        status=case.status,
        patient=_patient(name, sent.answers),
        due=times.display(case.due_at, timezone) if case.due_at else "",
        late=bool(case.due_at and now > case.due_at),
        doctor=case.doctor,
        credentials=case.doctor_title,
        since=next((times.recent(act.at, timezone, now) for act in acts if act.what == "claimed"), ""),
        closing=payments.closing(receipt),
        moments=_moments(case, acts, timezone, now),
        notice_title=said.title,
        notice=said.text,
        payment=_payment(receipt, timezone, now),
        money=payments.timeline(moments(user_id, consultation_id), timezone, now),
        photos=_pictures(sent.photos),
        sections=_sections(sent.answers),
        words=_words(answer, case, timezone, now) if answer else Words(**NO_WORDS),
    )


def _patient(name: str, answers: Mapping[str, Any]) -> str:
    born = intake.spoken(BY_NAME["dob"], answers.get("dob"))
    return ", ".join(part for part in (name, born and f"born {born}") if part)


def _payment(receipt: Receipt | None, timezone: str, now: datetime) -> list[Fact]:
    if receipt is None:
        return []
    rows = [Fact(term="Paid", value=receipt.amount)]
    if receipt.paid_at:
        rows.append(Fact(term="Date", value=times.full(receipt.paid_at, timezone, now)))
    if receipt.refunded:
        rows.append(Fact(term="Returned", value=receipt.refunded))
    return rows


def _pictures(photos: Sequence[PhotoLine]) -> list[Picture]:
    kinds = dict(PHOTO_LABELS)
    return [
        Picture(
            thumb=f"/api/photos/{photo.id}?size=thumb",
            full=f"/api/photos/{photo.id}",
            text=f"Photo {number} of {len(photos)}: {kinds.get(photo.kind, 'Other')}",
        )
        for number, photo in enumerate(photos, 1)
    ]


def _sections(answers: Mapping[str, Any]) -> list[Section]:
    """What was answered, by page of the form. Questions that were not asked or left open are left out."""
    pages = ((Step.SKIN, "Your skin"), (Step.HEALTH, "Your health"))
    return [Section(title=title, rows=_facts(step, answers)) for step, title in pages]


def _facts(step: Step, answers: Mapping[str, Any]) -> list[Fact]:
    asked = [f for f in intake.fields_of(step) if intake.asked(f, answers)]
    spoken = [(f.title, intake.spoken(f, answers.get(f.name))) for f in asked]
    return [Fact(term=title, value=value) for title, value in spoken if value]


def _words(answer: PublishedAnswer, case: Case, timezone: str, now: datetime) -> Words:
    took = f", {times.took(case.submitted_at, answer.published_at)}" if case.submitted_at else ""
    return words(
        answer.text,
        name=answer.name,
        title=answer.title,
        registration_no=answer.registration_no,
        answered=f"Answered {times.full(answer.published_at, timezone, now)}{took}",
    )


# ── The history ────────────────────────────────────────────────────────────────────────────────────

_LOOKS = {
    "drafted": ("Draft started", "pencil"),
    "submitted": ("Payment received", "credit-card"),
    "answered": ("Answer ready", "circle-check"),
    "cancelled": ("Closed and refunded", "undo-2"),
}


def _moments(case: Case, acts: Sequence[Act], timezone: str, now: datetime) -> list[dict[str, str]]:
    """What happened, from the records; while an answer is awaited, also what comes next."""
    past = [_past(act, timezone, now) for act in acts]
    if case.status in ("answered", "closed"):
        latest_first = past[::-1]
        return [{**moment, "state": "now" if i == 0 else "done"} for i, moment in enumerate(latest_first)]
    if case.status == "refunded":
        return past
    mail = _moment("You get an e-mail: there is an update", "It says nothing about your skin", "mail", "next")
    if case.payment == "disputed":
        return [*past, _moment(payments.ON_HOLD.title, "Now", "clock", "now"), mail]
    if case.status == "pending":
        return [
            *past,
            _moment("Waiting for a dermatologist", "Now", "clock", "now"),
            _moment("A dermatologist looks at your case", "You’ll see who it is", "stethoscope", "next"),
            mail,
        ]
    return [*past[:-1], {**past[-1], "state": "now"}, mail] if past else [mail]


def _past(act: Act, timezone: str, now: datetime) -> dict[str, str]:
    title, icon = _LOOKS.get(act.what, (f"{act.doctor or 'A dermatologist'} started", "stethoscope"))
    return _moment(title, times.full(act.at, timezone, now), icon, "done")


def _moment(title: str, time: str, icon: str, state: str) -> dict[str, str]:
    return {"title": title, "time": time, "icon": icon, "state": state}
