"""The servers that are compared: the product and a blank Reflex app; its routes alone and a bare webhook."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from alembic import command
from alembic.config import Config

from teleconsult.ops import build, postgres, progress
from teleconsult.ops.environment import CHANGED_BY_US, ROOT
from teleconsult.ops.faults import Fault
from teleconsult.settings import Settings
from tests.billing.deliveries import SECRET
from tests.support import fresh_settings

SOURCES = Path(__file__).with_name("blank")
READY_WITHIN = 180.0
ENDS_WITHIN = 30.0
"""Seconds; the product stops a database, a sandbox and a web server in this time."""


@contextmanager
def product(folder: Path) -> Generator[str]:
    """The product with an empty database, demo people and the sandbox. Gives its address."""
    port, data = _free_port(), folder / "data"
    folder.mkdir()
    env = {**_plain_environment(), "ENVIRONMENT": "development", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "teleconsult.ops.cli", "up", "--port", str(port), "--data-dir", str(data)]
    try:
        with _running(command, port, "/health/ready", cwd=folder, env=env):
            yield f"http://localhost:{port}"
    finally:
        with suppress(FileNotFoundError):  # it never got as far as a database
            postgres.remove(data)


@contextmanager
def blank(folder: Path) -> Generator[str]:
    """A blank app, compiled here and now by the same Reflex with the same packages. Gives its address."""
    port = _free_port()
    address = f"http://localhost:{port}"
    env = {**_compiling_environment(folder), "BLANK_URL": address}
    with progress.stage("Blank page (compiled in every run)"):
        _stage(folder)
        command = [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip"]
        progress.run(command, folder / "compile.log", "The blank page could not be compiled.", cwd=folder, env=env)
    env |= {
        "__REFLEX_SKIP_COMPILE": "true",
        "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true",
        "REFLEX_ENV_MODE": "prod",
        "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
    }
    serve = f"from teleconsult.ops.serve import listen; listen('blank.blank:app', '127.0.0.1', {port}, factory=True)"
    with _running([sys.executable, "-c", serve], port, "/", cwd=folder, env=env):
        yield address


@contextmanager
def database(data: Path) -> Generator[str]:
    """An embedded, migrated and durable database: what is answered is on the disk. Gives its address."""
    url = postgres.ensure(data)
    try:
        fresh_settings(DATABASE_URL=url, DATA_DIR=str(data), ENVIRONMENT="test")
        command.upgrade(Config(ROOT / "alembic.ini"), "head")
        yield url
    finally:
        postgres.remove(data)


@contextmanager
def routes(folder: Path, url: str) -> Generator[tuple[int, int]]:
    """The product's routes, one process, without jobs. Gives port and process id."""
    port = _free_port()
    settings = {"PUBLIC_URL": f"http://localhost:{port}", "RUN_WORKER": "false", "STRIPE_SECRET_KEY": "sk_test_bench"}
    arguments = ["-m", "teleconsult.ops.cli", "api", "--port", str(port)]
    with _webhook(folder, url, port, arguments, settings) as process:
        yield port, process.pid


@contextmanager
def reference(folder: Path, url: str) -> Generator[tuple[int, int]]:
    """The bare handler, served the same way. Gives port and process id."""
    port = _free_port()
    serve = f"from teleconsult.ops.serve import listen; listen('tests.bench.reference:app', '127.0.0.1', {port})"
    with _webhook(folder, url, port, ["-c", serve], {}) as process:
        yield port, process.pid


@contextmanager
def _webhook(
    folder: Path, url: str, port: int, arguments: Sequence[str], settings: Mapping[str, str]
) -> Generator[subprocess.Popen[bytes]]:
    folder.mkdir()
    env = {
        **_plain_environment(),
        "ENVIRONMENT": "test",
        "DATABASE_URL": url,
        "DATA_DIR": str(folder),
        "STRIPE_WEBHOOK_SECRET": SECRET,
        "PYTHONPATH": str(ROOT),
        **settings,
    }
    with _running([sys.executable, *arguments], port, "/health/live", cwd=folder, env=env) as process:
        yield process


def _stage(folder: Path) -> None:
    (folder / "blank").mkdir(parents=True)
    shutil.copy2(SOURCES / "rxconfig.py", folder)
    shutil.copy2(SOURCES / "blank.py", folder / "blank")
    (folder / "blank" / "__init__.py").touch()
    shutil.copytree(ROOT / "reflex.lock", folder / "reflex.lock")
    if (ROOT / ".npmrc").exists():
        shutil.copy2(ROOT / ".npmrc", folder)


def _compiling_environment(folder: Path) -> dict[str, str]:
    """What the product's pages are compiled with, except where things lie."""
    env = {**build._environment(), "REFLEX_DIR": str(folder / "reflex")}
    return {name: value for name, value in env.items() if name not in ("PYTHONPATH", "PUBLIC_URL")}


def _plain_environment() -> dict[str, str]:
    """This environment without a setting of ours: a developer's own must not decide what is measured."""
    kept = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
    return {**kept, **CHANGED_BY_US}


@contextmanager
def _running(
    command: Sequence[str], port: int, path: str, *, cwd: Path, env: Mapping[str, str]
) -> Generator[subprocess.Popen[bytes]]:
    log = cwd / "server.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
    try:
        _wait(process, port, path, log)
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(ENDS_WITHIN)
        process.kill()
        process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, path: str, log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection("localhost", port, timeout=5)
        try:
            connection.request("GET", path)
            if connection.getresponse().status == http.client.OK:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.2)
    raise Fault(f"A server did not start:\n{log.read_text(encoding='utf-8', errors='replace')[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
