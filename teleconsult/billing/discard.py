"""Throwing a draft away, with a way back. It stands here because an open payment page has to be closed first."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from sqlmodel import col, select

from teleconsult import audit, jobs
from teleconsult.billing.checkout import DOWN, close
from teleconsult.billing.gateway import GatewayDown, GatewayRefused
from teleconsult.billing.models import Payment
from teleconsult.billing.rules import LIVE, PaymentStatus
from teleconsult.consultations import service as consultations
from teleconsult.consultations.models import Consultation, Photo
from teleconsult.consultations.rules import Status
from teleconsult.db import transaction, utcnow
from teleconsult.errors import Conflict, Unavailable

UNDO_SECONDS = 15 * 60
"""How long a discarded draft can be brought back."""


def discard(user_id: uuid.UUID, consultation_id: uuid.UUID) -> None:
    """Take a draft off the list. It is deleted for good a quarter of an hour later.

    Raises:
        NotFound: not there or not theirs.
        Conflict: it was paid meanwhile, or the bank is confirming.
        Unavailable: its payment page is open and Stripe can't be asked to close it.
    """
    if (open_page := _open_page(user_id, consultation_id)) is not None:
        _close(open_page)
    with transaction() as tx:
        draft = consultations.editable(tx, user_id, consultation_id)
        draft.discarded_at = utcnow()
        jobs.defer(tx, finish, in_seconds=UNDO_SECONDS, consultation_id=str(draft.id))
        audit.record(tx, "discarded", "consultation", draft.id, actor_id=user_id, actor_role="patient")


def undo(user_id: uuid.UUID, consultation_id: uuid.UUID) -> None:
    """Bring a discarded draft back.

    Raises:
        NotFound, Conflict: too late, or it was never theirs.
    """
    with transaction() as tx:
        draft = consultations.editable(tx, user_id, consultation_id)
        draft.discarded_at = None
        audit.record(tx, "restored", "consultation", draft.id, actor_id=user_id, actor_role="patient")


def _open_page(user_id: uuid.UUID, consultation_id: uuid.UUID) -> Payment | None:
    with transaction() as tx:
        consultations.editable(tx, user_id, consultation_id)
        live = select(Payment).where(col(Payment.consultation_id) == consultation_id, col(Payment.status).in_(LIVE))
        return tx.exec(live).one_or_none()


def _close(attempt: Payment) -> None:
    if attempt.status == PaymentStatus.PROCESSING:
        raise Conflict("Your bank is still confirming a payment for this consultation.")
    if attempt.stripe_session_id is None:
        return  # never shown to anybody; money that still arrives for it is returned
    try:
        closed = close(attempt)
    except (GatewayDown, GatewayRefused):
        raise Unavailable(DOWN.replace("open", "close")) from None
    if not closed:
        raise Conflict("This consultation was paid for meanwhile, so it can’t be discarded.")


@jobs.app.task(name="billing.finish_discard", retry=jobs.PERSISTENT)
def finish(consultation_id: str) -> None:
    """Delete for good what was not brought back: the answers now, the photos by their sweep."""
    with transaction() as tx:
        draft = tx.get(Consultation, uuid.UUID(consultation_id), with_for_update=True)
        if draft is None or draft.status != Status.DRAFT or not _still_discarded(draft.discarded_at):
            return
        draft.status, draft.intake, draft.user_notes, draft.updated_at = Status.CANCELLED, {}, "", utcnow()
        photos = select(Photo).where(col(Photo.consultation_id) == draft.id, col(Photo.removed_at).is_(None))
        for photo in tx.exec(photos).all():
            photo.removed_at = utcnow()
        audit.record(tx, "cancelled", "consultation", draft.id)


def _still_discarded(since: datetime | None) -> bool:
    """Brought back and thrown away again, a draft has its own later job."""
    return since is not None and utcnow() - since > timedelta(seconds=UNDO_SECONDS - 30)
