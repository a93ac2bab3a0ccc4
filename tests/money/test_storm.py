"""The same event many times at once, over two processes, and the same money seen by everybody at once: one effect."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections import Counter
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from teleconsult.billing import checkout, invariants, settle, sweep
from teleconsult.consultations.rules import Status
from teleconsult.db import transaction
from teleconsult.settings import get_settings
from tests.billing.deliveries import consultation, sign
from tests.conftest import empty
from tests.money.oracle import unaccounted
from tests.money.quiet import NOW
from tests.money.stage import Stage, stage
from tests.sandbox_process import SECRET
from tests.support import full_draft, person

AT_ONCE = 64


@pytest.fixture(scope="module")
def running(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Generator[Stage]:
    """Two server processes on one database."""
    empty(postgres_url)
    with stage(tmp_path_factory.mktemp("stage"), with_worker=False) as made:
        yield made


def paid(running: Stage) -> tuple[uuid.UUID, uuid.UUID, str]:
    """Somebody has paid, and no webhook has come: patient, draft, session."""
    owner = person(f"{uuid.uuid4().hex}@example.com")
    draft = full_draft(owner)
    session = checkout.start(owner, draft).session_id
    running.pay(session, webhook="never")
    return owner, draft, session


def completed(running: Stage, session: str) -> dict[str, Any]:
    """The event that says so."""
    events = running.stripe.listed("events", ("type", "checkout.session.completed"))
    return next(event for event in events if event["data"]["object"]["id"] == session)


async def _storm(running: Stage, events: Sequence[dict[str, Any]]) -> list[tuple[str, int, str]]:
    limits = httpx.Limits(max_connections=AT_ONCE)
    async with httpx.AsyncClient(limits=limits, timeout=60) as client:

        async def one(event: dict[str, Any], number: int) -> tuple[str, int, str]:
            body = json.dumps(event).encode()
            headers = {"stripe-signature": sign(body, secret=SECRET), "host": get_settings().host}
            base = running.servers[number % 2].base
            answer = await client.post(f"{base}/api/billing/webhook", content=body, headers=headers)
            return event["id"], answer.status_code, answer.json().get("outcome", "")

        return await asyncio.gather(*(one(event, number) for number, event in enumerate(events)))


def storm(running: Stage, events: Sequence[dict[str, Any]]) -> dict[str, Counter[str]]:
    """Deliver all at once, to both servers in turn. For each event, how often which outcome was told."""
    told: dict[str, Counter[str]] = {event["id"]: Counter() for event in events}
    for event_id, status, outcome in asyncio.run(_storm(running, events)):
        assert status == 200
        told[event_id][outcome] += 1
    return told


def effects(draft: uuid.UUID) -> dict[str, int]:
    """What one payment has caused here."""
    questions = {
        "queued": "select count(*) from audit_log where action = 'submitted' and object_id = :c",
        "paid": "select count(*) from payment where status = 'PAID' and consultation_id = :c",
        "mails": "select count(*) from notice n join consultation c on c.ref = n.facts->>'ref' where c.id = :c",
        "jobs": "select count(*) from procrastinate_jobs j join notice n on j.args->>'notice_id' = cast(n.id as text)"
        " join consultation c on c.ref = n.facts->>'ref' where c.id = :c",
    }
    with transaction() as tx:
        return {name: tx.connection().execute(text(q), {"c": draft}).scalar_one() for name, q in questions.items()}


ONE = {"queued": 1, "paid": 1, "mails": 1, "jobs": 1}


def twenty_events(running: Stage) -> None:
    """Each of them 64 times: applied once, known 63 times."""
    bought = [paid(running) for _ in range(20)]
    for _, draft, session in bought:
        event = completed(running, session)
        told = storm(running, [event] * AT_ONCE)
        assert told == {event["id"]: Counter(processed=1, duplicate=AT_ONCE - 1)}
        assert effects(draft) == ONE


def test_sixty_four_deliveries_of_one_event_are_one(running: Stage) -> None:
    twenty_events(running)


def test_two_events_for_one_session_are_one(running: Stage) -> None:
    for _ in range(5):
        _, draft, session = paid(running)
        first = completed(running, session)
        second = {**first, "id": f"{first['id']}x"}
        told = storm(running, [first, second, second, first] * (AT_ONCE // 4))
        assert Counter(told[first["id"]]) + Counter(told[second["id"]]) == Counter(
            processed=1, noop=1, duplicate=AT_ONCE - 2
        )
        assert effects(draft) == ONE


def test_page_webhook_and_sweep_at_once_are_one(running: Stage) -> None:
    """Everybody who may see the money sees it at the same moment."""
    bought = [paid(running) for _ in range(5)]
    events = [completed(running, session) for _, _, session in bought]
    with ThreadPoolExecutor(16) as crowd:
        landings = [crowd.submit(settle.confirm, owner, session) for owner, _, session in bought for _ in range(2)]
        sweeps = [crowd.submit(sweep.run, older_than=NOW) for _ in range(3)]
        told = crowd.submit(storm, running, events * (AT_ONCE // len(events))).result()
        for other in [*landings, *sweeps]:
            other.result()
    for event, (_, draft, _session) in zip(events, bought, strict=True):
        assert set(told[event["id"]]) <= {"processed", "noop", "duplicate"}
        assert effects(draft) == ONE
        assert consultation(draft).status == Status.PENDING
    assert unaccounted(running.stripe) == []
    assert invariants.check(with_stripe=True, grace=NOW) == []
