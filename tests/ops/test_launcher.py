"""`python3 -m teleconsult`: needs nothing but Python, makes the environment once, and explains itself when it can't."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from teleconsult import __main__ as launcher
from teleconsult.ops.faults import Fault
from tests.support import ROOT


def python(*words: str, cwd: Path = ROOT, path: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """This Python without its installed packages."""
    code = f"import sys; sys.path.insert(0, {str(path)!r}); {words[0]}"
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], cwd=cwd, capture_output=True, text=True, check=False
    )


def test_it_needs_the_standard_library_only() -> None:
    done = python("import teleconsult.__main__, teleconsult.ops.faults, teleconsult.ops.progress")
    assert done.returncode == 0, done.stderr
    control = python("import teleconsult.ops.up")
    assert "ModuleNotFoundError" in control.stderr, "there really are no packages"


def test_an_older_python_gets_a_sentence() -> None:
    done = python("sys.version_info = (3, 10); import teleconsult.__main__ as m; sys.exit(m.main())")
    assert done.returncode == 2
    assert done.stderr.startswith("teleconsult needs Python 3.11 or newer")


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone with two lock files and an environment that is only pretended, so that nothing is downloaded."""
    for name in ("requirements.txt", "requirements-dev.txt", "pyproject.toml"):
        (tmp_path / name).write_text(f"# {name}\n", encoding="utf-8")
    venv = tmp_path / ".venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").symlink_to(sys.executable)
    for name, value in {
        "ROOT": tmp_path,
        "VENV": venv,
        "PYTHON": venv / "bin" / "python",
        "STAMP": venv / "teleconsult.json",
    }.items():
        monkeypatch.setattr(launcher, name, value)
    monkeypatch.setattr(launcher, "usable", lambda: True)
    return tmp_path


@pytest.fixture
def installs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    calls: list[str] = []
    monkeypatch.setattr(launcher, "install", calls.append)
    return calls


def test_a_lock_is_installed_once_and_again_when_it_changed(clone: Path, installs: list[str]) -> None:
    launcher.prepare("requirements.txt")
    launcher.prepare("requirements.txt")
    assert installs == ["requirements.txt"]

    (clone / "requirements.txt").write_text("# another\n", encoding="utf-8")
    launcher.prepare("requirements.txt")
    assert installs == ["requirements.txt"] * 2


@pytest.mark.usefixtures("clone")
def test_the_development_lock_holds_the_other(installs: list[str]) -> None:
    launcher.prepare("requirements-dev.txt")
    launcher.prepare("requirements.txt")
    assert installs == ["requirements-dev.txt"]


@pytest.mark.usefixtures("clone")
def test_an_interrupted_install_is_done_again(monkeypatch: pytest.MonkeyPatch, installs: list[str]) -> None:
    def interrupted(_lock: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(launcher, "install", interrupted)
        with pytest.raises(KeyboardInterrupt):
            launcher.prepare("requirements.txt")
    launcher.prepare("requirements.txt")
    assert installs == ["requirements.txt"]


def test_a_clone_that_was_moved_is_set_up_again(clone: Path, installs: list[str]) -> None:
    launcher.prepare("requirements.txt")
    stamp = json.loads(launcher.STAMP.read_text(encoding="utf-8"))
    launcher.STAMP.write_text(json.dumps({**stamp, "root": str(clone / "elsewhere")}), encoding="utf-8")
    launcher.prepare("requirements.txt")
    assert len(installs) == 2


def test_debian_without_its_venv_package_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(Fault, match=r"apt-get install python3\.\d+-venv"):
        launcher.make_environment()


def test_help_names_every_command_and_each_explains_itself() -> None:
    from teleconsult.ops.cli import COMMANDS

    def says(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "teleconsult.ops.cli", *words]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    said = says("--help")
    assert said.returncode == 0
    assert [name for name in COMMANDS if f"  {name} " not in said.stdout] == []
    for name in ("up", "worker"):
        assert says(name, "--help").returncode == 0
    unknown = says("dance")
    assert unknown.returncode == 2
    assert unknown.stderr.startswith("There is no command 'dance'")


@pytest.mark.parametrize("name", ["up", "test", "serve", "api", "worker", "migrate", "build"])
def test_every_command_has_a_module_with_its_two_functions(name: str) -> None:
    module = importlib.import_module(f"teleconsult.ops.{name}")
    assert module.__doc__
    assert callable(module.arguments)
    assert callable(module.run)
