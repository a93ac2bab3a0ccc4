"""`python -m teleconsult.sandbox`: run the local Stripe until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import signal
import socket
import sqlite3
import sys
from contextlib import suppress
from pathlib import Path

from granian.constants import Interfaces
from granian.server.embed import Server

from teleconsult.sandbox.context import Sandbox
from teleconsult.sandbox.controls.world import seed
from teleconsult.sandbox.delivery import Deliverer
from teleconsult.sandbox.endpoints import COMMAND_LINE, Target
from teleconsult.sandbox.server import build
from teleconsult.sandbox.store import Store

GRACE_SECONDS = 0.5
SCHEDULES = {
    "quick": "1,2,4,8,16,30,30,30,30",
    "test": "300,3600,10800",
    "live": "300,1800,7200,18000,36000,36000,43200,43200,43200,28800",
}
"""Stripe publishes no pauses, only "three times over a few hours" for tests and "up to three days" for live mode."""


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """The command line, checked."""
    parser = argparse.ArgumentParser(
        prog="python -m teleconsult.sandbox", description="A local Stripe. No money moves."
    )
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8110, help="default: %(default)s")
    parser.add_argument("--webhook-url", help="where events go, for example http://127.0.0.1:8000/api/billing/webhook")
    parser.add_argument("--webhook-secret", default="", help="whsec_…; two, separated by a comma, sign with both")
    parser.add_argument("--webhook-events", default="*", help="types to send there, separated by commas (default: all)")
    pauses = "between tries: quick, test or live (as Stripe's), or seconds separated by commas (default: %(default)s)"
    parser.add_argument("--retry-pauses", default="quick", help=pauses)
    parser.add_argument("--compress", type=float, default=1.0, help="make them so many times shorter")
    off = "switch an endpoint off that only failed for so many seconds (Stripe: days; default: never)"
    parser.add_argument("--disable-after", type=float, help=off)
    parser.add_argument("--state-file", type=Path, help="keep everything in this file over restarts")
    parser.add_argument("--base-url", help="the address of the hosted pages, when it isn't http://HOST:PORT")
    found = parser.parse_args(given)
    if found.host not in ("127.0.0.1", "localhost"):
        parser.error("--host must be a loopback address: the sandbox has no passwords")
    if found.webhook_url and not all(part.startswith("whsec_") for part in found.webhook_secret.split(",")):
        parser.error("--webhook-url needs --webhook-secret beginning with whsec_")
    if not re.fullmatch(r"\d+(\.\d+)?(,\d+(\.\d+)?)*", SCHEDULES.get(found.retry_pauses, found.retry_pauses)):
        parser.error("--retry-pauses must be quick, test, live, or seconds separated by commas")
    if found.compress <= 0:
        parser.error("--compress must be more than 0")
    return found


def make(options: argparse.Namespace) -> Sandbox:
    """A sandbox as the command line describes it."""
    store = Store(options.state_file)
    endpoint = None
    if options.webhook_url:
        secrets, types = options.webhook_secret.split(","), options.webhook_events.split(",")
        endpoint = Target(COMMAND_LINE, options.webhook_url, tuple(secrets), tuple(types))
    base = (options.base_url or f"http://{options.host}:{options.port}").rstrip("/")
    patience = options.disable_after / options.compress if options.disable_after else None
    deliverer = Deliverer(store, pauses_of(options.retry_pauses, options.compress), patience)
    sandbox = Sandbox(store, deliverer, base, endpoint)
    seed(sandbox)
    store.save()
    return sandbox


def pauses_of(given: str, compress: float) -> tuple[float, ...]:
    """The seconds between tries: by name or as they stand, so many times shorter."""
    return tuple(float(pause) / compress for pause in SCHEDULES.get(given, given).split(","))


async def serve(options: argparse.Namespace) -> None:
    """Serve until SIGINT or SIGTERM; then stop at once, because every change is already in the file.

    Raises:
        OSError: when the port is taken.
    """
    _refuse_taken(options.host, options.port)
    sandbox = make(options)
    server = Server(
        build(sandbox), options.host, options.port, interface=Interfaces.ASGI, websockets=False, log_enabled=False
    )
    told, running = _when_told(), asyncio.get_running_loop().create_task(server.serve())
    waiting = asyncio.get_running_loop().create_task(told.wait())
    await _answering(options.host, options.port, running)
    print(f"Sandbox ready at {sandbox.base} (no money moves)", flush=True)  # noqa: T201 - the terminal is its interface
    await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        running.result()
    server.stop()
    await asyncio.wait({running}, timeout=GRACE_SECONDS)
    os._exit(0)  # a connection that hangs on purpose is not waited for


def _when_told() -> asyncio.Event:
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows: KeyboardInterrupt ends it instead
            asyncio.get_running_loop().add_signal_handler(number, told.set)
    return told


def _refuse_taken(host: str, port: int) -> None:
    """The server shares its port with whoever asks the same way, which two sandboxes must never do."""
    with socket.socket() as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))


async def _answering(host: str, port: int, running: asyncio.Task[None]) -> None:
    """Wait until a connection is accepted, so that the line on the terminal is true."""
    while not running.done():
        with suppress(OSError):
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
            return
        await asyncio.sleep(0.02)


def main() -> None:
    """Run until told to stop."""
    try:
        asyncio.run(serve(arguments()))
    except KeyboardInterrupt:
        return
    except (sqlite3.DatabaseError, json.JSONDecodeError):
        sys.exit("The sandbox can't start: its state file is damaged. Delete it to begin anew.")
    except OSError as error:
        sys.exit(f"The sandbox can't start: {error.strerror or error}")


if __name__ == "__main__":
    main()
