"""The sandbox as a real process, and an endpoint that receives its webhooks."""

from __future__ import annotations

import http.server
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.sandbox.contract import CHECKER, ROOT, load_contract

KEY, SECRET, OLD_SECRET = "sk_test_for_these_tests", "whsec_for_these_tests", "whsec_being_rolled"
AUTH = {"Authorization": f"Bearer {KEY}"}


def free_port() -> int:
    """A loopback port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Running:
    """One sandbox process."""

    process: subprocess.Popen[str]
    base: str
    problems: list[str] = field(default_factory=list)

    def http(self, **options: Any) -> httpx.Client:
        """A plain client whose every answer from the API is held against Stripe's contract."""
        hooks: dict[str, list[Callable[..., Any]]] = {"response": [self._check]}
        return httpx.Client(base_url=self.base, headers=AUTH, timeout=15, event_hooks=hooks, trust_env=False, **options)

    def _check(self, response: httpx.Response) -> None:
        request = response.request
        if request.url.path.startswith("/v1/") and CHECKER.exists():
            response.read()
            found = load_contract().check_response(
                request.method, request.url.path, response.status_code, response.json()
            )
            self.problems += [f"{request.method} {request.url.path}: {problem}" for problem in found]

    def control(self, path: str, **body: Any) -> dict[str, Any]:
        """One of the sandbox's own buttons."""
        answer = httpx.post(f"{self.base}/_sandbox/{path}", json=body, timeout=15, trust_env=False)
        return answer.json() | {"http_status": answer.status_code}

    def state(self) -> dict[str, Any]:
        """Everything it holds."""
        return httpx.get(f"{self.base}/_sandbox/state", timeout=15, trust_env=False).json()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, float, str]:
        """Exit code, seconds it took, and what it wrote to stderr."""
        began = time.monotonic()
        self.process.send_signal(how)
        _, errors = self.process.communicate(timeout=15)
        return self.process.returncode, time.monotonic() - began, errors


def start(*options: str, port: int | None = None) -> Running:
    """Run `python -m teleconsult.sandbox` and wait for its word that it is ready."""
    port = port or free_port()
    command = [sys.executable, "-m", "teleconsult.sandbox", "--port", str(port), *options]
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ}, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout
    line = process.stdout.readline()
    assert "ready" in line, process.communicate()[1]
    return Running(process, f"http://127.0.0.1:{port}")


class Endpoint:
    """What an application's webhook route is to Stripe. Answers `statuses` in turn, then 200."""

    def __init__(self) -> None:
        self.got: queue.Queue[tuple[dict[str, str], bytes]] = queue.Queue()
        self.statuses: list[int] = []
        self.pause = 0.0
        endpoint = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                time.sleep(endpoint.pause)
                endpoint.got.put(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(endpoint.statuses.pop(0) if endpoint.statuses else 200)
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has there
                """Say nothing."""

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 64

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/api/billing/webhook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def clear(self) -> None:
        """Forget what came, and answer 200 again."""
        self.statuses.clear()
        self.pause = 0.0
        while not self.got.empty():
            self.got.get()

    def wait(self, count: int, seconds: float = 10) -> list[tuple[dict[str, str], bytes]]:
        """The next `count` requests; fewer fail the test."""
        until = time.monotonic() + seconds
        return [self.got.get(timeout=max(0.01, until - time.monotonic())) for _ in range(count)]

    def wait_for(self, kind: str, count: int = 1) -> list[tuple[dict[str, str], dict[str, Any]]]:
        """Requests with events of this type; others are let pass."""
        found: list[tuple[dict[str, str], dict[str, Any]]] = []
        while len(found) < count:
            headers, body = self.wait(1)[0]
            event = json.loads(body)
            if event["type"] == kind:
                found.append((headers, event))
        return found
