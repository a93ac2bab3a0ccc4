"""What must be true of money at every moment, as one function: for operators, every night, and every storm test.

The database is asked first to last in statements that each see one moment (`promises`); Stripe's own list of pages is
held against it (`stocktaking`). Nothing is changed, and nothing but opaque ids is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlmodel import Session, text

from teleconsult import jobs, privacy
from teleconsult.billing import quarantine, stocktaking
from teleconsult.billing.promises import PROMISES, Promise
from teleconsult.db import transaction, utcnow
from teleconsult.settings import get_settings

NIGHTLY = "41 3 * * *"
GRACE = timedelta(minutes=30)
"""What Stripe has known for less is left to the webhook and to two sweeps."""

WINDOW = timedelta(days=30)
"""How far back Stripe's list is read."""

SHOWN = 20
"""Ids told of one broken promise; the count tells how many there are."""


@dataclass(frozen=True)
class Violation:
    """A broken promise: its code (I1 to I13), what is wrong, where (opaque ids, at most `SHOWN`), and how often."""

    code: str
    sentence: str
    ids: tuple[str, ...]
    count: int


def check(*, with_stripe: bool, grace: timedelta = GRACE, window: timedelta = WINDOW) -> list[Violation]:
    """Every broken promise of money; an empty list is the proof.

    Money in quarantine breaks none: it is accounted for and waits for an operator, see `waiting`.

    Args:
        with_stripe: hold Stripe's list of the last `window` against the database, too.
        grace: leave to webhook and sweep what happened at Stripe so recently.
        window: how far back that list is read.

    Raises:
        GatewayDown, GatewayRefused: Stripe can't be asked.
    """
    stock = stocktaking.take(utcnow() - window, grace) if with_stripe else None
    with transaction() as tx:
        found = in_database(tx)
        if stock is not None:
            stock.lay_out(tx)
            found += _found(tx, stocktaking.PROMISES, stock.facts)
    return found


def in_database(tx: Session) -> list[Violation]:
    """The part that needs no Stripe, within the caller's transaction."""
    return _found(tx, PROMISES, {"now": utcnow()})


def _found(tx: Session, promises: tuple[Promise, ...], facts: Mapping[str, Any]) -> list[Violation]:
    tx.connection().execute(text("set local statement_timeout = '5min'"))
    answers = [(promise, _broken(tx, promise, facts)) for promise in promises]
    return [Violation(p.code, p.sentence, ids, count) for p, (ids, count) in answers if count]


def _broken(tx: Session, promise: Promise, facts: Mapping[str, Any]) -> tuple[tuple[str, ...], int]:
    rows = f"select cast(x.id as text), count(*) over () from ({promise.broken}) x (id) limit {SHOWN}"  # noqa: S608 - constants
    question = text(promise.given + rows)
    asked = {name: value for name, value in facts.items() if name in question.compile().params}
    found = tx.connection().execute(question, asked).all()
    return tuple(sorted(row[0] for row in found)), found[0][1] if found else 0


def waiting() -> list[str]:
    """Ids of payments and events that wait for an operator, longest first: money that is accounted for, not settled."""
    return [item.id for item in quarantine.listed()]


@jobs.app.periodic(cron=NIGHTLY)
@jobs.app.task(name="billing.invariants", retry=jobs.PERSISTENT, queue="money", queueing_lock="billing.invariants")
def nightly(timestamp: int) -> None:
    """Every night. Each broken promise calls somebody; `timestamp` is when it was due, seconds since 1970 UTC."""
    for broken in check(with_stripe=bool(get_settings().stripe_secret_key.get_secret_value())):
        privacy.alert(
            "invariant_broken",
            "fatal",
            fingerprint=("invariant_broken", broken.code),
            reference=broken.code,
            count=broken.count,
            due=timestamp,
        )
