"""Use cases of a consultation before and beside money. One function = one transaction; ownership is in the query."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, func, select

from teleconsult import audit
from teleconsult.consultations import intake
from teleconsult.consultations.models import Consent, Consultation, Photo
from teleconsult.consultations.questions import CONSENTS, MIN_PHOTOS, Step
from teleconsult.consultations.rules import Status
from teleconsult.db import transaction, utcnow
from teleconsult.errors import Conflict, Invalid, NotFound, TooMany
from teleconsult.settings import get_settings

REF_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""What people can read over the phone: no 0/O, 1/I/L, U."""

MAX_DRAFTS = 20
"""Unfinished drafts one person may keep."""

GONE = "This consultation is not here any more."
SENT = "You have already sent this consultation, so its answers can’t change."


@dataclass(frozen=True)
class Saved:
    """An answer is in the database: what it belongs to and since when."""

    consultation_id: uuid.UUID
    at: datetime


@dataclass(frozen=True)
class PhotoLine:
    """A photo as pages need it. The bytes come from `/api/photos/{id}`."""

    id: uuid.UUID
    kind: str
    quality: str


@dataclass(frozen=True)
class Draft:
    """Everything the form shows."""

    id: uuid.UUID
    ref: str
    status: Status
    answers: Mapping[str, Any]
    photos: tuple[PhotoLine, ...]
    consents: frozenset[str]
    saved_at: datetime
    discarded: bool = False
    problems: Mapping[Step, Mapping[str, str]] = field(default_factory=dict)
    """What is missing, by page; empty when it can be paid."""

    @property
    def red_flags(self) -> list[str]:
        """Warning signs that stop the form."""
        return intake.red_flags(self.answers)


def new_ref() -> str:
    """A reference people can say aloud, for example TC-7Q4MX. Unique by constraint; 24 million of them."""
    return "TC-" + "".join(secrets.choice(REF_LETTERS) for _ in range(5))


def create_draft(tx: Session, user_id: uuid.UUID) -> Consultation:
    """The row behind a form, made on the first real answer.

    Raises:
        TooMany: when this person keeps too many unfinished drafts.
    """
    open_drafts = select(func.count()).where(
        col(Consultation.user_id) == user_id,
        col(Consultation.status) == Status.DRAFT,
        col(Consultation.discarded_at).is_(None),
    )
    if tx.exec(open_drafts).one() >= MAX_DRAFTS:
        raise TooMany("You have many unfinished drafts. Finish or discard one first.")
    consultation = Consultation(ref=new_ref(), user_id=user_id)
    tx.add(consultation)
    tx.flush()
    audit.record(
        tx, "drafted", "consultation", consultation.id, actor_id=user_id, actor_role="patient", ref=consultation.ref
    )
    return consultation


def owned(tx: Session, user_id: uuid.UUID, consultation_id: uuid.UUID, *, lock: bool = False) -> Consultation:
    """The caller's own consultation. Somebody else's is as absent as one that never was.

    Raises:
        NotFound: for both.
    """
    query = select(Consultation).where(col(Consultation.id) == consultation_id, col(Consultation.user_id) == user_id)
    found = tx.exec(query.with_for_update() if lock else query).one_or_none()
    if found is None:
        raise NotFound(GONE)
    return found


def editable(tx: Session, user_id: uuid.UUID, consultation_id: uuid.UUID | None) -> Consultation:
    """The caller's own draft, locked; a new one for None.

    Raises:
        NotFound: not there or not theirs.
        Conflict: it has been sent or thrown away.
    """
    if consultation_id is None:
        return create_draft(tx, user_id)
    draft = owned(tx, user_id, consultation_id, lock=True)
    if draft.status != Status.DRAFT:
        raise Conflict(SENT if draft.status != Status.CANCELLED else GONE)
    return draft


def save_answers(user_id: uuid.UUID, consultation_id: uuid.UUID | None, answers: Mapping[str, object]) -> Saved:
    """Keep answers as they are typed, however unfinished. The first one makes the draft.

    Raises:
        Invalid: a field that does not exist, or an answer it can't take, by field.
    """
    accepted, refused = {}, {}
    for name, raw in answers.items():
        try:
            accepted[name] = intake.accept(name, raw)
        except ValueError as error:
            refused[name] = str(error)
    if refused:
        raise Invalid(refused)
    with transaction() as tx:
        draft = editable(tx, user_id, consultation_id)
        _store(draft, accepted)
        return Saved(draft.id, draft.updated_at)


def _store(draft: Consultation, accepted: Mapping[str, str | list[str]]) -> None:
    """The story lies in a column of its own, because other systems call it the user's notes."""
    rest = dict(accepted)
    if "story" in rest:
        draft.user_notes = str(rest.pop("story"))
    draft.intake = {**draft.intake, **rest}
    draft.discarded_at = None
    draft.updated_at = utcnow()


def set_consent(user_id: uuid.UUID, consultation_id: uuid.UUID, kind: str, *, given: bool) -> Saved:
    """Tick or untick one of the three consents. Ticking stores version, words (as hash) and time."""
    with transaction() as tx:
        draft = editable(tx, user_id, consultation_id)
        _consent(tx, draft, kind, given=given)
        draft.updated_at = utcnow()
        return Saved(draft.id, draft.updated_at)


def _consent(tx: Session, draft: Consultation, kind: str, *, given: bool) -> None:
    words = next((c for c in CONSENTS if c.kind == kind), None)
    if words is None:
        raise Invalid({kind: "There is no such consent."})
    query = select(Consent).where(col(Consent.consultation_id) == draft.id, col(Consent.kind) == kind)
    row = tx.exec(query).one_or_none()
    if given and row is None:
        digest = hashlib.sha256(words.text.encode()).hexdigest()
        tx.add(Consent(consultation_id=draft.id, kind=kind, version=words.version, text_sha256=digest))
    elif not given and row is not None:
        tx.delete(row)  # it was only ever a tick in a draft


def save_form(
    user_id: uuid.UUID, consultation_id: uuid.UUID | None, answers: Mapping[str, object], consents: Mapping[str, bool]
) -> Saved:
    """A whole form at once, for API clients: answers, then consents."""
    saved = save_answers(user_id, consultation_id, answers)
    for kind, given in consents.items():
        saved = set_consent(user_id, saved.consultation_id, kind, given=given)
    return saved


def draft(user_id: uuid.UUID, consultation_id: uuid.UUID) -> Draft:
    """What the form shows, for its owner only.

    Raises:
        NotFound: absent, somebody else's, or thrown away for good.
    """
    with transaction() as tx:
        return view(tx, owned(tx, user_id, consultation_id))


def view(tx: Session, consultation: Consultation) -> Draft:
    """The form as it stands, with what is missing on each page."""
    answers = {**consultation.intake, "story": consultation.user_notes}
    photos = photos_of(tx, consultation.id)
    kinds = select(Consent.kind).where(
        col(Consent.consultation_id) == consultation.id, col(Consent.withdrawn_at).is_(None)
    )
    consents = frozenset(tx.exec(kinds).all())
    return Draft(
        id=consultation.id,
        ref=consultation.ref,
        status=Status(consultation.status),
        answers=answers,
        photos=photos,
        consents=consents,
        saved_at=consultation.updated_at,
        discarded=consultation.discarded_at is not None,
        problems=missing(answers, len(photos), consents),
    )


def photos_of(tx: Session, consultation_id: uuid.UUID) -> tuple[PhotoLine, ...]:
    """The photos of a consultation, in the order they were added."""
    query = (
        select(Photo)
        .where(col(Photo.consultation_id) == consultation_id, col(Photo.removed_at).is_(None))
        .order_by(col(Photo.created_at), col(Photo.id))
    )
    return tuple(PhotoLine(p.id, p.kind, p.quality) for p in tx.exec(query).all())


def missing(answers: Mapping[str, Any], photos: int, consents: frozenset[str]) -> dict[Step, dict[str, str]]:
    """What stands between a draft and payment, by page: field → sentence. Pages without problems are left out."""
    today = utcnow().date()
    found: dict[Step, dict[str, str]] = {
        Step.SKIN: intake.problems(Step.SKIN, answers, today),
        Step.PHOTOS: {} if photos >= MIN_PHOTOS else {"photos": _photos_missing(photos)},
        Step.HEALTH: intake.problems(Step.HEALTH, answers, today),
        Step.REVIEW: {f"consent-{c.kind}": c.missing for c in CONSENTS if c.kind not in consents},
    }
    if intake.red_flags(answers):
        found[Step.SKIN]["flags"] = "You ticked a warning sign. Please get help today, in person."
    return {step: rows for step, rows in found.items() if rows}


def _photos_missing(have: int) -> str:
    return "Add one more photo: two are needed." if have else "Add two photos: one from further away and one close up."


def mark_paid(
    tx: Session,
    consultation: Consultation,
    *,
    payment_id: uuid.UUID,
    payment_intent: str | None,
    amount_minor: int,
    currency: str,
    source: str,
) -> datetime:
    """DRAFT becomes PENDING, and the promise begins to run. The caller holds the row's lock and has checked the money.

    Returns:
        When the answer is due, UTC.
    """
    now = utcnow()
    consultation.status = Status.PENDING
    consultation.paid_payment_id = payment_id
    consultation.stripe_payment_id = payment_intent
    consultation.price_minor, consultation.currency = amount_minor, currency
    consultation.submitted_at = consultation.updated_at = now
    consultation.due_at = now + timedelta(hours=get_settings().answer_hours)
    consultation.discarded_at = None
    audit.record(tx, "submitted", "consultation", consultation.id, payment_id=str(payment_id), source=source)
    return consultation.due_at
