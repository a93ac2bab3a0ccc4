"""The dermatologist's work: what waits, who has it, what is answered. Drafts and held cases are never shown."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, func, or_, select

from teleconsult import audit
from teleconsult.accounts.models import Role, User
from teleconsult.clinic import rules
from teleconsult.clinic.models import Answer
from teleconsult.clinic.rules import AnswerText
from teleconsult.consultations import intake
from teleconsult.consultations import service as consultations
from teleconsult.consultations.models import Consultation, Photo
from teleconsult.consultations.questions import BY_NAME
from teleconsult.consultations.rules import Status
from teleconsult.consultations.service import PhotoLine
from teleconsult.db import transaction, utcnow
from teleconsult.errors import Conflict, Invalid, NotFound
from teleconsult.notices.service import send_later

CLAIM_MINUTES = 60
"""A claim without activity is released after this long."""

PAGE = 50
GONE = "This case is not in your list any more."


@dataclass(frozen=True)
class QueueLine:
    """A waiting case: no name, no complaint."""

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


@dataclass(frozen=True)
class CaseFile:
    """Everything a dermatologist sees of a case they have claimed."""

    id: uuid.UUID
    ref: str
    status: Status
    who: str
    answers: Mapping[str, Any]
    photos: tuple[PhotoLine, ...]
    submitted_at: datetime
    due_at: datetime
    claimed_at: datetime | None
    answer: AnswerText
    answer_saved_at: datetime | None
    published_at: datetime | None
    signer: str
    """Name and registration number as the answer will carry them."""


@dataclass(frozen=True)
class PublishedAnswer:
    """A signed answer, as the patient reads it."""

    text: AnswerText
    name: str
    title: str
    registration_no: str
    published_at: datetime


def queue(doctor_id: uuid.UUID) -> Queue:
    """What waits, most urgent first, and what this dermatologist has claimed."""
    with transaction() as tx:
        _release_idle(tx)
        open_cases = _waiting()
        order = (_priority().desc(), col(Consultation.due_at))
        waiting = tx.exec(select(Consultation).where(*open_cases).order_by(*order).limit(PAGE)).all()
        claimed = (col(Consultation.status) == Status.IN_REVIEW, col(Consultation.claimed_by) == doctor_id)
        mine = tx.exec(select(Consultation).where(*claimed).order_by(col(Consultation.due_at)).limit(PAGE)).all()
        count, oldest = tx.exec(select(func.count(), func.min(col(Consultation.submitted_at))).where(*open_cases)).one()
        photos = _photos(tx, [*waiting, *mine])
        return Queue(
            waiting=tuple(_line(c, photos) for c in waiting),
            mine=tuple(_line(c, photos) for c in mine),
            waiting_count=count,
            oldest=oldest,
        )


def _waiting() -> tuple[Any, ...]:
    return (col(Consultation.status) == Status.PENDING, col(Consultation.hold_reason).is_(None))


def _priority() -> Any:
    """A changing mole is looked at first."""
    return col(Consultation.intake)["changing"].astext.in_(sorted(BY_NAME["changing"].alert_if)).is_(True)


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


def _photos(tx: Session, cases: list[Consultation]) -> dict[uuid.UUID, list[uuid.UUID]]:
    query = (
        select(Photo.consultation_id, Photo.id)
        .where(col(Photo.consultation_id).in_([c.id for c in cases]), col(Photo.removed_at).is_(None))
        .order_by(col(Photo.created_at), col(Photo.id))
    )
    found: dict[uuid.UUID, list[uuid.UUID]] = {}
    for case_id, photo_id in tx.exec(query).all():
        if case_id is not None:
            found.setdefault(case_id, []).append(photo_id)
    return found


def _line(c: Consultation, photos: Mapping[uuid.UUID, list[uuid.UUID]]) -> QueueLine:
    site = intake.spoken(BY_NAME["site"], c.intake.get("site"))
    duration = intake.spoken(BY_NAME["duration"], c.intake.get("duration")).lower()
    changing = c.intake.get("changing", "")
    return QueueLine(
        id=c.id,
        ref=c.ref,
        who=rules.who(c.intake, utcnow().date()),
        place=f"{site}, {duration}",
        flag="Changing mole" if changing in BY_NAME["changing"].alert_if else "",
        photos=tuple(photos.get(c.id, ())),
        due_at=c.due_at or utcnow(),
        claimed_at=c.claimed_at,
    )


def claim(doctor_id: uuid.UUID, case_id: uuid.UUID) -> None:
    """Take a waiting case. The row's lock decides between two who press at once.

    Raises:
        NotFound: no such case, or not paid.
        Conflict: somebody else has it; the sentence says who.
    """
    with transaction() as tx:
        case = _locked(tx, case_id)
        if case.status == Status.IN_REVIEW and case.claimed_by == doctor_id:
            return
        if case.status != Status.PENDING:
            other = tx.get(User, case.claimed_by) if case.claimed_by else None
            raise Conflict(f"{other.name} just claimed this." if other else "This case is not waiting any more.")
        case.status, case.claimed_by = Status.IN_REVIEW, doctor_id
        case.claimed_at = case.updated_at = utcnow()
        audit.record(tx, "claimed", "consultation", case.id, actor_id=doctor_id, actor_role=Role.DERMATOLOGIST)


def _locked(tx: Session, case_id: uuid.UUID) -> Consultation:
    """A case a dermatologist may know of: never a draft, never one on hold."""
    query = select(Consultation).where(
        col(Consultation.id) == case_id,
        col(Consultation.status).not_in([Status.DRAFT, Status.CANCELLED]),
        col(Consultation.hold_reason).is_(None),
    )
    case = tx.exec(query.with_for_update()).one_or_none()
    if case is None:
        raise NotFound(GONE)
    return case


def _mine(tx: Session, doctor_id: uuid.UUID, case_id: uuid.UUID) -> Consultation:
    case = _locked(tx, case_id)
    if case.claimed_by != doctor_id:
        raise NotFound(GONE)
    return case


def release(doctor_id: uuid.UUID, case_id: uuid.UUID) -> None:
    """Give a claimed case back to the queue. The answer written so far is kept.

    Raises:
        NotFound: not theirs.
        Conflict: it is answered already.
    """
    with transaction() as tx:
        case = _mine(tx, doctor_id, case_id)
        if case.status != Status.IN_REVIEW:
            raise Conflict("This case is answered already.")
        _release(tx, case, reason="given back", actor_id=doctor_id)


def case_file(doctor_id: uuid.UUID, case_id: uuid.UUID) -> CaseFile:
    """A case this dermatologist has claimed or answered. Each look is in the access log.

    Raises:
        NotFound: absent, unpaid, or somebody else's.
    """
    with transaction() as tx:
        case = _mine(tx, doctor_id, case_id)
        if case.status == Status.IN_REVIEW:
            case.claimed_at = utcnow()
        audit.record(tx, "viewed", "consultation", case.id, actor_id=doctor_id, actor_role=Role.DERMATOLOGIST)
        return _file(tx, case, tx.get_one(User, doctor_id))


def _file(tx: Session, case: Consultation, doctor: User) -> CaseFile:
    answer = tx.get(Answer, case.id)
    return CaseFile(
        id=case.id,
        ref=case.ref,
        status=Status(case.status),
        who=rules.who(case.intake, utcnow().date()),
        answers={**case.intake, "story": case.user_notes},
        photos=consultations.photos_of(tx, case.id),
        submitted_at=case.submitted_at or case.created_at,
        due_at=case.due_at or utcnow(),
        claimed_at=case.claimed_at,
        answer=_text(answer) if answer else AnswerText(),
        answer_saved_at=answer.updated_at if answer else None,
        published_at=answer.published_at if answer else None,
        signer=f"{doctor.name}, {doctor.registration_no}",
    )


def _text(answer: Answer) -> AnswerText:
    return AnswerText(**{name: getattr(answer, name) for name in rules.FIELD_NAMES})


def save_answer(doctor_id: uuid.UUID, case_id: uuid.UUID, fields: Mapping[str, str]) -> datetime:
    """Keep what is written so far. The patient sees nothing of it before it is signed.

    Raises:
        Invalid: a field that does not exist or is too long.
        NotFound: not theirs.
        Conflict: it is signed already.
    """
    accepted = rules.accept(fields)
    with transaction() as tx:
        case = _mine(tx, doctor_id, case_id)
        if case.status != Status.IN_REVIEW:
            raise Conflict("This answer is signed and can’t change any more.")
        answer = tx.get(Answer, case.id) or Answer(consultation_id=case.id, author_id=doctor_id)
        for name, text in accepted.items():
            setattr(answer, name, text)
        answer.author_id = doctor_id
        answer.updated_at = case.claimed_at = utcnow()
        tx.add(answer)
        return answer.updated_at


def publish(doctor_id: uuid.UUID, case_id: uuid.UUID) -> None:
    """Sign and send: the answer becomes visible and frozen, at once and as a whole.

    Raises:
        Invalid: something mandatory is missing, by field.
        NotFound: not theirs.
        Conflict: it is signed already.
    """
    with transaction() as tx:
        case = _mine(tx, doctor_id, case_id)
        if case.status != Status.IN_REVIEW:
            raise Conflict("This answer is signed already.")
        answer = tx.get(Answer, case.id) or Answer(consultation_id=case.id, author_id=doctor_id)
        if problems := rules.problems(_text(answer)):
            raise Invalid(problems)
        doctor, patient = tx.get_one(User, doctor_id), tx.get_one(User, case.user_id)
        answer.author_id, answer.published_at = doctor.id, utcnow()
        answer.signed_name, answer.signed_title = doctor.name, doctor.title
        answer.signed_registration_no = doctor.registration_no
        case.status, case.answered_at, case.updated_at = Status.ANSWERED, answer.published_at, answer.published_at
        audit.record(tx, "answered", "consultation", case.id, actor_id=doctor_id, actor_role=Role.DERMATOLOGIST)
        send_later(tx, "case_update", patient.email, ref=case.ref)


def published_answer(user_id: uuid.UUID, consultation_id: uuid.UUID) -> PublishedAnswer | None:
    """The signed answer to the patient's own consultation; None before it is signed. Reading marks it as read.

    Raises:
        NotFound: absent or somebody else's.
    """
    with transaction() as tx:
        case = consultations.owned(tx, user_id, consultation_id, lock=True)
        answer = tx.get(Answer, case.id)
        if answer is None or answer.published_at is None:
            return None
        case.answer_read_at = case.answer_read_at or utcnow()
        return PublishedAnswer(
            text=_text(answer),
            name=answer.signed_name,
            title=answer.signed_title,
            registration_no=answer.signed_registration_no,
            published_at=answer.published_at,
        )


def answered(doctor_id: uuid.UUID) -> tuple[QueueLine, ...]:
    """What this dermatologist has answered, latest first."""
    done = or_(col(Consultation.status) == Status.ANSWERED, col(Consultation.status) == Status.CLOSED)
    query = (
        select(Consultation)
        .where(col(Consultation.claimed_by) == doctor_id, done)
        .order_by(col(Consultation.answered_at).desc())
        .limit(PAGE)
    )
    with transaction() as tx:
        cases = list(tx.exec(query).all())
        photos = _photos(tx, cases)
        return tuple(_line(c, photos) for c in cases)
