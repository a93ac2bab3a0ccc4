"""Load the webhook beside a bare handler that does the same durable work: `python -m tests.bench.webhook`.

Both are served the same way on the same database, and loaded in turns. What counts are the ratios. Exit code 1 when an
answer was not 200 or an effect is missing or doubled; speed never decides. See docs/performance.md.
"""

# ruff: noqa: T201 - a command speaks to its terminal

from __future__ import annotations

import cProfile
import logging
import os
import pstats
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
import structlog

from teleconsult.billing import webhook
from teleconsult.db import libpq_url
from teleconsult.ops import processes
from teleconsult.ops.faults import Fault
from tests.bench import attempts, servers
from tests.bench.driver import Burst, burst
from tests.billing.deliveries import SECRET, sign
from tests.support import fresh_settings

Make = Callable[[int], list[bytes]]


@dataclass(frozen=True)
class Scenario:
    """One way to load a webhook."""

    name: str
    connections: int
    pages: int
    times: int = 1
    """How often each event is delivered."""


@dataclass(frozen=True)
class Contender:
    """One server under load."""

    name: str
    port: int
    pid: int

    def memory(self) -> float:
        """Resident memory of the server and its workers, MiB."""
        return sum(_resident(pid) for pid in _family(self.pid)) / 1024


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print the table, and tell by the exit code whether every effect is there exactly once."""
    parser = ArgumentParser("python -m tests.bench.webhook", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="bursts of each server and scenario (default %(default)s)")
    parser.add_argument("--events", type=int, default=1500, help="events in a burst (default %(default)s)")
    parser.add_argument("--soak", type=int, default=0, help="events for the memory of the product, for example 50000")
    args = parser.parse_args(argv)
    scenarios = [
        Scenario("16 connections", 16, args.events),
        Scenario("200 connections", 200, args.events),
        Scenario("each event 50 times, 64 connections", 64, args.events // 50, 50),
    ]
    try:
        with processes.stopping_on_signals(), ExitStack() as open_things:
            return _compare(open_things, scenarios, args.runs, args.soak)
    except Fault as fault:
        print(fault, file=sys.stderr)
        return 2


def _compare(open_things: ExitStack, scenarios: Sequence[Scenario], runs: int, soak: int) -> int:
    folder = Path(open_things.enter_context(tempfile.TemporaryDirectory(prefix="teleconsult-bench-")))
    url = open_things.enter_context(servers.database(folder / "data"))
    connection = open_things.enter_context(psycopg.connect(libpq_url(url)))
    ours = Contender("teleconsult", *open_things.enter_context(servers.routes(folder / "ours", url)))
    bare = Contender("bare handler", *open_things.enter_context(servers.reference(folder / "bare", url)))
    print("| load | handler | events/s | p50 ms | p99 ms | longest ms | rate ÷ bare | p99 ÷ bare |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    faults = [fault for one in scenarios for fault in _in_turns(connection, one, (bare, ours), runs)]
    print(
        "\nPython calls for one payment:", ", ".join(f"{name} {n:.0f}" for name, n in _calls(connection, url).items())
    )
    if soak:
        faults += _soak(connection, ours, soak)
    print(*(f"\nWrong: {fault}" for fault in faults), sep="")
    return 1 if faults else 0


def _in_turns(
    connection: psycopg.Connection[Any], scenario: Scenario, both: tuple[Contender, Contender], runs: int
) -> list[str]:
    seen: dict[str, list[Burst]] = {one.name: [] for one in both}
    faults = []
    for turn in range(runs + 1):  # the first warms up
        for one in both:
            result, wrong = _load(connection, scenario, one)
            faults += wrong
            if turn:
                seen[one.name].append(result)
    bare, ours = (_middle(seen[one.name]) for one in both)
    print(_row(scenario, both[0], bare, bare))
    print(_row(scenario, both[1], ours, bare), flush=True)
    return faults


def _load(connection: psycopg.Connection[Any], scenario: Scenario, one: Contender) -> tuple[Burst, list[str]]:
    pages = attempts.open_pages(connection, scenario.pages)
    connection.execute("analyze")
    connection.commit()
    result = burst(one.port, attempts.deliveries(pages, one.port, times=scenario.times), scenario.connections)
    faults = [
        f"{one.name}, {scenario.name}: {n} answers {status}" for status, n in result.answers.items() if status != 200
    ]
    if (effects := _effects(connection, pages)) != (scenario.pages,) * 4:
        faults.append(f"{one.name}, {scenario.name}: {effects} effects of {scenario.pages}")
    return result, faults


def _effects(connection: psycopg.Connection[Any], pages: Sequence[dict[str, str]]) -> tuple[int, ...]:
    """Consultations in the queue, payments that are PAID, ledger rows, and acts on record."""
    payments, cases = [p["paymentId"] for p in pages], [p["consultationId"] for p in pages]
    counts = (
        ("select count(*) from consultation where status = 'PENDING' and id = any(%s::uuid[])", cases),
        ("select count(*) from payment where status = 'PAID' and id = any(%s::uuid[])", payments),
        (
            "select count(*) from processed_webhook where outcome = 'processed' and payment_id = any(%s::uuid[])",
            payments,
        ),
        ("select count(*) from audit_log where action = 'submitted' and object_id = any(%s::uuid[])", cases),
    )
    found = tuple(connection.execute(query, (ids,)).fetchone()[0] for query, ids in counts)  # type: ignore[index]
    connection.commit()
    return found


def _middle(bursts: Sequence[Burst]) -> Burst:
    return Burst(
        median(one.rate for one in bursts),
        median(one.p50 for one in bursts),
        median(one.p99 for one in bursts),
        max(one.longest for one in bursts),
        bursts[0].answers,
    )


def _row(scenario: Scenario, one: Contender, seen: Burst, bare: Burst) -> str:
    cells = [
        scenario.name,
        one.name,
        f"{seen.rate:.0f}",
        f"{seen.p50:.1f}",
        f"{seen.p99:.1f}",
        f"{seen.longest:.0f}",
        f"{seen.rate / bare.rate:.2f}",
        f"{seen.p99 / bare.p99:.2f}",
    ]
    return f"| {' | '.join(cells)} |"


def _calls(connection: psycopg.Connection[Any], url: str) -> dict[str, float]:
    """How much Python each handler runs for one payment, in this process and without a server around it."""
    os.environ.update(DATABASE_URL=libpq_url(url), STRIPE_WEBHOOK_SECRET=SECRET)
    fresh_settings(DATABASE_URL=url, STRIPE_WEBHOOK_SECRET=SECRET, STRIPE_SECRET_KEY="sk_test_bench")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    from tests.bench import reference  # its settings are read when it is imported

    handlers: dict[str, Callable[[bytes, str], object]] = {
        "bare handler": lambda body, signature: reference._handle(body, signature.encode()),
        "teleconsult": webhook.receive,
    }
    counted = {}
    for name, handle in handlers.items():
        for body, signature in _signed(connection, 20):  # what the first ones set up isn't counted
            handle(body, signature)
        profile, events = cProfile.Profile(), _signed(connection, 100)
        profile.enable()
        for body, signature in events:
            handle(body, signature)
        profile.disable()
        counted[name] = pstats.Stats(profile).total_calls / len(events)  # type: ignore[attr-defined]
    if reference.pool is not None:
        reference.pool.close()
    return counted


def _signed(connection: psycopg.Connection[Any], count: int) -> list[tuple[bytes, str]]:
    bodies = [attempts.event(ids) for ids in attempts.open_pages(connection, count)]
    return [(body, sign(body)) for body in bodies]


def _soak(connection: psycopg.Connection[Any], ours: Contender, events: int) -> list[str]:
    """Memory over many events. Printed, not judged: the allocator decides when it gives back."""
    slice_, faults = max(events // 10, 1), []
    print(f"\nMemory of the product, MiB: {ours.memory():.0f}", end="")
    for _ in range(10):
        _, wrong = _load(connection, Scenario("soak", 16, slice_), ours)
        faults += wrong
        print(f", {ours.memory():.0f}", end="", flush=True)
    print(f" after each {slice_} events.")
    return faults


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(member for child in children for member in _family(int(child)))]


def _resident(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


if __name__ == "__main__":
    sys.exit(main())
