"""A small app behind the real gate and guard, with handlers made to be attacked. Run by `guarded_server.py`."""

import asyncio
import os
from collections.abc import AsyncGenerator
from enum import StrEnum
from pathlib import Path
from uuid import UUID

import reflex as rx
from starlette.types import ASGIApp
from typing_extensions import TypedDict

from teleconsult import privacy
from teleconsult.api.app import create_api
from teleconsult.api.gate import Gate
from teleconsult.ui import guard
from teleconsult.ui.session import Session, current


class Tone(StrEnum):
    CALM = "calm"
    LOUD = "loud"


class Answers(TypedDict):
    site: str
    days: int


class Desk(rx.State):
    """One handler for each way of being called."""

    note: rx.Field[str] = rx.field("")
    calls: rx.Field[int] = rx.field(0)
    seen: rx.Field[str] = rx.field("")
    marked: rx.Field[int] = rx.field(0)
    _hidden: str = "never sent"

    @rx.event
    @guard.public
    def greet(self) -> None:
        self.seen = "hello"

    @rx.event
    @guard.public
    def mark(self, number: int) -> None:
        """Events of one tab run in order: when this shows, the ones before are done."""
        self.marked = number

    @rx.event
    @guard.signed_in
    async def whoami(self) -> None:
        who = await current(self)
        self.seen = f"{who.role}:{who.timezone}"

    @rx.event
    @guard.allow("patient")
    def write(self, text: str) -> None:
        self.note = text
        self.calls += 1

    @rx.event
    @guard.allow("dermatologist")
    def answer(self, text: str) -> None:
        self.note = text
        self.calls += 1

    @rx.event
    @guard.allow("patient")
    def typed(self, count: int, ident: UUID, tone: Tone = Tone.CALM, flag: bool = False) -> None:
        self.seen = f"{type(count).__name__} {type(ident).__name__} {type(tone).__name__} {type(flag).__name__}"
        self.calls += 1

    @rx.event
    @guard.allow("patient")
    def submit(self, form: Answers) -> None:
        self.seen = f"{form['site']} {form['days'] + 1}"

    @rx.event
    @guard.allow("patient")
    def chain(self) -> list[rx.event.EventSpec]:
        return [Desk.write("chained"), Desk.answer("must not run")]

    @rx.event
    @guard.allow("patient")
    def fail(self) -> None:
        raise ValueError(self.note)

    @rx.event
    @guard.allow("patient")
    async def work(self, text: str) -> AsyncGenerator[None]:
        """Takes its time, and shows what it does meanwhile."""
        for _ in range(8):
            await asyncio.sleep(0.1)
            self.note += text
            yield

    @rx.event(background=True)
    @guard.allow("patient")
    async def slow(self) -> None:
        async with self:
            self.seen = "slow"


def page() -> rx.Component:
    return rx.el.div(Desk.note, Session.email, Desk.seen)


def reported(exception: Exception) -> None:
    privacy.capture(exception)


def asgi() -> ASGIApp:
    """What granian calls. The two switches are for negative controls: what happens without a choke point."""
    privacy.configure_logging(development=False)
    app = rx.App(api_transformer=[create_api()], backend_exception_handler=reported)
    app.add_page(page, route="/consultations", on_load=Desk.whoami)
    app.add_page(page, route="/")
    if "WITHOUT_GUARD" not in os.environ:
        guard.install(app)
    served = app()
    return served if "WITHOUT_GATE" in os.environ else Gate(served, pages=Path("pages"))
