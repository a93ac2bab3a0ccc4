"""How fast payments go through the sandbox with few and with many behind them, beside another version of it.

`python -m tests.sandbox.speed --payments 1000 --beside ../older-clone` runs both in turns, piece by piece, so that a
busy machine slows both; the ratio is what counts. Each payment is a session made and paid, with its webhooks
delivered to an endpoint that answers 200 at once.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from tests.sandbox.conftest import LINE, PAGE
from tests.sandbox.process import AUTH, ROOT, SECRET, free_port

PIECES, CONNECTIONS = 5, 8


class Sandbox:
    """One version of the sandbox, as a process with a state file."""

    def __init__(self, root: Path, state: Path, hook: int) -> None:
        self.base = f"http://127.0.0.1:{free_port()}"
        port = self.base.rpartition(":")[2]
        command = [sys.executable, "-m", "teleconsult.sandbox", "--port", port, "--state-file", str(state)]
        command += ["--webhook-url", f"http://127.0.0.1:{hook}/", "--webhook-secret", SECRET]
        self.process = subprocess.Popen(command, cwd=root, text=True, stdout=subprocess.PIPE, env={**os.environ})
        assert self.process.stdout
        self.process.stdout.readline()
        self.seconds: list[float] = []

    async def pay(self, count: int) -> None:
        """So many payments over a few connections, timed."""
        began, left = time.perf_counter(), iter(range(count))
        async with httpx.AsyncClient(base_url=self.base, headers=AUTH, timeout=60, trust_env=False) as client:

            async def one_after_another() -> None:
                for _ in left:
                    made = (await client.post("/v1/checkout/sessions", data={**PAGE, **LINE})).json()
                    (await client.post(f"/_sandbox/sessions/{made['id']}/pay", json={})).raise_for_status()

            await asyncio.gather(*(one_after_another() for _ in range(CONNECTIONS)))
        self.seconds.append(time.perf_counter() - began)


async def _endpoint(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    await reader.readexactly(int(head.partition("content-length: ")[2].partition("\r")[0]))
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
    await writer.drain()
    writer.close()


async def measure(roots: list[Path], payments: int) -> None:
    """Run the versions in turns and print a table."""
    hook = await asyncio.start_server(_endpoint, "127.0.0.1", 0)
    port = hook.sockets[0].getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        running = []
        for index, root in enumerate(roots):
            running.append(Sandbox(root, Path(folder, f"state-{index}"), port))
        for _ in range(PIECES):
            for sandbox in running:
                await sandbox.pay(payments // PIECES)
        for sandbox in running:
            sandbox.process.send_signal(signal.SIGTERM)
            sandbox.process.wait(10)
    _tell(roots, [s.seconds for s in running], payments // PIECES)


def _tell(roots: list[Path], seconds: list[list[float]], piece: int) -> None:
    _say("payments so far  " + "  ".join(f"{root.resolve().name:>20}" for root in roots) + "  (payments a second)")
    for index in range(PIECES):
        rates = [piece / row[index] for row in seconds]
        ratio = f"  ratio {rates[0] / rates[1]:.1f}" if len(rates) > 1 else ""
        _say(f"{(index + 1) * piece:15}  " + "  ".join(f"{rate:20.1f}" for rate in rates) + ratio)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def main() -> None:
    """Measure what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.sandbox.speed", description=__doc__)
    parser.add_argument("--payments", type=int, default=1000)
    parser.add_argument("--beside", type=Path, help="another clone, whose sandbox is measured in turns with this one")
    given = parser.parse_args()
    asyncio.run(measure([ROOT, *([given.beside] if given.beside else [])], given.payments))


if __name__ == "__main__":
    main()
