"""Who is signed in, as the pages see it. Filled by the guard at every event, never by a page or a handler."""

from __future__ import annotations

from uuid import UUID

import reflex as rx

from teleconsult.accounts.models import Role
from teleconsult.accounts.sessions import SignedIn
from teleconsult.errors import SignInNeeded


class Session(rx.State):
    """The signed-in person; every field is empty for a stranger. Show private content under `email != ""`."""

    name: rx.Field[str] = rx.field("")
    initials: rx.Field[str] = rx.field("")
    email: rx.Field[str] = rx.field("")
    role: rx.Field[str] = rx.field("")

    _sid: str = ""
    _user_id: str = ""
    _timezone: str = "UTC"
    _bound: bool = False

    def _hold(self, who: SignedIn | None) -> None:
        """Take over what the database says; only what differs is sent to the page."""
        fresh = {
            "name": who.name if who else "",
            "initials": _initials(who) if who else "",
            "email": who.email if who else "",
            "role": str(who.role) if who else "",
            "_sid": who.session_id if who else "",
            "_user_id": str(who.user_id) if who else "",
            "_timezone": who.timezone if who else "UTC",
            "_bound": True,
        }
        for field, value in fresh.items():
            if getattr(self, field) != value:
                setattr(self, field, value)


async def current(state: rx.State) -> SignedIn:
    """Who runs this handler: what the guard found in the database a moment ago, for the same event.

    Raises:
        SignInNeeded: nobody is signed in, which only a `@public` handler can meet.
    """
    held = await state.get_state(Session)
    if not held._user_id:  # noqa: SLF001 - the one reader of what the guard wrote
        raise SignInNeeded("Please sign in first.")
    return SignedIn(
        session_id=held._sid,  # noqa: SLF001
        user_id=UUID(held._user_id),  # noqa: SLF001
        role=Role(held.role),
        name=held.name,
        email=held.email,
        timezone=held._timezone,  # noqa: SLF001
    )


def _initials(who: SignedIn) -> str:
    """Two letters for the round badge: of the name without its title, else of the e-mail address."""
    words = [word for word in who.name.split() if not word.endswith(".")] or [who.email]
    letters = words[0][:1] + (words[-1][:1] if len(words) > 1 else "")
    return letters.upper()
