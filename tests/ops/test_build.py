"""The compiled pages: made again when, and only when, a source changed; the same on every address; whole in a wheel."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from teleconsult.ops import build
from teleconsult.ops.faults import Fault
from tests.support import ROOT

ENV_SCRIPT = "var e={PING:`http://localhost:8000/ping`,EVENT:`ws://localhost:8000/_event`};export{e as t};"


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what the pages are compiled from."""
    for name in ("rxconfig.py", ".npmrc"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("assets", "reflex.lock"):
        shutil.copytree(ROOT / name, tmp_path / name)
    ignored = shutil.ignore_patterns("_runtime*", "__pycache__")
    shutil.copytree(ROOT / "teleconsult", tmp_path / "teleconsult", ignore=ignored)
    monkeypatch.setattr(build, "ROOT", tmp_path)
    monkeypatch.setattr(build, "PACKAGE", tmp_path / "teleconsult")
    monkeypatch.setattr(build, "__file__", str(tmp_path / "teleconsult" / "ops" / "build.py"))
    return tmp_path


@pytest.mark.parametrize(
    "name",
    [
        "assets/kit.css",
        "rxconfig.py",
        "reflex.lock/package-lock.json",
        "teleconsult/teleconsult.py",
        "teleconsult/ui/shell.py",
        "teleconsult/consultations/questions.py",
        "teleconsult/ops/build.py",
    ],
)
def test_a_changed_source_asks_for_new_pages(sources: Path, name: str) -> None:
    before = build.fingerprint()
    assert build.fingerprint() == before
    with (sources / name).open("a", encoding="utf-8") as file:
        file.write("\n")
    assert build.fingerprint() != before


@pytest.mark.parametrize("name", ["teleconsult/ops/up.py", "teleconsult/sandbox/store.py", "teleconsult/api/health.py"])
def test_what_pages_never_see_asks_for_nothing(sources: Path, name: str) -> None:
    before = build.fingerprint()
    with (sources / name).open("a", encoding="utf-8") as file:
        file.write("\n")
    assert build.fingerprint() == before


def test_the_pages_talk_to_the_host_they_came_from(tmp_path: Path) -> None:
    script = tmp_path / "assets" / "reflex-env-abc.js"
    script.parent.mkdir()
    script.write_text(ENV_SCRIPT, encoding="utf-8")
    stale = [script.with_name(f"{script.name}.{kind}") for kind in ("gz", "br")]
    for sidecar in stale:
        sidecar.write_bytes(b"old")

    build._ask_own_origin(tmp_path)

    written = script.read_text(encoding="utf-8")
    assert "localhost" not in written
    assert '`${location.origin.replace(/^http/,"ws")}/_event`' in written
    assert "`${location.origin}/ping`" in written
    assert gzip.decompress(stale[0].read_bytes()).decode() == written
    assert not stale[1].exists()


@pytest.mark.parametrize("content", ["var e={};", 'var e={PING:"http://localhost:8000/ping"};'])
def test_an_address_that_is_written_differently_is_noticed(tmp_path: Path, content: str) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "reflex-env-abc.js").write_text(content, encoding="utf-8")
    with pytest.raises(Fault, match="Reflex writes it differently now"):
        build._ask_own_origin(tmp_path)
    (tmp_path / "assets" / "reflex-env-abc.js").unlink()
    with pytest.raises(Fault, match="writes their address elsewhere now"):
        build._ask_own_origin(tmp_path)


def test_settings_and_secrets_take_no_part_in_compiling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_mine")
    monkeypatch.setenv("ENVIRONMENT", "production")
    env = build._environment()
    assert "STRIPE_SECRET_KEY" not in env
    assert "ENVIRONMENT" not in env
    assert env["PUBLIC_URL"] == build.COMPILED_ADDRESS
    assert not (build.STAGING / ".env").exists()


def test_a_wheel_carries_pages_and_migrations_and_none_is_made_without_them(tmp_path: Path) -> None:
    build.ensure()
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "teleconsult", tmp_path / "teleconsult", ignore=ignored)

    def wheel() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    done = wheel()
    assert done.returncode == 0, done.stdout + done.stderr
    (file,) = (tmp_path / "dist").glob("*.whl")
    names = set(zipfile.ZipFile(file).namelist())
    runtime = "teleconsult/_runtime"
    assert {f"{runtime}/rxconfig.py", f"{runtime}/alembic/env.py", f"{runtime}/_web/build/client/index.html"} <= names
    assert {f"{runtime}/{path.relative_to(ROOT)}" for path in (ROOT / "alembic" / "versions").glob("*.py")} <= names
    assert [name for name in names if ".env" in name.split("/") or name.endswith(".sqlite")] == []

    shutil.rmtree(tmp_path / runtime)
    done = wheel()
    assert done.returncode != 0
    assert "run `teleconsult build` first" in done.stdout + done.stderr
