"""Set up and run the whole product on this machine: database, migrations, demo people, pages, sandbox and web server.

Everything it writes lies in the data folder. Ctrl-C stops all of it and keeps the data; a second start takes seconds.
"""

from __future__ import annotations

import http.client
import os
import secrets
import socket
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from teleconsult.ops import environment
from teleconsult.ops.faults import Fault
from teleconsult.ops.processes import Child, Children, end_leftovers, stopping_on_signals
from teleconsult.ops.progress import note, stage
from teleconsult.ops.seed import DEMO_PASSWORD, DemoPerson, demo_people
from teleconsult.settings import LOOPBACK, Settings, get_settings

DEFAULT_PORT = 8000
SANDBOX_KEY = "sk_test_sandbox"  # it opens the sandbox on this machine and nothing else
READY_WITHIN = 60.0
"""Seconds a server of ours may take to answer its first request."""


def arguments(parser: ArgumentParser) -> None:
    """Where to listen, where to write, and whether to stand in for Stripe."""
    parser.add_argument("--port", type=int, help=f"port of the site (default: that of PUBLIC_URL, or {DEFAULT_PORT})")
    parser.add_argument("--data-dir", type=Path, help="folder for everything that is written (default .teleconsult)")
    parser.add_argument("--no-sandbox", action="store_true", help="don’t start the sandbox that stands in for Stripe")


def run(args: Namespace) -> int:
    """Set up, serve until Ctrl-C or SIGTERM, and stop everything."""
    with stopping_on_signals():
        try:
            with ExitStack() as running:
                _serve(args, running)
        except KeyboardInterrupt:
            print("\nStopped. Your data is kept.", flush=True)
    return 0


def _serve(args: Namespace, running: ExitStack) -> None:
    started = time.monotonic()
    print("teleconsult", flush=True)
    with stage("Settings"):
        settings, port = _settings(args)
        data = environment.open_data_dir(settings)
        end_leftovers(data / "run")
        _require_free(port)
    settings = _database(settings, data, running)
    children = Children(data / "run" / f"{os.getpid()}.json")
    running.callback(children.close)
    sandbox = _start_sandbox(settings, port, data, children) if _wants_sandbox(args, settings) else None
    if sandbox is not None:
        running.callback(environment.leave_sandbox, data)
    people = _demo_people()
    _compile()
    with stage("Web server"):
        settings = environment.freeze()
        command = environment.command("teleconsult.ops.cli", "serve", "--port", str(port))
        server = children.start("web server", command, cwd=data, log=data / "logs" / "web.log")
        _answers(server, port, "/health/live")
        if sandbox is not None:
            _answers(sandbox[0], sandbox[1], "/")
    _tell(settings, data, people, sandbox and sandbox[1], time.monotonic() - started)
    children.watch(server)


def _settings(args: Namespace) -> tuple[Settings, int]:
    """The settings with what the command line says about them, and the port to listen on."""
    settings = environment.set_settings(data_dir=str(args.data_dir or ""))
    if "public_url" not in settings.model_fields_set:
        port = args.port or DEFAULT_PORT
        return environment.set_settings(public_url=f"http://localhost:{port}"), port
    address = urlsplit(settings.public_url)
    local = address.scheme == "http" and address.hostname in LOOPBACK
    port = args.port or (address.port if local else None) or DEFAULT_PORT
    if local and port != address.port:
        raise Fault(
            f"PUBLIC_URL is {settings.public_url}, but --port is {port}: browsers would be refused. Change one."
        )
    return settings, port


def _require_free(port: int) -> None:
    if not _is_free(port):
        raise Fault(
            f"Port {port} is in use by another program: stop that, or choose another port with --port {port + 1}."
        )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _database(settings: Settings, data: Path, running: ExitStack) -> Settings:
    embedded = not settings.database_url
    with stage("Database"):
        settings = running.enter_context(environment.database())
    if embedded:
        environment.say_where_database_is(data)
    with stage("Database tables"):
        from teleconsult.ops.migrate import upgrade

        upgrade()
    return settings


def _wants_sandbox(args: Namespace, settings: Settings) -> bool:
    return not args.no_sandbox and not settings.stripe_secret_key.get_secret_value()


def _start_sandbox(settings: Settings, port: int, data: Path, children: Children) -> tuple[Child, int]:
    """Stripe's stand-in, on the next free port, so that open payment pages still work after a restart."""
    own = next((candidate for candidate in range(port + 1, port + 20) if _is_free(candidate)), None)
    if own is None:
        raise Fault(f"The sandbox found no free port between {port + 1} and {port + 19}.")
    secret = _webhook_secret(data)
    options = {
        "--port": str(own),
        "--webhook-url": f"{settings.public_url}/api/billing/webhook",
        "--webhook-secret": secret,
        "--state-file": str(data / "sandbox.sqlite"),
        "--base-url": f"http://localhost:{own}",
    }
    words = [word for option in options.items() for word in option]
    command = environment.command("teleconsult.sandbox", *words)
    child = children.start("payment sandbox", command, cwd=data, log=data / "logs" / "sandbox.log")
    environment.enter_sandbox(
        data, stripe_secret_key=SANDBOX_KEY, stripe_webhook_secret=secret, stripe_api_base=f"http://127.0.0.1:{own}"
    )
    return child, own


def _webhook_secret(data: Path) -> str:
    """What the sandbox signs its events with: made once for each data folder."""
    file = data / "sandbox-webhook-secret"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(f"whsec_{secrets.token_hex(24)}", encoding="ascii")
    return file.read_text(encoding="ascii").strip()


def _demo_people() -> Sequence[DemoPerson]:
    """People to sign in as; nobody in production."""
    if get_settings().production:
        return ()
    with stage("Demo people"):
        return demo_people()


def _compile() -> None:
    from teleconsult.ops import build

    if not build.ensure():
        note("Pages are up to date")


def _answers(child: Child, port: int, path: str) -> None:
    """Wait for the first answer.

    Raises:
        Fault: the process ended, or it stays silent.
    """
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline:
        child.check()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", path, headers={"Host": f"localhost:{port}"})
            connection.getresponse()
        except OSError:
            time.sleep(0.1)
        else:
            return
        finally:
            connection.close()
    raise Fault(f"The {child.name} did not answer within {READY_WITHIN:.0f} s.")


def _tell(settings: Settings, data: Path, people: Sequence[DemoPerson], sandbox: int | None, seconds: float) -> None:
    lines = ["", f"Ready after {seconds:.1f} s: {settings.public_url}", ""]
    if people:
        lines.append(f"Sign in with the password  {DEMO_PASSWORD}")
        lines += [f"  {person.role:<17}{person.email}" for person in people]
        lines.append("")
    if not settings.smtp_url.get_secret_value():
        lines.append(f"E-mails are kept in      {data / 'outbox'}")
    if sandbox is not None:
        lines.append(f"The payment sandbox is   http://localhost:{sandbox} (card 4242 4242 4242 4242, any later date)")
    lines += [f"Everything is stored in  {data}", "", "Ctrl-C stops it all and keeps the data."]
    print("\n".join(lines), flush=True)
