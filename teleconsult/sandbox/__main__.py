"""`python -m teleconsult.sandbox`: run the local Stripe until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from granian.constants import Interfaces
from granian.server.embed import Server

from teleconsult.sandbox.context import Sandbox
from teleconsult.sandbox.controls import seed
from teleconsult.sandbox.delivery import COMMAND_LINE, Deliverer, Target
from teleconsult.sandbox.post import LOCAL
from teleconsult.sandbox.server import build
from teleconsult.sandbox.store import Store

GRACE_SECONDS = 0.5


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
    parser.add_argument("--state-file", type=Path, help="keep everything in this file over restarts")
    parser.add_argument("--base-url", help="the address of the hosted pages, when it isn't http://HOST:PORT")
    found = parser.parse_args(given)
    if found.host not in LOCAL:
        parser.error("--host must be a loopback address: the sandbox has no passwords")
    if found.webhook_url and not all(part.startswith("whsec_") for part in found.webhook_secret.split(",")):
        parser.error("--webhook-url needs --webhook-secret beginning with whsec_")
    return found


def make(options: argparse.Namespace) -> Sandbox:
    """A sandbox as the command line describes it."""
    store = Store.load(options.state_file)
    fixed: tuple[Target, ...] = ()
    if options.webhook_url:
        secrets, types = options.webhook_secret.split(","), options.webhook_events.split(",")
        fixed = (Target(COMMAND_LINE, options.webhook_url, tuple(secrets), tuple(types)),)
    host = f"[{options.host}]" if ":" in options.host else options.host
    base = (options.base_url or f"http://{host}:{options.port}").rstrip("/")
    sandbox = Sandbox(store, Deliverer(store, fixed), base)
    seed(sandbox)
    return sandbox


async def serve(options: argparse.Namespace) -> None:
    """Serve until SIGINT or SIGTERM; then stop at once, because every change is already in the file."""
    sandbox = make(options)
    server = Server(
        build(sandbox), options.host, options.port, interface=Interfaces.ASGI, websockets=False, log_enabled=False
    )
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.set)
    running = loop.create_task(server.serve())
    waiting = loop.create_task(told.wait())
    print(f"Sandbox ready at {sandbox.base} (no money moves)", flush=True)  # noqa: T201 - the terminal is its interface
    await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if not told.is_set():
        await running  # it could not start: let its error show
    server.stop()
    await asyncio.wait({running}, timeout=GRACE_SECONDS)


def main() -> None:
    """Run, and leave no thread waiting for a connection that hangs on purpose."""
    try:
        asyncio.run(serve(arguments()))
    except KeyboardInterrupt:
        pass
    except OSError as error:
        sys.exit(f"The sandbox can't start: {error}")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
