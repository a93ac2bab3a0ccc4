"""The draft is in the very first thing a page hears after its connection was lost.

Reflex answers a new connection with a snapshot of the state, and only then runs `on_load`. After a restart of the
server that snapshot would be empty: the form would go and come back, and with it what was typed and not yet saved. So
the draft is loaded before the snapshot is taken. On a page that is no form, what was left of one is dropped before it.
"""

from __future__ import annotations

import asyncio

import reflex as rx
from reflex.event import Event
from reflex.middleware.middleware import Middleware
from reflex.state import BaseState, StateUpdate

from teleconsult.consultations.questions import Step
from teleconsult.ui.consultation.addresses import place
from teleconsult.ui.consultation.form import Form
from teleconsult.ui.consultation.photo_step import Photos
from teleconsult.ui.session import Session

SNAPSHOT = "hydrate_and_load"
TRIES, PAUSE = 5, 2.0
"""How long a page that has its form waits for a database that is away, before the form is taken from it."""


class Resume(Middleware):
    """Stands behind the guard, which has found out who is there."""

    async def preprocess(self, app: rx.App, state: BaseState, event: Event) -> StateUpdate | None:  # noqa: ARG002
        """Never keeps an event back."""
        if event.name.endswith(f".{SNAPSHOT}"):
            await _prepare(await state.get_state(Form), await state.get_state(Session))
        return None


async def _prepare(form: Form, who: Session) -> None:
    here = place(form.router.url.path)
    if here is None or who.role != "patient" or form._shows_another(here):  # noqa: SLF001 - written for this
        form._clear()  # noqa: SLF001
        return
    for _ in range(TRIES):
        await form._load()  # noqa: SLF001
        if form.phase != "down":
            break
        await asyncio.sleep(PAUSE)
    if here.step in (Step.PHOTOS, Step.REVIEW):
        await (await form.get_state(Photos))._look()  # noqa: SLF001
