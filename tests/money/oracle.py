"""Stripe's books read by hand: an account of every payment that owes nothing to `billing.invariants`.

So that a wrong question there can't hide what went wrong.
"""

from __future__ import annotations

from collections import Counter

from sqlmodel import col, select

from teleconsult.billing.models import Payment
from teleconsult.consultations.models import Consultation
from teleconsult.consultations.rules import PAID, Status
from teleconsult.db import transaction
from tests.money.stripe_side import StripeSide


def unaccounted(stripe: StripeSide) -> list[str]:
    """What is wrong between the money at Stripe and the queue here, after rest. Sentences; none is the proof."""
    returned = Counter[str]()
    for refund in stripe.listed("refunds"):
        if refund["status"] in ("pending", "succeeded"):
            returned[refund["payment_intent"]] += refund["amount"]
    queued, wrong = Counter[str](), []
    for session in stripe.sessions(("status", "complete")):
        if session["payment_status"] == "paid":
            place = _place(session["id"])
            back = returned[session["payment_intent"]]
            if place == "queued":
                queued[session["client_reference_id"]] += 1
            elif place != "waiting" and back != session["amount_total"]:
                wrong.append(f"{session['id']} is paid and {place}; {back} of {session['amount_total']} went back")
    wrong += [f"{case} was queued by {times} payments" for case, times in queued.items() if times > 1]
    return wrong + [f"{case} is queued and nobody paid" for case in _queue() if not queued[case]]


def _place(session_id: str) -> str:
    """What its money is to us: queued (whatever became of the case since), waiting for an operator, or another word."""
    with transaction() as tx:
        payment = tx.exec(select(Payment).where(col(Payment.stripe_session_id) == session_id)).one_or_none()
        if payment is None:
            return "unknown"
        case = tx.get_one(Consultation, payment.consultation_id)
    if payment.status == "PAID":
        return "queued" if case.paid_payment_id == payment.id else "not queued"
    return "waiting" if payment.status == "REVIEW" or payment.refund_status == "failed" else payment.status


def _queue() -> list[str]:
    with transaction() as tx:
        query = select(Consultation).where(col(Consultation.status).in_([*PAID, Status.CANCELLED]))
        return [str(c.id) for c in tx.exec(query).all() if c.status != Status.CANCELLED or c.paid_payment_id]
