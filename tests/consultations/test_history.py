"""The patient sees what happened to a consultation, and by whom."""

from __future__ import annotations

import uuid

import pytest

from teleconsult.accounts.models import Role
from teleconsult.clinic import queue
from teleconsult.consultations.history import history
from teleconsult.errors import NotFound
from tests.support import pending_case, person


@pytest.fixture
def case(database: str) -> tuple[uuid.UUID, uuid.UUID]:
    """A patient and what she has sent."""
    assert database
    jane = person()
    return jane, pending_case(jane)


def told(case: tuple[uuid.UUID, uuid.UUID]) -> list[tuple[str, str]]:
    return [(act.what, act.doctor) for act in history(*case)]


def test_acts_come_in_their_order_with_the_doctors_name(case: tuple[uuid.UUID, uuid.UUID]) -> None:
    assert told(case) == [("drafted", ""), ("submitted", "")]
    queue.claim(person("amara@clinic.example", Role.DERMATOLOGIST), case[1])
    assert told(case) == [("drafted", ""), ("submitted", ""), ("claimed", "Amara")]


def test_a_case_that_was_given_back_names_only_who_has_it_now(case: tuple[uuid.UUID, uuid.UUID]) -> None:
    amara, chidi = (person(f"{name}@clinic.example", Role.DERMATOLOGIST) for name in ("amara", "chidi"))
    queue.claim(amara, case[1])
    queue.release(amara, case[1])
    assert told(case) == [("drafted", ""), ("submitted", "")]
    queue.claim(chidi, case[1])
    assert told(case)[2:] == [("claimed", "Chidi")]


def test_a_stranger_sees_nothing(case: tuple[uuid.UUID, uuid.UUID]) -> None:
    with pytest.raises(NotFound):
        history(person("bob@example.com"), case[1])
