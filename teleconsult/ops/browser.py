"""A Chromium for the tests: one that is on the machine, else Playwright's own, else Debian's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from teleconsult.ops.environment import ROOT
from teleconsult.ops.faults import Fault
from teleconsult.ops.progress import note, run

VARIABLE = "TELECONSULT_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
TRY_FOR = 60
"""Seconds an empty page may take; the first start of a browser on a busy machine is slow."""
LOG = ROOT / "build" / "browser.log"


def find_or_install() -> str:
    """The path of a browser that starts, installed if there is none.

    Raises:
        Fault: there is none and none could be installed.
    """
    wanted = os.environ.get(VARIABLE)
    if wanted:
        if not starts(wanted):
            raise Fault(f"{VARIABLE} is {wanted}, which does not start as a browser.")
        return wanted
    for attempt in (lambda: None, _install_from_playwright, _install_from_debian):
        attempt()
        found = next(filter(starts, candidates()), None)
        if found is not None:
            return found
    raise Fault(
        "The tests need a browser and none could be installed: "
        f"install Chromium or Google Chrome, or set {VARIABLE} to its path. What was tried is in {LOG}."
    )


def candidates() -> Iterator[str]:
    """Where browsers usually are."""
    for name in NAMES:
        path = shutil.which(name)
        if path is not None:
            yield path
    yield from (place for place in PLACES if Path(place).exists())
    own = _playwrights_own()
    if own.exists():
        yield str(own)


def starts(path: str) -> bool:
    """Whether it can show an empty page: one without its libraries can't."""
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    try:
        done = subprocess.run(  # noqa: S603 - a browser
            [path, *flags, "--dump-dom", "about:blank"], capture_output=True, timeout=TRY_FOR, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return b"<html" in done.stdout


def _playwrights_own() -> Path:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path)


def _install_from_playwright() -> None:
    _try([sys.executable, "-m", "playwright", "install", "chromium"], "from Playwright")


def _install_from_debian() -> None:
    if os.geteuid() == 0 and shutil.which("apt-get"):
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        _try(["apt-get", "update"], "", env)
        _try(["apt-get", "install", "--yes", "--no-install-recommends", "chromium"], "from Debian", env)


def _try(command: list[str], origin: str, env: dict[str, str] | None = None) -> None:
    """Run an installer; when it fails, the next one has its turn."""
    if origin:
        note(f"No browser here: installing Chromium {origin}")
    try:
        run(command, LOG, "", env=env)
    except Fault:
        note("That did not work")
