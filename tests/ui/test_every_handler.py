"""Every handler of the real app, called by everybody who may not. The list is the registry's: no new one is missed."""

import asyncio
import re
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from reflex_base.registry import RegistrationContext

import teleconsult.ui.pages
from teleconsult.accounts import sessions
from teleconsult.accounts.models import Role, User
from teleconsult.db import transaction
from teleconsult.ui import guard
from tests.conftest import empty
from tests.support import person
from tests.ui.guarded_server import REAL_APP, ROUTE, Tab, serving

assert teleconsult.ui.pages  # importing them registers their handlers


def handlers() -> dict[str, Callable[..., Any]]:
    registry = RegistrationContext.get().event_handlers
    return {name: e.handler.fn for name, e in registry.items() if e.handler.fn.__module__.startswith("teleconsult.")}


def closed_to(role: Role | None) -> list[str]:
    """The handlers that this role, or a stranger, may not call."""
    may = {guard.ANYBODY, role}
    return sorted(name for name, fn in handlers().items() if not may & getattr(fn, guard._MARK, frozenset()))


def refused_in(log: Path) -> list[tuple[str, str]]:
    """Reason and handler, from the lines as a test process writes them."""
    found = re.findall(r"event_refused .*handler=(\S+) reason=(\S+)", log.read_text())
    return [(reason, handler) for handler, reason in found]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("real")


@pytest.fixture(scope="module")
def url(postgres_url: str, folder: Path) -> Generator[str]:
    empty(postgres_url)
    with serving(folder, postgres_url, REAL_APP) as address:
        yield address


def test_every_handler_says_who_may_call_it() -> None:
    ours = [name for name in guard.undeclared_handlers() if name in handlers()]
    assert ours == []
    assert len(handlers()) >= 20


@pytest.mark.parametrize("role", [None, *Role])
def test_nobody_reaches_a_handler_that_is_not_theirs(url: str, folder: Path, database: str, role: Role | None) -> None:
    del database
    cookie = ""
    if role is not None:
        user_id = person(f"{role}@example.com", role)
        with transaction() as tx:
            cookie = f"session={sessions.open_session(tx, tx.get_one(User, user_id)).token}"
    closed = closed_to(role)
    assert closed or role is Role.PATIENT, "only patients may find nothing closed"
    before = len(refused_in(folder / "log"))

    async def scene() -> list[dict[str, Any]]:
        async with Tab(url, cookie) as tab:
            for name in closed:
                event = {"name": name, "payload": {}, "router_data": ROUTE}
                await tab.client.emit("event", event, namespace="/_event")
                await asyncio.sleep(0.05)  # slower than a flood
            for _ in range(200):
                if len(refused_in(folder / "log")) - before >= len(closed):
                    break
                await asyncio.sleep(0.05)
            return tab.updates

    updates = asyncio.run(scene())
    expected = "signed_out" if role is None else "role"
    refused = refused_in(folder / "log")[before:]
    assert sorted(refused) == sorted((expected, name.rsplit("___", 1)[-1]) for name in closed)
    redirects = [event for update in updates for event in update.get("events") or []]
    assert len(redirects) == (len(closed) if role is None else 0)
