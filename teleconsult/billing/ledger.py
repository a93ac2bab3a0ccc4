"""The ledger of webhook events: what is kept of each, which of them still need somebody, and when it is pruned."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete
from sqlmodel import Session, col, func, or_, select

from teleconsult import jobs
from teleconsult.billing.models import Payment, ProcessedWebhook
from teleconsult.db import changed, transaction, utcnow

QUARANTINED = "quarantined"
"""Outcome of an event that nothing could be done with: a person looks at it."""

UNMATCHED = "unmatched"
"""Outcome of news about a payment whose money we have not seen yet: it is applied when that comes."""

SETTLED, MATCHED, REFUNDED, DISMISSED = "settled", "matched", "refunded", "dismissed"
"""How those two are resolved."""

KEPT = timedelta(days=90)
"""Longer than Stripe keeps an event (30 days), so that none can be taken for a new one."""

_AMOUNTS = {"checkout.session": "amount_total", "charge": "amount_refunded", "refund": "amount", "dispute": "amount"}
_WORD = re.compile(r"\w{1,255}")
_CURRENCY = re.compile(r"[a-z]{3}")


def projection(obj: Mapping[str, Any]) -> dict[str, Any]:
    """All that is kept of an event's object: identifiers, amount and a status word. Never who the customer is."""
    kind = str(obj.get("object"))
    amount = obj.get(_AMOUNTS.get(kind, ""))
    return {
        "object_id": _matching(_WORD, obj.get("id")),
        "stripe_payment_intent_id": _matching(_WORD, obj.get("payment_intent")),
        "amount_minor": amount if type(amount) is int and 0 <= amount < 2**31 else None,
        "currency": _matching(_CURRENCY, obj.get("currency")),
        "detail": _matching(_WORD, obj.get("payment_status" if kind == "checkout.session" else "status")) or "",
    }


def _matching(form: re.Pattern[str], raw: object) -> str | None:
    return raw if isinstance(raw, str) and form.fullmatch(raw) else None


def unresolved() -> tuple[ColumnElement[bool], ...]:
    """Conditions of rows that still need somebody or something."""
    return (
        col(ProcessedWebhook.outcome).in_([QUARANTINED, UNMATCHED]),
        col(ProcessedWebhook.resolution).is_(None),
    )


def find(tx: Session, event_id: str, *conditions: ColumnElement[bool]) -> ProcessedWebhook | None:
    """One row, locked."""
    query = select(ProcessedWebhook).where(col(ProcessedWebhook.id) == event_id, *conditions)
    return tx.exec(query.with_for_update()).one_or_none()


def resolve(row: ProcessedWebhook, resolution: str, by: uuid.UUID | None = None) -> None:
    """Nobody has to look at this row any more."""
    row.resolution, row.resolved_at, row.resolved_by = resolution, utcnow(), by


_WAITING = (
    select(ProcessedWebhook)
    .where(
        *unresolved(),
        or_(
            col(ProcessedWebhook.object_id) == bindparam("page"),
            col(ProcessedWebhook.stripe_payment_intent_id) == bindparam("intent"),
        ),
    )
    .order_by(col(ProcessedWebhook.received_at))
    .with_for_update()
)


def waiting(tx: Session, payment: Payment) -> Sequence[ProcessedWebhook]:
    """What still lies unresolved about a payment's page or its money, oldest first. Locked."""
    named = {"page": payment.stripe_session_id, "intent": payment.stripe_payment_intent_id}
    return tx.exec(_WAITING, params=named).all()


def settled(payment: Payment, earlier: Iterable[ProcessedWebhook]) -> None:
    """The money of this page is accounted for: what lies in quarantine about it has its answer."""
    for row in earlier:
        if row.outcome == QUARANTINED and row.object_id == payment.stripe_session_id:
            row.payment_id = payment.id
            resolve(row, SETTLED)


@jobs.app.periodic(cron="23 3 * * *")
@jobs.app.task(name="billing.prune", queueing_lock="billing.prune")
def prune(timestamp: int) -> None:  # noqa: ARG001 - Procrastinate says when it was due
    """Delete what is older than `KEPT` and needs nobody any more."""
    done = or_(
        col(ProcessedWebhook.outcome).not_in([QUARANTINED, UNMATCHED]), col(ProcessedWebhook.resolution).is_not(None)
    )
    with transaction() as tx:
        old = func.coalesce(col(ProcessedWebhook.resolved_at), col(ProcessedWebhook.received_at)) < utcnow() - KEPT
        changed(tx, delete(ProcessedWebhook).where(old, done))
