import time

import pytest
from sqlalchemy import text

from teleconsult import db
from teleconsult.api import health
from teleconsult.api.gate import Gate
from teleconsult.revisions import newest
from tests.api.browser import Browser
from tests.support import fresh_settings


def test_alive_says_nothing_but_that(stranger: Browser) -> None:
    answer = stranger.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert answer.headers["cache-control"] == "no-store"


def test_ready_when_the_database_answers_and_is_migrated(stranger: Browser) -> None:
    answer = stranger.get("/health/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "database": True, "migrations": True})


def test_not_ready_without_migrations(stranger: Browser) -> None:
    with db.transaction() as tx:
        tx.execute(text("alter table alembic_version rename to hidden"))
    try:
        answer = stranger.get("/health/ready")
    finally:
        with db.transaction() as tx:
            tx.execute(text("alter table hidden rename to alembic_version"))
    assert (answer.status_code, answer.json()["migrations"]) == (503, False)


def test_not_ready_without_a_database_and_the_reason_stays_inside(stranger: Browser, database: str) -> None:
    db.engine().dispose()
    db.engine.cache_clear()
    fresh_settings(DATABASE_URL="postgresql://teleconsult:hunter2@127.0.0.1:1/nowhere")
    try:
        answer = stranger.get("/health/ready")
        page = stranger.get("/consultations", headers={"Cookie": f"session={'A' * 43}"})
    finally:
        db.engine.cache_clear()
        fresh_settings(DATABASE_URL=database)
    assert (answer.status_code, answer.json()) == (
        503,
        {"status": "unavailable", "database": False, "migrations": False},
    )
    assert page.status_code == 503
    assert "hunter2" not in page.text + answer.text


def test_a_database_that_hangs_is_not_waited_for(stranger: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PATIENCE", 0.2)
    monkeypatch.setattr(health, "_migrated", lambda: time.sleep(1))
    answer = stranger.get("/health/ready")
    assert answer.status_code == 503


def test_an_orchestrator_may_ask_under_any_host_name(gated: Gate) -> None:
    assert Browser(gated, "http://10.0.0.7:8000").get("/health/live").status_code == 200
    assert Browser(gated, "http://10.0.0.7:8000").get("/").status_code == 400


def test_not_ready_while_a_migration_is_missing(stranger: Browser) -> None:
    with db.transaction() as tx:
        tx.execute(text("update alembic_version set version_num = '0001'"))
    try:
        answer = stranger.get("/health/ready")
    finally:
        with db.transaction() as tx:
            tx.execute(text("update alembic_version set version_num = :newest").bindparams(newest=newest()))
    assert (answer.status_code, answer.json()["migrations"]) == (503, False)


def test_ready_on_a_database_that_is_already_newer(stranger: Browser) -> None:
    """New tables come before the code that uses them: the old code serves until it is replaced."""
    with db.transaction() as tx:
        tx.execute(text("update alembic_version set version_num = '9999'"))
    try:
        answer = stranger.get("/health/ready")
    finally:
        with db.transaction() as tx:
            tx.execute(text("update alembic_version set version_num = :newest").bindparams(newest=newest()))
    assert answer.status_code == 200
