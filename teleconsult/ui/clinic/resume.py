"""The case is in the very first thing a page hears after its connection was lost.

Reflex answers a new connection with a snapshot of the state, and only then runs `on_load`. After a restart of the
server that snapshot would be empty, the editor would go and come back, and with it what was written and not yet saved.
"""

from __future__ import annotations

import reflex as rx
from reflex.event import Event
from reflex.middleware.middleware import Middleware
from reflex.state import BaseState, StateUpdate

from teleconsult.ui.clinic.review_state import Review
from teleconsult.ui.session import Session

SNAPSHOT = "hydrate_and_load"


class ResumeReview(Middleware):
    """Stands behind the guard, which has found out who is there. Never keeps an event back."""

    async def preprocess(self, app: rx.App, state: BaseState, event: Event) -> StateUpdate | None:  # noqa: ARG002
        """Load the case the page stands on; what another page left of one is dropped."""
        if event.name.endswith(f".{SNAPSHOT}"):
            who = await state.get_state(Session)
            review = await state.get_state(Review)
            await review._prepare(allowed=who.role == "dermatologist")  # noqa: SLF001 - written for this
        return None
