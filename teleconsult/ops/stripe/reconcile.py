"""Do now what the sweep does every ten minutes: bring every hanging payment to where Stripe has it.

Then fetch the events that no delivery has brought. Safe at any time, also while the sweep runs.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from datetime import timedelta

from teleconsult.billing import sweep
from teleconsult.ops import answers
from teleconsult.ops.answers import Answer
from teleconsult.ops.faults import Fault


def arguments(parser: ArgumentParser) -> None:
    """How young an attempt may be to be looked at."""
    answers.arguments(parser, dry_run=True)
    parser.add_argument(
        "--older-than",
        type=_minutes,
        default=sweep.OLD_ENOUGH,
        metavar="MINUTES",
        help="look at payments that began at least so long ago (default 10; 0 for all)",
    )


def _minutes(word: str) -> timedelta:
    return timedelta(minutes=float(word))


@answers.answering
def run(args: Namespace) -> Answer:
    """Sweep, or rehearse it."""
    report = sweep.run(dry=args.dry_run, older_than=args.older_than)
    if report.unreachable:
        raise Fault("Stripe doesn’t answer. Nothing is lost: the sweep tries again every ten minutes.")
    would = "would be " if args.dry_run else ""
    lines = [
        f"{report.attempts:>5}  payments looked at",
        f"{report.moved:>5}  {would}brought to where Stripe has them",
        f"{report.refunds:>5}  quiet refunds {'would be looked at' if args.dry_run else 'moved on'}",
        f"{report.events:>5}  events that no delivery brought {would}applied",
    ]
    return Answer(lines, {"dry_run": args.dry_run, **asdict(report)})
