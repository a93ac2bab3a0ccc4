from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import text
from sqlmodel import select

from teleconsult.accounts import sessions
from teleconsult.accounts.models import Role, User, UserSession
from teleconsult.audit import AuditLog
from teleconsult.db import transaction, utcnow
from teleconsult.settings import get_settings
from tests.support import fresh_settings, person

pytestmark = pytest.mark.usefixtures("database")


def opened(email: str = "jane@example.com", role: Role = Role.PATIENT) -> sessions.Opened:
    user_id = person(email, role)
    with transaction() as tx:
        return sessions.open_session(tx, tx.get_one(User, user_id))


def test_a_token_finds_its_owner() -> None:
    one = opened(role=Role.DERMATOLOGIST)
    who = sessions.lookup(one.token)
    assert who == one.who
    assert (who.role, who.email, who.name) == (Role.DERMATOLOGIST, "jane@example.com", "Jane")


def test_only_the_hash_of_the_token_is_stored() -> None:
    one = opened()
    with transaction() as tx:
        everything = str(tx.execute(text("select * from user_session")).all())
    assert one.token not in everything
    assert one.who.session_id in everything
    assert len(one.token) == sessions.TOKEN_LENGTH


def test_neither_token_nor_person_show_in_a_repr() -> None:
    one = opened()
    assert one.token not in repr(one)
    assert "jane" not in repr(one).lower()


@pytest.mark.parametrize("token", ["", "x", "x" * 43, "x" * 100_000, "' or 1=1 --", "\0" * 43])
def test_other_tokens_find_nobody(token: str) -> None:
    opened()
    assert sessions.lookup(token) is None


def test_the_session_id_is_no_token() -> None:
    one = opened()
    assert sessions.lookup(one.who.session_id) is None


def test_a_revoked_session_is_gone_at_once_and_noted_once() -> None:
    one, other = opened(), opened("ben@example.com")
    sessions.revoke(one.who.session_id)
    sessions.revoke(one.who.session_id)
    assert sessions.lookup(one.token) is None
    assert sessions.lookup(other.token) is not None
    with transaction() as tx:
        rows = tx.exec(select(AuditLog).where(AuditLog.action == "signed_out")).all()
    assert [(row.object_id, row.actor_id, row.actor_role) for row in rows] == [
        (one.who.user_id, one.who.user_id, "patient")
    ]


def test_a_disabled_account_is_out_at_once() -> None:
    one = opened()
    with transaction() as tx:
        tx.get_one(User, one.who.user_id).disabled_at = utcnow()
    assert sessions.lookup(one.token) is None


@pytest.mark.parametrize("role", list(Role))
def test_a_session_ends_at_its_absolute_limit_however_busy(role: str) -> None:
    start = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
    limit = sessions.LIMITS[role].absolute
    with time_machine.travel(start, tick=False) as clock:
        one = opened(role=role)
        while utcnow() < start + limit - timedelta(hours=1):
            clock.shift(timedelta(minutes=50))
            assert sessions.lookup(one.token) is not None
        clock.move_to(start + limit - timedelta(seconds=1))
        assert sessions.lookup(one.token) is not None
        clock.shift(timedelta(seconds=1))
        assert sessions.lookup(one.token) is None


def test_an_idle_session_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = sessions.Limits(idle=timedelta(minutes=30), absolute=timedelta(hours=12))
    monkeypatch.setitem(sessions.LIMITS, Role.PATIENT, limits)
    with time_machine.travel(datetime(2026, 3, 1, 8, 0, tzinfo=UTC), tick=False) as clock:
        one = opened()
        clock.shift(timedelta(minutes=29))
        assert sessions.lookup(one.token) is not None  # an act: the half hour begins anew
        clock.shift(timedelta(minutes=29))
        assert sessions.lookup(one.token) is not None
        clock.shift(timedelta(minutes=31))
        assert sessions.lookup(one.token) is None


def test_a_clock_set_back_does_not_revive_an_ended_session() -> None:
    with time_machine.travel(datetime(2026, 3, 1, 8, 0, tzinfo=UTC), tick=False) as clock:
        one = opened()
        clock.shift(timedelta(hours=13))
        assert sessions.lookup(one.token) is None
        clock.shift(timedelta(hours=-12))
        assert sessions.lookup(one.token) is None


def test_the_last_act_is_written_at_most_once_a_minute() -> None:
    with time_machine.travel(datetime(2026, 3, 1, 8, 0, tzinfo=UTC), tick=False) as clock:
        one = opened()

        def seen() -> datetime:
            sessions.lookup(one.token)
            with transaction() as tx:
                return tx.get_one(UserSession, one.who.session_id).last_seen_at

        start = seen()
        clock.shift(timedelta(seconds=59))
        assert seen() == start
        clock.shift(timedelta(seconds=1))
        assert seen() == start + timedelta(minutes=1)


def test_the_lookup_is_one_query_by_primary_key() -> None:
    one = opened()
    with transaction() as tx:
        tx.execute(text("set enable_seqscan = off"))
        plan = tx.execute(
            text('explain select * from user_session s join "user" u on u.id = s.user_id where s.id = :id'),
            {"id": one.who.session_id},
        ).all()
    assert "pk_user_session" in str(plan)


@pytest.mark.parametrize(
    ("url", "name"), [("http://localhost:8000", "session"), ("https://clinic.example", "__Host-session")]
)
def test_the_cookie_demands_https_wherever_there_is_https(url: str, name: str) -> None:
    fresh_settings(PUBLIC_URL=url)
    try:
        settings = get_settings()
        assert sessions.cookie_name(settings) == name
        assert sessions.token_in(f"a=b; {name}=token-here; c=d", settings) == "token-here"
        assert sessions.token_in("a=b", settings) == ""
        assert sessions.token_in("", settings) == ""
    finally:
        fresh_settings(PUBLIC_URL="http://localhost:8000")
