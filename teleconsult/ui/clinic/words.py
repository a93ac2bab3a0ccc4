"""What the clinic's pages say about a case, as plain words and tones: pure, no state, no database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, TypedDict

from teleconsult.clinic import rules
from teleconsult.clinic.queue import CLAIM_MINUTES
from teleconsult.consultations import intake
from teleconsult.consultations.questions import BY_NAME, Field, Step
from teleconsult.ui.parts.photos import PHOTO_LABELS

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
DANGER, WARN = 4 * HOUR, 12 * HOUR
"""From when on a case is red, and from when on it is amber."""

LONG = 60
"""Characters of a fact that still stand in a third of the column."""

SAID_ELSEWHERE = frozenset({"flags", "dob", "sex", "story"})
"""Left out of the list of answers: nobody pays with a warning sign, and the others have a place of their own."""

SECTIONS = ((Step.SKIN, "The skin"), (Step.HEALTH, "Health"))
SHOWN = dict(PHOTO_LABELS)
QUALITY = {"blurry": "blurry", "dark": "dark"}
MORE = {"pregnant": "", "allergies": "allergies_text", "medicines": "medicines_text"}
"""Facts and where their details stand, when there are any."""


class Due(NamedTuple):
    """A badge: words, tone, icon."""

    text: str
    tone: str
    icon: str


class Fact(TypedDict):
    """One fact about a person, and whether it must not be overlooked."""

    label: str
    value: str
    alert: bool
    wide: bool
    """Whether it is long enough to need a line of its own."""


class Said(TypedDict):
    """One answer: the question's short label and what was said."""

    label: str
    value: str
    alert: bool


class Group(TypedDict):
    """The answers of one part of the form."""

    title: str
    said: list[Said]


def span(length: timedelta) -> str:
    """A length of time, rounded down so that nothing sounds longer than it is: "21 h", "40 min", "3 days"."""
    if length < HOUR:
        return f"{max(length // MINUTE, 0)} min"
    hours = length // HOUR
    return f"{hours} h" if hours < 72 else f"{hours // 24} days"  # noqa: PLR2004 - up to three days are said in hours


def due(at: datetime, now: datetime) -> Due:
    """How urgent a case is."""
    left = at - now
    if left <= timedelta():
        late = span(-left)
        return Due("Due now" if late == "0 min" else f"Overdue by {late}", "danger", "timer")
    if left < DANGER:
        return Due(f"Due in {span(left)}", "danger", "timer")
    return Due(f"Due in {span(left)}", "warn" if left < WARN else "neutral", "clock")


def waiting(count: int, oldest: datetime | None, now: datetime) -> str:
    """The line under the queue's title."""
    if not count or oldest is None:
        return "Nothing is waiting."
    since = f"the oldest for {span(now - oldest)}" if count > 1 else f"for {span(now - oldest)}"
    return f"{count} waiting, {since}."


def claimed(at: datetime | None, now: datetime) -> str:
    """What the callout about an open case says."""
    ago = f"{(now - at) // MINUTE} minutes ago" if at and now - at >= 2 * MINUTE else "just now"
    return f"Last opened or edited {ago}. Claims are released after {CLAIM_MINUTES} minutes without activity."


def facts(answers: Mapping[str, Any], today: date) -> list[Fact]:
    """What a dermatologist needs at a glance; answers that must not be overlooked are marked and always among them."""
    found = [
        Fact(label="Age, sex", value=rules.person(answers, today), alert=False, wide=False),
        *[_fact(BY_NAME[name], answers) for name in MORE],
        _fact(BY_NAME["skin_type"], answers),
        _fact(BY_NAME["duration"], answers),
    ]
    return found + [_fact(f, answers) for f in rules.alerts(answers) if f.name not in MORE]


def groups(answers: Mapping[str, Any]) -> list[Group]:
    """All answers that were given, in the words of the form."""
    found = []
    for step, title in SECTIONS:
        asked = (f for f in intake.fields_of(step) if f.name not in SAID_ELSEWHERE and intake.asked(f, answers))
        said = [_said(f, answers) for f in asked if answers.get(f.name)]
        found.append(Group(title=title, said=said))
    return [group for group in found if group["said"]]


def photo(kind: str, quality: str, number: int, count: int) -> str:
    """The line above a photo: "1 of 3, overview"."""
    shows = SHOWN.get(kind, "Other").lower()
    note = f", {QUALITY[quality]}" if quality in QUALITY else ""
    return f"{number} of {count}, {shows}{note}"


def _fact(f: Field, answers: Mapping[str, Any]) -> Fact:
    details = str(answers.get(MORE.get(f.name, ""), "") or "")
    said = details if details and answers.get(f.name) == "some" else intake.spoken(f, answers.get(f.name))
    return Fact(label=f.title, value=said or "Not given", alert=rules.alerting(f, answers), wide=len(said) > LONG)


def _said(f: Field, answers: Mapping[str, Any]) -> Said:
    return Said(label=f.title, value=intake.spoken(f, answers[f.name]), alert=rules.alerting(f, answers))
