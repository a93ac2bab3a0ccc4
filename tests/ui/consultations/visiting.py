"""A patient's visit to the list: it follows every event until there is nothing left but to wait."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

from reflex.event import EventSpec

from teleconsult.ui.consultations.list_state import Cases
from teleconsult.ui.flash import Flash
from tests.ui.consultation.driving import Tab

SUCCESS = "/consultations?payment=success&session_id="
CANCELLED = "/consultations?payment=cancelled"


class Visit(Tab):
    """One tab. `toasts` are the messages it was shown, `redirects` the addresses it was sent to."""

    def __init__(self, user: uuid.UUID) -> None:
        super().__init__(user, "/consultations", "Europe/Berlin")
        self.toasts: list[str] = []
        self.redirects: list[str] = []
        self.asked: list[EventSpec] = []

    def arrive(self, path: str = "/consultations") -> Cases:
        """Open an address, with the events it leads to; a pause that would follow is not begun."""
        asyncio.run(self._arrive(path))
        return self.cases

    def look_again(self) -> Cases:
        """The pause is over."""
        return self.follow(Cases.look, self.cases._visit)

    def follow(self, handler: Any, *arguments: Any) -> Cases:
        """Run a handler, then what it asks for."""
        asyncio.run(self._follow(handler, *arguments))
        return self.cases

    def only(self, handler: Any, *arguments: Any) -> list[EventSpec]:
        """Run one handler and give back what it asks for."""
        self.asked = []
        asyncio.run(self.call(handler, *arguments))
        return self.asked

    @property
    def cases(self) -> Cases:
        return asyncio.run(self.state(Cases))

    @property
    def banner(self) -> str:
        return self.cases.banner["kind"]

    async def _arrive(self, path: str) -> None:
        self.go(path)
        await self._follow(Cases.load)

    async def _follow(self, handler: Any, *arguments: Any) -> None:
        self.asked = []
        await self.call(handler, *arguments)
        for event in self.asked.copy():
            await self._obey(event)

    async def _obey(self, event: EventSpec) -> None:
        name, arguments = event.handler.fn.__qualname__, [value._var_value for _, value in event.args]
        if name == Flash.push.fn.__qualname__:
            self.toasts.append(arguments[0])
        elif name == "_redirect":
            self.redirects.append(arguments[0])
            await self._arrive(arguments[0])
        elif name != Cases.wait.fn.__qualname__:
            await self._follow(getattr(Cases, name.rpartition(".")[2]), *arguments)

    def _note(self, event: Any) -> None:
        self.asked.extend(event if isinstance(event, list) else [])
