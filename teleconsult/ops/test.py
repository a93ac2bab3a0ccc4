"""Set up and run the tests: a browser is found or installed, the pages are compiled, and pytest does the rest.

Every option goes to pytest: `teleconsult test -k payment -x`.
"""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from importlib.util import find_spec

from teleconsult.ops import browser, build
from teleconsult.ops.environment import ROOT, child_environment, is_clone
from teleconsult.ops.faults import Fault
from teleconsult.ops.progress import note, stage


def arguments(_parser: ArgumentParser) -> None:
    """None of its own."""


def run(args: Namespace) -> int:
    """Become pytest, whose exit code is then ours."""
    if not is_clone() or find_spec("pytest") is None:
        raise Fault("The tests run from a clone: `python3 -m teleconsult test` sets up what they need.")
    with stage("Browser"):
        path = browser.find_or_install()
    if not build.ensure():
        note("Pages are up to date")
    os.chdir(ROOT)
    tools = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)])  # noqa: PTH120 - a link must stay one
    env = {**child_environment(), "PATH": tools, browser.VARIABLE: path}
    return os.execve(sys.executable, [sys.executable, "-m", "pytest", *args.pytest], env)  # noqa: S606 - no shell is wanted
