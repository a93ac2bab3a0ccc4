"""What people may see and change of their own account."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from functools import cache
from zoneinfo import available_timezones

from sqlmodel import Session

from teleconsult import audit
from teleconsult.accounts.models import Role, User
from teleconsult.accounts.service import LONGEST_NAME
from teleconsult.db import transaction
from teleconsult.errors import Invalid, NotFound

AREAS = (
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
)
"""Parts of the world that time zones are offered for. The rest of the database are other names for the same zones."""


@dataclass(frozen=True)
class Profile:
    """An account, as its owner sees it."""

    name: str = field(repr=False)
    email: str = field(repr=False)
    timezone: str
    credentials: str
    """A dermatologist's title and registration number, or ""."""


def profile(user_id: uuid.UUID) -> Profile:
    """The account of the person who is signed in.

    Raises:
        NotFound: it is gone.
    """
    with transaction() as tx:
        return _view(_user(tx, user_id))


def save_profile(user_id: uuid.UUID, name: str, timezone: str) -> Profile:
    """Change name and time zone. The name that signs a dermatologist's answers is the clinic's to change: it is kept.

    Raises:
        Invalid: by field, `name` or `timezone`.
        NotFound: the account is gone.
    """
    name = " ".join(name.split())
    with transaction() as tx:
        user = _user(tx, user_id)
        signs = user.role == Role.DERMATOLOGIST
        if problems := _problems(user.name if signs else name, timezone, user.timezone):
            raise Invalid(problems)
        user.timezone = timezone
        if not signs:
            user.name = name
        audit.record(tx, "profile_changed", "user", user.id, actor_id=user.id, actor_role=user.role)
        return _view(user)


@cache
def zones() -> dict[str, tuple[str, ...]]:
    """Names of time zones by part of the world, both in alphabetical order."""
    known = available_timezones()
    return {area: tuple(sorted(z for z in known if z.startswith(f"{area}/"))) for area in AREAS}


def credentials(title: str, registration_no: str) -> str:
    """What stands under a dermatologist's name: "Consultant dermatologist, registration 7412036"."""
    return ", ".join(part for part in (title, registration_no and f"registration {registration_no}") if part)


def _problems(name: str, timezone: str, present: str) -> dict[str, str]:
    found = {}
    if not name:
        found["name"] = "Enter your name."
    elif len(name) > LONGEST_NAME or not name.isprintable():
        found["name"] = f"Enter a name of up to {LONGEST_NAME} characters."
    if timezone != present and timezone not in available_timezones():
        found["timezone"] = "Choose a time zone from the list."
    return found


def _user(tx: Session, user_id: uuid.UUID) -> User:
    user = tx.get(User, user_id)
    if user is None:
        raise NotFound
    return user


def _view(user: User) -> Profile:
    return Profile(user.name, user.email, user.timezone, credentials(user.title, user.registration_no))
