"""Demo people, so that a fresh start can be tried at once. Never in production."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import col, select

from teleconsult.accounts.models import Role, User
from teleconsult.accounts.passwords import hash_password
from teleconsult.db import transaction
from teleconsult.settings import get_settings

DEMO_PASSWORD = "demo-password"  # noqa: S105 - printed at start, refused in production


@dataclass(frozen=True)
class DemoPerson:
    """Somebody to sign in as."""

    email: str
    name: str
    role: Role
    title: str = ""
    registration_no: str = ""


CONSULTANT = "Consultant dermatologist"

DEMO_PEOPLE = (
    DemoPerson("jane@example.com", "Jane Doe", Role.PATIENT),
    DemoPerson("amara@clinic.example", "Dr. Amara Lindqvist", Role.DERMATOLOGIST, CONSULTANT, "7412036"),
    DemoPerson("chidi@clinic.example", "Dr. Chidi Okafor", Role.DERMATOLOGIST, CONSULTANT, "6980114"),
    DemoPerson("sam@clinic.example", "Sam Keane", Role.OPERATOR),
)


def demo_people() -> tuple[DemoPerson, ...]:
    """Make the demo people that don't exist yet, and tell who they are. Nobody in production."""
    if get_settings().production:
        return ()
    with transaction() as tx:
        known = set(tx.exec(select(User.email).where(col(User.email).in_([p.email for p in DEMO_PEOPLE]))).all())
    missing = [p for p in DEMO_PEOPLE if p.email not in known]
    if missing:
        hashed = hash_password(DEMO_PASSWORD)
        with transaction() as tx:
            tx.add_all(
                User(
                    email=p.email,
                    name=p.name,
                    role=p.role,
                    title=p.title,
                    registration_no=p.registration_no,
                    password_hash=hashed,
                )
                for p in missing
            )
    return DEMO_PEOPLE
