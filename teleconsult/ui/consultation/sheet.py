"""Between answers, as they are stored, and the controls of a page, as the browser knows them. Pure.

Most answers are one control of the same name. A date is three boxes (`dob_day`, `dob_month`, `dob_year`); a group of
boxes to tick is many controls of one name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from teleconsult.consultations import intake
from teleconsult.consultations.questions import BY_NAME, FIELDS, NONE, Field, Kind, Step

DATE_PARTS = ("year", "month", "day")

Pair = tuple[str, str]
"""Name and value of one control, as a browser submits it."""


class Controls(NamedTuple):
    """What the controls show: text by name, ticked values by name. Every question has its entry."""

    texts: dict[str, str]
    ticks: dict[str, list[str]]


def controls(answers: Mapping[str, Any]) -> Controls:
    """How the controls start for these answers."""
    shown = Controls({}, {})
    for f in FIELDS:
        if f.kind is Kind.CHECKS:
            shown.ticks[f.name] = list(answers.get(f.name, []))
        elif f.kind is Kind.DATE:
            shown.texts.update(_parts(f.name, answers.get(f.name, "")))
        else:
            shown.texts[f.name] = answers.get(f.name, "")
    return shown


def answer(control: str, value: str, texts: Mapping[str, str]) -> tuple[str, str] | None:
    """The answer a changed control makes together with its neighbours: name and value. None for an unknown control."""
    if control in BY_NAME:
        return control, value
    name, _, part = control.rpartition("_")
    if name in BY_NAME and BY_NAME[name].kind is Kind.DATE and part in DATE_PARTS:
        return name, _joined(name, {**texts, control: value})
    return None


def answers(step: Step, held: Iterable[Pair]) -> dict[str, str | list[str]]:
    """The answers a submitted page holds. Questions that were not asked are left out, and so stay as they are."""
    given: dict[str, list[str]] = {}
    for name, value in held:
        given.setdefault(name, []).append(value)
    found = {f.name: _held(f, given) for f in intake.fields_of(step)}
    return {name: value for name, value in found.items() if value is not None}


def photo_title(given: Mapping[str, Any]) -> str:
    """What the photos are to show, in words."""
    place = intake.spoken(BY_NAME["site"], given.get("site", ""))
    if not place:
        return "Add your photos"
    return "Add photos of each place" if given["site"] == "several" else f"Add photos of your {place.lower()}"


def rows(step: Step, given: Mapping[str, Any]) -> list[dict[str, str]]:
    """The answers of one page in words, for reading: `term` and `value`."""
    asked = [f for f in intake.fields_of(step) if intake.asked(f, given)]
    spoken = [(f.title, intake.spoken(f, given.get(f.name))) for f in asked]
    return [{"term": term, "value": value} for term, value in spoken if value]


def signs(given: Mapping[str, Any]) -> list[str]:
    """The warning signs that were ticked, in words."""
    labels = {o.value: o.label for o in BY_NAME["flags"].options}
    return [labels[value] for value in intake.red_flags(given)]


def _held(f: Field, given: Mapping[str, Sequence[str]]) -> str | list[str] | None:
    if f.kind is Kind.CHECKS:
        chosen = list(given.get(f.name, []))
        if not chosen and f.shown_if:
            return None  # the group may not have been on the page
        return [v for v in chosen if v != NONE] or chosen  # a tick and "None of these" can't both hold
    if f.kind is Kind.DATE:
        last = {name: values[-1] for name, values in given.items()}
        return _joined(f.name, last) if f"{f.name}_day" in given else None
    return given[f.name][-1] if f.name in given else None


def _parts(name: str, value: str) -> dict[str, str]:
    pieces = [*value.split("-"), "", "", ""]
    return {f"{name}_{part}": piece.strip() for part, piece in zip(DATE_PARTS, pieces, strict=False)}


def _joined(name: str, texts: Mapping[str, str]) -> str:
    """`year-month-day` as typed, digits only; empty when nothing was typed."""
    parts = ["".join(c for c in texts.get(f"{name}_{part}", "") if c.isdigit()) for part in DATE_PARTS]
    return "-".join(parts) if any(parts) else ""
