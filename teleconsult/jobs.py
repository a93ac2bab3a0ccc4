"""Background jobs: Procrastinate on the same PostgreSQL, so that a job is promised by the very commit that needs it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import cast

import procrastinate
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.job_context import JobContext
from procrastinate.jobs import Job, Status
from procrastinate.middleware import AsyncCallNext
from procrastinate.periodic import PeriodicRegistry
from procrastinate.tasks import Task
from procrastinate.worker import Worker
from sqlmodel import Session

from teleconsult import privacy
from teleconsult.db import libpq_url, utcnow
from teleconsult.settings import get_settings

HOMES_OF_TASKS = [
    *(
        f"teleconsult.billing.{name}"
        for name in ("discard", "invariants", "ledger", "refunds", "reversals", "sweep", "watch")
    ),
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

HEARTBEAT = 10.0
"""Seconds between two signs of life of a worker, and between two looks for workers that give none."""

DEAD_AFTER = 60.0
"""Seconds without a sign of life after which a worker's jobs are taken from it."""

MOST_DEATHS = 9
"""A job whose workers died so often is given up: it may be what kills them."""


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
        await _look_after(opened)
        watch = asyncio.create_task(_watch(opened))
        try:
            await opened.run_worker_async(
                concurrency=CONCURRENCY,
                install_signal_handlers=False,
                shutdown_graceful_timeout=10,
                update_heartbeat_interval=HEARTBEAT,
                stalled_worker_timeout=DEAD_AFTER,
                worker_middleware=[_reported],
            )
        finally:
            watch.cancel()


async def _watch(opened: procrastinate.App) -> None:
    """Look after killed workers again and again."""
    while True:
        await asyncio.sleep(HEARTBEAT)
        await _look_after(opened)


async def _look_after(opened: procrastinate.App) -> None:
    """Rescue what there is. A database that is away now is asked again at the next beat."""
    with contextlib.suppress(ConnectorException):
        await _rescue(opened)


async def _rescue(opened: procrastinate.App) -> None:
    """Give back the jobs of workers that were killed.

    Nothing else does: such a job would stay begun for ever and keep its lock, so that after one `kill -9` at the wrong
    moment no sweep would ever run again. A job may therefore run twice, which every one of ours can take.
    """
    for job in await opened.job_manager.get_stalled_jobs(seconds_since_heartbeat=DEAD_AFTER):
        with contextlib.suppress(ConnectorException):  # another worker has just seen to it
            await _give_back(opened, job)


async def _give_back(opened: procrastinate.App, job: Job) -> None:
    """Let it run again, unless it keeps killing, or its successor waits: of one queueing lock only one job may wait."""
    if job.attempts >= MOST_DEATHS:
        privacy.alert("job_given_up", "fatal", fingerprint=("job_given_up", job.task_name), task=job.task_name)
        await _end(opened, job)
        return
    try:
        await opened.job_manager.retry_job(job)
    except UniqueViolation:
        await _end(opened, job)


async def _end(opened: procrastinate.App, job: Job) -> None:
    """Over, and its lock is free."""
    await opened.job_manager.finish_job_by_id_async(job_id=cast("int", job.id), status=Status.FAILED, delete_job=False)


async def _reported(run: AsyncCallNext, context: JobContext, _worker: Worker) -> object:
    """Tell people about a job that failed for good. One that will be tried again is nobody's concern yet."""
    try:
        return await run()
    except Exception as error:
        if context.task is None or context.task.get_retry_exception(error, context.job) is None:
            privacy.capture(error, code="job_failed", task=context.job.task_name, attempts=context.job.attempts + 1)
        raise


async def drain() -> None:
    """Run every job that was promised and is due now, and return: for commands and tests.

    Periodic tasks are the long-running worker's: drained on the minute, they would add jobs that nobody promised.
    """
    async with _opened() as opened:
        await _rescue(opened)
        opened.perform_import_paths()  # before the registry is put aside: importing a task enters it there
        periodic, opened.periodic_registry = opened.periodic_registry, PeriodicRegistry()
        try:
            await opened.run_worker_async(
                wait=False, install_signal_handlers=False, listen_notify=False, worker_middleware=[_reported]
            )
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
