"""The one database: PostgreSQL. `transaction()` is the only place that commits."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from psycopg import OperationalError as DriverError
from sqlalchemy import Connection, DateTime, Dialect, Engine, Executable, MetaData, create_engine, event
from sqlalchemy.exc import DisconnectionError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import Session, SQLModel

from teleconsult.errors import Unavailable
from teleconsult.settings import get_settings

_rehearsal: ContextVar[Connection | None] = ContextVar("rehearsal", default=None)

RESTED_SECONDS = 2
"""A connection that lay unused for longer is asked whether it still works before it is used."""

# A request waits 3 s for a row and 10 s for a statement at most: then its caller hears 503 and tries again.
TIMEOUTS = {
    "lock_timeout": "3s",
    "statement_timeout": "10s",
    "idle_in_transaction_session_timeout": "30s",
    "timezone": "UTC",
}

# Constraints get predictable names, so that a migration can speak of them.
SQLModel.metadata.naming_convention = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
).naming_convention

Moment = DateTime(timezone=True)
"""Column type of every point in time: stored and compared in UTC."""


def utcnow() -> datetime:
    """The present, aware, in UTC."""
    return datetime.now(UTC)


def driver_url(url: str) -> str:
    """The same database for SQLAlchemy, with psycopg 3 as its driver."""
    for prefix in ("postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


def libpq_url(url: str) -> str:
    """The same database for psycopg itself."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


@cache
def engine() -> Engine:
    """One pool for the process. Parameters stay out of an error's text: they may hold what a patient wrote."""
    url = get_settings().database_url
    if not url:
        raise RuntimeError("DATABASE_URL is empty: start with `teleconsult up`, or set it.")
    pool = create_engine(
        driver_url(url),
        hide_parameters=True,
        pool_size=10,
        max_overflow=10,
        connect_args={
            "options": " ".join(f"-c {name}={value}" for name, value in TIMEOUTS.items()),
            "connect_timeout": 5,
        },
    )
    event.listen(pool, "checkin", _rested)
    event.listen(pool, "checkout", partial(_still_there, pool.dialect))
    return pool


def _rested(_driver: object, record: ConnectionPoolEntry) -> None:
    record.info["since"] = time.monotonic()


def _still_there(dialect: Dialect, driver: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
    """Ask a connection that has rested whether the server still knows it; one in constant use is not asked each time.

    Raises:
        DisconnectionError: it doesn't. The pool opens another one.
    """
    if time.monotonic() - record.info.get("since", math.inf) < RESTED_SECONDS:
        return
    try:
        dialect.do_ping(driver)
    except DriverError as error:
        raise DisconnectionError from error


@contextmanager
def transaction() -> Generator[Session]:
    """One unit of work: commits when the block ends, rolls back when it raises.

    Helpers take the session as `tx` and join; they never commit.
    """
    if (connection := _rehearsal.get()) is not None:
        with Session(connection, expire_on_commit=False, join_transaction_mode="create_savepoint") as session:
            yield session
            session.commit()
        return
    with Session(engine(), expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def rehearsal() -> Generator[None]:
    """Everything within happens as always, and when the block ends nothing has happened.

    Each `transaction()` of the block becomes a part of one that is rolled back, jobs it promises included. Calls to
    others are not undone: whoever rehearses must make none that change anything there.
    """
    with engine().connect() as connection:
        outer = connection.begin()
        token = _rehearsal.set(connection)
        try:
            yield
        finally:
            _rehearsal.reset(token)
            outer.rollback()


@contextmanager
def reachable() -> Generator[None]:
    """Say `Unavailable` when the database is away or a row stays locked: nothing was stored, try again.

    For the outer edge of a use case whose caller goes on trying.
    """
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout):
        raise Unavailable("We can’t save right now. Please try again in a moment.") from None


def changed(tx: Session, statement: Executable, values: Mapping[str, Any] | None = None) -> int:
    """Run an INSERT, UPDATE or DELETE and tell how many rows it touched: the answer of a compare-and-swap.

    `values` are those of an INSERT, or of the parameters that the statement names.
    """
    tx.flush()
    # Without the option SQLAlchemy reports -1 for an INSERT, which would pass for "a row was written".
    return tx.connection().execute(statement, values, execution_options={"preserve_rowcount": True}).rowcount
