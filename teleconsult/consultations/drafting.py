"""Drafts for a form that saves by itself: what can be kept is kept, and a database that is away is a plain refusal."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from teleconsult.consultations import intake, service
from teleconsult.consultations.questions import Step
from teleconsult.consultations.service import Draft
from teleconsult.db import reachable, utcnow

__all__ = ["Kept", "agree", "keep", "problems", "reachable", "read"]


@dataclass(frozen=True)
class Kept:
    """What came of some answers. Without a first real answer there is no consultation yet."""

    consultation_id: uuid.UUID | None
    at: datetime | None
    refused: Mapping[str, str] = field(default_factory=dict)
    """Field → why its value was not kept."""


def keep(user_id: uuid.UUID, consultation_id: uuid.UUID | None, answers: Mapping[str, object]) -> Kept:
    """Save every answer that can be saved. A new form without a single real answer stays without a row.

    Raises:
        Unavailable: the database is away; nothing was stored.
        NotFound, Conflict, TooMany: as `service.save_answers`.
    """
    accepted, refused = _sorted(answers)
    real = accepted if consultation_id else {name: value for name, value in accepted.items() if value}
    if not real:
        return Kept(consultation_id, None, refused)
    with reachable():
        saved = service.save_answers(user_id, consultation_id, real)
    return Kept(saved.consultation_id, saved.at, refused)


def read(user_id: uuid.UUID, consultation_id: uuid.UUID) -> Draft:
    """The draft as it is in the database.

    Raises:
        Unavailable: the database is away.
        NotFound: as `service.draft`.
    """
    with reachable():
        return service.draft(user_id, consultation_id)


def problems(user_id: uuid.UUID, consultation_id: uuid.UUID | None, step: Step) -> Mapping[str, str]:
    """What is missing on one page, field → sentence; also for a form nobody has answered yet.

    Raises:
        Unavailable, NotFound: as `read`.
    """
    if consultation_id is None:
        return intake.problems(step, {}, utcnow().date())
    return read(user_id, consultation_id).problems.get(step, {})


def agree(user_id: uuid.UUID, consultation_id: uuid.UUID, consents: Mapping[str, bool]) -> datetime | None:
    """Keep which consents are ticked. Returns when, or None when there was nothing to keep.

    Raises:
        Unavailable: the database is away.
        Invalid, NotFound, Conflict: as `service.set_consent`.
    """
    with reachable():
        saved = [service.set_consent(user_id, consultation_id, kind, given=on) for kind, on in consents.items()]
    return saved[-1].at if saved else None


def _sorted(answers: Mapping[str, object]) -> tuple[dict[str, str | list[str]], dict[str, str]]:
    accepted, refused = {}, {}
    for name, raw in answers.items():
        try:
            accepted[name] = intake.accept(name, raw)
        except ValueError as error:
            refused[name] = str(error)
    return accepted, refused
