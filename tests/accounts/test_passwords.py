import threading
import time

import pytest
from argon2 import PasswordHasher, extract_parameters

from teleconsult.accounts import passwords
from teleconsult.errors import Unavailable

GOOD = "three calm herons"


def test_a_password_fits_its_own_hash_and_no_other() -> None:
    stored = passwords.hash_password(GOOD)
    assert passwords.verify(stored, GOOD)
    assert not passwords.verify(stored, f"{GOOD}!")
    assert not passwords.verify(stored, "")


def test_the_hash_is_argon2id_above_the_floor_and_salted() -> None:
    first, second = passwords.hash_password(GOOD), passwords.hash_password(GOOD)
    assert first != second
    used = extract_parameters(first)
    assert first.startswith("$argon2id$")
    assert (used.parallelism, used.time_cost >= 2, used.memory_cost >= 19456) == (1, True, True)


def test_a_weaker_hash_counts_as_outdated_and_todays_does_not() -> None:
    weaker = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(GOOD)
    assert passwords.verify(weaker, GOOD)
    assert passwords.outdated(weaker)
    assert not passwords.outdated(passwords.hash_password(GOOD))


def test_the_same_letters_typed_on_another_keyboard_are_the_same_password() -> None:
    assert passwords.verify(passwords.hash_password("Kräuter am Zaun"), "Kra\u0308uter am Zaun")


def test_an_unknown_account_never_fits_and_costs_as_long() -> None:
    stored = passwords.hash_password(GOOD)
    passwords.verify(None, GOOD)  # the stand-in hash is made once

    def cost(against: str | None) -> float:
        start = time.perf_counter()
        assert not passwords.verify(against, "not the password")
        return time.perf_counter() - start

    pairs = [(cost(stored), cost(None)) for _ in range(9)]
    known, unknown = (sorted(side)[4] for side in zip(*pairs, strict=True))
    assert 0.5 < unknown / known < 2


@pytest.mark.parametrize("stored", ["", "none", "$argon2id$v=19$m=1", "plain text"])
def test_a_hash_that_is_none_lets_nobody_in(stored: str) -> None:
    assert not passwords.verify(stored, GOOD)


@pytest.mark.parametrize(
    "password",
    [
        "qwertyuiop", "1234567890", "password123", "Password2024!", "iloveyou!!!!", "aaaaaaaaaaaa", "9876543210",
        "abcdefghij", "Jane.Miller", "jane.miller@example.com", "Jane Miller 1985",
    ],
)  # fmt: skip
def test_what_people_guess_first_is_common(password: str) -> None:
    assert passwords.is_common(password, "jane.miller@example.com", "Jane Miller")


@pytest.mark.parametrize(
    "password", [GOOD, "correct horse battery", "4vD!kq-02Zp", "Regenschirm am Fenster", "密码是一个很长的句子吧"]
)
def test_other_passwords_are_not(password: str) -> None:
    assert not passwords.is_common(password, "jane.miller@example.com", "Jane Miller")


def test_the_list_is_long() -> None:
    known = passwords._common()
    assert len(known) > 8000
    assert sum(len(entry) >= passwords.SHORTEST for entry in known) > 2000


def test_at_most_two_hashes_at_once_and_a_bounded_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control is the count itself: without the semaphore all 25 would be at work together."""
    at_work, most, refused = 0, 0, []
    lock, go = threading.Lock(), threading.Event()

    class Slow:
        def hash(self: object, _password: str) -> str:
            nonlocal at_work, most
            with lock:
                at_work += 1
                most = max(most, at_work)
            go.wait(5)
            with lock:
                at_work -= 1
            return "hash"

    monkeypatch.setattr(passwords, "_hasher", Slow())

    def attempt() -> None:
        try:
            passwords.hash_password(GOOD)
        except Unavailable as error:
            refused.append(error.facts["problem"])

    threads = [threading.Thread(target=attempt) for _ in range(25)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    go.set()
    for thread in threads:
        thread.join(10)
    assert most == passwords.AT_WORK == 2
    assert refused == ["busy"] * (25 - passwords.AT_WORK - passwords.IN_LINE)
    passwords.hash_password(GOOD)  # every place was given back
