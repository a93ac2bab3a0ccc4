"""What people may change of their own account, and what the clinic keeps."""

from __future__ import annotations

import uuid

import pytest
from sqlmodel import select

from teleconsult.accounts.models import Role, User
from teleconsult.accounts.profile import credentials, profile, save_profile, zones
from teleconsult.audit import AuditLog
from teleconsult.db import transaction
from teleconsult.errors import Invalid, NotFound
from tests.support import person

pytestmark = pytest.mark.usefixtures("database")


def stored(user: uuid.UUID) -> User:
    with transaction() as tx:
        return tx.get_one(User, user)


def test_name_and_zone_are_kept_in_one_form() -> None:
    jane = person()
    saved = save_profile(jane, "  Jane \n Mary   Doe ", "Asia/Tokyo")
    assert (saved.name, saved.timezone, saved.email) == ("Jane Mary Doe", "Asia/Tokyo", "jane@example.com")
    assert profile(jane) == saved
    with transaction() as tx:
        (entry,) = tx.exec(select(AuditLog).where(AuditLog.action == "profile_changed")).all()
    assert (entry.actor_id, entry.detail) == (jane, {}), "the log says that, never what"


@pytest.mark.parametrize("name", ["", "   ", "x" * 121, "Jane\x00Doe", "Jane\u202eDoe"])
def test_a_name_that_cannot_be_shown_changes_nothing(name: str) -> None:
    jane = person()
    with pytest.raises(Invalid) as refused:
        save_profile(jane, name, "Asia/Tokyo")
    assert list(refused.value.problems) == ["name"]
    assert (stored(jane).name, stored(jane).timezone) == ("Jane", "UTC")


@pytest.mark.parametrize("timezone", ["", "Mars/Olympus", "../../etc/passwd", "europe/berlin"])
def test_only_zones_that_exist(timezone: str) -> None:
    jane = person()
    with pytest.raises(Invalid) as refused:
        save_profile(jane, "Jane", timezone)
    assert list(refused.value.problems) == ["timezone"]
    assert stored(jane).timezone == "UTC"


def test_the_name_that_signs_answers_is_the_clinics() -> None:
    amara = person("amara@clinic.example", Role.DERMATOLOGIST, title="Consultant", registration_no="7412036")
    saved = save_profile(amara, "Dr. Somebody Else", "Europe/Berlin")
    assert (saved.name, saved.timezone) == ("Amara", "Europe/Berlin")
    assert saved.credentials == "Consultant, registration 7412036"


@pytest.mark.parametrize(
    ("title", "number", "shown"),
    [("Consultant", "1", "Consultant, registration 1"), ("Consultant", "", "Consultant"), ("", "1", "registration 1"),
     ("", "", "")],
)  # fmt: skip
def test_credentials_name_what_there_is(title: str, number: str, shown: str) -> None:
    assert credentials(title, number) == shown


def test_an_account_that_is_gone() -> None:
    with pytest.raises(NotFound):
        save_profile(uuid.uuid4(), "Jane", "UTC")


def test_every_zone_on_offer_can_be_saved() -> None:
    jane = person()
    offered = [name for names in zones().values() for name in names]
    assert "Europe/Berlin" in offered
    assert len(offered) == len(set(offered))
    for name in offered[:: len(offered) // 5]:
        assert save_profile(jane, "Jane", name).timezone == name
