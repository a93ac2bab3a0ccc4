"""The guard while the database is away: typed words may still be taken, everything else waits or is refused."""

from __future__ import annotations

import asyncio

import pytest
import reflex as rx
from reflex.event import Event
from reflex.istate.data import HeaderData
from sqlalchemy.exc import OperationalError

from teleconsult.accounts import service, sessions
from teleconsult.errors import Unavailable
from teleconsult.ui import guard
from teleconsult.ui.consultation.discarded import Discarded
from teleconsult.ui.consultation.form import Form
from teleconsult.ui.session import Session

pytestmark = pytest.mark.usefixtures("database")

KEEP = {"key": "new-1", "control": "site", "value": "scalp"}


class Tab:
    """A tab of somebody signed in, and a database that can go away."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        opened = service.sign_up("jane@example.com", "a long enough password", "Jane", adult=True, timezone="UTC")
        self.root = rx.State(_reflex_internal_init=True)
        self.cookie(opened.token)
        self.away, self.tries, real = False, 0, sessions.lookup

        def lookup(token: str) -> sessions.SignedIn | None:
            self.tries += 1
            if self.away:
                raise OperationalError("select", None, Exception("connection refused"))
            return real(token)

        monkeypatch.setattr(sessions, "lookup", lookup)

    def cookie(self, token: str) -> None:
        self.root.rx_router_headers = HeaderData.from_router_data({"headers": {"cookie": f"session={token}"}})

    async def passes(self, handler: rx.event.EventHandler, **payload: object) -> bool:
        state = await self.root.get_state(rx.State.get_class_substate(handler.state_full_name))
        event = Event(name=f"{handler.state_full_name}.{handler.fn.__name__}", payload=payload)
        return await guard.Guard().preprocess(None, state, event) is None


@pytest.fixture
def tab(monkeypatch: pytest.MonkeyPatch) -> Tab:
    return Tab(monkeypatch)


def test_typed_words_are_taken_from_the_person_confirmed_before(tab: Tab) -> None:
    async def story() -> None:
        assert await tab.passes(Form.keep, **KEEP)
        tab.away = True
        assert await tab.passes(Form.keep, **KEEP)

    asyncio.run(story())


def test_their_arguments_are_checked_all_the_same(tab: Tab) -> None:
    async def story() -> None:
        assert await tab.passes(Form.keep, **KEEP)
        tab.away = True
        assert not await tab.passes(Form.keep, **{**KEEP, "value": ["scalp"]})

    asyncio.run(story())


def test_nothing_else_runs(tab: Tab) -> None:
    async def story() -> None:
        assert await tab.passes(Form.keep, **KEEP)
        tab.away = True
        with pytest.raises(Unavailable):
            await tab.passes(Discarded.undo)

    asyncio.run(story())


@pytest.mark.parametrize("token", ["", "x" * 43])
def test_a_tab_that_was_never_confirmed_for_this_session_is_not_let_in(tab: Tab, token: str) -> None:
    async def story() -> None:
        assert await tab.passes(Form.keep, **KEEP)
        tab.away = True
        tab.cookie(token)
        with pytest.raises(Unavailable):
            await tab.passes(Form.keep, **KEEP)

    asyncio.run(story())


def test_a_role_that_may_not_call_it_still_may_not(tab: Tab) -> None:
    async def story() -> None:
        assert await tab.passes(Form.keep, **KEEP)
        (await tab.root.get_state(Session)).role = "dermatologist"
        tab.away = True
        with pytest.raises(Unavailable):
            await tab.passes(Form.keep, **KEEP)

    asyncio.run(story())


def test_a_snapshot_waits_for_the_database(tab: Tab, monkeypatch: pytest.MonkeyPatch) -> None:
    async def back_after_three(_seconds: float) -> None:
        tab.away = tab.tries < 3

    monkeypatch.setattr(guard.asyncio, "sleep", back_after_three)

    async def story() -> None:
        tab.away = True
        assert await tab.passes(rx.State.event_handlers["hydrate_and_load"])
        assert tab.tries == 4
        assert (await tab.root.get_state(Session)).role == "patient"

    asyncio.run(story())
