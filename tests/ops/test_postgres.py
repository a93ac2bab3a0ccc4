"""The embedded database as processes really use it: shared, killed, deleted, and never at the cost of a folder."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from teleconsult.ops import cluster, postgres
from teleconsult.ops.faults import Fault
from tests.support import ROOT

OTHER = """
import sys
from pathlib import Path
from teleconsult.ops import postgres
print(postgres.ensure(Path(sys.argv[1]), durable=False), flush=True)
sys.stdin.readline()
print(postgres.stop(Path(sys.argv[1])), flush=True)
"""


@pytest.fixture
def folder() -> Generator[Path]:
    """A data folder behind a private one; its database is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="teleconsult-pg-") as private:
        data = Path(private) / "data"
        yield data
        if data.exists():
            with suppress(FileNotFoundError):
                postgres.remove(data)


def another_process(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", OTHER, str(folder)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("postgresql://")
    return process


def server(folder: Path) -> int:
    """The pid of the server."""
    return int((postgres.where(folder) / "data" / "postmaster.pid").read_text(encoding="utf-8").split("\n")[0])


def gone(pid: int) -> bool:
    """Whether it ends: its last act, after answering that it stopped, is to leave the list of processes."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        with suppress(psutil.TimeoutExpired):
            process.wait(10)
        return process.status() == psutil.STATUS_ZOMBIE
    return True


def write(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (word text)")
        connection.execute("INSERT INTO kept VALUES ('kept')")


def read(url: str) -> list[tuple[str]]:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT word FROM kept").fetchall()


def test_two_processes_share_one_server_and_the_last_ends_it(folder: Path) -> None:
    other = another_process(folder)
    write(postgres.ensure(folder, durable=False))
    pid = server(folder)

    said, _ = other.communicate("go\n", timeout=30)
    assert said.strip() == "False", "the other left while we still use it"
    assert read(postgres.ensure(folder, durable=False)) == [("kept",)]
    assert server(folder) == pid

    assert postgres.stop(folder)
    assert gone(pid)


def test_a_killed_process_leaves_a_server_that_the_next_joins_with_everything_kept(folder: Path) -> None:
    killed = another_process(folder)
    write(postgres.ensure(folder, durable=False))
    pid = server(folder)
    postgres.stop(folder)
    killed.kill()
    killed.wait()
    assert psutil.pid_exists(pid), "this is the leftover the test is about"

    url = postgres.ensure(folder, durable=False)
    assert server(folder) == pid
    assert read(url) == [("kept",)]
    assert postgres.stop(folder), "the killed one no longer counts"
    assert gone(pid)


def test_a_killed_server_is_replaced_with_everything_kept(folder: Path) -> None:
    write(postgres.ensure(folder))
    pid = server(folder)
    os.kill(pid, signal.SIGKILL)
    assert gone(pid)

    assert read(postgres.ensure(folder)) == [("kept",)]
    assert server(folder) != pid


def test_a_pid_that_now_belongs_to_somebody_else_is_not_taken_for_the_server(folder: Path) -> None:
    write(postgres.ensure(folder, durable=False))
    postgres.stop(folder)
    stale = postgres.where(folder) / "data" / "postmaster.pid"
    stale.write_text(f"{os.getpid()}\n", encoding="utf-8")

    assert read(postgres.ensure(folder, durable=False)) == [("kept",)]


def test_a_folder_that_was_deleted_starts_empty(folder: Path) -> None:
    write(postgres.ensure(folder, durable=False))
    home = postgres.where(folder)
    postgres.remove(folder)
    assert not (home / "data").exists()
    for left in folder.rglob("*"):
        left.unlink()
    folder.rmdir()

    with pytest.raises(psycopg.errors.UndefinedTable):
        read(postgres.ensure(folder, durable=False))


def test_no_folder_is_opened_for_others(folder: Path) -> None:
    """Root is the case that tempts: PostgreSQL then runs as a user of its own, who must reach its data."""
    private = folder.parent
    before = {path: stat.S_IMODE(path.stat().st_mode) for path in (private, *private.parents)}
    assert before[private] == 0o700

    postgres.ensure(folder, durable=False)
    assert {path: stat.S_IMODE(path.stat().st_mode) for path in before} == before
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((postgres.where(folder) / "data").stat().st_mode) == 0o700
    owner = (postgres.where(folder) / "data").stat().st_uid
    assert owner != 0
    assert postgres.where(folder).is_relative_to(cluster.SYSTEM_FOLDER if os.geteuid() == 0 else folder)


def test_a_socket_path_too_long_for_the_system_is_put_elsewhere_in_private() -> None:
    with tempfile.TemporaryDirectory() as short:
        home = Path(short) / ("x" * 60) / ("y" * 60)
        (home / "data").mkdir(parents=True)
        sockets = cluster.Cluster(home).sockets
        assert len(os.fsencode(sockets / cluster.SOCKET)) <= cluster.LONGEST_SOCKET
        cluster.make_private(sockets, os.geteuid())
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
        sockets.chmod(0o777)
        with pytest.raises(Fault, match="not a private folder"):
            cluster.make_private(sockets, os.geteuid())
        sockets.rmdir()


def test_the_log_quotes_no_statement_and_no_row(folder: Path) -> None:
    url = postgres.ensure(folder, durable=False)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE one (word text PRIMARY KEY)")
        connection.execute("INSERT INTO one VALUES ('eczema-canary')")
        with pytest.raises(psycopg.errors.UniqueViolation, match="eczema-canary"):
            connection.execute("INSERT INTO one VALUES ('eczema-canary')")
    log = (postgres.where(folder) / "data" / "server.log").read_text(encoding="utf-8")
    assert "one_pkey" in log, "the failure itself is in the log"
    assert "eczema-canary" not in log


def test_a_database_of_another_major_version_is_refused_in_a_sentence(folder: Path) -> None:
    postgres.ensure(folder, durable=False)
    postgres.stop(folder)
    marker = postgres.where(folder) / "data" / "PG_VERSION"
    marker.write_text("16\n", encoding="ascii")
    with pytest.raises(postgres.PostgresFault, match="is of PostgreSQL 16; this version needs 18"):
        postgres.ensure(folder, durable=False)
