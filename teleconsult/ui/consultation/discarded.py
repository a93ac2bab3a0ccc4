"""The way back after discarding a draft: shown on the list of consultations, where discarding leads."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import reflex as rx
from reflex.event import EventSpec

from teleconsult.billing import discard
from teleconsult.consultations import drafting
from teleconsult.consultations.questions import Step
from teleconsult.errors import Refusal
from teleconsult.ui import times
from teleconsult.ui.consultation.addresses import address
from teleconsult.ui.guard import allow
from teleconsult.ui.parts.buttons import button
from teleconsult.ui.parts.messages import callout
from teleconsult.ui.session import current


class Discarded(rx.State):
    """The draft that was discarded last in this tab."""

    ref: rx.Field[str] = rx.field("")
    """Its reference; empty when there is nothing to bring back."""
    until: rx.Field[str] = rx.field("")
    """Clock time until which it can come back."""
    refusal: rx.Field[str] = rx.field("")

    _draft: str = ""

    @rx.var
    def visible(self) -> bool:
        """Whether the notice is shown."""
        return bool(self.ref)

    @rx.event
    @allow("patient")
    async def undo(self) -> EventSpec | None:
        """Bring it back and show it."""
        who, draft, self.ref = await current(self), self._draft, ""
        try:
            with drafting.reachable():
                await asyncio.to_thread(discard.undo, who.user_id, uuid.UUID(draft))
        except Refusal as refusal:
            self.refusal = refusal.message
            return None
        return rx.redirect(address(draft, Step.REVIEW))

    @rx.event
    @allow("patient")
    def dismiss(self) -> None:
        """Take the notice away; the draft stays discarded."""
        self.ref = self.refusal = ""

    async def _remember(self, draft: str, ref: str) -> None:
        who = await current(self)
        end = datetime.now(UTC) + timedelta(seconds=discard.UNDO_SECONDS)
        self._draft, self.ref, self.until, self.refusal = draft, ref, times.clock(end, who.timezone), ""


def discarded_notice() -> rx.Component:
    """Stands above the list; empty unless a draft was discarded just now."""
    return rx.el.div(
        rx.cond(
            Discarded.visible,
            callout(
                f"You can bring {Discarded.ref} back until {Discarded.until}. Then it is deleted for good.",
                title="Draft discarded",
                tone="neutral",
                icon_name="trash-2",
                class_name="mb-6",
                action=rx.el.div(
                    button("Undo", Discarded.undo, kind="secondary", icon_name="undo-2"),
                    button("Dismiss", Discarded.dismiss, kind="quiet"),
                    class_name="flex gap-2",
                ),
                data_testid="discarded-notice",
            ),
            rx.cond(
                Discarded.refusal != "",
                callout(
                    Discarded.refusal,
                    title="The draft could not be brought back",
                    tone="warn",
                    class_name="mb-6",
                    action=button("Dismiss", Discarded.dismiss, kind="quiet"),
                ),
                rx.fragment(),
            ),
        ),
        role="status",
    )
