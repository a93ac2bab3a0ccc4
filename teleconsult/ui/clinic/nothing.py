"""What is shown instead of the clinic's pages: the same words for every reason."""

from __future__ import annotations

import reflex as rx

from teleconsult.ui.clinic.queue_state import HERE
from teleconsult.ui.parts.buttons import link_button
from teleconsult.ui.public.plain import nothing_here, plain
from teleconsult.ui.session import Session


def doctors_only(content: rx.Component | rx.Var) -> rx.Component | rx.Var:
    """The content, unless somebody else is signed in. Handlers check again: this only spares an endless skeleton."""
    return rx.match(Session.role, ("dermatologist", content), ("", content), nothing_here())


def no_such_case() -> rx.Component:
    """Absent, unpaid, on hold or a colleague’s: nobody can tell which."""
    return plain(
        "Case not found",
        "There is nothing at this address.",
        "The link may be old, or the case is not in your list any more.",
        link_button("Go to the queue", HERE, full="phone"),
    )
