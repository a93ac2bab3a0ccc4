"""What waits, who has it: the queue, claiming a case and giving it back.

Every use case raises `Unavailable` while the database is away; nothing was stored then.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, select

from teleconsult import audit
from teleconsult.accounts.models import Role, User
from teleconsult.clinic import access, rules
from teleconsult.consultations import intake
from teleconsult.consultations.models import Consultation, Photo
from teleconsult.consultations.questions import BY_NAME
from teleconsult.consultations.rules import Status
from teleconsult.db import reachable, transaction, utcnow
from teleconsult.errors import Conflict

CLAIM_MINUTES = 60
"""A claim without activity is released after this long."""

PAGE = 50
"""The most cases one list shows."""


@dataclass(frozen=True)
class QueueLine:
    """A case in a list: no name, no complaint."""

    id: uuid.UUID
    ref: str
    who: str
    """Age and sex at birth, for example "34, F"."""
    place: str
    """Body site and duration."""
    flag: str
    """Why it goes first, or ""."""
    photos: tuple[uuid.UUID, ...]
    due_at: datetime
    claimed_at: datetime | None


@dataclass(frozen=True)
class Queue:
    """What the queue page shows."""

    waiting: tuple[QueueLine, ...]
    mine: tuple[QueueLine, ...]
    waiting_count: int
    oldest: datetime | None
    """When the longest-waiting case was sent, UTC."""


@reachable()
def queue(doctor_id: uuid.UUID) -> Queue:
    """What waits, most urgent first, and what this dermatologist has claimed."""
    with transaction() as tx:
        _release_idle(tx)
        open_cases = (*access.visible(), col(Consultation.status) == Status.PENDING)
        claimed = (
            *access.visible(),
            col(Consultation.status) == Status.IN_REVIEW,
            col(Consultation.claimed_by) == doctor_id,
        )
        waiting, mine = _list(tx, open_cases), _list(tx, claimed)
        count, oldest = tx.exec(select(func.count(), func.min(col(Consultation.submitted_at))).where(*open_cases)).one()
        photos = _photos(tx, [*waiting, *mine])
        return Queue(
            waiting=tuple(_line(c, photos) for c in waiting),
            mine=tuple(_line(c, photos) for c in mine),
            waiting_count=count,
            oldest=oldest,
        )


@reachable()
def claim(doctor_id: uuid.UUID, case_id: uuid.UUID) -> None:
    """Take a waiting case. The row's lock decides between two who press at once; pressing twice is one claim.

    Raises:
        NotFound: no such case, unpaid or on hold.
        Conflict: somebody else has it, and the sentence says who; or it is past waiting.
    """
    with transaction() as tx:
        case = access.locked(tx, case_id)
        if case.status == Status.IN_REVIEW and case.claimed_by == doctor_id:
            return
        if case.status == Status.IN_REVIEW:
            raise Conflict(f"{tx.get_one(User, case.claimed_by).name} just claimed this.")
        if case.status != Status.PENDING:
            raise Conflict("This case is not waiting any more.")
        case.status, case.claimed_by = Status.IN_REVIEW, doctor_id
        case.claimed_at = case.updated_at = utcnow()
        audit.record(tx, "claimed", "consultation", case.id, actor_id=doctor_id, actor_role=Role.DERMATOLOGIST)


@reachable()
def release(doctor_id: uuid.UUID, case_id: uuid.UUID) -> None:
    """Give a claimed case back to the queue. The answer written so far is kept.

    Raises:
        NotFound: not theirs.
        Conflict: it is answered already.
    """
    with transaction() as tx:
        case = access.held_by(tx, doctor_id, case_id)
        if case.status != Status.IN_REVIEW:
            raise Conflict("This case is answered already.")
        _release(tx, case, reason="given back", actor_id=doctor_id)


def _list(tx: Session, conditions: Sequence[ColumnElement[bool]]) -> Sequence[Consultation]:
    """A changing mole first, then what is due first; the reference decides where both are equal."""
    order = (_changing_mole().desc(), col(Consultation.due_at), col(Consultation.ref))
    return tx.exec(select(Consultation).where(*conditions).order_by(*order).limit(PAGE)).all()


def _changing_mole() -> ColumnElement[bool]:
    changing = BY_NAME["changing"]
    return _says("concern", changing.shown_if[1] if changing.shown_if else ()) & _says("changing", changing.alert_if)


def _says(name: str, values: Sequence[str] | frozenset[str]) -> ColumnElement[bool]:
    """Whether an answer is one of these; false, not null, where it was not given."""
    return func.coalesce(col(Consultation.intake)[name].astext.in_(sorted(values)), False)


def _release_idle(tx: Session) -> None:
    """Give back what has been claimed and left for an hour. The answer written so far is kept."""
    stale = select(Consultation).where(
        col(Consultation.status) == Status.IN_REVIEW,
        col(Consultation.claimed_at) < utcnow() - timedelta(minutes=CLAIM_MINUTES),
    )
    for case in tx.exec(stale.with_for_update(skip_locked=True)).all():
        _release(tx, case, reason="idle")


def _release(tx: Session, case: Consultation, *, reason: str, actor_id: uuid.UUID | None = None) -> None:
    case.status, case.claimed_by, case.claimed_at, case.updated_at = Status.PENDING, None, None, utcnow()
    role = Role.DERMATOLOGIST if actor_id else "system"
    audit.record(tx, "released", "consultation", case.id, actor_id=actor_id, actor_role=role, reason=reason)


def _photos(tx: Session, cases: Sequence[Consultation]) -> dict[uuid.UUID, list[uuid.UUID]]:
    found: dict[uuid.UUID, list[uuid.UUID]] = {c.id: [] for c in cases}
    query = (
        select(Photo)
        .where(col(Photo.consultation_id).in_(found), col(Photo.removed_at).is_(None))
        .order_by(col(Photo.created_at), col(Photo.id))
    )
    for photo in tx.exec(query).all():
        found[cast(uuid.UUID, photo.consultation_id)].append(photo.id)
    return found


def _line(c: Consultation, photos: Mapping[uuid.UUID, list[uuid.UUID]]) -> QueueLine:
    now = utcnow()
    return QueueLine(
        id=c.id,
        ref=c.ref,
        who=rules.who(c.intake, now.date()),
        place=_place(c.intake),
        flag="Changing mole" if rules.alerting(BY_NAME["changing"], c.intake) else "",
        photos=tuple(photos[c.id]),
        due_at=c.due_at or now,
        claimed_at=c.claimed_at,
    )


def _place(answers: Mapping[str, Any]) -> str:
    site = intake.spoken(BY_NAME["site"], answers.get("site"))
    duration = intake.spoken(BY_NAME["duration"], answers.get("duration")).lower()
    return ", ".join(part for part in (site, f"for {duration}" if duration else "") if part)
