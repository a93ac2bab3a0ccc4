"""A small app behind the real gate and guard, with handlers made to be attacked. Run by `guarded_server.py`."""

from enum import StrEnum
from pathlib import Path
from uuid import UUID

import reflex as rx
from typing_extensions import TypedDict

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
    _hidden: str = "never sent"

    @rx.event
    @guard.public
    def greet(self) -> None:
        self.seen = "hello"

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

    @rx.event(background=True)
    @guard.allow("patient")
    async def slow(self) -> None:
        async with self:
            self.seen = "slow"


def page() -> rx.Component:
    return rx.el.div(Desk.note, Session.email, Desk.seen)


def asgi():  # noqa: ANN201 - what granian calls
    app = rx.App(api_transformer=[create_api()])
    app.add_page(page, route="/consultations", on_load=Desk.whoami)
    app.add_page(page, route="/")
    guard.install(app)
    return Gate(app(), pages=Path("pages"))
