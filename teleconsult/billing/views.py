"""What a patient sees of consultations and their payments together: frozen views, made for the pages."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from teleconsult.accounts.models import User
from teleconsult.accounts.profile import credentials
from teleconsult.billing import holds
from teleconsult.billing.models import Payment
from teleconsult.billing.rules import LIVE, UNFINISHED, PaymentStatus, RefundStatus, money
from teleconsult.consultations import intake
from teleconsult.consultations import service as consultations
from teleconsult.consultations.models import Consultation, Photo
from teleconsult.consultations.questions import BY_NAME, Step
from teleconsult.consultations.rules import Status
from teleconsult.db import transaction
from teleconsult.errors import NotFound
from teleconsult.settings import get_settings

SUBMITTED_ORDER = (Status.NEEDS_PHOTOS, Status.ANSWERED, Status.DRAFT, Status.PENDING, Status.IN_REVIEW)


@dataclass(frozen=True)
class Case:
    """One consultation as its patient sees it in the list."""

    id: uuid.UUID
    ref: str
    status: str
    """The patient's status: draft, unpaid, confirming, pending, in_review, needs_photos, answered, closed, refunded."""
    site: str
    photo_id: uuid.UUID | None
    photos: int
    saved_at: datetime
    submitted_at: datetime | None
    due_at: datetime | None
    answered_at: datetime | None
    followup_until: datetime | None
    unread: bool
    doctor: str
    doctor_title: str
    """Professional title and registration number of the dermatologist, or "" before there is one."""
    amount: str
    resume_step: str
    """Where a draft goes on."""
    payment: str = ""
    """What is to be said about the payment: of a draft bank (it is confirming), checking (we are), failed or returned;
    of a case that was sent disputed, while that holds it."""


@dataclass(frozen=True)
class Receipt:
    """The payment of a consultation, as its patient may see it."""

    status: PaymentStatus
    amount: str
    paid_at: datetime | None
    refunded: str
    """Amount returned, or "" when none."""
    refund_due: bool
    """Whether money is on its way back."""
    refund_failed: bool = False
    """Whether money that was to go back is still here."""
    bank_returned: bool = False
    """Whether the bank has returned it by itself, after an objection."""


@dataclass(frozen=True)
class Attempt:
    """One visit to the payment page, and what has become of it."""

    consultation_id: uuid.UUID
    status: PaymentStatus
    named: bool
    """Whether it was asked for by its session. Otherwise it is the one that happens to be open."""


def my_cases(user_id: uuid.UUID) -> list[Case]:
    """All consultations of one patient, newest first. Discarded drafts are left out."""
    query = (
        select(Consultation, User)
        .join(User, col(User.id) == col(Consultation.claimed_by), isouter=True)
        .where(
            col(Consultation.user_id) == user_id,
            (col(Consultation.status) != Status.DRAFT) | col(Consultation.discarded_at).is_(None),
            (col(Consultation.status) != Status.CANCELLED) | col(Consultation.paid_payment_id).is_not(None),
        )
        .order_by(col(Consultation.updated_at).desc())
        .limit(200)
    )
    with transaction() as tx:
        rows = tx.exec(query).all()
        live = _deciding(tx, user_id)
        photos = _photos(tx, [c.id for c, _ in rows])
        return [_case(c, doctor, live.get(c.id), photos.get(c.id, [])) for c, doctor in rows]


def my_case(user_id: uuid.UUID, consultation_id: uuid.UUID) -> Case:
    """One consultation of the patient.

    Raises:
        NotFound: absent, somebody else's, or a draft that was discarded for good.
    """
    with transaction() as tx:
        consultation = consultations.owned(tx, user_id, consultation_id)
        if consultation.status == Status.CANCELLED and consultation.paid_payment_id is None:
            raise NotFound(consultations.GONE)
        doctor = tx.get(User, consultation.claimed_by) if consultation.claimed_by else None
        live = _deciding(tx, user_id).get(consultation.id)
        return _case(consultation, doctor, live, _photos(tx, [consultation.id]).get(consultation.id, []))


def receipt(user_id: uuid.UUID, consultation_id: uuid.UUID) -> Receipt | None:
    """The payment that counts for this consultation, or None before there is one."""
    query = (
        select(Payment)
        .join(Consultation, col(Consultation.paid_payment_id) == col(Payment.id))
        .where(col(Consultation.id) == consultation_id, col(Payment.user_id) == user_id)
    )
    with transaction() as tx:
        paid = tx.exec(query).one_or_none()
    return _receipt(paid)


def last_payment(user_id: uuid.UUID) -> Receipt | None:
    """The latest payment that arrived, for Settings."""
    query = (
        select(Payment)
        .where(col(Payment.user_id) == user_id, col(Payment.paid_at).is_not(None))
        .order_by(col(Payment.paid_at).desc())
        .limit(1)
    )
    with transaction() as tx:
        paid = tx.exec(query).one_or_none()
    return _receipt(paid)


def _receipt(paid: Payment | None) -> Receipt | None:
    if paid is None:
        return None
    currency = paid.received_currency or paid.currency
    return Receipt(
        status=PaymentStatus(paid.status),
        amount=money(paid.received_minor, currency),
        paid_at=paid.paid_at,
        refunded=money(paid.refunded_minor, currency) if paid.refunded_minor else "",
        refund_due=paid.refund_status in UNFINISHED,
        refund_failed=paid.refund_status == RefundStatus.FAILED,
        bank_returned=paid.dispute_status == "lost",
    )


def attempt(user_id: uuid.UUID, session_id: str) -> Attempt | None:
    """The patient's own attempt with this session; for any other text their open attempt, if there is one."""
    mine = select(Payment).where(col(Payment.user_id) == user_id)
    with transaction() as tx:
        found = tx.exec(mine.where(col(Payment.stripe_session_id) == session_id)).one_or_none()
        named = found is not None
        if found is None:
            unsettled = mine.where(col(Payment.status).in_(LIVE)).order_by(col(Payment.created_at).desc())
            found = tx.exec(unsettled.limit(1)).one_or_none()
    return Attempt(found.consultation_id, PaymentStatus(found.status), named) if found else None


def has_customer(user_id: uuid.UUID) -> bool:
    """Whether "Manage Billing" leads anywhere."""
    with transaction() as tx:
        user = tx.get(User, user_id)
        return bool(user and user.stripe_customer_id)


def _deciding(tx: Session, user_id: uuid.UUID) -> dict[uuid.UUID, Payment]:
    """The attempts that decide how drafts are shown: the last of each, unless an earlier one still has to end."""
    query = (
        select(Payment)
        .join(Consultation, col(Consultation.id) == col(Payment.consultation_id))
        .where(col(Payment.user_id) == user_id, col(Consultation.status) == Status.DRAFT)
    )
    rows = sorted(tx.exec(query).all(), key=lambda p: (p.status == PaymentStatus.REVIEW, p.status in LIVE, p.attempt))
    return {p.consultation_id: p for p in rows}


def _photos(tx: Session, ids: list[uuid.UUID]) -> dict[uuid.UUID | None, list[uuid.UUID]]:
    query = (
        select(Photo.consultation_id, Photo.id)
        .where(col(Photo.consultation_id).in_(ids), col(Photo.removed_at).is_(None))
        .order_by(col(Photo.created_at), col(Photo.id))
    )
    found: dict[uuid.UUID | None, list[uuid.UUID]] = {}
    for consultation_id, photo_id in tx.exec(query).all():
        found.setdefault(consultation_id, []).append(photo_id)
    return found


def _case(c: Consultation, doctor: User | None, live: Payment | None, photos: list[uuid.UUID]) -> Case:
    paid = money(c.price_minor, c.currency) if c.price_minor is not None and c.currency else ""
    return Case(
        id=c.id,
        ref=c.ref,
        status=patient_status(Status(c.status), live.status if live else None),
        site=intake.spoken(BY_NAME["site"], c.intake.get("site", "")) or "New consultation",
        photo_id=photos[0] if photos else None,
        photos=len(photos),
        saved_at=c.updated_at,
        submitted_at=c.submitted_at,
        due_at=c.due_at,
        answered_at=c.answered_at,
        followup_until=c.answered_at + timedelta(days=get_settings().followup_days) if c.answered_at else None,
        unread=c.status == Status.ANSWERED and c.answer_read_at is None,
        doctor=doctor.name if doctor else "",
        doctor_title=credentials(doctor.title, doctor.registration_no) if doctor else "",
        amount=paid,
        resume_step=_resume_step(c, len(photos)),
        payment=_payment_word(c, live),
    )


_UNSENT: dict[str, str] = {
    PaymentStatus.OPEN: "unpaid",
    PaymentStatus.PROCESSING: "confirming",
    PaymentStatus.REVIEW: "confirming",
    PaymentStatus.FAILED: "unpaid",
    PaymentStatus.RETURNED: "unpaid",
}
_SAID = {
    PaymentStatus.PROCESSING: "bank",
    PaymentStatus.REVIEW: "checking",
    PaymentStatus.FAILED: "failed",
    PaymentStatus.RETURNED: "returned",
}


def _payment_word(c: Consultation, live: Payment | None) -> str:
    if c.status == Status.DRAFT:
        return _SAID.get(PaymentStatus(live.status), "") if live else ""
    return "disputed" if c.hold_reason == holds.DISPUTE else ""


def patient_status(status: Status, live: str | None) -> str:
    """The patient's word for where it stands: the consultation's state, and for drafts that of the payment."""
    if status is Status.DRAFT:
        return _UNSENT.get(live or "", "draft")
    return "refunded" if status in (Status.REJECTED, Status.CANCELLED) else status.lower()


def _resume_step(c: Consultation, photos: int) -> str:
    answers = {**c.intake, "story": c.user_notes}
    missing = consultations.missing(answers, photos, frozenset())
    return next((step for step in Step if step in missing), Step.REVIEW)
