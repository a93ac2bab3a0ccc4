"""Migrations run on the database of the settings, or on the connection a caller passes in."""

from alembic import context
from sqlalchemy import Connection, create_engine
from sqlmodel import SQLModel

import teleconsult.accounts.models
import teleconsult.audit
import teleconsult.billing.models
import teleconsult.clinic.models
import teleconsult.consultations.models
import teleconsult.notices.models  # noqa: F401 - the imports fill SQLModel.metadata
from teleconsult.db import driver_url
from teleconsult.settings import get_settings


def is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Procrastinate's tables have their own schema script and no models here."""
    return not (kind == "table" and (name or "").startswith("procrastinate_"))


def migrate(connection: Connection) -> None:
    """Run what the command asked for, in one transaction."""
    context.configure(connection=connection, target_metadata=SQLModel.metadata, include_name=is_ours, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


if shared := context.config.attributes.get("connection"):
    migrate(shared)
else:
    with create_engine(driver_url(get_settings().database_url), hide_parameters=True).connect() as own:
        migrate(own)
