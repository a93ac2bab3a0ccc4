"""Proceed to payment: from a complete draft to Stripe's page. One live attempt for each consultation, whoever clicks.

Transaction 1 freezes the attempt, then Stripe is called with no transaction open, then transaction 2 keeps the page.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import Session, col, func, select, update

from teleconsult import audit, privacy
from teleconsult.billing import customers, rules
from teleconsult.billing.gateway import GatewayDown, GatewayRefused, gateway
from teleconsult.billing.models import Payment
from teleconsult.billing.objects import CheckoutSession
from teleconsult.billing.rules import LIVE, PaymentStatus
from teleconsult.billing.settle import Source, look
from teleconsult.consultations import photos
from teleconsult.consultations import service as consultations
from teleconsult.consultations.models import Consultation
from teleconsult.consultations.questions import Step
from teleconsult.consultations.rules import Status
from teleconsult.db import changed, transaction, utcnow
from teleconsult.errors import Conflict, Invalid, TooMany, Unavailable
from teleconsult.settings import get_settings

DOWN = "We can’t open the payment page right now. Your draft is saved and nothing was charged."
PAID = "This consultation is already paid for."
CONFIRMING = "Your bank is still confirming a payment for this consultation."
CHECKING = "We received a payment for this consultation and are checking it. Please don’t pay again."
TRIES = 3
"""How often a call starts over when its attempt turns out to be over at Stripe."""


@dataclass(frozen=True)
class CheckoutLink:
    """Where to send the patient."""

    url: str
    consultation_id: uuid.UUID
    session_id: str


def start(user_id: uuid.UUID, consultation_id: uuid.UUID) -> CheckoutLink:
    """The payment page of a complete draft: a new one, or the one that is open already.

    Raises:
        NotFound: not there or not theirs.
        Invalid: something is missing, by field; the draft is saved.
        Conflict: already paid, or the bank is confirming.
        TooMany: too many new pages within the hour.
        Unavailable: Stripe doesn't answer or refuses; the draft is saved and nothing was charged.
    """
    check(user_id, consultation_id)
    try:
        for _ in range(TRIES):
            attempt = _open_attempt(user_id, consultation_id, customers.ensure(user_id))
            if link := _page(attempt):
                return link
    except GatewayDown as error:
        privacy.alert("stripe_unreachable", "warning", fingerprint=("stripe_unreachable", str(error)))
        raise _down(user_id, consultation_id) from None
    except GatewayRefused as error:
        privacy.alert("stripe_refused", "error", fingerprint=("stripe_refused", error.code, error.param))
        raise _down(user_id, consultation_id) from None
    raise _down(user_id, consultation_id)


def start_with(
    user_id: uuid.UUID,
    consultation_id: uuid.UUID | None,
    answers: Mapping[str, object],
    consents: Mapping[str, bool],
    photo_ids: Sequence[uuid.UUID],
) -> CheckoutLink:
    """The same for a whole form at once, which is saved as a draft before anything else happens.

    Raises:
        As `start`; and NotFound for a photo that is not the caller's own.
    """
    saved = consultations.save_form(user_id, consultation_id, answers, consents)
    with transaction() as tx:
        photos.claim(tx, user_id, saved.consultation_id, photo_ids)
    return start(user_id, saved.consultation_id)


def check(user_id: uuid.UUID, consultation_id: uuid.UUID) -> None:
    """Refuse what can't be paid, before anything is asked of Stripe."""
    draft = consultations.draft(user_id, consultation_id)
    if draft.status != Status.DRAFT:
        raise Conflict(PAID if draft.status != Status.CANCELLED else consultations.GONE)
    if draft.problems:
        flat = {name: text for step in Step for name, text in draft.problems.get(step, {}).items()}
        raise Invalid(flat, consultationId=str(consultation_id))


def _down(user_id: uuid.UUID, consultation_id: uuid.UUID) -> Unavailable:
    return Unavailable(DOWN, consultationId=str(consultation_id), ref=consultations.draft(user_id, consultation_id).ref)


# ── Transaction 1: the attempt ─────────────────────────────────────────────────────────────────────


def _open_attempt(user_id: uuid.UUID, consultation_id: uuid.UUID, customer: str) -> Payment:
    """The live attempt, or a new one with everything frozen that will be asked of Stripe."""
    with transaction() as tx:
        consultation = consultations.owned(tx, user_id, consultation_id, lock=True)
        if consultation.status != Status.DRAFT:
            raise Conflict(PAID)
        live = select(Payment).where(col(Payment.consultation_id) == consultation_id, col(Payment.status).in_(LIVE))
        found = tx.exec(live.with_for_update()).one_or_none()
        if found is not None and not _outlived(found):
            return found
        if found is not None:
            found.status = PaymentStatus.CANCELLED
            tx.flush()
        return _new_attempt(tx, consultation, customer)


def _outlived(attempt: Payment) -> bool:
    """An answer that was lost can be asked for again only as long as Stripe remembers the key."""
    return attempt.status == PaymentStatus.CREATING and utcnow() - attempt.created_at > rules.KEY_LIFE


def _refuse_while_checked(tx: Session, consultation_id: uuid.UUID) -> None:
    """Money that waits for an operator is still the patient's: nobody pays a second time meanwhile."""
    query = select(Payment.id).where(
        col(Payment.consultation_id) == consultation_id, col(Payment.status) == PaymentStatus.REVIEW
    )
    if tx.exec(query).first() is not None:
        raise Conflict(CHECKING)


def _new_attempt(tx: Session, consultation: Consultation, customer: str) -> Payment:
    _refuse_while_checked(tx, consultation.id)
    _refuse_flood(tx, consultation.user_id)
    settings = get_settings()
    offer = rules.Offer(settings.price_minor, settings.currency, settings.stripe_price_id)
    count = select(func.count()).where(col(Payment.consultation_id) == consultation.id)
    attempt = Payment(
        consultation_id=consultation.id,
        user_id=consultation.user_id,
        attempt=tx.exec(count).one() + 1,
        amount_minor=offer.amount_minor,
        currency=offer.currency,
        livemode=settings.livemode,
        customer_id=customer,
        expires_at=(utcnow() + rules.SESSION_LIFE).replace(microsecond=0),
    )
    attempt.request = rules.session_request(
        offer,
        ids={
            "userId": str(consultation.user_id),
            "consultationId": str(consultation.id),
            "paymentId": str(attempt.id),
        },
        customer=customer,
        public_url=settings.public_url,
        environment=settings.environment,
        expires_at=attempt.expires_at,
        methods=settings.payment_methods,
    )
    tx.add(attempt)
    audit.record(tx, "payment_started", "payment", attempt.id, actor_id=consultation.user_id, actor_role="patient")
    return attempt


def _refuse_flood(tx: Session, user_id: uuid.UUID) -> None:
    recent = select(func.count()).where(
        col(Payment.user_id) == user_id, col(Payment.created_at) > utcnow() - timedelta(hours=1)
    )
    if tx.exec(recent).one() >= rules.ATTEMPTS_PER_HOUR:
        raise TooMany("You have opened the payment page many times. Please try again in an hour.")


# ── Stripe, and transaction 2: the page ────────────────────────────────────────────────────────────


def _page(attempt: Payment) -> CheckoutLink | None:
    """The page of an attempt, asked of Stripe. None when the attempt is over and the next try makes a new one."""
    if attempt.status == PaymentStatus.PROCESSING:
        raise Conflict(CONFIRMING)
    if attempt.status == PaymentStatus.OPEN:
        return _resume(attempt)
    resent = utcnow() - attempt.created_at > timedelta(seconds=5)
    try:
        session = gateway().create_session(attempt.request, f"checkout:{attempt.id}")
    except GatewayRefused as error:
        _give_up(attempt, error)
        return None
    _keep(attempt, session)
    if session.amount_total != attempt.amount_minor or session.currency != attempt.currency:
        _close_wrong(attempt, session)
    # An old answer replayed under the same key may show a page that is over by now.
    return _resume(attempt, session.id) if resent else _link(attempt, session)


def recover(attempt: Payment) -> bool:
    """Fetch the lost answer of an attempt under its key. False when the attempt is given up instead.

    Raises:
        GatewayDown, GatewayRefused: Stripe can't be asked now.
    """
    if _outlived(attempt):
        _cancel(attempt)
        return False
    try:
        session = gateway().create_session(attempt.request, f"checkout:{attempt.id}")
    except GatewayRefused as error:
        if error.about_us:
            raise
        _cancel(attempt)
        return False
    _keep(attempt, session)
    attempt.stripe_session_id = session.id
    return True


def _resume(attempt: Payment, session_id: str = "") -> CheckoutLink | None:
    """Back to the page that is open, as Stripe knows it now."""
    attempt.stripe_session_id = attempt.stripe_session_id or session_id
    session = look(attempt, Source.LANDING)
    if session is None:
        return None
    if session.paid:
        raise Conflict(PAID)
    if session.status == "complete":
        raise Conflict(CONFIRMING)
    if session.status == "open" and attempt.expires_at - utcnow() < rules.NEARLY_OVER:
        close(attempt)
        return None
    return _link(attempt, session) if session.status == "open" else None


def _link(attempt: Payment, session: CheckoutSession) -> CheckoutLink | None:
    return CheckoutLink(session.url, attempt.consultation_id, session.id) if session.url else None


def _keep(attempt: Payment, session: CheckoutSession) -> None:
    """Only a row that is still CREATING takes the answer: a webhook may have been faster, and PAID stays PAID."""
    with transaction() as tx:
        changed(
            tx,
            update(Payment)
            .where(col(Payment.id) == attempt.id, col(Payment.status) == PaymentStatus.CREATING)
            .values(
                status=PaymentStatus.OPEN, stripe_session_id=session.id, session_url=session.url, updated_at=utcnow()
            ),
        )


def _give_up(attempt: Payment, error: GatewayRefused) -> None:
    """Stripe refused the parameters: this attempt is over. Only what a new attempt mends lets the caller go on."""
    if not error.about_us:
        _cancel(attempt)
    if error.customer_gone and attempt.customer_id:
        with transaction() as tx:
            customers.forget(tx, attempt.customer_id)
    elif not error.key_reused and error.param != "expires_at":
        raise error


def _cancel(attempt: Payment) -> None:
    """Nobody was ever shown a page for it. A webhook that says otherwise still finds it, and late money counts."""
    with transaction() as tx:
        changed(
            tx,
            update(Payment)
            .where(col(Payment.id) == attempt.id, col(Payment.status) == PaymentStatus.CREATING)
            .values(status=PaymentStatus.CANCELLED, updated_at=utcnow()),
        )


def _close_wrong(attempt: Payment, session: CheckoutSession) -> None:
    """Stripe would charge another amount than we show: nobody may pay that."""
    attempt.stripe_session_id = session.id
    privacy.alert("price_differs", "fatal", fingerprint=("price_differs",), payment_id=str(attempt.id))
    close(attempt)
    raise GatewayDown("price differs")


def close(attempt: Payment) -> bool:
    """Expire an open page at Stripe and settle what that shows. True when nobody can pay on it any more.

    Stripe refuses for a page that is complete: then its money is settled, never dropped.

    Raises:
        GatewayDown, GatewayRefused: Stripe can't be asked now.
    """
    with contextlib.suppress(GatewayRefused):  # complete, expired or gone already: looking at it tells which
        gateway().expire_session(str(attempt.stripe_session_id))
    session = look(attempt, Source.LANDING)
    return session is None or session.status == "expired"
