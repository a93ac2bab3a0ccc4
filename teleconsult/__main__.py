"""`python3 -m teleconsult <command>`: from a clone, on a machine with Python 3.11 or newer and nothing else.

Makes `.venv` beside the package, installs what the lock file names, and hands over to the same command inside.
Standard library only. From an installed wheel there is nothing to make, and the command runs at once.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "teleconsult.json"
OLDEST = (3, 11)


def main() -> int:
    """Hand over to the command, in the project's own environment when this is a clone."""
    if sys.version_info < OLDEST:
        return refuse(f"teleconsult needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    if os.name != "posix":
        return refuse("teleconsult runs on Linux and macOS; on Windows, start it inside WSL.")
    if not (ROOT / "requirements.txt").exists() or Path(sys.prefix).resolve() == VENV:
        from teleconsult.ops import cli

        return cli.main()
    if len(sys.argv) < 2:  # noqa: PLR2004 - no command was named
        sys.argv.append("--help")
    from teleconsult.ops.faults import Fault

    try:
        prepare("requirements-dev.txt" if sys.argv[1] == "test" else "requirements.txt")
    except Fault as fault:
        return refuse(str(fault))
    except KeyboardInterrupt:
        print("\nStopped. Nothing is running; start again to go on.", file=sys.stderr)
        return 130
    sys.stdout.flush()
    return os.execv(PYTHON, [str(PYTHON), "-m", "teleconsult", *sys.argv[1:]])  # noqa: S606 - no shell is wanted


def refuse(sentence: str) -> int:
    """Say why not. The answer is the exit code."""
    print(sentence, file=sys.stderr)
    return 2


def prepare(lock: str) -> None:
    """Make `.venv` and install one lock file, unless that was done already.

    The stamp names the lock files whose every line is installed, by their hashes. `requirements-dev.txt` holds all of
    `requirements.txt`, so it counts as both.
    """
    from teleconsult.ops.progress import stage

    wanted = fingerprint(lock)
    if wanted in installed():
        return
    print("Setting up teleconsult (the first time takes a minute or two)", flush=True)
    if not usable():
        with stage("Python environment in .venv"):
            make_environment()
    STAMP.unlink(missing_ok=True)
    with stage(f"Packages of {lock}"):
        install(lock)
    done = [wanted] if lock == "requirements.txt" else [wanted, fingerprint("requirements.txt")]
    STAMP.write_text(json.dumps({"root": str(ROOT), "installed": done}), encoding="utf-8")


def fingerprint(lock: str) -> str:
    """What must be installed: the lock and how the project installs itself."""
    parts = [(ROOT / name).read_bytes() for name in (lock, "pyproject.toml")]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def installed() -> list[str]:
    """The lock files that `.venv` satisfies. None when it was moved or its Python is gone."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
        return stamp["installed"] if stamp["root"] == str(ROOT) and PYTHON.exists() else []
    except (OSError, ValueError, KeyError):
        return []


def usable() -> bool:
    """Whether `.venv` runs and has pip: a set-up that was interrupted may have left half of it."""
    probe = [str(PYTHON), "-c", f"import pip, sys; sys.exit(sys.version_info < {OLDEST})"]
    try:
        return subprocess.call(probe, stderr=subprocess.DEVNULL) == 0  # noqa: S603 - our own interpreter
    except OSError:
        return False


def make_environment() -> None:
    """A fresh `.venv`.

    Raises:
        Fault: this Python came without the parts that make one, as on Debian.
    """
    from teleconsult.ops.faults import Fault

    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        version = ".".join(map(str, sys.version_info[:2]))
        raise Fault(
            "This Python can't make virtual environments because its venv module is missing. "
            f"On Debian and Ubuntu: apt-get install python{version}-venv, then start again."
        )
    from teleconsult.ops.progress import run

    run(
        [sys.executable, "-m", "venv", "--clear", str(VENV)],
        ROOT / "build" / "venv.log",
        "The Python environment could not be made.",
    )


def install(lock: str) -> None:
    """Install the locked packages, every file checked against its hash, and the project itself as editable."""
    from teleconsult.ops.progress import run

    pip = [str(PYTHON), "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
    env = {**os.environ, "PIP_USER": "0"}
    failure = "The packages could not be installed."
    run([*pip, "--require-hashes", "-r", str(ROOT / lock)], ROOT / "build" / "pip.log", failure, env=env)
    itself = ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)]
    run([*pip, *itself], ROOT / "build" / "pip-project.log", failure, env=env)


if __name__ == "__main__":
    sys.exit(main())
