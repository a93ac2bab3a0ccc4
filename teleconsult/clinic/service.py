"""A case and its answer: open it, write, sign. The patient sees nothing of an answer before it is signed.

Every use case raises `Unavailable` while the database is away; nothing was stored then.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from teleconsult import audit
from teleconsult.accounts.models import Role, User
from teleconsult.clinic import access, rules
from teleconsult.clinic.models import Answer
from teleconsult.clinic.queue import CLAIM_MINUTES
from teleconsult.clinic.rules import AnswerText
from teleconsult.consultations import service as consultations
from teleconsult.consultations.models import Consultation
from teleconsult.consultations.rules import Status
from teleconsult.consultations.service import PhotoLine
from teleconsult.db import reachable, transaction, utcnow
from teleconsult.errors import Conflict, Invalid
from teleconsult.notices.service import send_later

CHANGED = "Your answer changed in another tab. Reload this page and read it again before you sign."
SIGNED = "This answer is signed and can’t change any more."
UNREGISTERED = "Your name or registration number is missing, so you can’t sign. Please tell the clinic."


@dataclass(frozen=True)
class Signature:
    """Who stands behind an answer."""

    name: str
    title: str
    registration_no: str


@dataclass(frozen=True)
class CaseFile:
    """Everything a dermatologist sees of a case they have claimed or answered."""

    id: uuid.UUID
    ref: str
    status: Status
    answers: Mapping[str, Any]
    photos: tuple[PhotoLine, ...]
    submitted_at: datetime
    due_at: datetime
    released_at: datetime | None
    """When the claim ends without further activity; None once answered."""
    answer: AnswerText
    answer_saved_at: datetime | None
    begun_by: str
    """A colleague who wrote the text so far and gave the case back, or ""."""
    signature: Signature
    """As the answer carries it, or will carry it."""
    published_at: datetime | None


@dataclass(frozen=True)
class PublishedAnswer:
    """A signed answer, as the patient reads it."""

    text: AnswerText
    name: str
    title: str
    registration_no: str
    published_at: datetime


@reachable()
def case_file(doctor_id: uuid.UUID, case_id: uuid.UUID) -> CaseFile:
    """A case this dermatologist has claimed or answered. Each look is in the access log.

    Raises:
        NotFound: absent, unpaid, on hold, or somebody else's.
    """
    with transaction() as tx:
        case = access.held_by(tx, doctor_id, case_id)
        if case.status == Status.IN_REVIEW:
            case.claimed_at = utcnow()
        audit.record(tx, "viewed", "consultation", case.id, actor_id=doctor_id, actor_role=Role.DERMATOLOGIST)
        return _file(tx, case, tx.get_one(User, doctor_id))


@reachable()
def save_answer(doctor_id: uuid.UUID, case_id: uuid.UUID, fields: Mapping[str, str]) -> datetime:
    """Keep what is written so far, and the claim alive.

    Returns:
        When this was saved, UTC: the version that `publish` asks for.

    Raises:
        Invalid: a field that does not exist or is too long.
        NotFound: not theirs.
        Conflict: it is signed already.
    """
    accepted = rules.accept(fields)
    with transaction() as tx:
        case = _in_review(tx, doctor_id, case_id)
        answer = _answer(tx, case, doctor_id)
        for name, text in accepted.items():
            setattr(answer, name, text)
        answer.author_id = doctor_id
        answer.updated_at = case.claimed_at = utcnow()
        return answer.updated_at


@reachable()
def publish(doctor_id: uuid.UUID, case_id: uuid.UUID, *, seen: datetime) -> None:
    """Sign and send: the answer becomes visible and frozen, at once and as a whole, with its e-mail promised.

    Args:
        doctor_id: Who signs.
        case_id: The case they have claimed.
        seen: The version they have read, as `save_answer` returned it.

    Raises:
        Invalid: something mandatory is missing, by field.
        NotFound: not theirs.
        Conflict: it is signed already, is not what they have read, or the signature would be incomplete.
    """
    with transaction() as tx:
        case = _in_review(tx, doctor_id, case_id)
        answer = _answer(tx, case, doctor_id)
        if problems := rules.problems(_text(answer)):
            raise Invalid(problems)
        if answer.updated_at != seen:
            raise Conflict(CHANGED)
        doctor, patient = tx.get_one(User, doctor_id), tx.get_one(User, case.user_id)
        if not (doctor.name and doctor.registration_no):
            raise Conflict(UNREGISTERED)
        answer.author_id, answer.published_at = doctor.id, utcnow()
        answer.signed_name, answer.signed_title = doctor.name, doctor.title
        answer.signed_registration_no = doctor.registration_no
        case.status, case.answered_at, case.updated_at = Status.ANSWERED, answer.published_at, answer.published_at
        audit.record(tx, "answered", "consultation", case.id, actor_id=doctor_id, actor_role=Role.DERMATOLOGIST)
        send_later(tx, "case_update", patient.email, ref=case.ref)


@reachable()
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


def _in_review(tx: Session, doctor_id: uuid.UUID, case_id: uuid.UUID) -> Consultation:
    case = access.held_by(tx, doctor_id, case_id)
    if case.status != Status.IN_REVIEW:
        raise Conflict(SIGNED)
    return case


def _answer(tx: Session, case: Consultation, doctor_id: uuid.UUID) -> Answer:
    """The answer as it stands, or a new one. The case's lock keeps two tabs from making two."""
    answer = tx.get(Answer, case.id) or Answer(consultation_id=case.id, author_id=doctor_id)
    tx.add(answer)
    return answer


def _file(tx: Session, case: Consultation, doctor: User) -> CaseFile:
    answer = tx.get(Answer, case.id)
    author = tx.get_one(User, answer.author_id) if answer else doctor
    published_at = answer.published_at if answer else None
    claim_ends = case.claimed_at + timedelta(minutes=CLAIM_MINUTES) if case.claimed_at else None
    return CaseFile(
        id=case.id,
        ref=case.ref,
        status=Status(case.status),
        answers={**case.intake, "story": case.user_notes},
        photos=consultations.photos_of(tx, case.id),
        submitted_at=case.submitted_at or case.created_at,
        due_at=case.due_at or utcnow(),
        released_at=None if published_at else claim_ends,
        answer=_text(answer) if answer else AnswerText(),
        answer_saved_at=answer.updated_at if answer else None,
        begun_by="" if author.id == doctor.id else author.name,
        signature=_signature(answer, doctor),
        published_at=published_at,
    )


def _signature(answer: Answer | None, doctor: User) -> Signature:
    if answer and answer.published_at:
        return Signature(answer.signed_name, answer.signed_title, answer.signed_registration_no)
    return Signature(doctor.name, doctor.title, doctor.registration_no)


def _text(answer: Answer) -> AnswerText:
    return AnswerText(**{name: getattr(answer, name) for name in rules.FIELD_NAMES})
