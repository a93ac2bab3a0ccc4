"""One calm line for each stage of a start, with the time it took. Standard library only: the launcher uses it too."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from teleconsult.ops.faults import Fault

WIDTH = 46


@contextmanager
def stage(label: str) -> Generator[None]:
    """Print the label, and the seconds when the block ends. A terminal also sees them pass."""
    started, done = time.monotonic(), threading.Event()
    print(f"  {label:<{WIDTH}}", end="", flush=True)
    ticking = threading.Thread(target=_tick, args=(label, started, done), daemon=True)
    if sys.stdout.isatty():
        ticking.start()
    try:
        yield
    except BaseException:
        _end(ticking, done)
        print("  stopped", flush=True)
        raise
    _end(ticking, done)
    again = f"\r  {label:<{WIDTH}}" if sys.stdout.isatty() else ""
    print(f"{again}{time.monotonic() - started:6.1f} s", flush=True)


def _tick(label: str, started: float, done: threading.Event) -> None:
    while not done.wait(1):
        print(f"\r  {label:<{WIDTH}}{time.monotonic() - started:4.0f} …", end="", flush=True)


def _end(ticking: threading.Thread, done: threading.Event) -> None:
    done.set()
    if ticking.is_alive():
        ticking.join()


def note(text: str) -> None:
    """A line between the stages."""
    print(f"  {text}", flush=True)


def run(
    command: Sequence[str], log: Path, failure: str, *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> None:
    """Run a long tool with its words in a file.

    Raises:
        Fault: it failed. The sentence is followed by the last lines it said.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        child = subprocess.Popen(  # noqa: S603 - our words
            command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
        try:
            code = child.wait()
        except BaseException:
            os.killpg(child.pid, signal.SIGKILL)  # with everything it started
            child.wait()
            raise
    if code:
        said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-15:]
        raise Fault("\n".join([f"{failure} Everything it said is in {log}. Its last words:", *said]))
