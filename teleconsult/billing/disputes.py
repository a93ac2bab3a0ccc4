"""A cardholder's objection: while the bank looks into it the case is on hold."""

from __future__ import annotations

from sqlmodel import Session

from teleconsult import audit, privacy
from teleconsult.billing import holds, letters
from teleconsult.billing.models import Payment
from teleconsult.billing.objects import Dispute
from teleconsult.consultations.models import Consultation
from teleconsult.db import utcnow

OVER = frozenset({"won", "lost", "prevented", "warning_closed"})
"""Stripe's last words. All but "lost" leave the money where it is."""


def heard(tx: Session, payment: Payment, case: Consultation, news: Dispute) -> None:
    """Bring what Stripe says about a dispute into our rows. One that has ended stays ended, whatever comes late."""
    if _late(payment, news):
        return
    opened = payment.stripe_dispute_id != news.id
    payment.stripe_dispute_id, payment.dispute_status, payment.updated_at = news.id, news.status, utcnow()
    if opened:
        audit.record(tx, "dispute_opened", "payment", payment.id)
    if news.status in OVER:
        audit.record(tx, f"dispute_{news.status}", "payment", payment.id)
    if news.status == "lost":
        _lost(tx, payment, case)
    elif news.status in OVER:
        holds.release(tx, case, holds.DISPUTE)
    else:
        holds.hold(tx, case, holds.DISPUTE)
        if opened:
            _alert("dispute_opened", payment)


def burden(tx: Session, payment: Payment, case: Consultation) -> None:
    """Let a dispute that was there before its money was accepted weigh on the case."""
    if payment.dispute_status == "lost":
        holds.without_pay(tx, case, holds.DISPUTE)
    elif payment.dispute_status and payment.dispute_status not in OVER:
        holds.hold(tx, case, holds.DISPUTE)


def _late(payment: Payment, news: Dispute) -> bool:
    """News that changes nothing: told already, about a dispute that is over, or about an older one."""
    over = payment.dispute_status in OVER
    if payment.stripe_dispute_id == news.id:
        return over or payment.dispute_status == news.status
    return payment.stripe_dispute_id is not None and not over


def _lost(tx: Session, payment: Payment, case: Consultation) -> None:
    """The bank has given the money back by itself: the patient is told, and the case has nobody who pays for it."""
    _alert("dispute_lost", payment)
    letters.write(tx, "dispute_lost", case, payment)
    if case.paid_payment_id == payment.id:
        holds.without_pay(tx, case, holds.DISPUTE)


def _alert(code: str, payment: Payment) -> None:
    privacy.alert(code, "error", fingerprint=(code, payment.id), payment_id=str(payment.id))
