"""Run the background jobs alone, for a machine that serves no pages. It needs neither Reflex nor Redis."""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser, Namespace

from teleconsult.ops.environment import database
from teleconsult.ops.processes import stopping_on_signals


def arguments(parser: ArgumentParser) -> None:
    """One way to run once, for cron and for tests."""
    parser.add_argument("--once", action="store_true", help="run the jobs that are due now, then end")


def run(args: Namespace) -> int:
    """Work until SIGTERM or Ctrl-C; a job that has begun may finish."""
    from teleconsult import jobs

    with database(), stopping_on_signals():
        asyncio.run(jobs.drain() if args.once else jobs.work())
    return 0
