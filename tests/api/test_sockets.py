"""Which sockets may open, how many, and whose state they reach."""

import asyncio
import uuid
from urllib.parse import parse_qs

import pytest
from starlette.types import Message, Scope

from teleconsult.accounts.throttle import Window
from teleconsult.api import sockets
from teleconsult.api.gate import Gate
from teleconsult.api.limits import Sockets
from teleconsult.settings import get_settings
from tests.api.browser import URL
from tests.support import fresh_settings

TOKEN = str(uuid.uuid4())


def upgrade(cookie: str = "", origin: str = URL, token: str = TOKEN, host: str = "localhost:8000") -> Scope:
    headers = [(b"host", host.encode()), (b"cookie", cookie.encode())]
    if origin:
        headers.append((b"origin", origin.encode()))
    return {
        "type": "websocket", "path": "/_event/", "client": ("203.0.113.9", 1), "headers": headers,
        "query_string": f"EIO=4&transport=websocket&token={token}".encode(),
    }  # fmt: skip


def token_seen(scope: Scope) -> str:
    admitted = sockets.admit(scope, get_settings())
    assert admitted is not None
    return parse_qs(admitted["query_string"].decode())["token"][0]


@pytest.fixture(autouse=True)
def _at_home() -> None:
    fresh_settings(PUBLIC_URL=URL)


def test_a_tab_in_one_session_always_reaches_the_same_state() -> None:
    assert token_seen(upgrade("session=one")) == token_seen(upgrade("a=b; session=one"))
    assert uuid.UUID(token_seen(upgrade("session=one")))


def test_another_session_tab_or_none_reaches_another() -> None:
    scopes = [
        upgrade("session=one"),
        upgrade("session=two"),
        upgrade(),
        upgrade("session=one", token=str(uuid.uuid4())),
    ]
    seen = [token_seen(scope) for scope in scopes]
    assert len({*seen, TOKEN}) == 5


def test_without_an_origin_the_cookie_is_taken_away() -> None:
    admitted = sockets.admit(upgrade("session=one", origin=""), get_settings())
    assert admitted is not None
    assert b"cookie" not in dict(admitted["headers"])
    assert token_seen(upgrade("session=one", origin="")) == token_seen(upgrade())


@pytest.mark.parametrize("token", ["", "short", "../x", "a" * 65, "a b c d e f g h", "%00" * 9])
def test_a_token_of_another_form_is_refused(token: str) -> None:
    assert sockets.admit(upgrade(token=token), get_settings()) is None


def test_a_network_has_so_many_sockets_at_once_and_gets_them_back() -> None:
    limit = Sockets(at_once=2)
    assert [limit.admit("a"), limit.admit("a"), limit.admit("a"), limit.admit("b")] == [True, True, False, True]
    limit.leave("a")
    assert limit.admit("a")
    limit.leave("b")
    assert set(limit.open) == {"a"}


def test_a_network_can_not_open_and_close_them_without_end() -> None:
    limit = Sockets(connects=Window(tries=3, seconds=60))
    opened = []
    for _ in range(5):
        opened.append(limit.admit("a"))
        if opened[-1]:
            limit.leave("a")
    assert opened == [True, True, True, False, False]


async def _connect(gate: Gate, scope: Scope) -> list[Message]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await gate(scope, receive, send)
    return sent


async def _accepting(_scope: Scope, _receive: object, send: object) -> None:
    await send({"type": "websocket.accept"})  # type: ignore[operator] - an ASGI callable


def test_the_place_of_a_socket_is_given_back_when_it_ends() -> None:
    gate = Gate(_accepting)
    assert asyncio.run(_connect(gate, upgrade())) == [{"type": "websocket.accept"}]
    assert gate.sockets.open == {}


def test_another_host_or_origin_and_a_full_house_are_closed_before_they_open() -> None:
    gate = Gate(_accepting)
    assert asyncio.run(_connect(gate, upgrade(host="evil.example"))) == [{"type": "websocket.close", "code": 4403}]
    assert asyncio.run(_connect(gate, upgrade(origin="https://evil.example")))[0]["code"] == 4403
    gate.sockets.at_once = 0
    assert asyncio.run(_connect(gate, upgrade())) == [{"type": "websocket.close", "code": 1013}]
