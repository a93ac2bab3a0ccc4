"""The sandbox Stripe as its own process, spoken to over HTTP like the real one."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import pytest

from teleconsult.billing.gateway import gateway
from tests.support import ROOT, fresh_settings

KEY = "sk_test_sandbox_for_tests"
SECRET = "whsec_sandbox_for_tests"


def free_port() -> int:
    """A port nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Sandbox:
    """A running sandbox and what a test asks of it."""

    base: str
    process: subprocess.Popen[bytes]

    def call(self, method: str, path: str, body: object = None) -> Any:
        """One request to its control API, JSON in and out."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json", "authorization": f"Bearer {KEY}"}
        request = urllib.request.Request(self.base + path, data, headers, method=method)  # noqa: S310 - loopback
        with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310
            return json.loads(response.read() or b"null")

    def state(self) -> Any:
        """Everything it holds and has received."""
        return self.call("GET", "/_sandbox/state")

    def pay(self, session_id: str, *, card: str = "4242424242424242", webhook: str = "normal") -> Any:
        """Finish a payment page as its visitor would."""
        return self.call("POST", f"/_sandbox/sessions/{session_id}/pay", {"card": card, "webhook": webhook})


@pytest.fixture(scope="session")
def sandbox_process() -> Generator[Sandbox]:
    """One sandbox for the whole run. Its webhooks go nowhere unless a test serves the address."""
    port, hook = free_port(), free_port()
    command = [sys.executable, "-m", "teleconsult.sandbox", "--port", str(port), "--webhook-secret", SECRET]
    command += ["--webhook-url", f"http://127.0.0.1:{hook}/api/billing/webhook"]
    process = subprocess.Popen(command, cwd=ROOT)
    running = Sandbox(f"http://127.0.0.1:{port}", process)
    _wait(running)
    yield running
    process.terminate()
    process.wait(10)


def _wait(running: Sandbox) -> None:
    for _ in range(100):
        try:
            running.state()
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
        else:
            return
    pytest.fail("the sandbox did not start")


@pytest.fixture
def sandbox(sandbox_process: Sandbox) -> Sandbox:
    """The sandbox, empty, and the settings that point at it."""
    sandbox_process.call("POST", "/_sandbox/reset", {})
    fresh_settings(STRIPE_SECRET_KEY=KEY, STRIPE_WEBHOOK_SECRET=SECRET, STRIPE_API_BASE=sandbox_process.base)
    gateway.cache_clear()
    return sandbox_process
