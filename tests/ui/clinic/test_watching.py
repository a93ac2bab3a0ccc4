"""The running app looks at the queue while somebody has it open, and not a moment longer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from pathlib import Path

import pytest

from teleconsult.accounts import sessions
from teleconsult.accounts.models import User
from teleconsult.db import transaction
from tests.conftest import empty
from tests.support import pending_case, person
from tests.ui.clinic.desk import doctor
from tests.ui.guarded_server import Tab, serving

STATE = "reflex___state____state"
QUEUE = f"{STATE}.teleconsult___ui___clinic___queue_state____queue"
LOAD = f"{STATE}.reflex___state____on_load_internal_state.on_load_internal"
HYDRATE = f"{STATE}.hydrate_and_load"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("watched")


@pytest.fixture(scope="module")
def url(postgres_url: str, folder: Path) -> Generator[str]:
    looks = str(folder / "looks")
    with serving(folder, postgres_url, "tests.ui.clinic.watched_app:asgi", LOOKS=looks) as address:
        yield address


@pytest.fixture
def opened(postgres_url: str) -> sessions.Opened:
    empty(postgres_url)
    user_id = doctor()
    with transaction() as tx:
        return sessions.open_session(tx, tx.get_one(User, user_id))


class Looks:
    """Counts the looks at the queue."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "looks"

    def count(self) -> int:
        return self.file.stat().st_size if self.file.exists() else 0

    async def go_on(self) -> bool:
        """Whether there is another look within two seconds."""
        before = self.count()
        for _ in range(200):
            if self.count() > before + 1:
                return True
            await asyncio.sleep(0.01)
        return False

    async def end(self) -> bool:
        """Whether there is none any more, after what was under way has come to its end."""
        await asyncio.sleep(0.3)
        before = self.count()
        await asyncio.sleep(0.7)
        return self.count() == before


@pytest.fixture
def looks(folder: Path) -> Looks:
    return Looks(folder)


async def event(tab: Tab, name: str, path: str) -> None:
    route = {"pathname": path, "query": {}, "asPath": path}
    await tab.client.emit("event", {"name": name, "payload": {}, "router_data": route}, namespace="/_event")


def play(url: str, opened: sessions.Opened, scene: Callable[[Tab], Awaitable[None]]) -> None:
    async def with_tab() -> None:
        async with Tab(url, f"session={opened.token}") as tab:
            await event(tab, HYDRATE, "/clinic")
            await scene(tab)

    asyncio.run(asyncio.wait_for(with_tab(), 30))


def test_it_looks_while_the_page_is_open_and_shows_what_is_new(url: str, opened: sessions.Opened, looks: Looks) -> None:
    async def scene(tab: Tab) -> None:
        assert await looks.go_on()
        assert tab.value("summary", QUEUE) == "Nothing is waiting."
        await asyncio.to_thread(lambda: pending_case(person()))
        for _ in range(200):
            if tab.value("waiting_count", QUEUE) == 1:
                return
            await asyncio.sleep(0.01)
        raise AssertionError("the new case did not appear")

    play(url, opened, scene)


def test_it_ends_when_the_tab_is_closed(url: str, opened: sessions.Opened, looks: Looks) -> None:
    async def scene(_: Tab) -> None:
        assert await looks.go_on()

    play(url, opened, scene)
    assert asyncio.run(looks.end())


def test_it_ends_when_another_page_is_shown(url: str, opened: sessions.Opened, looks: Looks) -> None:
    async def scene(tab: Tab) -> None:
        assert await looks.go_on()
        await event(tab, LOAD, "/settings")
        assert await looks.end()
        await event(tab, LOAD, "/clinic")
        assert await looks.go_on()

    play(url, opened, scene)


def test_many_visits_look_no_more_often_than_one(url: str, opened: sessions.Opened, looks: Looks) -> None:
    async def in_a_second() -> int:
        before = looks.count()
        await asyncio.sleep(1)
        return looks.count() - before

    async def scene(tab: Tab) -> None:
        assert await looks.go_on()
        one = await in_a_second()
        for _ in range(10):
            await event(tab, LOAD, "/clinic")
        await asyncio.sleep(0.3)
        assert await in_a_second() < one * 2

    play(url, opened, scene)


def test_it_ends_with_the_session(url: str, opened: sessions.Opened, looks: Looks) -> None:
    async def scene(tab: Tab) -> None:
        assert await looks.go_on()
        await asyncio.to_thread(sessions.revoke, opened.who.session_id)
        assert await looks.end()
        assert tab.redirects()[-1].startswith("/sign-in?next=/clinic")

    play(url, opened, scene)
