"""Whether money and jobs flow: a handful of figures read from the database, cheap however much history there is.

The health page, the metrics, `doctor` and the periodic watch all read these, so that they never disagree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlmodel import Session, col, select

from teleconsult.billing.models import ProcessedWebhook
from teleconsult.billing.rules import LIVE, PaymentStatus
from teleconsult.db import transaction

GRACE = timedelta(minutes=30)
"""An attempt may be this long past its time: then two sweeps have looked at it."""

BANK_DAYS = 14
"""How long a delayed payment method may take to say yes or no."""

JOB_LATE = timedelta(minutes=15)
"""A job that is due and not done for so long waits for somebody who doesn't come back, or for a worker."""

WORKER_SILENT = timedelta(minutes=2)
"""A worker gives a sign of life every ten seconds."""

WEBHOOK_REFUSED = "webhook_refused"
QUARANTINE_NOT_EMPTY = "quarantine_not_empty"
STUCK = ("worker_silent", "jobs_late", "payments_stuck", "events_silent")
"""Codes of alarms, which the alerts at Sentry wait for."""

WAITING = tuple(sorted((*LIVE, PaymentStatus.REVIEW)))
"""States in which somebody or something is still to act."""

UNFINISHED = ("todo", "doing", "failed")
"""Of jobs. Those that succeeded are history and not counted: there may be millions."""


@dataclass(frozen=True)
class Pulse:
    """How things stand now. Ages in seconds; None where there is nothing to have an age."""

    oldest_job_age: int | None
    """Of the oldest job that is due and not done, from when it first was due."""
    worker_age: int | None
    """Since a worker last gave a sign of life."""
    stuck_payments: int
    """Attempts that are past their time, so that the sweep should have closed them long ago."""
    stuck_age: int | None
    """How far the worst of them is past it."""
    quarantined: int
    last_event_age: int | None
    swept: int
    """Payments of the last day that the sweep found, and no event told of before or since."""


def read() -> Pulse:
    """The figures, in one short transaction."""
    with transaction() as tx:
        stuck = _row(tx, _STUCK, grace=GRACE, bank_days=BANK_DAYS)
        return Pulse(
            oldest_job_age=_seconds(tx, _OLDEST_JOB),
            worker_age=_seconds(tx, _WORKER),
            stuck_payments=stuck["count"],
            stuck_age=_whole(stuck["age"]),
            quarantined=_row(tx, _QUARANTINED)["count"],
            last_event_age=_seconds(tx, _LAST_EVENT),
            swept=_row(tx, _SWEPT)["count"],
        )


def troubles(now: Pulse) -> list[str]:
    """What is not as it should be, by name: one place decides for health page, alarms and `doctor` alike."""
    silent, late = WORKER_SILENT.total_seconds(), JOB_LATE.total_seconds()
    signs = (
        now.worker_age is None or now.worker_age > silent,
        (now.oldest_job_age or 0) > late,
        now.stuck_payments > 0,
        now.swept > 0,
        now.quarantined > 0,
    )
    return [name for name, wrong in zip((*STUCK, QUARANTINE_NOT_EMPTY), signs, strict=True) if wrong]


def jobs_by_status() -> Mapping[str, int]:
    """How many jobs wait, run and have failed."""
    with transaction() as tx:
        found = {row.status: row.count for row in tx.connection().execute(text(_JOBS))}
    return {status: found.get(status, 0) for status in UNFINISHED}


def waiting_payments() -> Mapping[str, int]:
    """How many attempts stand in each state that is not an end."""
    with transaction() as tx:
        found = {row.status: row.count for row in tx.connection().execute(text(_WAITING))}
    return {status: found.get(status, 0) for status in WAITING}


def payments_last_day() -> Mapping[str, int]:
    """How many of the attempts made within the last 24 hours stand where."""
    with transaction() as tx:
        found = {row.status: row.count for row in tx.connection().execute(text(_LAST_DAY))}
    return {status: found.get(status, 0) for status in PaymentStatus}


def unseen(event_ids: Sequence[str]) -> int:
    """How many of these events have no place in the ledger."""
    with transaction() as tx:
        known = tx.exec(select(ProcessedWebhook.id).where(col(ProcessedWebhook.id).in_(event_ids))).all()
    return len(set(event_ids) - set(known))


def _row(tx: Session, query: str, **values: Any) -> Mapping[str, Any]:
    return tx.connection().execute(text(query), values).mappings().one()


def _seconds(tx: Session, query: str) -> int | None:
    return _whole(_row(tx, query)["age"])


def _whole(value: Any) -> int | None:
    return None if value is None else max(0, int(value))


# Each of these reads an index that holds nothing but the rows in question, or the end of one; tests hold them to it.

# A job that was tried before is as old as its promise; a new one counts from when it is to run.
_OLDEST_JOB = """
select extract(epoch from now() - min(due)) as age from (
    select case when attempts = 0 and scheduled_at is not null then scheduled_at
        else (select min(at) from procrastinate_events where job_id = job.id) end as due
    from procrastinate_jobs job where status in ('todo', 'doing')
) waiting where due <= now()
"""

_WORKER = "select extract(epoch from now() - max(last_heartbeat)) as age from procrastinate_workers"

_JOBS = """
select status::text as status, count(*) as count from procrastinate_jobs where status in ('todo', 'doing') group by 1
union all select 'failed', count(*) from procrastinate_jobs where status = 'failed'
"""

_STUCK = """
select count(*) as count, extract(epoch from max(over)) as age from (
    select now() - case status
        when 'CREATING' then created_at + :grace
        when 'OPEN' then expires_at + :grace
        else created_at + make_interval(days => :bank_days) end as over
    from payment where status in ('CREATING', 'OPEN', 'PROCESSING')
) live where over > interval '0'
"""

_QUARANTINED = """
select (select count(*) from payment where status = 'REVIEW' or refund_status = 'failed')
    + (select count(*) from processed_webhook where outcome in ('quarantined', 'unmatched') and resolution is null
        and payment_id is null and (outcome = 'quarantined' or received_at < now() - interval '1 hour')) as count
"""

_LAST_EVENT = "select extract(epoch from now() - max(received_at)) as age from processed_webhook"

_SWEPT = """
select count(*) as count from payment
where settled_by = 'sweep' and paid_at > now() - interval '1 day'
    and paid_at > coalesce((select max(received_at) from processed_webhook), '-infinity')
"""

_WAITING = """
select status, count(*) as count from payment where status in ('CREATING', 'OPEN', 'PROCESSING') group by status
union all select 'REVIEW', count(*) from payment where status = 'REVIEW'
"""

_LAST_DAY = "select status, count(*) as count from payment where created_at > now() - interval '1 day' group by status"
