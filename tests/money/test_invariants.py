"""Every promise of money is kept in a healthy world, and each one that is broken on purpose is found."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import text

from teleconsult.billing import invariants, promises
from teleconsult.db import transaction
from tests.billing.conftest import Alert
from tests.billing.deliveries import SECRET
from tests.money import world
from tests.money.plants import PLANTS, Plant, planted
from tests.money.world import World
from tests.support import fresh_settings


@pytest.fixture
def healthy(database: str, alerts: list[Alert]) -> World:
    assert database
    fresh_settings(STRIPE_SECRET_KEY="sk_test_none", STRIPE_WEBHOOK_SECRET=SECRET)
    made = world.make()
    alerts.clear()
    return made


def test_a_healthy_world_keeps_every_promise(healthy: World) -> None:
    assert invariants.check(with_stripe=False) == []
    assert invariants.waiting() == [str(healthy.review.id)]


@pytest.mark.parametrize("plant", PLANTS, ids=lambda p: f"{p.code} {p.sentence}")
def test_a_broken_promise_is_found(healthy: World, plant: Plant) -> None:
    found = planted(plant, healthy)
    [named] = [v for v in found if v.code == plant.code and v.sentence.startswith(plant.sentence)]
    assert named.count == len(named.ids) == 1
    assert plant.names.format(**vars(healthy)) in ("", *named.ids)
    assert {v.code for v in found} == {plant.code, *plant.also}


def test_every_promise_is_broken_by_a_plant() -> None:
    """So that none is a question nothing can answer. Those about Stripe's list are in test_stocktaking."""
    spared = [p for p in promises.PROMISES if not any(p.sentence.startswith(x.sentence) for x in PLANTS)]
    assert spared == []
    assert {p.code for p in promises.PROMISES} == {f"I{n}" for n in range(1, 14)}


def test_many_broken_rows_are_counted_and_some_named(healthy: World) -> None:
    with transaction() as tx, tx.begin_nested() as undone:
        tx.connection().execute(
            text(
                "insert into consultation (id, ref, user_id, status, intake, user_notes, created_at, updated_at)"
                " select gen_random_uuid(), 'X' || n, :owner, 'DRAFT', '{}', '', now(), now()"
                " from generate_series(1, 50) n"
            ),
            {"owner": healthy.open.user_id},
        )
        [found] = invariants.in_database(tx)
        undone.rollback()
    assert (found.code, found.count, len(found.ids)) == ("I13", 50, invariants.SHOWN)
    assert all(uuid.UUID(one) for one in found.ids)


def test_the_nightly_job_calls_somebody_for_each_broken_promise(healthy: World, alerts: list[Alert]) -> None:
    fresh_settings(STRIPE_SECRET_KEY="", STRIPE_WEBHOOK_SECRET="")
    invariants.nightly.func(0)
    assert alerts == []
    with transaction() as tx:
        tx.connection().execute(text("delete from audit_log where object_id = :i"), {"i": healthy.draft})
    invariants.nightly.func(0)
    assert alerts == [("invariant_broken", "fatal")]


def test_money_that_hangs_for_a_moment_is_nobodys_fault(healthy: World) -> None:
    """A page that has just ended is the next sweep's."""
    with transaction() as tx:
        tx.connection().execute(
            text("update payment set expires_at = now() - interval '1 hour' where id = :i"), {"i": healthy.open.id}
        )
    assert invariants.check(with_stripe=False, grace=timedelta(0)) == []
