"""Drives the handlers of the form as the event loop would, without a browser."""

from __future__ import annotations

import inspect
import uuid
from collections.abc import AsyncGenerator
from typing import Any, Self, TypeVar

import reflex as rx
from reflex.event import EventCallback, EventHandler, EventSpec
from reflex.istate.data import ReflexURL, URLData

from teleconsult.accounts.models import Role
from teleconsult.ui.consultation.form import Form
from teleconsult.ui.session import Session

Some = TypeVar("Some", bound=rx.State)


class Tab:
    """One tab of one person. `sent` is what the last handler asked for: new addresses, and handlers by name."""

    def __init__(self, user: uuid.UUID | None, path: str = "/consultations/new/skin", timezone: str = "UTC") -> None:
        self.root = rx.State(_reflex_internal_init=True)
        self.user, self.timezone = user, timezone
        self.sent: list[str] = []
        self.frames: list[dict[str, Any]] = []
        self.go(path)

    def go(self, path: str) -> None:
        """Show another address, without its `on_load`."""
        self.root.rx_router_url = URLData.from_url(ReflexURL(f"http://localhost{path}"))

    async def state(self, cls: type[Some]) -> Some:
        found = await self.root.get_state(cls)
        session = await self.root.get_state(Session)
        if self.user:
            session._user_id, session.role, session._timezone = str(self.user), Role.PATIENT, self.timezone
        return found

    async def form(self) -> Form:
        return await self.state(Form)

    async def open(self, path: str = "") -> Form:
        """Visit an address."""
        if path:
            self.go(path)
        await self.call(Form.open)
        return await self.form()

    async def call(self, handler: Any, *arguments: Any) -> list[str]:
        """Run one handler to its end; a background handler's locks are taken at once."""
        state: Any = await self.state(rx.State.get_class_substate(handler.state_full_name))
        result = handler.fn(_Unlocked(state) if handler.is_background else state, *arguments)
        self.sent, self.frames = [], []
        if isinstance(result, AsyncGenerator):
            async for event in result:
                self.frames.append(state.dict()[state.get_full_name()])
                self._note(event)
        else:
            self._note(await result if inspect.isawaitable(result) else result)
        return self.sent

    def _note(self, event: Any) -> None:
        if isinstance(event, EventCallback | EventHandler):
            self.sent.append(event.fn.__qualname__)
        elif isinstance(event, EventSpec):
            path = next((str(value).strip('"') for name, value in event.args if str(name) == "path"), "")
            self.sent.append(path or event.handler.fn.__qualname__)


class _Unlocked:
    """A state for a background handler: `async with self` does nothing, because nobody else is there."""

    def __init__(self, state: rx.State) -> None:
        object.__setattr__(self, "_state", state)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "_state"), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(object.__getattribute__(self, "_state"), name, value)
