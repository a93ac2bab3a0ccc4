"""What counts as an answer to the consultation form: pure, no database, no clock. The questions are next door."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from teleconsult.consultations.questions import BY_NAME, FIELDS, NONE, Field, Kind, Step

Answers = Mapping[str, Any]
"""Field name → text, or a list of texts where several may be chosen."""

ADULT_YEARS = 18
OLDEST_YEARS = 120


def fields_of(step: Step) -> tuple[Field, ...]:
    """The questions of one page, in order."""
    return tuple(f for f in FIELDS if f.step is step)


def asked(f: Field, answers: Answers) -> bool:
    """Whether the question applies, given the other answers."""
    if f.shown_if is None:
        return True
    name, values = f.shown_if
    given = answers.get(name, "")
    return bool(values & set(given)) if isinstance(given, list) else given in values


def accept(name: str, raw: object) -> str | list[str]:
    """What is stored of an input, however unfinished. Drafts may be incomplete, never malformed.

    Raises:
        ValueError: for a field that does not exist, a choice that is not offered, or text over the limit.
    """
    f = BY_NAME.get(name)
    if f is None:
        raise ValueError("There is no such question.")
    if f.kind is Kind.CHECKS:
        return _accept_many(f, raw)
    if not isinstance(raw, str):
        raise ValueError("An answer is text.")  # noqa: TRY004 - callers handle one kind of refusal
    text = clean_text(raw)
    if f.options and text and text not in {o.value for o in f.options}:
        raise ValueError("Choose one of the answers offered.")
    if len(text) > f.limit:
        raise ValueError(f"Use {f.limit:,} characters at most; this has {len(text):,}.")
    return text


def _accept_many(f: Field, raw: object) -> list[str]:
    if not isinstance(raw, list) or not all(isinstance(v, str) for v in raw):
        raise ValueError("Choose from the answers offered.")
    offered = [o.value for o in f.options]
    if not set(raw) <= set(offered):
        raise ValueError("Choose from the answers offered.")
    return [v for v in offered if v in raw]


def clean_text(raw: str) -> str:
    """Text as PostgreSQL and a reader can take it: no NUL, no lone surrogates, no control characters, NFC."""
    kept = "".join(c for c in raw.replace("\r\n", "\n") if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))
    return unicodedata.normalize("NFC", kept)


def tick(chosen: Sequence[str], value: str, on: bool) -> list[str]:
    """The new choice after one box changed: "None of these" and everything else exclude each other."""
    if not on:
        return [v for v in chosen if v != value]
    if value == NONE:
        return [NONE]
    return [v for v in chosen if v not in (NONE, value)] + [value]


def problems(step: Step, answers: Answers, today: date) -> dict[str, str]:
    """What is missing or wrong on one page: field name → sentence, in the order of the page."""
    found = {}
    for f in fields_of(step):
        if asked(f, answers) and (sentence := _problem(f, answers.get(f.name), today)):
            found[f.name] = sentence
    return found


def _problem(f: Field, value: str | list[str] | None, today: date) -> str:
    given = value if isinstance(value, list) else (value or "").strip()
    if f.kind is Kind.DATE and given not in ("", "--"):
        return _birthday_problem(str(given), today)
    if not given or given == "--" or (f.least and len(given) < f.least):
        return f.missing
    return ""


def birthday(value: str) -> date | None:
    """A date of birth from `year-month-day` as typed in three boxes, or None when it is no date."""
    match = re.fullmatch(r"\s*(\d{4})\s*-\s*(\d{1,2})\s*-\s*(\d{1,2})\s*", value)
    if not match:
        return None
    try:
        return date(*(int(part) for part in match.groups()))
    except ValueError:
        return None


def age(born: date, today: date) -> int:
    """Completed years."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _birthday_problem(value: str, today: date) -> str:
    born = birthday(value)
    if born is None:
        return "Enter day, month and a year with four digits."
    if born > today or age(born, today) > OLDEST_YEARS:
        return "Check the year of your birth."
    if age(born, today) < ADULT_YEARS:
        return "You need to be 18 or older. Please see a doctor in person."
    return ""


def red_flags(answers: Answers) -> list[str]:
    """Warning signs that stop the form: someone has to look today. Values of the `flags` field."""
    return [v for v in answers.get("flags", []) if v != NONE]


def spoken(f: Field, value: str | list[str] | None) -> str:
    """An answer in words, for the review page and the dermatologist."""
    labels = {o.value: o.label for o in f.options}
    if isinstance(value, list):
        return ", ".join(labels.get(v, v) for v in value)
    if f.kind is Kind.DATE:
        born = birthday(value or "")
        return f"{born.day} {born:%b %Y}" if born else ""
    return labels.get(value or "", value or "")
