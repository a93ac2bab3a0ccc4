"""Where things lie, and the environment that a child process of ours is given."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import SecretStr

from teleconsult.ops import postgres
from teleconsult.ops.progress import note
from teleconsult.settings import Settings, get_settings

PACKAGE = Path(__file__).resolve().parent.parent
ROOT = PACKAGE.parent
RUNTIME = PACKAGE / "_runtime"
"""What `teleconsult build` makes and the wheel carries: the compiled pages, rxconfig.py and the migrations."""

SANDBOX_NOTE = "sandbox-settings.json"
"""In the data folder while `teleconsult up` runs a sandbox: how to reach it."""

CHANGED_BY_US = {"REFLEX_TELEMETRY_ENABLED": "false", "REFLEX_CHECK_LATEST_VERSION": "false", "DO_NOT_TRACK": "1"}
"""Reflex asks nobody anything, neither while it compiles nor while it runs."""


def is_clone() -> bool:
    """Whether this runs from the sources, where pages can be compiled, and not from an installed wheel."""
    return (ROOT / "rxconfig.py").exists() and (ROOT / "pyproject.toml").exists()


def set_settings(**values: str) -> Settings:
    """Change settings for this process and its children. Empty ones are left as they are.

    Raises:
        SettingsError: they don't fit together.
    """
    os.environ.update({name.upper(): value for name, value in values.items() if value})
    get_settings.cache_clear()
    return get_settings()


def freeze() -> Settings:
    """Write every setting into the environment, paths absolute: from here on no `.env` and no folder matters."""
    settings = get_settings()
    for name in settings.model_fields_set | {"data_dir"}:
        value = getattr(settings, name)
        if isinstance(value, Path):
            value = value.resolve()
        os.environ[name.upper()] = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
    get_settings.cache_clear()
    return get_settings()


def open_data_dir(settings: Settings) -> Path:
    """The data folder, made private when it is new: it holds photos and, in development, secrets.

    Raises:
        postgres.PostgresFault: nothing can be written there.
    """
    folder = settings.data_dir.resolve()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise postgres.PostgresFault(f"DATA_DIR: {folder} can’t be made: {error.strerror}.") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise postgres.PostgresFault(f"DATA_DIR: {folder} can’t be written by this user.")
    return folder


@contextmanager
def database() -> Generator[Settings]:
    """The settings with a database that runs: the one of DATABASE_URL, or the embedded one for the block's length."""
    settings = get_settings()
    if settings.database_url:
        yield settings
        return
    folder = open_data_dir(settings)
    try:
        yield set_settings(database_url=postgres.ensure(folder))
    finally:
        postgres.stop(folder)
        os.environ.pop("DATABASE_URL", None)
        get_settings.cache_clear()


def enter_sandbox(folder: Path, **values: str) -> None:
    """Talk to the sandbox from here on, and leave word of it for commands that run beside this one."""
    set_settings(**values)
    note = folder / SANDBOX_NOTE
    note.touch(mode=0o600)
    note.write_text(json.dumps(values), encoding="utf-8")


def leave_sandbox(folder: Path) -> None:
    """The sandbox is no more."""
    (folder / SANDBOX_NOTE).unlink(missing_ok=True)


def join_sandbox() -> None:
    """Where no Stripe key is set and `teleconsult up` runs a sandbox on this data, talk to that."""
    settings = get_settings()
    if settings.production or settings.stripe_secret_key.get_secret_value() or settings.database_url:
        return
    with suppress(OSError, ValueError):
        set_settings(**json.loads((settings.data_dir / SANDBOX_NOTE).read_text(encoding="utf-8")))


def say_where_database_is(folder: Path) -> None:
    """As root the database can't lie in the data folder: tell where it went."""
    home = postgres.where(folder)
    if not home.is_relative_to(folder):
        note(f"PostgreSQL does not run as root: a user of its own runs it, its data is in {home}")


def command(*words: str) -> list[str]:
    """The command line of one of our modules: `command("teleconsult.sandbox", "--port", "8001")`."""
    return [sys.executable, "-m", *words]


def child_environment() -> dict[str, str]:
    """The environment of a child process: this one, and the sources of a clone wherever the child stands."""
    path = [str(ROOT)] if is_clone() else []
    path += [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part and part not in path]
    return {**os.environ, **CHANGED_BY_US, "PYTHONPATH": os.pathsep.join(path), "PYTHONUNBUFFERED": "1"}
