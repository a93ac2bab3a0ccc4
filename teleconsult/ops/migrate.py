"""Bring the database to the current version. Safe to run again, and from two machines at once."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

import psycopg
from alembic import command
from alembic.config import Config

from teleconsult.db import libpq_url
from teleconsult.ops.environment import database
from teleconsult.ops.faults import Fault
from teleconsult.ops.progress import stage
from teleconsult.revisions import scripts
from teleconsult.settings import get_settings

TURN = 0x7E1EC0
"""The advisory lock that makes migrations wait for each other."""


def arguments(_parser: ArgumentParser) -> None:
    """None: there is one direction."""


def run(_args: Namespace) -> int:
    """Migrate and say so."""
    with database(), stage("Database tables"):
        upgrade()
    return 0


def upgrade() -> None:
    """Run the migrations that are missing.

    Raises:
        Fault: the database can't be reached.
    """
    try:
        with psycopg.connect(libpq_url(get_settings().database_url), autocommit=True) as turn:
            turn.execute("SELECT pg_advisory_lock(%s)", [TURN])
            command.upgrade(config(), "head")
    except psycopg.OperationalError as error:
        raise Fault(f"DATABASE_URL: the database can’t be reached: {str(error).strip().splitlines()[0]}") from None


def config() -> Config:
    """Alembic's settings: its scripts lie beside the package in a clone, inside it in a wheel."""
    folder = scripts()
    if folder is None:
        raise Fault("The migrations are missing: was this wheel made with `teleconsult build`?")
    settings = Config()
    settings.set_main_option("script_location", str(folder).replace("%", "%%"))
    return settings
