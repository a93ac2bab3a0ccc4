"""What makes an answer complete: pure, no database, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from teleconsult.consultations import intake
from teleconsult.errors import Invalid

CERTAINTY = {"likely": "Likely", "possible": "Possible", "uncertain": "Uncertain"}


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
    def steps(self) -> tuple[str, ...]:
        """The plan, one step each."""
        return tuple(line.strip() for line in self.plan.splitlines() if line.strip())

    @property
    def headline(self) -> str:
        """Impression with its certainty, as the patient reads it first."""
        return f"{CERTAINTY[self.certainty]} {self.impression[:1].lower()}{self.impression[1:]}"


FIELD_NAMES = tuple(f.name for f in fields(AnswerText))
LIMITS = dict.fromkeys(FIELD_NAMES, 4000) | {"impression": 160, "medicine": 200, "medicine_use": 300}
"""Longest text of each field, in characters."""

MANDATORY = {
    "impression": "Write what it looks like, in one line.",
    "explanation": "Explain why.",
    "plan": "Write at least one step.",
    "safety_net": "Write when to see a doctor in person.",
}


def accept(given: Mapping[str, str]) -> dict[str, str]:
    """What is stored of an unfinished answer.

    Raises:
        Invalid: an unknown field, a certainty that isn't offered, or text over its limit.
    """
    accepted, refused = {}, {}
    for name, raw in given.items():
        text = intake.clean_text(raw) if isinstance(raw, str) else ""
        if name not in FIELD_NAMES or (name == "certainty" and text not in CERTAINTY):
            refused[name] = "There is no such answer."
        elif len(text) > LIMITS[name]:
            refused[name] = f"Use {LIMITS[name]:,} characters at most; this has {len(text):,}."
        else:
            accepted[name] = text
    if refused:
        raise Invalid(refused)
    return accepted


def problems(answer: AnswerText) -> dict[str, str]:
    """What is missing before it can be signed: field → sentence, in the order of the page."""
    found = {name: text for name, text in MANDATORY.items() if not getattr(answer, name).strip()}
    if answer.medicine.strip() and not answer.medicine_use.strip():
        found["medicine_use"] = "Say how to use the medicine: amount, how often, how long, and what to watch for."
    return found


def who(answers: Mapping[str, Any], today: date) -> str:
    """Age and sex at birth, for example "34, F": all the queue says about a person."""
    born = intake.birthday(str(answers.get("dob", "")))
    years = str(intake.age(born, today)) if born else "?"
    return f"{years}, {str(answers.get('sex', '?'))[:1].upper()}"
