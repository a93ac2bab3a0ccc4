"""The pool: a connection that the server ended meanwhile is noticed before it is used."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from teleconsult import db

KILL_OTHERS = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> %s"


def backend() -> int:
    with db.transaction() as tx:
        return tx.connection().execute(text("select pg_backend_pid()")).scalar_one()


def end_all(url: str) -> None:
    """What a restart of the server does to the pool."""
    with psycopg.connect(db.libpq_url(url)) as connection:
        connection.execute(KILL_OTHERS, (connection.info.backend_pid,))


def test_a_connection_in_use_is_used_again(database: str) -> None:  # noqa: ARG001 - the settings name it
    assert backend() == backend()


def test_a_rested_connection_that_is_gone_is_replaced(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "RESTED_SECONDS", 0)
    before = backend()
    end_all(database)
    assert backend() != before


def test_unasked_it_fails_once_and_then_the_whole_pool_is_new(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control, and what a caller meets within the first moments: one refusal, not one for each connection."""
    monkeypatch.setattr(db, "RESTED_SECONDS", 3600)
    backend()
    end_all(database)
    with pytest.raises(OperationalError):
        backend()
    assert backend()
