"""The product as its user starts it: `teleconsult up` as a process of its own, with a look into its database."""

from __future__ import annotations

import json
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg

from teleconsult.ops import environment, postgres
from teleconsult.settings import Settings

TERMINAL = "terminal.txt"
READY_WITHIN, STOPPED_WITHIN = 120, 40
"""Seconds a slow machine may take."""


@dataclass
class Product:
    """A running product. `said` is the file with everything it wrote to its terminal."""

    process: subprocess.Popen[bytes]
    url: str
    data: Path
    database: str
    said: Path

    def rows(self, query: str, *values: object) -> Sequence[tuple[Any, ...]]:
        """What its database says."""
        with psycopg.connect(self.database) as connection:
            return connection.execute(query, values).fetchall()

    def value(self, query: str, *values: object) -> Any:
        """The one value that a query finds."""
        ((found,),) = self.rows(query, *values)
        return found

    def mails_to(self, email: str) -> list[str]:
        """What its outbox holds for somebody."""
        mails = [path.read_text(encoding="utf-8") for path in (self.data / "outbox").glob("*.eml")]
        return [mail for mail in mails if f"To: {email}" in mail]

    def sandbox(self, path: str, body: object = None) -> Any:
        """One request to the control API of its Stripe. With a body it is a POST."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._sandbox_url() + path, data, {"content-type": "application/json"})  # noqa: S310 - loopback
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.loads(answer.read())

    def children(self) -> list[psutil.Process]:
        """Every process it has started."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self) -> list[psutil.Process]:
        """End it as a terminal or a service manager would. The answer is what is left of its processes."""
        family = self.children()
        postgres.stop(self.data)  # this process has been reading: the server ends with its last user
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(STOPPED_WITHIN)
        _, left = psutil.wait_procs(family, timeout=5)
        return left

    def restart(self, meanwhile: Callable[[], None]) -> None:
        """Stop it, do something while nothing answers, and start it again with its data."""
        assert self.stop() == []
        meanwhile()
        self.process = _launch(self.said.parent, int(self.url.rsplit(":")[-1]))
        self.database = postgres.ensure(self.data)

    def _sandbox_url(self) -> str:
        found = (child.cmdline() for child in self.children())
        line = next(line for line in found if "teleconsult.sandbox" in line)
        return line[line.index("--base-url") + 1]


def start(folder: Path, port: int) -> Product:
    """Start it in an empty folder and wait until it says that it is ready."""
    process, data = _launch(folder, port), folder / "data"
    return Product(process, f"http://localhost:{port}", data, postgres.ensure(data), folder / TERMINAL)


def _launch(folder: Path, port: int) -> subprocess.Popen[bytes]:
    said = folder / TERMINAL
    command = environment.command("teleconsult.ops.cli", "up", "--port", str(port), "--data-dir", str(folder / "data"))
    with said.open("ab") as out:
        begin = out.tell()
        process = subprocess.Popen(command, cwd=folder, env=_environment(), stdout=out, stderr=subprocess.STDOUT)
    deadline = time.monotonic() + READY_WITHIN
    while b"Ready after" not in said.read_bytes()[begin:]:
        if process.poll() is not None or time.monotonic() > deadline:
            process.terminate()
            raise RuntimeError("the product did not start:\n" + said.read_text(encoding="utf-8"))
        time.sleep(0.1)
    return process


def _environment() -> dict[str, str]:
    """This environment without the settings of the other tests: a person's first start has none."""
    env = environment.child_environment()
    return {name: value for name, value in env.items() if name.lower() not in Settings.model_fields}
