"""The sweep: every ten minutes Stripe is asked about every attempt that hangs, so that no webhook is ever needed.

It starts from our own rows, so that broken metadata can strand nobody, and ends in the same `settle()` as all else.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlmodel import col, select

from teleconsult import jobs, privacy
from teleconsult.billing import checkout, webhook
from teleconsult.billing.gateway import GatewayDown, GatewayRefused, gateway
from teleconsult.billing.models import Payment
from teleconsult.billing.rules import LIVE, PaymentStatus
from teleconsult.billing.settle import Source, refresh
from teleconsult.db import rehearsal, transaction, utcnow

EVERY = "*/10 * * * *"
OLD_ENOUGH = timedelta(minutes=10)
"""Younger attempts are left to their patient and to the webhook."""

EVENT_DAYS = 3
"""How far back undelivered events are fetched: as long as Stripe itself tries."""

BATCH = 500

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


@jobs.app.periodic(cron=EVERY)
@jobs.app.task(name="billing.sweep", queue="money", queueing_lock="billing.sweep", lock="billing.sweep")
def sweep(timestamp: int) -> None:
    """The periodic job. `timestamp` is when it was due, seconds since 1970 UTC."""
    report = run()
    if report.moved or report.events:
        log.info("sweep", due=timestamp, attempts=report.attempts, moved=report.moved, events=report.events)
    if report.unreachable:
        privacy.alert("sweep_unreachable", "warning", fingerprint=("sweep_unreachable",))


def run(*, dry: bool = False, older_than: timedelta = OLD_ENOUGH) -> Report:
    """Bring every hanging attempt to where Stripe has it, then apply events that were never delivered.

    With `dry` nothing changes, here or at Stripe: the report tells what would be done.
    """
    hanging = _hanging(older_than)
    try:
        moved = sum(_look(attempt, dry=dry) for attempt in hanging)
        return Report(len(hanging), moved, _missed_events(dry=dry))
    except (GatewayDown, GatewayRefused):
        return Report(len(hanging), unreachable=True)


def _hanging(older_than: timedelta) -> list[Payment]:
    query = (
        select(Payment)
        .where(col(Payment.status).in_(LIVE), col(Payment.created_at) <= utcnow() - older_than)
        .order_by(col(Payment.created_at))
        .limit(BATCH)
    )
    with transaction() as tx:
        return list(tx.exec(query).all())


def _look(attempt: Payment, *, dry: bool) -> bool:
    """Whether the attempt was not where Stripe has it."""
    if attempt.stripe_session_id is None and (dry or not checkout.recover(attempt)):
        return True
    with rehearsal() if dry else nullcontext():
        refresh(attempt, Source.SWEEP)
        with transaction() as tx:
            return tx.get_one(Payment, attempt.id).status != PaymentStatus(attempt.status)


def _missed_events(*, dry: bool) -> int:
    """Apply what Stripe could not deliver. Events we know are answered as duplicates and count for nothing."""
    since = utcnow() - timedelta(days=EVENT_DAYS)
    applied = 0
    for event in gateway().undelivered_events(sorted(webhook.OURS), since):
        with rehearsal() if dry else nullcontext():
            reply = webhook.apply(event)
        applied += reply.body.get("outcome") not in ("duplicate", "ignored")
    return applied
