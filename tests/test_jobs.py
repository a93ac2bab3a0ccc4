"""Jobs beside a running worker: promised by a thread's transaction, run at once, never before the commit."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from teleconsult import jobs
from teleconsult.db import transaction
from teleconsult.notices.models import Notice
from teleconsult.notices.service import send_later

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
