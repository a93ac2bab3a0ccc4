"""`kill -9` at every named line and at any moment: nothing is lost, nothing is done twice."""

from __future__ import annotations

import os
import random
import time
import uuid
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from teleconsult import jobs
from teleconsult.billing import invariants, sweep
from teleconsult.billing.rules import PaymentStatus
from teleconsult.consultations.rules import Status
from teleconsult.db import transaction
from teleconsult.notices.models import Notice
from tests.billing.deliveries import consultation, payments
from tests.conftest import empty
from tests.money.machine import GIVE_UP
from tests.money.oracle import unaccounted
from tests.money.quiet import NOW
from tests.money.stage import Stage, stage, until
from tests.money.victim import POINTS

SECONDS = float(os.environ.get("MONEY_KILL_SECONDS", "60"))
"""How long processes are killed at random. Longer: MONEY_KILL_SECONDS=600."""


@pytest.fixture(scope="module")
def running(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Generator[Stage]:
    """The processes, for all tests of this file. Each has patients of its own."""
    empty(postgres_url)
    with stage(tmp_path_factory.mktemp("stage")) as made:
        yield made


def points(first: str) -> list[str]:
    return [point for point in POINTS if point.startswith(first)]


def jobs_left() -> int:
    """Jobs that are due or running."""
    query = (
        "select count(*) from procrastinate_jobs"
        " where status = 'doing' or status = 'todo' and coalesce(scheduled_at, now()) <= now()"
    )
    with transaction() as tx:
        return tx.connection().execute(text(query)).scalar_one()


def comes_to_rest(running: Stage, seconds: float = 30) -> None:
    """Every event is accepted and every job done; then every promise holds and every payment has its account."""
    until(lambda: running.undelivered() == 0, "everything is delivered", seconds)
    until(lambda: jobs_left() == 0, "everything is done", seconds)
    sweep.run(older_than=NOW)
    until(lambda: jobs_left() == 0, "everything is done")
    assert unaccounted(running.stripe) == []
    assert invariants.check(with_stripe=True, grace=NOW) == []


def queued(draft: uuid.UUID) -> bool:
    return consultation(draft).status == Status.PENDING


def letters(running: Stage, owner: uuid.UUID) -> dict[str, int]:
    """How often each e-mail to this patient was accepted by the mail server, by its kind."""
    with transaction() as tx:
        address = tx.connection().execute(text('select email from "user" where id = :i'), {"i": owner}).scalar_one()
        sent = tx.exec(select(Notice).where(col(Notice.recipient) == address)).all()
    return {n.kind: sum(c for name, c in running.mails.seen.items() if str(n.id) in name) for n in sent}


@pytest.mark.parametrize("point", points("C"))
def test_checkout(running: Stage, point: str) -> None:
    owner, draft = running.draft()
    running.order(point)
    answer = running.checkout(owner, draft)
    assert (answer.status_code, running.died(point)) == (200, True)
    running.pay(answer.json()["sessionId"])
    until(lambda: queued(draft), "the consultation is queued")
    comes_to_rest(running)
    made = [s for s in running.stripe.sessions() if s["client_reference_id"] == str(draft)]
    assert len(made) == len(payments(draft)) == 1
    assert letters(running, owner) == {"payment_received": 1}


@pytest.mark.parametrize("point", points("W"))
def test_webhook(running: Stage, point: str) -> None:
    owner, draft = running.draft()
    session = running.checkout(owner, draft).json()["sessionId"]
    running.order(point)
    running.pay(session)
    until(lambda: running.died(point), "the server has died")
    until(lambda: queued(draft), "the consultation is queued")
    comes_to_rest(running)
    assert letters(running, owner) == {"payment_received": 1}


@pytest.mark.parametrize("point", points("M"))
def test_mail(running: Stage, point: str) -> None:
    owner, draft = running.draft()
    session = running.checkout(owner, draft).json()["sessionId"]
    running.order(point)
    running.pay(session)
    until(lambda: running.died(point), "the worker has died")
    comes_to_rest(running)
    assert letters(running, owner) == {"payment_received": 2 if point.startswith("M2") else 1}


@pytest.mark.parametrize("point", points("R"))
def test_refund(running: Stage, point: str) -> None:
    """Paid on two pages: one of them goes back, once."""
    owner, draft = running.draft()
    first = running.checkout(owner, draft).json()["sessionId"]
    with transaction() as tx:
        tx.connection().execute(
            text("update payment set status = 'CANCELLED' where consultation_id = :c"), {"c": draft}
        )
    second = running.checkout(owner, draft).json()["sessionId"]
    running.order(point)
    running.pay(first)
    running.pay(second)
    until(lambda: running.died(point), "the worker has died")
    comes_to_rest(running)
    [duplicate] = [p for p in payments(draft) if p.status == PaymentStatus.DUPLICATE]
    back = running.stripe.listed("refunds", ("payment_intent", str(duplicate.stripe_payment_intent_id)))
    assert [r["amount"] for r in back] == [4900]
    told = letters(running, owner)  # the worker that died may have been sending one of them
    assert told.keys() == {"payment_received", "payment_returned"}
    assert sum(told.values()) in (2, 3)


@pytest.mark.parametrize("point", points("S"))
def test_sweep(running: Stage, point: str) -> None:
    """A sweep that died would keep its lock: no other could ever begin."""
    owner, draft = running.draft()
    session = running.checkout(owner, draft).json()["sessionId"]
    running.order(point)  # before the page hangs, so that the worker's own sweep may come at any moment
    with transaction() as tx:
        tx.connection().execute(text("update payment set created_at = now() - interval '11 minutes'"))
    running.pay(session, webhook="never")
    with transaction() as tx:
        jobs.defer(tx, sweep.sweep, lock="billing.sweep", timestamp=0)
    until(lambda: running.died(point), "the worker has died")
    until(lambda: queued(draft), "the consultation is queued")
    assert payments(draft)[0].settled_by == "sweep"


def test_the_points_are_all_that_are_named() -> None:
    assert [point.split()[0] for point in POINTS] == [
        *(f"C{n}" for n in range(1, 6)), *(f"W{n}" for n in range(1, 7)), "M1", "M2", "M3", "R1", "R2", "R3", "R4",
        "S1", "S2",
    ]  # fmt: skip


# ── At any moment ──────────────────────────────────────────────────────────────────────────────────


def buys(running: Stage, dice: random.Random, deadline: float) -> int:
    """A patient after the other buys, until the time is up: some twice, some get their money back. How many."""
    count = 0
    while time.monotonic() < deadline:
        owner, draft = running.draft()
        session = running.checkout(owner, draft, dice.randrange(2)).json()["sessionId"]
        if dice.random() < 0.2:  # given up here, and both pages are paid
            with transaction() as tx:
                tx.connection().execute(GIVE_UP, {"case": draft})
            running.pay(running.checkout(owner, draft, dice.randrange(2)).json()["sessionId"])
        paid = running.pay(session, webhook=dice.choice(["late", "late", "twice", "never"]))
        if dice.random() < 0.2:
            running.stripe.control(
                f"payments/{paid['session']['payment_intent']}/refund", amount=dice.choice([1, 4900])
            )
        count += 1
    return count


def kills(running: Stage, dice: random.Random, deadline: float) -> None:
    """Somebody dies every half second."""
    while time.monotonic() < deadline:
        time.sleep(dice.uniform(0.2, 0.8))
        dice.choice(running.victims).kill()


def test_at_any_moment(running: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    number = int(os.environ.get("MONEY_SEED", random.SystemRandom().getrandbits(32)))
    deadline = time.monotonic() + SECONDS
    with ThreadPoolExecutor(4) as crowd:
        patients = [crowd.submit(buys, running, random.Random(number + n), deadline) for n in range(3)]  # noqa: S311
        crowd.submit(kills, running, random.Random(number), deadline).result()  # noqa: S311
        bought = sum(patient.result() for patient in patients)
    comes_to_rest(running, 120)
    with transaction() as tx:
        promised = {str(notice.id) for notice in tx.exec(select(Notice)).all()}
        states = tx.connection().execute(text("select status, count(*) from payment group by status")).all()
    deaths = {victim.role: victim.killed for victim in running.victims}
    twice = sum(count - 1 for count in running.mails.seen.values())
    with capsys.disabled():
        print(  # noqa: T201 - the figures are the point
            f"\nMONEY_SEED={number}: {sum(deaths.values())} kills in {SECONDS:g} s, {bought} purchases, "
            f"payments {dict(states)}, {len(promised)} e-mails, {twice} of them twice"
        )
    assert {name.split("<")[1].split("@")[0] for name in running.mails.seen} == promised
    assert twice <= running.workers[0].killed + len(points("M")) + len(points("R"))
    assert sum(deaths.values()) >= SECONDS / 2
    assert min(deaths.values()) >= 3
    assert bought >= SECONDS / 3
