"""Real processes around one database: two servers and a worker that can be killed, a sandbox that delivers until it is
heard, and a mail server that counts.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from teleconsult.accounts import sessions
from teleconsult.accounts.models import User
from teleconsult.billing import webhook
from teleconsult.billing.gateway import gateway
from teleconsult.db import transaction
from teleconsult.settings import get_settings
from tests.money.stripe_side import StripeSide
from tests.sandbox import process as sandboxes
from tests.sandbox_process import KEY, SECRET, Sandbox
from tests.support import ROOT, fresh_settings, full_draft, person

PATIENCE = 30.0


def until(holds: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"still not: {what}"
        time.sleep(0.05)


@dataclass
class Victim:
    """A process of ours that is killed and comes again. Its role is `api:<port>` or `worker`."""

    role: str
    orders: Path
    killed: int = 0

    @property
    def base(self) -> str:
        """A server's address."""
        return f"http://127.0.0.1:{self.role.partition(':')[2]}"

    def kill(self) -> None:
        """`kill -9` for the one that serves now, from outside."""
        with suppress(ProcessLookupError, FileNotFoundError):
            os.kill(int((self.orders / f"{self.role}.pid").read_text()), signal.SIGKILL)
            self.killed += 1

    def lives(self) -> bool:
        """Whether a server takes requests, or a worker was born."""
        if self.role == "worker":
            return (self.orders / "worker.pid").exists()
        try:
            return httpx.get(f"{self.base}/health/live", timeout=2).is_success
        except httpx.TransportError:
            return False


@dataclass
class Mails:
    """A mail server. `seen` counts each Message-ID it has accepted."""

    seen: Counter[str] = field(default_factory=Counter)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - its name there
        """Take it."""
        text = (envelope.original_content or b"").decode()
        self.seen[next(line for line in text.splitlines() if line.startswith("Message-ID:"))] += 1
        return "250 OK"


@dataclass
class Stage:
    """Everything that runs."""

    servers: list[Victim]
    workers: list[Victim]
    sandbox: Sandbox
    stripe: StripeSide
    mails: Mails
    orders: Path
    _cookies: dict[uuid.UUID, str] = field(default_factory=dict)

    @property
    def victims(self) -> list[Victim]:
        """All that can be killed."""
        return [*self.servers, *self.workers]

    def order(self, point: str) -> None:
        """Whoever comes to this point next dies there."""
        (self.orders / point).touch()

    def died(self, point: str) -> bool:
        """Whether somebody has."""
        return not (self.orders / point).exists()

    def patient(self) -> uuid.UUID:
        """Somebody new who is signed in."""
        owner = person(f"{uuid.uuid4().hex}@example.com")
        with transaction() as tx:
            opened = sessions.open_session(tx, tx.get_one(User, owner))
        self._cookies[owner] = f"{sessions.cookie_name(get_settings())}={opened.token}"
        return owner

    def draft(self) -> tuple[uuid.UUID, uuid.UUID]:
        """A patient and their complete draft."""
        owner = self.patient()
        return owner, full_draft(owner)

    def checkout(self, owner: uuid.UUID, draft: uuid.UUID, server: int = 0, tries: int = 60) -> httpx.Response:
        """Press "Proceed to payment" until somebody answers."""
        base = self.servers[server].base
        headers = {"cookie": self._cookies[owner], "sec-fetch-site": "same-origin", "host": get_settings().host}
        for _ in range(tries):
            with suppress(httpx.TransportError):
                answer = httpx.post(
                    f"{base}/api/billing/checkout", json={"consultationId": str(draft)}, headers=headers, timeout=15
                )
                if answer.status_code < 500:
                    return answer
            time.sleep(0.1)
        raise AssertionError("nobody answers")

    def pay(self, session: str, **how: Any) -> Any:
        """On Stripe's page; its events go out and come again until they are taken."""
        paid = self.stripe.control(f"sessions/{session}/pay", **{"webhook": "late", "delay": 0.01, **how})
        assert paid["result"] == "paid"
        return paid

    def undelivered(self) -> int:
        """Deliveries that still come again and again. Those that never come are the sweep's."""
        return sum(row["status"] == "pending" for row in self.sandbox.state()["deliveries"])


@contextmanager
def victims(folder: Path, *roles: str, **environment: str) -> Generator[list[Victim]]:
    """Run one process for each role."""
    env = {**os.environ, "VICTIM_ORDERS": str(folder), **environment}
    with (folder / "victims.log").open("wb") as log:
        command = [sys.executable, "-m", "tests.money.victim", *roles]
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)
        made = [Victim(role, folder) for role in roles]
        try:
            until(lambda: process.poll() is not None or all(one.lives() for one in made), "everybody is up", 60)
            assert process.poll() is None, (folder / "victims.log").read_text()
            yield made
        finally:
            process.terminate()
            process.wait(10)


@contextmanager
def stage(folder: Path, *, with_worker: bool = True, **environment: str) -> Generator[Stage]:
    """Put everything up, on the database of the settings.

    Without a worker nobody sweeps but the test, whatever the hour.
    """
    before = dict(os.environ)
    ports = [sandboxes.free_port() for _ in range(3)]
    mails = Mails()
    postman = Controller(mails, hostname="127.0.0.1", port=ports[2])
    postman.start()
    hook = ["--webhook-url", f"http://localhost:{ports[0]}/api/billing/webhook", "--webhook-secret", SECRET]
    hook += ["--webhook-events", ",".join(sorted(webhook.OURS))]
    running = sandboxes.start(*hook, "--retry-pauses", ",".join(["0.2"] * 100))
    fresh_settings(
        STRIPE_SECRET_KEY=KEY, STRIPE_WEBHOOK_SECRET=SECRET, STRIPE_API_BASE=running.base,
        PUBLIC_URL=f"http://localhost:{ports[0]}", SMTP_URL=f"smtp://127.0.0.1:{ports[2]}",
    )  # fmt: skip
    gateway.cache_clear()
    sandbox = Sandbox(running.base, running.process)  # type: ignore[arg-type] - bytes or text, nobody reads it
    stripe = StripeSide(sandbox)
    try:
        roles = [f"api:{ports[0]}", f"api:{ports[1]}", *(["worker"] if with_worker else [])]
        with victims(folder, *roles, **environment) as made:
            yield Stage(made[:2], made[2:], sandbox, stripe, mails, folder)
    finally:
        stripe.close()
        running.stop()
        postman.stop()
        gateway.cache_clear()
        os.environ.clear()
        fresh_settings(**before)
