"""A server or a worker that can be killed at a chosen line, and stands up again at once.

`python -m tests.money.victim api:8001 api:8002 worker`: the parent has loaded everything and forks a child for each
role; when one dies the parent forks the next. The product itself knows nothing of this: here its functions are wrapped,
and a wrapped one sends its own process SIGKILL when the test has laid an order, a file with the name of the point.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from granian.constants import Interfaces
from granian.server.embed import Server

from teleconsult import jobs
from teleconsult.api import standalone
from teleconsult.billing import checkout, gateway, refunds, settle, sweep, webhook
from teleconsult.consultations import service as consultations
from teleconsult.notices import service as notices
from teleconsult.privacy.start import start
from tests.money.no_ledger import open_gate

ORDERS = Path(os.environ.get("VICTIM_ORDERS", "."))
BEFORE, AFTER = "before", "after"
POINTS: dict[str, tuple[Any, str, str]] = {
    "C1 the attempt is written": (checkout, "_open_attempt", AFTER),
    "C2 before Stripe is asked": (gateway.Gateway, "create_session", BEFORE),
    "C3 Stripe has acted and its answer is lost": (gateway.Gateway, "create_session", AFTER),
    "C4 the answer is not saved": (checkout, "_keep", BEFORE),
    "C5 the answer is saved and nobody told": (checkout, "_keep", AFTER),
    "W1 the signature is verified": (webhook, "apply", BEFORE),
    "W2 the event is in the ledger": (webhook, "_session_event", BEFORE),
    "W3 the payment is PAID": (consultations, "mark_paid", BEFORE),
    "W4 the consultation is PENDING": (consultations, "mark_paid", AFTER),
    "W5 all is written and nothing committed": (webhook, "_note", AFTER),
    "W6 committed and not answered": (webhook, "apply", AFTER),
    "M1 the job of an e-mail is claimed": (notices, "_message", BEFORE),
    "M2 the mail server has accepted it": (notices, "_deliver", AFTER),
    "M3 it is marked as sent and the job not finished": (jobs.app.tasks["notices.send"], "func", AFTER),
    "R1 the refund's key is stored": (refunds, "_at_stripe", BEFORE),
    "R2 Stripe has returned the money and its answer is lost": (gateway.Gateway, "refund", AFTER),
    "R3 the answer is not saved": (refunds, "_told", BEFORE),
    "R4 the answer is saved and the job not finished": (jobs.app.tasks["billing.refund"], "func", AFTER),
    "S1 the sweep has begun": (sweep, "_hanging", BEFORE),
    "S2 the sweep has looked at an attempt": (settle, "look", AFTER),
}


def die_if_ordered(point: str) -> None:
    """Each order is for one death: who takes the file away dies."""
    try:
        (ORDERS / point).unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def wrap(point: str, owner: Any, name: str, when: str) -> None:
    """Let a function die before or after what it does."""
    inner: Callable[..., Any] = getattr(owner, name)

    def mortal(*args: Any, **more: Any) -> Any:
        if when == BEFORE:
            die_if_ordered(point)
        answer = inner(*args, **more)
        if when == AFTER:
            die_if_ordered(point)
        return answer

    setattr(owner, name, mortal)
    if name == "look":  # imported by name where it is used
        sweep.look = mortal


def serve(port: int) -> None:
    """The routes, in this very process."""
    server = Server(standalone.app(), "127.0.0.1", port, interface=Interfaces.ASGI, websockets=False, log_enabled=False)
    asyncio.run(server.serve())


def work() -> None:
    """The jobs. Signs of life come so often that nobody waits a minute for a dead worker's jobs."""
    start()
    jobs.HEARTBEAT, jobs.DEAD_AFTER = 0.2, 0.8
    asyncio.run(jobs.work())


RESTS = {"worker": 1.0}
"""Seconds until the next one comes: a dead worker passes for alive so long."""


def born(role: str) -> int:
    """Fork a child for a role, and leave its number where the test finds it."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        what, _, port = role.partition(":")
        serve(int(port)) if what == "api" else work()
        os._exit(0)
    fresh = ORDERS / f"{role}.new"
    fresh.write_text(str(child))
    fresh.rename(ORDERS / f"{role}.pid")
    return child


def main(roles: list[str]) -> NoReturn:
    """Keep one child alive for each role until told to stop."""
    for point, (owner, name, when) in POINTS.items():
        wrap(point, owner, name, when)
    if "NO_LEDGER" in os.environ:
        open_gate()
    children = {born(role): role for role in roles}
    due: dict[str, float] = {}

    def stop(_number: int, _frame: object) -> None:
        for child in children:
            os.kill(child, signal.SIGKILL)
        os._exit(0)

    signal.signal(signal.SIGTERM, stop)
    while True:
        child, _ = os.waitpid(-1, os.WNOHANG)
        if child:
            role = children.pop(child)
            due[role] = time.monotonic() + RESTS.get(role, 0)
        for role in [role for role, moment in due.items() if moment <= time.monotonic()]:
            del due[role]
            children[born(role)] = role
        time.sleep(0 if child else 0.01)


if __name__ == "__main__":
    main(sys.argv[1:])
