"""A dermatologist's tab without a browser, and cases to look at."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable
from typing import Any, TypeVar

import reflex as rx

from teleconsult.accounts.models import Role
from teleconsult.ui.clinic.queue_state import Queue
from teleconsult.ui.clinic.review_state import Review
from teleconsult.ui.session import Session
from tests.support import person
from tests.ui.consultation.driving import Some, Tab

Result = TypeVar("Result")


class Desk(Tab):
    """One tab of one dermatologist. `did` runs a handler, and `sent` is what it asked for."""

    def __init__(self, doctor: uuid.UUID, path: str = "/clinic") -> None:
        super().__init__(doctor, path, "Europe/Berlin")

    async def state(self, cls: type[Some]) -> Some:
        found = await super().state(cls)
        (await self.root.get_state(Session)).role = Role.DERMATOLOGIST
        return found

    def did(self, handler: Any, *arguments: Any) -> list[str]:
        return run(self.call(handler, *arguments))

    def read(self, case_id: uuid.UUID | str) -> Review:
        """Open a case."""
        self.go(f"/clinic/{case_id}")
        self.did(Review.open)
        return self.review

    @property
    def queue(self) -> Queue:
        return run(self.state(Queue))

    @property
    def review(self) -> Review:
        return run(self.state(Review))


def run(work: Awaitable[Result]) -> Result:
    async def wait() -> Result:
        return await work

    return asyncio.run(wait())


def doctor(name: str = "amara", number: str = "7412036") -> uuid.UUID:
    return person(
        f"{name}@clinic.example", Role.DERMATOLOGIST, title="Consultant dermatologist", registration_no=number
    )


def public(state: rx.State) -> dict[str, Any]:
    """All that the browser gets to know of a state."""
    return state.dict()[state.get_full_name()]
