"""The lock files are complete, current, and the same on every machine: they name versions and hashes, and no place."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RUNTIME = [*PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"]["build"]]
WANTED = {
    "requirements.txt": RUNTIME,
    "requirements-dev.txt": [*RUNTIME, *PROJECT["dependency-groups"]["dev"]],
}
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)", re.MULTILINE)


def pins(text: str) -> dict[str, str]:
    return {canonicalize_name(name): number for name, number in PIN.findall(text)}


def missing(wanted: list[str], locked: dict[str, str]) -> list[str]:
    """Requirements that the lock doesn't meet."""
    requirements = [Requirement(text) for text in wanted]
    return [
        str(requirement)
        for requirement in requirements
        if locked.get(canonicalize_name(requirement.name)) not in requirement.specifier
    ]


@pytest.mark.parametrize("name", WANTED)
def test_every_dependency_is_locked_at_a_version_that_is_asked_for(name: str) -> None:
    locked = pins((ROOT / name).read_text(encoding="utf-8"))
    assert missing(WANTED[name], locked) == []
    assert missing(["reflex==0.0.1"], locked), "the check can fail"


@pytest.mark.parametrize("name", WANTED)
def test_every_pin_has_hashes_and_none_names_a_place(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=[A-Za-z0-9])", text)
    assert len(blocks) > 80
    assert [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block] == []
    assert re.findall(r"https?://|--(?:extra-)?index-url|--find-links|file:", text) == []


def test_the_development_lock_holds_all_of_the_other() -> None:
    runtime, development = (pins(Path(ROOT / name).read_text(encoding="utf-8")) for name in WANTED)
    assert runtime.items() <= development.items()


def test_the_npm_lock_names_no_registry() -> None:
    packages = json.loads((ROOT / "reflex.lock" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert len(packages) > 50
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    assert [name for name, entry in packages.items() if name and "integrity" not in entry] == []
    assert "omit-lockfile-registry-resolved=true" in (ROOT / ".npmrc").read_text(encoding="utf-8")
