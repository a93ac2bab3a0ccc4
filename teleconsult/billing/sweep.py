"""The sweep: every ten minutes Stripe is asked about every attempt that hangs, so that no webhook is ever needed.

It starts from our own rows, so that broken metadata can strand nobody, and ends in the same `settle()` as all else.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

import structlog
from sqlmodel import Session, col, func, select, update

from teleconsult import jobs, privacy
from teleconsult.billing import checkout, refunds, webhook
from teleconsult.billing.gateway import GatewayDown, GatewayRefused, gateway
from teleconsult.billing.models import Payment, ProcessedWebhook
from teleconsult.billing.rules import LIVE, PaymentStatus
from teleconsult.billing.settle import Source, look
from teleconsult.consultations.models import Consultation
from teleconsult.consultations.rules import Status
from teleconsult.db import changed, rehearsal, transaction, utcnow

EVERY = "*/10 * * * *"
OLD_ENOUGH = timedelta(minutes=10)
"""Younger attempts are left to their patient and to the webhook."""

EVENT_DAYS = 3
"""How far back undelivered events are fetched: as long as Stripe itself tries."""

STRIPE_KEEPS = 30
"""Days for which Stripe tells of an event."""

BATCH = 500
"""Attempts, and refunds, that one sweep looks at: those first that were not looked at for longest."""

PATIENCE = 3
"""Attempts Stripe may leave without an answer before the sweep ends for this time."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Report:
    """What one sweep did."""

    attempts: int = 0
    moved: int = 0
    """Attempts that were not where Stripe had them."""
    events: int = 0
    """Events that no delivery had brought."""
    unreachable: bool = False
    refunds: int = 0
    """Refunds that were not where Stripe had them."""


@jobs.app.periodic(cron=EVERY)
@jobs.app.task(name="billing.sweep", queue="money", queueing_lock="billing.sweep", lock="billing.sweep")
def sweep(timestamp: int) -> None:
    """The periodic job. `timestamp` is when it was due, seconds since 1970 UTC."""
    fine = False
    try:
        report = run()
        fine = not report.unreachable
    finally:
        privacy.check_in("teleconsult-sweep", fine=fine)
    if report.moved or report.events or report.refunds:
        log.info(
            "sweep",
            due=timestamp,
            attempts=report.attempts,
            moved=report.moved,
            events=report.events,
            refunds=report.refunds,
        )
    if report.unreachable:
        privacy.alert("sweep_unreachable", "warning", fingerprint=("sweep_unreachable",))


def run(*, dry: bool = False, older_than: timedelta = OLD_ENOUGH) -> Report:
    """Bring every hanging attempt to where Stripe has it, then apply events that were never delivered.

    With `dry` nothing changes, here or at Stripe: the report tells what would be done.
    """
    hanging = _hanging(older_than)
    moved, silent = _look_at(hanging, dry=dry)
    if silent == PATIENCE:
        return Report(len(hanging), moved, unreachable=True)
    try:
        chased = refunds.chase(BATCH, dry=dry)
        return Report(len(hanging), moved, _missed_events(dry=dry), unreachable=silent > 0, refunds=chased)
    except (GatewayDown, GatewayRefused):
        return Report(len(hanging), moved, unreachable=True)


def _look_at(hanging: Sequence[Payment], *, dry: bool) -> tuple[int, int]:
    """How many moved, and how many got no answer. One that Stripe stumbles over doesn't keep the others waiting."""
    moved = silent = 0
    for attempt in hanging:
        try:
            moved += _look(attempt, dry=dry)
        except (GatewayDown, GatewayRefused):
            silent += 1
        if silent == PATIENCE:
            break
    return moved, silent


def _hanging(older_than: timedelta) -> Sequence[Payment]:
    query = (
        select(Payment)
        .where(col(Payment.status).in_(LIVE), col(Payment.created_at) <= utcnow() - older_than)
        .order_by(col(Payment.checked_at).asc().nulls_first(), col(Payment.created_at))
        .limit(BATCH)
    )
    with transaction() as tx:
        return tx.exec(query).all()


def _look(attempt: Payment, *, dry: bool) -> bool:
    """Whether the attempt was not where Stripe has it. A page that nobody needs any more is closed."""
    with rehearsal() if dry else nullcontext():
        with transaction() as tx:
            changed(tx, update(Payment).where(col(Payment.id) == attempt.id).values(checked_at=utcnow()))
        if attempt.stripe_session_id is None and (dry or not checkout.recover(attempt)):
            return True
        look(attempt, Source.SWEEP)
        with transaction() as tx:
            now = tx.get_one(Payment, attempt.id)
            needless = now.status == PaymentStatus.OPEN and not _waits(tx, now)
        if needless:
            return dry or checkout.close(now)
        return now.status != PaymentStatus(attempt.status)


def _waits(tx: Session, attempt: Payment) -> bool:
    """Whether the consultation still waits to be paid. Another attempt's late money may have done that."""
    return tx.get_one(Consultation, attempt.consultation_id).status == Status.DRAFT


def _heard_until() -> datetime:
    """Since when events may be missing: for three days, or since the last one that came before a longer silence."""
    with transaction() as tx:
        last = tx.exec(select(func.max(ProcessedWebhook.received_at))).one()
    longest = utcnow() - timedelta(days=STRIPE_KEEPS)
    return max(longest, min(utcnow() - timedelta(days=EVENT_DAYS), last or longest))


def _missed_events(*, dry: bool) -> int:
    """Apply what Stripe could not deliver. Events we know are answered as duplicates and count for nothing."""
    applied = 0
    for event in gateway().undelivered_events(sorted(webhook.OURS), _heard_until()):
        with rehearsal() if dry else nullcontext():
            reply = webhook.apply(event)
        applied += reply.status == HTTPStatus.OK and reply.body.get("outcome") not in ("duplicate", "ignored")
    return applied
