"""Runs `guarded_app` as a process of its own, and talks to its sockets as an attacker would."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Generator
from pathlib import Path
from typing import Any, Self

import httpx
import socketio
from socketio.exceptions import BadNamespaceError

ROOT = Path(__file__).parents[2]
PORTS = range(8170, 8190)
RXCONFIG = """import reflex as rx
from reflex_base.constants import StateManagerMode
config = rx.Config(
    app_name="guarded", app_module_import="tests.ui.guarded_app", state_manager_mode=StateManagerMode.MEMORY,
    cors_allowed_origins=["{url}"], telemetry_enabled=False,
)
"""
PAGE = "<!doctype html><title>t</title><script>window.x = 1</script><script src='/assets/a-1.js'></script>"
DESK = "reflex___state____state.tests___ui___guarded_app____desk"
ROUTE = {"pathname": "/consultations", "query": {}, "asPath": "/consultations"}
HYDRATE = "reflex___state____state.hydrate_and_load"
CHAINED = 4
"""How deep handlers of the app chain others: hydration, its page, the page's handler, and the flag after it."""
MARKED = "marked_rx_state_"
SESSION = "reflex___state____state.teleconsult___ui___session____session"


def free_port() -> int:
    for port in PORTS:
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port")


SMALL_APP, REAL_APP = "tests.ui.guarded_app:asgi", "teleconsult.teleconsult:app"


def lay_out(folder: Path, url: str, target: str) -> None:
    real = (ROOT / "rxconfig.py").read_text()
    (folder / "rxconfig.py").write_text(real if target == REAL_APP else RXCONFIG.format(url=url))
    for page in ("", "sign-in", "consultations", "clinic"):
        (folder / "pages" / page).mkdir(parents=True, exist_ok=True)
        (folder / "pages" / page / "index.html").write_text(PAGE)


@contextlib.contextmanager
def serving(folder: Path, database_url: str, target: str = SMALL_APP, **more: str) -> Generator[str]:
    """The address of a running app; `folder/log` holds what it printed."""
    url = f"http://localhost:{free_port()}"
    lay_out(folder, url, target)
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"},
        "__REFLEX_SKIP_COMPILE": "true",
        "REFLEX_ENV_MODE": "prod",
        "REFLEX_WEB_WORKDIR": str(folder / "web"),
        "REFLEX_TELEMETRY_ENABLED": "false",
        "REFLEX_CHECK_LATEST_VERSION": "false",
        "PYTHONPATH": str(ROOT),
        "PUBLIC_URL": url,
        "DATABASE_URL": database_url,
        "ENVIRONMENT": "test",
        "RUN_WORKER": "false",
        **more,
    }
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--factory", "--host", "127.0.0.1",
               "--port", url.rsplit(":", 1)[1], "--no-access-log", target]  # fmt: skip
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            _wait(url, process, folder / "log")
            yield url
        finally:
            process.terminate()
            process.wait(20)


def _wait(url: str, process: subprocess.Popen, log: Path) -> None:
    for _ in range(300):
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{url}/health/live", timeout=1).status_code == 200:
                return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise RuntimeError(log.read_text()[-4000:])


class Tab:
    """A browser tab without a browser: one socket, the events it sends, everything it receives."""

    def __init__(self, url: str, cookie: str = "", token: str = "", origin: str | None = "") -> None:
        self.url, self.cookie, self.token = url, cookie, token or str(uuid.uuid4())
        self.origin = url if origin == "" else origin
        self.updates: list[dict[str, Any]] = []
        self.marks = 0
        self.client = socketio.AsyncClient(reconnection=False)
        self.client.on("event", self.updates.append, namespace="/_event")

    async def __aenter__(self) -> Self:
        headers = {"Cookie": self.cookie} if self.cookie else {}
        if self.origin is not None:
            headers["Origin"] = self.origin
        await self.client.connect(
            f"{self.url}/_event?token={self.token}",
            headers=headers,
            socketio_path="_event",
            namespaces=["/_event"],
            transports=["websocket"],
            wait_timeout=5,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.disconnect()

    async def send(self, name: str, /, **payload: Any) -> list[dict[str, Any]]:
        """Send an event; everything it brought back, chained events included."""
        full = name if "." in name else f"{DESK}.{name}"
        return await self.send_raw({"name": full, "payload": payload, "router_data": dict(ROUTE)})

    async def send_raw(self, data: Any) -> list[dict[str, Any]]:
        before = len(self.updates)
        await self.client.emit("event", data, namespace="/_event")
        for _ in range(CHAINED):
            await self._settle()
        return [update for update in self.updates[before:] if f"{MARKED}" not in str(update)]

    async def _settle(self) -> None:
        """Wait until an event of our own comes back: a tab's events run in order, so all before it are done."""
        self.marks += 1
        mark = {"name": f"{DESK}.mark", "payload": {"number": self.marks}, "router_data": dict(ROUTE)}
        with contextlib.suppress(BadNamespaceError):  # it is closed already
            await self.client.emit("event", mark, namespace="/_event")
        for _ in range(1000):
            if not self.client.connected or self.value("marked") == self.marks:
                return
            await asyncio.sleep(0.005)
        raise TimeoutError("the server did not answer within 5 s")

    def value(self, name: str, state: str = DESK) -> Any:
        """The last value of a state var this tab received."""
        found = None
        for update in self.updates:
            found = (update.get("delta") or {}).get(state, {}).get(f"{name}_rx_state_", found)
        return found

    def state(self, *names: str) -> dict[str, Any]:
        """All the last values of the desk, or some."""
        return {name: self.value(name) for name in names or ("note", "calls", "seen", "_hidden")}

    def redirects(self) -> list[str]:
        return [
            event["payload"]["path"]
            for update in self.updates
            for event in update.get("events") or []
            if event["name"] == "_redirect"
        ]
