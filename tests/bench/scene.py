"""What the measured pages show: demo people who are signed in, a complete draft with photos, a case that waits."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser
from sqlmodel import select

import teleconsult.settings
from teleconsult import db
from teleconsult.accounts.demo import DEMO_PASSWORD, DEMO_PEOPLE
from teleconsult.accounts.models import Role, User
from teleconsult.consultations import images, photo_store
from teleconsult.consultations.models import Photo
from teleconsult.ops import postgres
from teleconsult.ops.faults import Fault
from tests.consultations.pictures import encoded, skin
from tests.support import fresh_settings, full_draft, pending_case

EMAILS = {person.role: person.email for person in reversed(DEMO_PEOPLE)}


@dataclass(frozen=True)
class Page:
    """One address, and who looks at it: nobody signed in, unless a role is named."""

    path: str
    role: Role | None = None
    name: str = ""

    @property
    def label(self) -> str:
        return self.name or self.path


def prepare(data: Path) -> list[Page]:
    """Fill the database of the running product, and tell which pages to measure."""
    teleconsult.settings.Settings.model_config["env_file"] = None
    fresh_settings(ENVIRONMENT="development", DATA_DIR=str(data), DATABASE_URL=postgres.ensure(data))
    try:
        jane = _user(EMAILS[Role.PATIENT])
        draft, case = full_draft(jane), pending_case(jane)
        _take_photos()
    finally:
        db.engine().dispose()
        postgres.stop(data)
    return _pages(draft, case)


def _pages(draft: uuid.UUID, case: uuid.UUID) -> list[Page]:
    steps = [
        Page(f"/consultations/{draft}/{step}", Role.PATIENT, f"/consultations/[draft]/{step}")
        for step in ("photos", "health", "review")
    ]
    return [
        *(Page(path) for path in ("/", "/sign-in", "/sign-up", "/help")),
        Page("/consultations", Role.PATIENT),
        Page("/consultations/new/skin", Role.PATIENT),
        *steps,
        Page(f"/consultations/{case}", Role.PATIENT, "/consultations/[waiting]"),
        Page("/settings", Role.PATIENT),
        Page("/clinic", Role.DERMATOLOGIST),
    ]


def sign_in(browser: Browser, site: str, role: Role | None) -> Any:
    """The cookies of a demo person, got as a browser gets them: by posting the sign-in form."""
    context = browser.new_context()
    try:
        if role is not None:
            form = {"email": EMAILS[role], "password": DEMO_PASSWORD}
            answer = context.request.post(
                f"{site}/api/auth/sign-in", form=form, headers={"Origin": site}, max_redirects=0
            )
            if not context.cookies():
                raise Fault(f"{EMAILS[role]} could not sign in: {answer.status}")
        return context.storage_state()
    finally:
        context.close()


def _user(email: str) -> uuid.UUID:
    with db.transaction() as tx:
        return tx.exec(select(User.id).where(User.email == email)).one()


def _take_photos() -> None:
    """Give every photo row its file."""
    clean = images.clean(encoded(skin()))
    with db.transaction() as tx:
        for key in tx.exec(select(Photo.store_key)).all():
            photo_store.put(key, clean.jpeg, clean.thumbnail)
