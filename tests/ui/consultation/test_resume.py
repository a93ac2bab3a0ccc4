"""What a page hears first after its connection was lost."""

from __future__ import annotations

import asyncio

import pytest
import reflex as rx
from reflex.event import Event

from teleconsult.ui.consultation import resume
from teleconsult.ui.consultation.form import Form
from teleconsult.ui.consultation.photo_step import Photos
from tests.support import full_draft, person
from tests.ui.consultation.driving import Tab

pytestmark = pytest.mark.usefixtures("database")

CONNECTED = Event(name="reflex___state____state.hydrate_and_load", payload={})


async def reconnected(tab: Tab) -> Form:
    await tab.form()
    assert await resume.Resume().preprocess(rx.App.__new__(rx.App), tab.root, CONNECTED) is None
    return await tab.form()


def test_the_form_is_there_before_the_snapshot_also_after_a_restart() -> None:
    async def story() -> None:
        user = person()
        tab = Tab(user, f"/consultations/{full_draft(user)}/photos")
        form = await reconnected(tab)
        assert (form.phase, form.texts["site"]) == ("open", "right_cheek")
        assert len((await tab.state(Photos)).tiles) == 2

    asyncio.run(story())


def test_a_new_form_stays_open_with_its_key() -> None:
    async def story() -> None:
        tab = Tab(person())
        key = (await tab.open()).key
        form = await reconnected(tab)
        assert (form.phase, form.key) == ("open", key)

    asyncio.run(story())


@pytest.mark.parametrize("path", ["/consultations", "/settings"])
def test_on_another_page_nothing_of_it_is_left_in_the_snapshot(path: str) -> None:
    async def story() -> None:
        user = person()
        tab = Tab(user, f"/consultations/{full_draft(user)}/skin")
        await tab.open()
        tab.go(path)
        form = await reconnected(tab)
        assert (form.phase, form.texts, form.ticks) == ("loading", {}, {})

    asyncio.run(story())


def test_another_draft_is_not_shown_in_the_inputs_of_the_first() -> None:
    async def story() -> None:
        user = person()
        tab = Tab(user, f"/consultations/{full_draft(user)}/skin")
        await tab.open()
        tab.go(f"/consultations/{full_draft(user, site='scalp')}/skin")
        form = await reconnected(tab)
        assert form.phase == "loading"

    asyncio.run(story())


def test_a_stranger_gets_nothing() -> None:
    async def story() -> None:
        tab = Tab(None, f"/consultations/{full_draft(person())}/skin")
        form = await reconnected(tab)
        assert form.phase == "loading"

    asyncio.run(story())
