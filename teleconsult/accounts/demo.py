"""The invented people of a demo: made by `ops.seed`, offered on the sign-in page of a development server."""

from __future__ import annotations

from dataclasses import dataclass

from teleconsult.accounts.models import Role

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
