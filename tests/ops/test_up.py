"""`up` as a person uses it: a start, Ctrl-C, a second start, `kill -9`, a port in use, settings that can't be."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from teleconsult.ops import build, postgres
from teleconsult.settings import Settings
from tests.sandbox_process import free_port
from tests.support import ROOT

FIRST_START = 240
"""Seconds: the pages may have to be compiled."""
STOPS_WITHIN = 12


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "teleconsult.ops.cli", *words]


def environment(**settings: str) -> dict[str, str]:
    """This one without any setting of ours but the given ones."""
    names = {name.upper() for name in Settings.model_fields}
    kept = {name: value for name, value in os.environ.items() if name not in names}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **settings}


class Up:
    """One start of `up`, from a folder without an `.env`."""

    def __init__(self, data: Path, port: int) -> None:
        self.data, self.port = data, port
        self.log = data.with_name(f"{data.name}-{time.monotonic_ns()}.log")
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                command("up", "--port", str(port), "--data-dir", str(data)),
                cwd=data.parent,
                env=environment(),
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self.family: list[psutil.Process] = []

    def words(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def ready(self) -> None:
        deadline = time.monotonic() + FIRST_START
        while "Ctrl-C stops it all" not in self.words():
            assert self.process.poll() is None, self.words()
            assert time.monotonic() < deadline, self.words()
            time.sleep(0.1)
        self.family = [*psutil.Process(self.process.pid).children(recursive=True), self.database()]
        assert len(self.family) >= 4, "web server, its worker, sandbox, database"

    def database(self) -> psutil.Process:
        pid = (postgres.where(self.data) / "data" / "postmaster.pid").read_text(encoding="utf-8").split("\n")[0]
        return psutil.Process(int(pid))

    def stop(self, number: signal.Signals) -> float:
        """Tell it to stop; the answer is the seconds it took."""
        started = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(STOPS_WITHIN)
        return time.monotonic() - started

    def left(self) -> list[str]:
        """Processes of this start that still run."""
        _, alive = psutil.wait_procs(self.family, timeout=3)
        return [f"{process.pid} {process.name()}" for process in alive if process.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture(scope="module")
def data() -> Generator[Path]:
    """One data folder for the whole file: the second start is part of the story."""
    build.ensure()
    with tempfile.TemporaryDirectory(prefix="teleconsult-up-") as folder:
        path = Path(folder) / "data"
        yield path
        with suppress(FileNotFoundError):
            postgres.remove(path)


@pytest.fixture
def started() -> Generator[list[Up]]:
    """Whatever a test starts is gone after it, also when it fails."""
    ups: list[Up] = []
    yield ups
    for up in ups:
        for process in up.family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        with suppress(ProcessLookupError):
            os.killpg(up.process.pid, signal.SIGKILL)
        up.process.wait()


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://localhost:{port}{path}", timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""


def people(data: Path) -> int:
    with postgres.serving(data) as url, psycopg.connect(url) as connection:
        row = connection.execute('SELECT count(*) FROM "user"').fetchone()
    assert row is not None
    return row[0]


def test_up_serves_stops_cleanly_and_survives_being_killed(data: Path, started: list[Up]) -> None:
    """One story, because each start takes seconds: first start, Ctrl-C, second start, kill -9, third start, SIGTERM."""
    port = free_port()

    first = Up(data, port)
    started.append(first)
    first.ready()
    said = first.words()
    assert f"http://localhost:{port}" in said
    assert "jane@example.com" in said
    assert str(data / "outbox") in said
    assert get(port, "/health/ready")[0] == 200
    assert "<html" in get(port, "/")[1]
    sandbox = re.search(r"sandbox is +http://localhost:(\d+)", said)
    assert sandbox is not None
    assert get(int(sandbox[1]), "/")[0] == 200
    assert first.stop(signal.SIGINT) < STOPS_WITHIN
    assert first.process.returncode == 0
    assert first.left() == []
    assert "Traceback" not in first.words()
    assert first.words().rstrip().endswith("Your data is kept.")

    second = Up(data, port)
    started.append(second)
    second.ready()
    assert "Pages are up to date" in second.words()
    second.process.kill()
    second.process.wait()
    assert len(second.left()) >= 4, "this is what the next start has to cope with"

    third = Up(data, port)
    started.append(third)
    third.ready()
    assert get(port, "/health/ready")[0] == 200
    web_and_sandbox = [process for process in second.family if process.pid != third.database().pid]
    _, alive = psutil.wait_procs(web_and_sandbox, timeout=3)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []
    assert third.stop(signal.SIGTERM) < STOPS_WITHIN
    assert third.left() == []
    assert "Traceback" not in third.words()
    assert people(data) >= 4


def refused(folder: Path, *words: str, **settings: str) -> list[str]:
    """The sentences of a start that must not happen."""
    done = subprocess.run(
        command("up", "--data-dir", str(folder / "data"), *words),
        cwd=folder,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.strip().splitlines()


def test_a_port_in_use_is_one_clear_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        (sentence,) = refused(tmp_path, "--port", str(port))
    assert sentence.startswith(f"Port {port} is in use by another program")
    assert not (tmp_path / "data" / "run").exists(), "nothing was started"


def test_several_faults_are_one_sentence_each(tmp_path: Path) -> None:
    settings = {"PUBLIC_URL": "http://clinic.example", "STRIPE_SECRET_KEY": "pk_test_wrong", "ANSWER_HOURS": "soon"}
    first, *faults = refused(tmp_path, **settings)
    assert first == "The settings can’t be used:"
    assert any("ANSWER_HOURS" in fault for fault in faults)
    first, *faults = refused(tmp_path, **{**settings, "ANSWER_HOURS": "48"})
    assert [re.search(r"[A-Z_]{5,}", fault)[0] for fault in faults] == [  # type: ignore[index] - a fault names its setting
        "PUBLIC_URL",
        "STRIPE_SECRET_KEY",
        "STRIPE_WEBHOOK_SECRET",
    ]


def test_a_port_that_contradicts_the_address_is_refused(tmp_path: Path) -> None:
    (sentence,) = refused(tmp_path, "--port", str(free_port()), PUBLIC_URL="http://localhost:8000")
    assert "browsers would be refused" in sentence


def test_a_data_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file", encoding="utf-8")
    (sentence,) = refused(tmp_path, "--port", str(free_port()))
    assert sentence.startswith("DATA_DIR: ")


def test_a_database_that_does_not_answer_is_refused(tmp_path: Path) -> None:
    url = f"postgresql://nobody@127.0.0.1:{free_port()}/none"
    (sentence,) = refused(tmp_path, "--port", str(free_port()), DATABASE_URL=url)
    assert sentence.startswith("DATABASE_URL: the database can’t be reached")
