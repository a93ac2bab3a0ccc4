"""Demo people, so that a fresh start can be tried at once. Never in production."""

from __future__ import annotations

from sqlmodel import col, select

from teleconsult.accounts.demo import DEMO_PASSWORD, DEMO_PEOPLE, DemoPerson
from teleconsult.accounts.models import User
from teleconsult.accounts.passwords import hash_password
from teleconsult.db import transaction
from teleconsult.settings import get_settings


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
