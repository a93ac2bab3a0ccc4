"""Background jobs: Procrastinate on the same PostgreSQL, so that a job is promised by the very commit that needs it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import procrastinate
from procrastinate.periodic import PeriodicRegistry
from procrastinate.tasks import Task
from sqlmodel import Session

from teleconsult.db import libpq_url, utcnow
from teleconsult.settings import get_settings

HOMES_OF_TASKS = [
    *(f"teleconsult.billing.{name}" for name in ("discard", "refunds", "reversals", "sweep")),
    "teleconsult.consultations.photo_sweep",
    "teleconsult.notices.service",
]
"""A worker imports these when it starts, so that it knows every task even where nothing else imports them."""

app = procrastinate.App(connector=procrastinate.PsycopgConnector(), import_paths=HOMES_OF_TASKS)
"""Slices register their tasks here with `@app.task(name="slice.verb")`. Arguments are identifiers, never contents."""

_promises = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())
"""Writes jobs on connections of callers. Never opened: an app whose worker runs takes only asynchronous ones."""

PERSISTENT = procrastinate.RetryStrategy(max_attempts=9, exponential_wait=4)
"""Tries after 4 s, 16 s, 64 s … for about a day: for work that waits for somebody else to come back."""

CONCURRENCY = 4


def defer(
    tx: Session,
    task: Task,  # type: ignore[type-arg] - any task of ours
    *,
    in_seconds: int = 0,
    lock: str | None = None,
    **identifiers: str | int,
) -> None:
    """Promise `task` within the caller's transaction: committed together, or never run.

    Source: Procrastinate's `connection` option, "atomic deferral within a user-managed transaction".
    """
    connection = tx.connection().connection.driver_connection
    when = utcnow() + timedelta(seconds=in_seconds) if in_seconds else None
    promise = _promises.configure_task(task.name, queue=task.queue, lock=lock, connection=connection, schedule_at=when)
    promise.defer(**identifiers)


@asynccontextmanager
async def _opened() -> AsyncGenerator[procrastinate.App]:
    """The app with connections of its own; a closed pool can't be opened again, so each run gets a new one."""
    connector = procrastinate.PsycopgConnector(
        conninfo=libpq_url(get_settings().database_url), min_size=1, max_size=CONCURRENCY + 2
    )
    with app.replace_connector(connector):
        async with app.open_async():
            yield app


async def work() -> None:
    """Run jobs until cancelled; a job that has begun may finish within ten seconds."""
    async with _opened() as opened:
        await opened.run_worker_async(
            concurrency=CONCURRENCY, install_signal_handlers=False, shutdown_graceful_timeout=10
        )


async def drain() -> None:
    """Run every job that was promised and is due now, and return: for commands and tests.

    Periodic tasks are the long-running worker's: drained on the minute, they would add jobs that nobody promised.
    """
    async with _opened() as opened:
        periodic, opened.periodic_registry = opened.periodic_registry, PeriodicRegistry()
        try:
            await opened.run_worker_async(wait=False, install_signal_handlers=False, listen_notify=False)
        finally:
            opened.periodic_registry = periodic


@asynccontextmanager
async def worker() -> AsyncGenerator[None]:
    """A worker beside the web server, for as long as the server lives."""
    task = asyncio.create_task(work())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
