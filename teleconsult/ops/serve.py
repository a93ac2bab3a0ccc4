"""Run the web server: pages, routes and, unless RUN_WORKER is false, the background jobs.

Reflex's own command would compile the pages again at each start. Here they are compiled already, and Granian loads the
app directly. Sessions of the pages live in memory, so there is one worker unless REDIS_URL is set.
"""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Generator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from teleconsult.ops.build import require_pages
from teleconsult.ops.environment import CHANGED_BY_US, RUNTIME, database, freeze, open_data_dir
from teleconsult.ops.faults import Fault
from teleconsult.settings import Settings

# An open page holds one place for its websocket: above this, new requests wait in the backlog.
CONNECTIONS = 4096
FINISH_WITHIN = 6
"""Seconds a worker may take to end: less than `processes.PATIENCE`."""


def arguments(parser: ArgumentParser) -> None:
    """Where to listen."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on (default %(default)s)")
    parser.add_argument("--workers", type=int, default=1, help="processes; more than one needs REDIS_URL")


def run(args: Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    require_pages()
    with database() as settings:
        if args.workers > 1 and not settings.redis_url:
            raise Fault("More than one worker needs REDIS_URL: without it each would know only its own visitors.")
        os.environ.update(reflex_environment(freeze()))
        os.chdir(RUNTIME)  # Reflex reads rxconfig.py from the working directory only
        listen("teleconsult.teleconsult:app", args.host, args.port, workers=args.workers, factory=True)
    return 0


def reflex_environment(settings: Settings) -> dict[str, str]:
    """What Reflex needs to serve compiled pages. Two names are internal to it: its version is pinned exactly."""
    data = open_data_dir(settings)
    return {
        **CHANGED_BY_US,
        "__REFLEX_SKIP_COMPILE": "true",
        "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true",
        "REFLEX_ENV_MODE": "prod",
        "REFLEX_WEB_WORKDIR": str(RUNTIME / "_web"),
        "REFLEX_DIR": str(data / "reflex"),
        "REFLEX_UPLOADED_FILES_DIR": str(data / "uploads"),
        "REFLEX_SOCKET_MAX_HTTP_BUFFER_SIZE": "200000",  # bytes of one event: the longest answers fit ten times
    }


def listen(app: str, host: str, port: int, *, workers: int = 1, factory: bool = False) -> None:
    """Serve one ASGI app. No access log: addresses of websockets carry a token."""
    with _counted_together(workers):
        _serve(app, host, port, workers=workers, factory=factory)


@contextmanager
def _counted_together(workers: int) -> Generator[None]:
    """Several processes on one port count into files, so that a scrape of any one of them tells the sum."""
    if workers == 1:
        yield
        return
    with TemporaryDirectory(prefix="teleconsult-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        yield


def _serve(app: str, host: str, port: int, *, workers: int, factory: bool) -> None:
    Granian(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        factory=factory,
        workers=workers,
        workers_kill_timeout=FINISH_WITHIN,
        backlog=CONNECTIONS,
        backpressure=CONNECTIONS,
        log_level=LogLevels.warning,
        log_access=False,
    ).serve()
