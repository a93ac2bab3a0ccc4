"""Addresses of the form: `/consultations/{id}/{step}`, with `new` for the id until there is a first answer."""

from __future__ import annotations

import uuid
from typing import NamedTuple

from teleconsult.addresses import ANY_ID
from teleconsult.consultations.questions import Step

LIST = "/consultations"
NEW = ANY_ID

ORDER = tuple(Step)
NAMES = {Step.SKIN: "Your skin", Step.PHOTOS: "Photos", Step.HEALTH: "Health", Step.REVIEW: "Review and pay"}


class Place(NamedTuple):
    """Where in which form somebody is."""

    draft: str
    """The consultation's id, or `new`; not checked."""
    step: Step


def place(path: str) -> Place | None:
    """Reads an address; None when it is not one of the form."""
    parts = path.strip("/").split("/")
    if len(parts) != 3 or parts[0] != "consultations" or parts[2] not in ORDER:  # noqa: PLR2004 - as in the module's first line
        return None
    return Place(parts[1], Step(parts[2]))


def address(draft: str, step: Step) -> str:
    """Where a step of a form is."""
    return f"{LIST}/{draft}/{step}"


def following(step: Step) -> Step:
    """The step after this one."""
    return ORDER[ORDER.index(step) + 1]


def consultation_id(draft: str) -> uuid.UUID | None:
    """The id in an address, when it is one."""
    try:
        return uuid.UUID(draft)
    except ValueError:
        return None
