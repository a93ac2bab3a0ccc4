"""Rest: every job that is due has run, Stripe has been asked about everything, and nothing is under way any more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import text

from teleconsult import jobs
from teleconsult.billing import sweep
from teleconsult.billing.gateway import GatewayDown, GatewayRefused
from teleconsult.db import transaction, utcnow

NOW = timedelta(0)
NEXT = text(
    "select id, task_name, args from procrastinate_jobs"
    " where status = 'todo' and coalesce(scheduled_at, :now) <= :now order by id limit 1"
)
DONE = text("update procrastinate_jobs set status = 'succeeded' where id = :id")
LATER = text("update procrastinate_jobs set scheduled_at = :at, attempts = attempts + 1 where id = :id")


def run_due_jobs() -> int:
    """Run what is due, one after the other, each by its own function. A worker does the same, and costs 200 ms.

    A job that Stripe did not answer is tried again four minutes later.
    """
    done = 0
    while (job := _next()) is not None:
        number, name, arguments = job
        try:
            jobs.app.tasks[name].func(**arguments)
        except (GatewayDown, GatewayRefused):
            _mark(LATER, id=number, at=utcnow() + timedelta(minutes=4))
        else:
            _mark(DONE, id=number)
            done += 1
    return done


def _next() -> tuple[int, str, dict[str, str]] | None:
    with transaction() as tx:
        row = tx.connection().execute(NEXT, {"now": utcnow()}).one_or_none()
    return (row[0], row[1], row[2]) if row else None


def _mark(statement: object, **values: object) -> None:
    with transaction() as tx:
        tx.connection().execute(statement, values)  # type: ignore[call-overload] - a text clause


def rest(wait: Callable[[timedelta], None]) -> None:
    """Let everything come to its end. `wait` moves all clocks."""
    for _ in range(2):
        wait(timedelta(hours=1))
        sweep.run(older_than=NOW)
        run_due_jobs()
