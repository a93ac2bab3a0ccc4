"""What the sign-in and sign-up pages know: why somebody is here, and where they wanted to go."""

from __future__ import annotations

from typing import TypedDict

import reflex as rx

from teleconsult import addresses
from teleconsult.accounts.demo import DEMO_PASSWORD, DEMO_PEOPLE
from teleconsult.settings import get_settings
from teleconsult.ui.guard import public

LONGEST_CODE = 20
"""Characters of a problem code."""


class Demo(TypedDict):
    """One invented person on the sign-in page."""

    email: str
    name: str
    role: str


class Entry(rx.State):
    """Read from the address the server sent somebody to: `?problem=mismatch&next=/consultations`.

    The address carries a code, never what was typed: it ends up in histories and logs.
    """

    @rx.event
    @public
    def look(self) -> None:
        """Come by at every visit, so that everything below is read anew from the address."""

    @rx.var(initial_value=False, cache=False)
    def ready(self) -> bool:
        """Whether the address has been read. Until then a page with a problem keeps its form back (`kit.css`)."""
        return True

    @rx.var(initial_value="", cache=False)
    def problem(self) -> str:
        """The code of what went wrong. Never remembered: the same tab may be here for the second time."""
        return str(self.router.url.query_parameters.get("problem", ""))[:LONGEST_CODE]

    @rx.var(initial_value="", cache=False)
    def next(self) -> str:
        """Where somebody wanted to go, when that is on our site."""
        return addresses.safe_next(self.router.url.query_parameters.get("next", ""))

    @rx.var(initial_value=addresses.SIGN_IN, cache=False)
    def to_sign_in(self) -> str:
        """The way to sign in that still leads where somebody wanted to go."""
        return addresses.with_next(addresses.SIGN_IN, self.next)

    @rx.var(initial_value=addresses.SIGN_UP, cache=False)
    def to_sign_up(self) -> str:
        """The same for people without an account."""
        return addresses.with_next(addresses.SIGN_UP, self.next)

    @rx.var(initial_value=[])
    def demo_people(self) -> list[Demo]:
        """Whom a development server lets in with one press. Nobody is compiled into the pages."""
        if get_settings().environment != "development":
            return []
        return [Demo(email=person.email, name=person.name, role=str(person.role).title()) for person in DEMO_PEOPLE]

    @rx.var(initial_value="")
    def demo_password(self) -> str:
        """Their password, and nothing anywhere else."""
        return DEMO_PASSWORD if get_settings().environment == "development" else ""
