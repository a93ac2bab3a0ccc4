"""Run the background jobs alone, for a machine that serves no pages. It needs neither Reflex nor Redis."""

from __future__ import annotations

import asyncio
import signal
from argparse import ArgumentParser, Namespace
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from teleconsult import jobs
from teleconsult.ops.environment import database
from teleconsult.privacy.start import start


def arguments(parser: ArgumentParser) -> None:
    """One way to run once, for cron and for tests."""
    parser.add_argument("--once", action="store_true", help="run the jobs that are due now, then end")


def run(args: Namespace) -> int:
    """Work until SIGTERM or Ctrl-C; a job that has begun may finish."""
    with database():
        start()
        asyncio.run(_until_told(jobs.drain() if args.once else jobs.work()))
    return 0


async def _until_told(work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.ensure_future(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        await task
