import statistics
import time
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlmodel import col, select

from teleconsult.accounts import passwords, service, sessions, throttle
from teleconsult.accounts.models import Role, User, UserSession
from teleconsult.audit import AuditLog
from teleconsult.db import transaction, utcnow
from teleconsult.errors import Conflict, Invalid, Refusal, SignInNeeded, TooMany

pytestmark = pytest.mark.usefixtures("database", "unthrottled")

GOOD = "three calm herons"


@pytest.fixture
def unthrottled() -> None:
    for window in (throttle.ACCOUNT, throttle.ADDRESS, throttle.NEW_ACCOUNTS):
        window.clear()


def sign_up(email: str = "jane@example.com", password: str = GOOD, **more: Any) -> sessions.Opened:
    return service.sign_up(email, password, **{"adult": True, **more})


def audited() -> list[tuple[str, str]]:
    with transaction() as tx:
        return [(row.action, row.actor_role) for row in tx.exec(select(AuditLog).order_by(col(AuditLog.id)))]


def test_signing_up_makes_a_patient_who_is_signed_in() -> None:
    opened = sign_up("  Jane@Example.COM ", name="  Jane   Miller ", timezone="Europe/Berlin")
    who = sessions.lookup(opened.token)
    assert (who.email, who.name, who.role, who.timezone) == (
        "jane@example.com", "Jane Miller", Role.PATIENT, "Europe/Berlin",
    )  # fmt: skip
    assert audited() == [("signed_up", "patient")]


def test_the_password_is_stored_as_a_hash_only() -> None:
    sign_up()
    with transaction() as tx:
        stored = tx.exec(select(User)).one().password_hash
    assert stored.startswith("$argon2id$")
    assert GOOD not in stored


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "", "europe/berlin\n", "x" * 10_000])
def test_a_time_zone_that_is_none_becomes_utc(zone: str) -> None:
    assert sessions.lookup(sign_up(timezone=zone).token).timezone == "UTC"


@pytest.mark.parametrize(
    "email",
    [
        "", "jane", "jane@", "@example.com", "jane@example", "ja ne@example.com", "jane@exa mple.com",
        "jane@@example.com",
        "jane@example.com\nBcc: all@example.com", "jane@example.com\0", ".jane@example.com", "jane..x@example.com",
        "jane@-example.com", "jane@example-.com", f"{'x' * 65}@example.com", f"jane@{'x' * 64}.com",
        "j\u00e4ne@example.com",
        f"jane@{'long.' * 60}com", "jane@example.com, ben@example.com", "<jane@example.com>",
    ],
)  # fmt: skip
def test_an_address_nothing_can_be_delivered_to_is_refused(email: str) -> None:
    with pytest.raises(Invalid) as refused:
        sign_up(email)
    assert refused.value.facts["problem"] == "email"
    assert set(refused.value.problems) == {"email"}


@pytest.mark.parametrize(
    "email", ["a@b.co", "jane+skin@example.co.uk", "o'neill@example.com", "j_m-1@xn--bcher-kva.de"]
)
def test_unusual_addresses_are_fine(email: str) -> None:
    assert sessions.lookup(sign_up(email).token).email == email


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"password": "short one"}, "password_short"),
        ({"password": "password123"}, "password_common"),
        ({"password": "jane@example.com"}, "password_common"),
        ({"adult": False}, "adult"),
        ({"name": "x" * 121}, "name"),
        ({"name": "Jane\x1b[31m"}, "name"),
    ],
)
def test_what_is_wrong_has_a_word_for_the_page(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(Invalid) as refused:
        sign_up(**change)
    assert refused.value.facts["problem"] == problem
    with transaction() as tx:
        assert tx.exec(select(User)).all() == []


def test_a_password_may_have_any_form_and_length() -> None:
    opened = sign_up(password="只有一句话但是很长很长" + "x" * 5000)
    assert sessions.lookup(opened.token) is not None


def test_an_address_has_one_account_whatever_its_case() -> None:
    sign_up()
    with pytest.raises(Conflict) as refused:
        sign_up("JANE@example.com", "another fine sentence")
    assert refused.value.facts["problem"] == "taken"
    with transaction() as tx:
        assert len(tx.exec(select(User)).all()) == 1
        assert len(tx.exec(select(UserSession)).all()) == 1


def test_signing_in_opens_a_new_session_each_time() -> None:
    first = sign_up()
    second = service.sign_in(" JANE@example.com", GOOD)
    assert first.token != second.token
    assert sessions.lookup(first.token).user_id == sessions.lookup(second.token).user_id
    assert audited() == [("signed_up", "patient"), ("signed_in", "patient")]


def refusal(email: str, password: str) -> Refusal:
    with pytest.raises(SignInNeeded) as refused:
        service.sign_in(email, password)
    return refused.value


def test_wrong_password_unknown_and_disabled_account_get_one_answer() -> None:
    sign_up()
    sign_up("ben@example.com")
    with transaction() as tx:
        tx.exec(select(User).where(User.email == "ben@example.com")).one().disabled_at = utcnow()
    answers = [
        refusal("jane@example.com", "three calm heron"),
        refusal("nobody@example.com", GOOD),
        refusal("ben@example.com", GOOD),
        refusal("not an address", GOOD),
    ]
    assert {str(answer.body()) for answer in answers} == {str(answers[0].body())}
    assert answers[0].facts["problem"] == "mismatch"
    assert audited()[2:] == [("sign_in_failed", "anonymous")] * 4


def test_known_and_unknown_accounts_take_the_same_time() -> None:
    sign_up()
    passwords.verify(None, "warm")
    times: dict[str, list[float]] = {"jane@example.com": [], "nobody@example.com": []}
    for _ in range(9):
        throttle.ACCOUNT.clear()
        for email, spent in times.items():
            start = time.perf_counter()
            refusal(email, "not the password")
            spent.append(time.perf_counter() - start)
    known, unknown = (statistics.median(spent) for spent in times.values())
    assert 0.6 < unknown / known < 1.7


def test_an_old_hash_is_renewed_at_the_next_sign_in() -> None:
    sign_up()
    weaker = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(GOOD)
    with transaction() as tx:
        tx.exec(select(User)).one().password_hash = weaker
    service.sign_in("jane@example.com", GOOD)
    with transaction() as tx:
        renewed = tx.exec(select(User)).one().password_hash
    assert renewed != weaker
    assert not passwords.outdated(renewed)
    service.sign_in("jane@example.com", GOOD)


def test_ten_wrong_tries_close_the_account_for_that_network_only() -> None:
    sign_up()
    for _ in range(10):
        refusal("jane@example.com", "not the password")
    with pytest.raises(TooMany):
        service.sign_in("jane@example.com", GOOD, address="")
    service.sign_in("jane@example.com", GOOD, address="203.0.113.9")


def test_a_right_password_forgets_the_wrong_ones() -> None:
    sign_up()
    for _ in range(3):
        for _ in range(9):
            refusal("jane@example.com", "not the password")
        service.sign_in("jane@example.com", GOOD)


def test_one_network_cannot_spray_many_accounts() -> None:
    for number in range(100):
        throttle.before_sign_in(f"p{number}@example.com", "203.0.113.9")
    with pytest.raises(TooMany):
        throttle.before_sign_in("p100@example.com", "203.0.113.9")
    throttle.before_sign_in("p100@example.com", "203.0.113.10")


def test_an_ipv6_household_is_one_network() -> None:
    assert throttle.network("2001:db8:1:2::1") == throttle.network("2001:db8:1:2:ffff::9")
    assert throttle.network("2001:db8:1:2::1") != throttle.network("2001:db8:1:3::1")
    assert throttle.network("::1") == "::/64"
    assert throttle.network("not an address") == "unknown"


def test_this_machine_is_limited_in_production_too(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(300):
        throttle.before_sign_up("127.0.0.1")
    monkeypatch.setattr(throttle, "get_settings", lambda: type("S", (), {"production": True}))
    for _ in range(20):
        throttle.before_sign_up("127.0.0.1")
    with pytest.raises(TooMany):
        throttle.before_sign_up("127.0.0.1")


def test_the_memory_of_tries_is_bounded() -> None:
    window = throttle.Window(tries=1, seconds=3600)
    for number in range(throttle.MOST_KEYS + 50):
        window.take(str(number))
    assert len(window.seen) <= throttle.MOST_KEYS
    assert not window.take(str(throttle.MOST_KEYS + 49))
