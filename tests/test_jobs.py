"""Jobs beside a running worker: promised by a thread's transaction, run at once, never before the commit."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from teleconsult import jobs, privacy
from teleconsult.billing import sweep
from teleconsult.db import transaction
from teleconsult.notices.models import Notice
from teleconsult.notices.service import send_later
from tests.support import fresh_settings

pytestmark = pytest.mark.usefixtures("database")


def promise() -> None:
    with transaction() as tx:
        send_later(tx, "case_update", "jane@example.com", ref="TC-7Q4MX")


def unsent() -> int:
    with transaction() as tx:
        return len(tx.exec(select(Notice).where(col(Notice.sent_at).is_(None))).all())


async def until_sent() -> bool:
    for _ in range(100):
        if await asyncio.to_thread(unsent) == 0:
            return True
        await asyncio.sleep(0.05)
    return False


def test_worker_beside_the_server_runs_what_a_request_promises() -> None:
    async def server() -> bool:
        async with jobs.worker():
            await asyncio.to_thread(promise)
            return await until_sent()

    assert asyncio.run(server())


def test_worker_can_start_again_after_it_stopped() -> None:
    test_worker_beside_the_server_runs_what_a_request_promises()
    test_worker_beside_the_server_runs_what_a_request_promises()


def test_without_a_worker_nothing_runs() -> None:
    """Negative control: it is the worker that sends."""
    promise()
    assert unsent() == 1
    with transaction() as tx:
        assert tx.connection().execute(text("select status from procrastinate_jobs")).scalars().all() == ["todo"]


def killed(task: str, *, lock: str | None = None, attempts: int = 0, silent: float = jobs.DEAD_AFTER + 1) -> None:
    """A job whose worker began it and gave its last sign of life `silent` seconds ago."""
    with transaction() as tx:
        worker = text(
            "insert into procrastinate_workers (last_heartbeat) values (now() - make_interval(secs => :s)) returning id"
        )
        row = {"w": tx.connection().execute(worker, {"s": silent}).scalar_one(), "t": task, "l": lock, "a": attempts}
        begun = text(
            "insert into procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args, status, worker_id, "
            "attempts) values ('money', :t, :l, :l, '{\"timestamp\": 0}', 'doing', :w, :a)"
        )
        tx.connection().execute(begun, row)


def states() -> list[tuple[str, int]]:
    with transaction() as tx:
        found = tx.connection().execute(text("select status::text, attempts from procrastinate_jobs order by id")).all()
    return [(status, attempts) for status, attempts in found]


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often the sweep ran, which asks nobody here."""
    seen: list[int] = []

    def look() -> sweep.Report:
        seen.append(1)
        return sweep.Report()

    monkeypatch.setattr(sweep, "run", look)
    return seen


def test_job_of_a_killed_worker_runs_again(runs: list[int]) -> None:
    killed("billing.sweep", lock="billing.sweep")
    asyncio.run(jobs.drain())
    assert (states(), runs) == ([("succeeded", 2)], [1])


def test_job_of_a_worker_that_lives_is_left_alone(runs: list[int]) -> None:
    killed("billing.sweep", lock="billing.sweep", silent=1)
    asyncio.run(jobs.drain())
    assert (states(), runs) == ([("doing", 0)], [])


def test_killed_job_gives_way_to_its_waiting_successor(runs: list[int]) -> None:
    killed("billing.sweep", lock="billing.sweep")
    with transaction() as tx:
        tx.connection().execute(
            text(
                "insert into procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args) "
                "values ('money', 'billing.sweep', 'billing.sweep', 'billing.sweep', '{\"timestamp\": 1}')"
            )
        )
    asyncio.run(jobs.drain())
    assert (states(), runs) == ([("failed", 1), ("succeeded", 1)], [1])


def test_job_that_keeps_killing_is_given_up_and_said_so(runs: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    monkeypatch.setattr(privacy, "alert", lambda code, _level, **_facts: heard.append(code))
    killed("billing.sweep", lock="billing.sweep", attempts=jobs.MOST_DEATHS)
    asyncio.run(jobs.drain())
    assert (runs, heard) == ([], ["job_given_up"])
    assert [status for status, _ in states()] == ["failed"]


@pytest.fixture
def reported(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, object]]]:
    """What would have gone to Sentry."""
    heard: list[tuple[str, dict[str, object]]] = []
    monkeypatch.setattr(privacy, "capture", lambda error, **tags: heard.append((type(error).__name__, tags)))
    return heard


def test_a_job_that_failed_for_good_is_reported(
    monkeypatch: pytest.MonkeyPatch, reported: list[tuple[str, dict[str, object]]]
) -> None:
    def break_down() -> sweep.Report:
        raise KeyError("unforeseen")

    monkeypatch.setattr(sweep, "run", break_down)
    with transaction() as tx:
        jobs.defer(tx, sweep.sweep, timestamp=0)
    asyncio.run(jobs.drain())
    assert reported == [("KeyError", {"code": "job_failed", "task": "billing.sweep", "attempts": 1})]
    assert states() == [("failed", 1)]


def test_a_job_that_will_be_tried_again_is_not(
    monkeypatch: pytest.MonkeyPatch, reported: list[tuple[str, dict[str, object]]]
) -> None:
    monkeypatch.setenv("SMTP_URL", "smtp://127.0.0.1:9")
    fresh_settings()
    promise()
    asyncio.run(jobs.drain())
    assert reported == []
    assert states() == [("todo", 1)]


def test_running_worker_looks_for_killed_ones(runs: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Also those that die while it works."""
    monkeypatch.setattr(jobs, "HEARTBEAT", 0.2)

    async def server() -> None:
        async with jobs.worker():
            await asyncio.sleep(0.5)
            await asyncio.to_thread(killed, "billing.sweep", lock="billing.sweep")
            for _ in range(160):
                if runs:
                    return
                await asyncio.sleep(0.05)

    asyncio.run(server())
    assert runs  # on the tenth minute the periodic one runs as well
