"""The ground under every test: no way to the network beyond this machine, and a real PostgreSQL made by the migrations.

`database` gives an empty migrated database; `sandbox` (tests/sandbox_process.py) the local Stripe over HTTP.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from pytest_socket import socket_allow_hosts
from sqlalchemy import create_engine, text

import teleconsult.settings
from teleconsult import db
from teleconsult.ops import postgres
from tests.support import ROOT, fresh_settings

LOOPBACK = ["127.0.0.1", "::1", "localhost"]

# A developer's own .env must not decide what is tested.
teleconsult.settings.Settings.model_config["env_file"] = None
for name in [field.upper() for field in teleconsult.settings.Settings.model_fields]:
    os.environ.pop(name, None)
os.environ["ENVIRONMENT"] = "test"

pytest_plugins = ["tests.sandbox_process"]


def pytest_runtest_setup() -> None:
    """Anything that reaches beyond loopback fails the test that tries it."""
    socket_allow_hosts(LOOPBACK, allow_unix_socket=True)


@pytest.fixture(autouse=True)
def _settings() -> Generator[None]:
    """What a test changes in the settings ends with it; what wider fixtures set before it stays."""
    before = dict(os.environ)
    yield
    if dict(os.environ) != before:
        os.environ.clear()
        fresh_settings(**before)


@pytest.fixture(scope="session")
def data_dir() -> Generator[Path]:
    """Where the tests' server and files lie; gone afterwards, unless SHARED_TEST_DATA lends a place."""
    if shared := os.environ.get("SHARED_TEST_DATA"):
        yield Path(shared)
        return
    folder = Path(tempfile.mkdtemp(prefix="teleconsult-tests-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_url(data_dir: Path) -> Generator[str]:
    """A migrated database on an embedded server: its own, or the one that tests/mutants.py lends to many short runs."""
    url = postgres.ensure(data_dir, durable=False)
    fresh_settings(DATABASE_URL=url, DATA_DIR=str(data_dir))
    config = Config(ROOT / "alembic.ini")
    command.upgrade(config, "head")
    yield url
    db.engine().dispose()
    if "SHARED_TEST_DATA" in os.environ:
        postgres.stop(data_dir)  # who lends it still holds it, and ends it
    else:
        postgres.remove(data_dir)


@pytest.fixture
def database(postgres_url: str) -> Generator[str]:
    """The database, empty. Its URL is in the settings."""
    empty(postgres_url)
    yield postgres_url
    db.engine().dispose()


def empty(url: str) -> None:
    """Delete every row of every table."""
    engine = create_engine(db.driver_url(url))
    names = text(
        "select string_agg(quote_ident(tablename), ', ') from pg_tables "
        "where schemaname = 'public' and tablename not in ('alembic_version')"
    )
    with engine.begin() as connection:
        connection.execute(text(f"truncate {connection.execute(names).scalar_one()} restart identity cascade"))
    engine.dispose()
