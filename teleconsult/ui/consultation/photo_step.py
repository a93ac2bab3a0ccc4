"""Step 2: photos the server has, with what they show; taking one away and bringing it back.

Files on their way are the uploader's business (`uploader.py`); it calls `uploaded` when the server has one more.
"""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import reflex as rx
from reflex.event import EventSpec

from teleconsult.consultations import drafting, photos
from teleconsult.consultations.photos import PhotoView
from teleconsult.consultations.questions import Step
from teleconsult.errors import NotFound, Refusal, Unavailable
from teleconsult.ui.consultation.addresses import address, consultation_id, following
from teleconsult.ui.consultation.form import NOT_SAVED, Flow, Form
from teleconsult.ui.guard import allow
from teleconsult.ui.session import current

ADVICE = {"blurry": "Looks blurry. Retake?", "dark": "Too dark. Move to a window?"}
FINE = "Sharp, location removed"


class Photos(rx.State):
    """The photos of the open form."""

    tiles: rx.Field[list[dict[str, str]]] = rx.field(default_factory=list)
    """Each with its id, the address of its small picture, what it shows, and a remark with its tone."""
    of: rx.Field[str] = rx.field("")
    """The form they belong to."""
    missing: rx.Field[str] = rx.field("")
    """What keeps this step from being complete, once somebody wanted to go on."""
    removed: rx.Field[str] = rx.field("")
    """The photo that was taken away last and can come back: its id."""
    removed_number: rx.Field[int] = rx.field(0)
    trouble: rx.Field[str] = rx.field("")

    @rx.event
    @allow("patient")
    async def load(self) -> None:
        """Runs at every visit, after the form was opened."""
        self.missing = self.removed = self.trouble = ""
        await self._look()

    @rx.event
    @allow("patient")
    async def uploaded(self, _draft: str) -> None:
        """One or more photos have arrived."""
        self.missing = ""
        await self._look()
        await self._saved()

    @rx.event
    @allow("patient")
    async def relabel(self, photo: UUID, kind: str) -> None:
        """Somebody said what a photo shows."""
        await self._change(photos.relabel, photo, kind)

    @rx.event
    @allow("patient")
    async def remove(self, photo: UUID, number: int) -> None:
        """Take a photo away; `restore` brings it back."""
        await self._change(photos.remove, photo)
        self.removed, self.removed_number = ("", 0) if self.trouble else (str(photo), number)

    @rx.event
    @allow("patient")
    async def restore(self, photo: UUID) -> None:
        """Undo the last removal."""
        await self._change(photos.restore, photo)
        self.removed = ""

    @rx.event
    @allow("patient")
    async def go_on(self) -> Flow:
        """To the next step, if there are enough photos."""
        form, who = await self.get_state(Form), await current(self)
        draft = consultation_id(form.key)
        try:
            found = await asyncio.to_thread(drafting.problems, who.user_id, draft, Step.PHOTOS)
        except Unavailable:
            form.notice = NOT_SAVED
            return
        yield self._next(form, found.get("photos", ""))

    def _next(self, form: Form, missing: str) -> EventSpec | None:
        self.missing = missing
        if not missing:
            return rx.redirect(address(form.key, following(Step.PHOTOS)))
        form.summary, form.attempt = [{"field_id": "photo-input", "message": missing}], form.attempt + 1
        return None

    async def _change(self, use_case: Any, *arguments: Any) -> None:
        """One use case about one photo, and the photos as they are then."""
        who, self.trouble = await current(self), ""
        try:
            with drafting.reachable():
                await asyncio.to_thread(use_case, who.user_id, *arguments)
        except Refusal as refusal:
            self.trouble = refusal.message
        await self._look()
        await self._saved()

    async def _look(self) -> None:
        form, who = await self.get_state(Form), await current(self)
        draft = consultation_id(form.key)
        try:
            with drafting.reachable():
                found = await asyncio.to_thread(photos.list_own, who.user_id, draft) if draft else ()
        except NotFound:
            found = ()
        except Unavailable as refusal:
            self.trouble = refusal.message
            return
        self.tiles, self.of = [_tile(photo) for photo in found], form.key

    async def _saved(self) -> None:
        """Photos count as saving too, and solve what was said about them."""
        form = await self.get_state(Form)
        if not self.missing:
            form.summary = []
        await form._touched()  # noqa: SLF001 - one form, two states


def _tile(photo: PhotoView) -> dict[str, str]:
    advice = ADVICE.get(photo.quality, "")
    tone = "warn" if advice else "ok"
    return {"id": str(photo.id), "src": photo.thumb, "kind": photo.kind, "note": advice or FINE, "tone": tone}
