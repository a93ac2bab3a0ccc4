"""The contracts of pyproject.toml hold, and each of them would notice: planted imports are its negative control."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT

PLANTED = {
    "teleconsult/accounts/service.py": ("import teleconsult.billing.checkout", "Each level imports only downward"),
    "teleconsult/api/health.py": ("import teleconsult.ops.up", "Each level imports only downward"),
    "teleconsult/newcomer.py": ("", "Each level imports only downward"),
    "teleconsult/sandbox/store.py": ("import teleconsult.settings", "Each level imports only downward"),
    "teleconsult/billing/gateway.py": ("import teleconsult.sandbox.store", "Nothing of ours imports the sandbox"),
    "teleconsult/billing/checkout.py": ("import stripe", "Only the gateway speaks to Stripe"),
    "teleconsult/consultations/service.py": ("import reflex", "Only the pages and the composition root know Reflex"),
    "teleconsult/ui/shell.py": ("import teleconsult.db", "Pages ask services, never the database"),
    "teleconsult/billing/rules.py": ("import teleconsult.db", "Rules are pure"),
    "teleconsult/consultations/rules.py": ("import teleconsult.consultations.service", "No cycles between siblings"),
}


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    code = "import sys; from importlinter.cli import lint_imports_command as main; sys.argv = ['lint-imports']; main()"
    return subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(folder)!r}); {code}"],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sources")
    ignored = shutil.ignore_patterns("_runtime*", "__pycache__")
    shutil.copytree(ROOT / "teleconsult", folder / "teleconsult", ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def test_the_contracts_hold(copy: Path) -> None:
    done = lint(copy)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


@pytest.mark.parametrize(("file", "planted"), PLANTED.items(), ids=PLANTED)
def test_a_planted_import_is_caught(copy: Path, file: str, planted: tuple[str, str]) -> None:
    line, contract = planted
    target = copy / file
    before = target.read_text(encoding="utf-8") if target.exists() else None
    target.write_text(f"{before or ''}\n{line}\n", encoding="utf-8")
    try:
        done = lint(copy)
    finally:
        if before is None:
            target.unlink()
        else:
            target.write_text(before, encoding="utf-8")
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert contract in said
    assert "BROKEN" in said or "newcomer" in said
