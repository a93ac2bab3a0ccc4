"""A case file in the words of the review page."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from teleconsult.clinic.rules import AnswerText
from teleconsult.clinic.service import CaseFile
from teleconsult.consultations import intake
from teleconsult.consultations.questions import BY_NAME
from teleconsult.ui import times
from teleconsult.ui.answer import Words
from teleconsult.ui.answer import words as answer_words
from teleconsult.ui.clinic import words as said
from teleconsult.ui.clinic.words import Fact, Group


class Chart(TypedDict):
    """What heads the page, and what an answer will be signed with."""

    ref: str
    line: str
    """Where it is, and until when it is to be answered."""
    due: str
    tone: str
    icon: str
    story: str
    begun_by: str
    name: str
    title: str
    registration_no: str
    answered: str
    """When it was answered, or ""."""


class Picture(TypedDict):
    """A photo and its line."""

    src: str
    thumb: str
    caption: str
    alt: str


NO_CHART = Chart(
    ref="", line="", due="", tone="", icon="", story="", begun_by="", name="", title="", registration_no="", answered=""
)


def chart(file: CaseFile, timezone: str, now: datetime) -> Chart:
    """The head of a case."""
    badge = said.due(file.due_at, now)
    done = f"Answered {times.full(file.published_at, timezone, now)}" if file.published_at else ""
    site = intake.spoken(BY_NAME["site"], file.answers.get("site"))
    return Chart(
        ref=file.ref,
        line=f"{site}. {done or f'Answer due {times.full(file.due_at, timezone, now)}'}.",
        due="Answered" if done else badge.text,
        tone="ok" if done else badge.tone,
        icon="circle-check" if done else badge.icon,
        story=str(file.answers.get("story", "")),
        begun_by=file.begun_by,
        name=file.signature.name,
        title=file.signature.title,
        registration_no=file.signature.registration_no,
        answered=done,
    )


def facts(file: CaseFile, now: datetime) -> list[Fact]:
    """What is always in view."""
    return said.facts(file.answers, now.date())


def groups(file: CaseFile) -> list[Group]:
    """Everything that was answered."""
    return said.groups(file.answers)


def pictures(file: CaseFile) -> list[Picture]:
    """The photos, in the order they were added."""
    count = len(file.photos)
    lines = [(photo.id, said.photo(photo.kind, photo.quality, n, count)) for n, photo in enumerate(file.photos, 1)]
    return [
        Picture(src=f"/api/photos/{key}", thumb=f"/api/photos/{key}?size=thumb", caption=line, alt=f"Photo {line}")
        for key, line in lines
    ]


def words(text: AnswerText, head: Chart) -> Words:
    """The answer as the patient reads it."""
    return answer_words(
        text,
        name=head["name"],
        title=head["title"],
        registration_no=head["registration_no"],
        answered=head["answered"] or "Not sent yet",
    )
