"""`python -m teleconsult.sandbox`: run the local Stripe until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

from granian.constants import Interfaces
from granian.server.embed import Server

from teleconsult.sandbox.context import Sandbox
from teleconsult.sandbox.controls.world import seed
from teleconsult.sandbox.delivery import COMMAND_LINE, Deliverer, Target
from teleconsult.sandbox.server import build
from teleconsult.sandbox.store import Store

GRACE_SECONDS = 0.5
PAUSES = "1,2,4,8,16,30,30,30,30"


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
    parser.add_argument("--retry-pauses", default=PAUSES, help="seconds between tries (default: %(default)s)")
    parser.add_argument("--state-file", type=Path, help="keep everything in this file over restarts")
    parser.add_argument("--base-url", help="the address of the hosted pages, when it isn't http://HOST:PORT")
    found = parser.parse_args(given)
    if found.host not in ("127.0.0.1", "localhost"):
        parser.error("--host must be a loopback address: the sandbox has no passwords")
    if found.webhook_url and not all(part.startswith("whsec_") for part in found.webhook_secret.split(",")):
        parser.error("--webhook-url needs --webhook-secret beginning with whsec_")
    if not re.fullmatch(r"\d+(\.\d+)?(,\d+(\.\d+)?)*", found.retry_pauses):
        parser.error("--retry-pauses must be seconds separated by commas")
    return found


def make(options: argparse.Namespace) -> Sandbox:
    """A sandbox as the command line describes it."""
    store = Store.load(options.state_file)
    fixed: tuple[Target, ...] = ()
    if options.webhook_url:
        secrets, types = options.webhook_secret.split(","), options.webhook_events.split(",")
        fixed = (Target(COMMAND_LINE, options.webhook_url, tuple(secrets), tuple(types)),)
    base = (options.base_url or f"http://{options.host}:{options.port}").rstrip("/")
    pauses = tuple(float(pause) for pause in options.retry_pauses.split(","))
    sandbox = Sandbox(store, Deliverer(store, fixed, pauses), base)
    seed(sandbox)
    return sandbox


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
    except json.JSONDecodeError:
        sys.exit("The sandbox can't start: its state file is damaged. Delete it to begin anew.")
    except OSError as error:
        sys.exit(f"The sandbox can't start: {error.strerror or error}")


if __name__ == "__main__":
    main()
