"""Prove that no money is lost, doubled or stuck: thirteen promises, asked of the database and of Stripe's own list.

Nothing is changed. What happened at Stripe within the last half hour is left to the webhook and the sweep. The same is
asked every night, and a broken promise calls somebody by Sentry.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Generator, Sequence
from dataclasses import asdict
from datetime import timedelta

from teleconsult.billing import invariants
from teleconsult.billing.invariants import Violation
from teleconsult.ops import answers
from teleconsult.ops.answers import Answer


def arguments(parser: ArgumentParser) -> None:
    """How far to look."""
    answers.arguments(parser)
    parser.add_argument("--without-stripe", action="store_true", help="ask the database alone")
    days = invariants.WINDOW.days
    parser.add_argument("--days", type=int, default=days, help="how far back Stripe is read (default %(default)s)")


@answers.answering
def run(args: Namespace) -> Answer:
    """Ask and tell."""
    broken = invariants.check(with_stripe=not args.without_stripe, window=timedelta(days=args.days))
    waiting = invariants.waiting()
    facts = {"violations": [asdict(violation) for violation in broken], "waiting": waiting}
    return Answer([*_lines(broken, waiting, asked_stripe=not args.without_stripe)], facts, fine=not broken)


def _lines(broken: Sequence[Violation], waiting: Sequence[str], *, asked_stripe: bool) -> Generator[str]:
    for violation in broken:
        yield f"{violation.code:<4}{violation.sentence} ({violation.count})"
        yield from (f"      {one}" for one in violation.ids)
        if violation.count > len(violation.ids):
            yield f"      and {violation.count - len(violation.ids)} more"
    if not broken:
        where = "the database and at Stripe" if asked_stripe else "the database; Stripe was not asked"
        yield f"All promises of money hold in {where}."
    if waiting:
        yield f"In quarantine, waiting for an operator: {len(waiting)}"
        yield from (f"      {one}" for one in waiting)
