"""What makes an answer complete, and what stands out in a case: pure, no database, no clock."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from teleconsult.consultations import intake
from teleconsult.consultations.questions import BY_NAME, Field
from teleconsult.errors import Invalid

CERTAINTY = {"likely": "Likely", "possible": "Possible", "uncertain": "Uncertain"}
"""How sure a dermatologist may be, in the words of the form."""

_LEAD = {"likely": "Likely", "possible": "Possible", "uncertain": "Not certain, perhaps"}
_PLAIN_WORD = re.compile(r"[A-Z][a-z-]+(?=\s|$)")


@dataclass(frozen=True)
class AnswerText:
    """An answer as it is written."""

    impression: str = ""
    certainty: str = "likely"
    explanation: str = ""
    plan: str = ""
    medicine: str = ""
    medicine_use: str = ""
    safety_net: str = ""

    @property
    def headline(self) -> str:
        """Impression with its certainty, as the patient reads it first: "Likely irritant contact dermatitis"."""
        impression = self.impression.strip()
        if not impression:
            return ""
        if _PLAIN_WORD.match(impression):  # HPV and Bowen’s keep their capitals
            impression = impression[0].lower() + impression[1:]
        return f"{_LEAD[self.certainty]} {impression}"

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """The explanation, one paragraph each."""
        return _lines(self.explanation)

    @property
    def steps(self) -> tuple[str, ...]:
        """The plan, one step each."""
        return _lines(self.plan)


FIELD_NAMES = tuple(f.name for f in fields(AnswerText))
ONE_LINE = frozenset({"impression", "medicine", "medicine_use"})
LIMITS = dict.fromkeys(FIELD_NAMES, 4000) | {"impression": 160, "medicine": 200, "medicine_use": 300}
"""Longest text of each field, in characters."""

MANDATORY = {
    "impression": "Write what it looks like, in one line.",
    "explanation": "Explain why.",
    "plan": "Write at least one step.",
    "safety_net": "Write when to see a doctor in person.",
}


def accept(given: Mapping[str, object]) -> dict[str, str]:
    """What is stored of an unfinished answer.

    Raises:
        Invalid: an unknown field, a certainty that isn't offered, something else than text, or too much of it.
    """
    accepted, refused = {}, {}
    for name, raw in given.items():
        text = intake.clean_text(raw) if isinstance(raw, str) else None
        if text is None or name not in FIELD_NAMES or (name == "certainty" and text not in CERTAINTY):
            refused[name] = "There is no such answer."
        elif len(text) > LIMITS[name]:
            refused[name] = f"Use {LIMITS[name]:,} characters at most; this has {len(text):,}."
        else:
            accepted[name] = " ".join(text.split()) if name in ONE_LINE else text
    if refused:
        raise Invalid(refused)
    return accepted


def problems(answer: AnswerText) -> dict[str, str]:
    """What is missing before it can be signed: field → sentence, in the order of the page."""
    found = {name: text for name, text in MANDATORY.items() if not getattr(answer, name).strip()}
    if answer.medicine.strip() and not answer.medicine_use.strip():
        found["medicine_use"] = "Say how to use the medicine: amount, how often, how long, and what to watch for."
    if answer.medicine_use.strip() and not answer.medicine.strip():
        found["medicine"] = "Name the medicine."
    return {name: found[name] for name in FIELD_NAMES if name in found}


def who(answers: Mapping[str, Any], today: date) -> str:
    """Age and sex at birth, for example "34, F": all the queue says about a person."""
    sex = str(answers.get("sex", ""))
    short = {"female": "F", "male": "M"}.get(sex, sex or "?")
    return f"{_years(answers, today)}, {short}"


def person(answers: Mapping[str, Any], today: date) -> str:
    """The same spelt out, for example "34, female"."""
    return f"{_years(answers, today)}, {answers.get('sex') or 'sex not given'}"


def alerting(f: Field, answers: Mapping[str, Any]) -> bool:
    """Whether this answer is one a dermatologist must not overlook. A question that no longer applies never is."""
    given = answers.get(f.name, "")
    chosen = set(given) if isinstance(given, list) else {given}
    return intake.asked(f, answers) and bool(chosen & f.alert_if)


def alerts(answers: Mapping[str, Any]) -> tuple[Field, ...]:
    """Every question with such an answer, in the order of the form."""
    return tuple(f for f in BY_NAME.values() if alerting(f, answers))


def _years(answers: Mapping[str, Any], today: date) -> str:
    born = intake.birthday(str(answers.get("dob", "")))
    return str(intake.age(born, today)) if born else "?"


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())
