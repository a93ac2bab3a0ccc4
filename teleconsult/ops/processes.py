"""The child processes of `up`: started in sessions of their own, watched, and all gone when the block ends.

Ctrl-C in a terminal therefore reaches `up` alone, which ends them in order. Each child is written down in
`run/<pid>.json` of the data folder, so that a start after `kill -9` of `up` finds and ends what was left running.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import NoReturn

import psutil

from teleconsult.ops.environment import child_environment
from teleconsult.ops.faults import Fault

PATIENCE = 8.0
"""Seconds a child may take to end before it is killed. The web server lets running requests finish in this time."""


@dataclass
class Child:
    """One process, what it is called when it is spoken of, and the file that takes its words."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    shown: int = 0

    def check(self) -> None:
        """Raise a Fault when it has ended."""
        if self.process.poll() is None:
            return
        said = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-10:]
        raise Fault("\n".join([f"The {self.name} ended by itself (exit code {self.process.returncode}).", *said]))

    def show(self) -> None:
        """Print what it has said since the last time."""
        with self.log.open("rb") as words:
            words.seek(self.shown)
            new = words.read()
        self.shown += len(new)
        sys.stdout.buffer.write(new)
        sys.stdout.flush()


@dataclass
class Children:
    """The processes of this start. `close` ends them, the youngest first."""

    record: Path
    alive: list[Child] = field(default_factory=list)

    def start(self, name: str, command: Sequence[str], *, cwd: Path, log: Path) -> Child:
        """Start one in a session of its own, with its words in a file of its own."""
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as out:
            process = subprocess.Popen(  # noqa: S603 - our own commands
                command,
                cwd=cwd,
                env=child_environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        child = Child(name, process, log)
        self.alive.append(child)
        self._write()
        return child

    def watch(self, shown: Child) -> NoReturn:
        """Pass on what one child says, and wait until any of them ends, which none should.

        Raises:
            Fault: it tells which one.
        """
        while True:
            shown.show()
            for child in self.alive:
                child.check()
            time.sleep(0.3)

    def close(self) -> None:
        """End all of them; afterwards none is left."""
        while self.alive:
            child = self.alive.pop()
            end(child.process.pid, child.process)
        self.record.unlink(missing_ok=True)

    def _write(self) -> None:
        pids = [os.getpid(), *(child.process.pid for child in self.alive)]
        self.record.parent.mkdir(parents=True, exist_ok=True)
        self.record.write_text(json.dumps([_identity(pid) for pid in pids]), encoding="utf-8")


def end(pid: int, process: subprocess.Popen[bytes] | psutil.Process) -> None:
    """Ask a session leader to end, then kill what is left of its session."""
    if process.poll() is None if isinstance(process, subprocess.Popen) else process.is_running():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired, psutil.TimeoutExpired):
            process.wait(PATIENCE)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    process.wait()


def end_leftovers(folder: Path) -> int:
    """End the children of starts that were killed. The answer is how many were found alive."""
    count = 0
    for record in folder.glob("*.json"):
        with suppress(OSError, ValueError):
            parent, *children = json.loads(record.read_text(encoding="utf-8"))
            if _same(parent):
                continue
            for leftover in filter(None, map(_same, children)):
                end(leftover.pid, leftover)
                count += 1
        record.unlink(missing_ok=True)
    return count


def _identity(pid: int) -> dict[str, float]:
    """A pid alone may be given to another process; with the moment it began it may not."""
    with suppress(psutil.Error):
        return {"pid": pid, "began": psutil.Process(pid).create_time()}
    return {"pid": pid, "began": 0.0}


def _same(identity: dict[str, float]) -> psutil.Process | None:
    with suppress(psutil.Error):
        process = psutil.Process(int(identity["pid"]))
        if abs(process.create_time() - identity["began"]) < 0.1 and process.status() != psutil.STATUS_ZOMBIE:  # noqa: PLR2004 - seconds
            return process
    return None


@contextmanager
def stopping_on_signals() -> Generator[None]:
    """Turn SIGTERM and SIGHUP into the KeyboardInterrupt of Ctrl-C, so that every block unwinds. Once is enough."""
    kinds = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        for kind in kinds:
            signal.signal(kind, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {kind: signal.signal(kind, stop) for kind in kinds}
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
