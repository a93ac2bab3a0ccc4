"""The running app, attacked over its sockets. Each refusal is shown beside the same act by the person who may."""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, Generator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import socketio.exceptions
from reflex_base.registry import RegistrationContext

from teleconsult.accounts import sessions
from teleconsult.accounts.models import Role, User
from teleconsult.db import transaction, utcnow
from tests.conftest import empty
from tests.support import person
from tests.ui import guarded_app
from tests.ui.guarded_server import DESK, HYDRATE, ROUTE, SESSION, Tab, serving

SECRET = "itchy-canary-7391"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("guarded")


@pytest.fixture(scope="module")
def url(postgres_url: str, folder: Path) -> Generator[str]:
    with serving(folder, postgres_url) as address:
        yield address


@pytest.fixture(autouse=True)
def _empty(postgres_url: str) -> None:
    empty(postgres_url)


def opened(role: str = "patient", email: str = "jane@example.com") -> sessions.Opened:
    user_id = person(email, Role(role))
    with transaction() as tx:
        return sessions.open_session(tx, tx.get_one(User, user_id))


def cookie(role: str = "patient", email: str = "jane@example.com") -> str:
    return f"session={opened(role, email).token}"


def play(scene: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(scene(), 60))


def ours() -> dict[str, Any]:
    """The handlers of the attacked app, by full name, from the registry: a new one is attacked too."""
    return {
        name: entry.handler.fn
        for name, entry in RegistrationContext.get().event_handlers.items()
        if entry.handler.fn.__module__ == guarded_app.__name__
    }


ARGUMENTS = {"text": "x", "count": 1, "ident": str(uuid.uuid4()), "form": {"site": "arm", "days": 2}}


def arguments_of(fn: Callable[..., Any]) -> dict[str, Any]:
    names = fn.__code__.co_varnames[1 : fn.__code__.co_argcount]
    return {name: ARGUMENTS[name] for name in names if name in ARGUMENTS}


# Who may call what


def test_the_right_people_can_call_their_handlers(url: str) -> None:
    patient, doctor = cookie(), cookie("dermatologist", "mara@example.com")

    async def scene() -> None:
        async with Tab(url, patient) as tab:
            await tab.send("write", text=SECRET)
            assert tab.value("note") == SECRET
            await tab.send("whoami")
            assert tab.value("seen") == "patient:UTC"
        async with Tab(url, doctor) as tab:
            await tab.send("answer", text="It is harmless.")
            assert tab.value("note") == "It is harmless."

    play(scene)


def test_a_stranger_reaches_none_but_the_public_ones(url: str) -> None:
    async def scene() -> None:
        async with Tab(url) as tab:
            await tab.send("greet")
            assert tab.value("seen") == "hello"
            before = tab.state()
            guarded = [name for name, fn in ours().items() if "anybody" not in fn.__callers__]
            assert len(guarded) >= 8
            for name in guarded:
                sent = len(tab.redirects())
                await tab.send(name, **arguments_of(ours()[name]))
                assert tab.redirects()[sent:] == ["/sign-in?next=/consultations"], name
            assert tab.state() == before

    play(scene)


@pytest.mark.parametrize("role", list(Role))
def test_another_role_is_refused_in_silence(url: str, role: str) -> None:
    who = cookie(role)

    async def scene() -> None:
        async with Tab(url, who) as tab:
            await tab.send(HYDRATE)
            before = tab.state()
            foreign = [name for name, fn in ours().items() if not {"anybody", Role(role)} & fn.__callers__]
            assert foreign
            for name in foreign:
                assert await tab.send(name, **arguments_of(ours()[name])) == [], name
            assert tab.state() == before
            assert tab.redirects() == []

    play(scene)


def test_a_chained_handler_is_checked_like_any_other(url: str) -> None:
    patient = cookie()

    async def scene() -> None:
        async with Tab(url, patient) as tab:
            await tab.send("chain")
            assert (tab.value("note"), tab.value("calls")) == ("chained", 1)

    play(scene)


def test_a_background_handler_is_checked_before_it_starts(url: str) -> None:
    patient = cookie()

    async def scene() -> None:
        async with Tab(url, patient) as tab:
            await tab.send("slow")
            for _ in range(200):
                if tab.value("seen") == "slow":
                    break
                await asyncio.sleep(0.01)
            assert tab.value("seen") == "slow"
        async with Tab(url) as tab:
            await tab.send("slow")
            await asyncio.sleep(0.3)
            assert tab.value("seen") is None

    play(scene)


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        (f"{DESK}.setvar", {"var_name": "note", "value": SECRET}),
        (f"{SESSION}.setvar", {"var_name": "role", "value": "operator"}),
        (f"{SESSION}.set_role", {"value": "operator"}),
        (f"{SESSION}._hold", {"who": None}),
        (f"{DESK}.set_note", {"value": SECRET}),
        ("reflex___state____state.setvar", {"var_name": "is_hydrated", "value": True}),
        ("reflex___state____state.set_is_hydrated", {"value": True}),
        ("reflex___state____state.reset", {}),
        (
            "reflex___state____state.reflex___state____update_vars_internal_state.update_vars_internal",
            {"vars": {f"{SESSION}.role_rx_state_": "operator", f"{DESK}._hidden": "x"}},
        ),
        (HYDRATE, {"vars": {f"{SESSION}.role_rx_state_": "operator"}}),
        (
            "reflex___state____state.reflex___state____frontend_event_exception_state.handle_frontend_exception",
            {"info": SECRET, "component_stack": SECRET},
        ),
    ],
)
def test_the_frameworks_own_handlers_set_nothing(url: str, folder: Path, name: str, payload: dict[str, Any]) -> None:
    patient = cookie()

    async def scene() -> None:
        async with Tab(url, patient) as tab:
            await tab.send(HYDRATE)
            before = tab.state()
            assert await tab.send(name, **payload) == []
            await tab.send("whoami")
            assert tab.value("seen") == "patient:UTC"
            assert tab.value("role", SESSION) == "patient"
            assert tab.value("note") == before["note"]

    play(scene)
    assert SECRET not in (folder / "log").read_text()


# Arguments


@pytest.mark.parametrize("text", [5, 1.5, True, None, [], ["x"], {}, {"a": 1}, "\0", "a\0b", [["x"]] * 50])
def test_text_is_text(url: str, text: object) -> None:
    patient = cookie()

    async def scene() -> None:
        async with Tab(url, patient) as tab:
            await tab.send("write", text=text)
            assert tab.value("calls") is None
            await tab.send("write", text="\\u0000 typed by hand")
            assert tab.value("note") == "\\u0000 typed by hand"

    play(scene)


@pytest.mark.parametrize(
    "change",
    [
        {"count": "many"}, {"count": None}, {"count": 1.5}, {"count": {"a": 1}}, {"count": 2**63}, {"ident": "1"},
        {"ident": "-1"}, {"ident": None}, {"ident": "' or 1=1 --"}, {"tone": "shrill"}, {"tone": 1},
        {"flag": "perhaps"},
        {"extra": 1}, {"self": 1}, {"__class__": "x"}, {"__proto__": {}}, {"count": [1]}, {"count": "NaN"},
    ],
)  # fmt: skip
def test_arguments_that_do_not_fit_are_refused(url: str, change: dict[str, Any]) -> None:
    patient = cookie()
    fine = {"count": 3, "ident": str(uuid.uuid4())}

    async def scene() -> None:
        async with Tab(url, patient) as tab:
            await tab.send("typed", **{**fine, **change})
            assert tab.value("calls") is None
            await tab.send("typed", **fine)
            assert tab.value("calls") == 1

    play(scene)


def test_handlers_receive_the_types_they_declare(url: str) -> None:
    patient = cookie()

    async def scene() -> None:
        async with Tab(url, patient) as tab:
            await tab.send("typed", count="5", ident=str(uuid.uuid4()), tone="loud", flag=True)
            assert tab.value("seen") == "int UUID Tone bool"
            await tab.send("submit", form={"__reflex_form_data__": [["site", "arm"], ["days", "4"]]})
            assert tab.value("seen") == "arm 5"
            await tab.send("submit", form={"site": "leg"})
            await tab.send("submit", form={"__reflex_form_data__": "nonsense"})
            await tab.send("submit", form={"__reflex_form_data__": [["site"]]})
            assert tab.value("seen") == "arm 5"

    play(scene)


def test_missing_arguments_are_refused(url: str) -> None:
    patient = cookie()

    async def scene() -> None:
        async with Tab(url, patient) as tab:
            await tab.send("write")
            await tab.send("typed", count=1)
            assert tab.value("calls") is None

    play(scene)


@pytest.mark.parametrize(
    "data",
    [
        "x", 5, None, [], [{}], {}, {"name": 5}, {"name": None}, {"name": {"a": 1}}, {"name": f"no.such.{SECRET}"},
        {"name": f"{DESK}.write"}, {"name": f"{DESK}.write", "payload": "x"}, {"name": f"{DESK}.write",
        "payload": None},
        {"name": f"{DESK}.write", "payload": {"text": SECRET}, "router_data": "x"},
        {"name": f"{DESK}.write", "payload": {"text": SECRET}, "router_data": {"pathname": {"a": {"b": SECRET}}}},
        {"name": f"{DESK}.write", "payload": {"text": SECRET}, "router_data": {"query": {"q": "x" * 100_000}}},
        {"name": f"{DESK}.write", "payload": {"text": SECRET}, "router_data": {"pathname": ["/", "/"]}},
        json.dumps({"name": f"{DESK}.write", "payload": {"text": SECRET}, "router_data": ROUTE}),
    ],
)  # fmt: skip
def test_nonsense_on_the_socket_is_dropped_unlogged(url: str, folder: Path, data: object) -> None:
    patient = cookie()

    async def scene() -> None:
        async with Tab(url, patient) as tab:
            await tab.send(HYDRATE)
            assert await tab.send_raw(data) == []
            await tab.send("write", text="still here")
            assert (tab.value("note"), tab.value("calls")) == ("still here", 1)

    play(scene)
    assert SECRET not in (folder / "log").read_text()


def test_a_path_with_tricks_does_no_harm(url: str) -> None:
    async def scene() -> None:
        async with Tab(url) as tab:
            for path in ("//evil.example", "/../../etc/passwd", "https://evil.example", "/\\evil.example", "x" * 1999):
                route = {"pathname": path, "asPath": path, "query": {}}
                await tab.send_raw({"name": f"{DESK}.write", "payload": {"text": "x"}, "router_data": route})
            assert len(tab.redirects()) == 5
            assert not [target for target in tab.redirects() if not target.startswith("/sign-in")]
            assert "evil" not in str(tab.redirects())

    play(scene)


@pytest.mark.parametrize(
    "route",
    [
        {"pathname": "/lost", "asPath": "/lost", "query": {"splat": ["lost"]}},
        {"pathname": "/", "asPath": f"/?from={'x' * 3000}", "query": {"from": "x" * 3000}},
        {"pathname": "/consultations/[cid]", "asPath": "/consultations/1", "query": {"cid": "1"}},
        {},
    ],
)
def test_routes_as_pages_send_them_pass(url: str, route: dict[str, Any]) -> None:
    async def scene() -> None:
        async with Tab(url) as tab:
            await tab.send_raw({"name": f"{DESK}.greet", "payload": {}, "router_data": route})
            assert tab.value("seen") == "hello"

    play(scene)


# Sessions


def test_signing_out_elsewhere_ends_an_open_tab_at_its_next_event(url: str) -> None:
    mine = opened()

    async def scene() -> None:
        async with Tab(url, f"session={mine.token}") as tab:
            await tab.send("write", text=SECRET)
            assert tab.value("note") == SECRET
            await asyncio.to_thread(sessions.revoke, mine.who.session_id)
            await tab.send("write", text="after")
            assert tab.redirects() == ["/sign-in?next=/consultations"]
            assert tab.value("note") == ""
            assert tab.value("email", SESSION) == ""
            await tab.send(HYDRATE)
            assert SECRET not in str(tab.updates[-3:])

    play(scene)


@pytest.mark.parametrize("change", [{"disabled_at": utcnow()}, {"role": "dermatologist"}])
def test_a_change_of_the_account_counts_at_the_next_event(url: str, change: dict[str, Any]) -> None:
    mine = opened()

    def amend() -> None:
        with transaction() as tx:
            tx.get_one(User, mine.who.user_id).sqlmodel_update(change)

    async def scene() -> None:
        async with Tab(url, f"session={mine.token}") as tab:
            await tab.send("write", text="before")
            await asyncio.to_thread(amend)
            await tab.send("write", text="after")
            assert tab.value("note") != "after"
            assert tab.value("calls") != 2

    play(scene)


def test_a_stolen_client_token_opens_nothing(url: str) -> None:
    jane, ben = cookie(), cookie(email="ben@example.com")

    async def scene() -> None:
        async with Tab(url, jane) as victim:
            await victim.send("write", text=SECRET)
            token = victim.token
        for thief in ("", ben, "session=" + "A" * 43):
            async with Tab(url, thief, token) as tab:
                await tab.send(HYDRATE)
                await tab.send("greet")
                assert SECRET not in str(tab.updates)
                assert "jane@example.com" not in str(tab.updates)
        async with Tab(url, jane, token) as victim:
            await victim.send(HYDRATE)
            assert victim.value("note") == SECRET

    play(scene)


def test_a_thief_receives_nothing_of_a_handler_still_at_work(url: str) -> None:
    jane = cookie()
    work = {"name": f"{DESK}.work", "payload": {"text": SECRET}, "router_data": ROUTE}

    async def scene() -> None:
        async with Tab(url, jane) as victim:
            await victim.send("write", text="draft")
            await victim.client.emit("event", work, namespace="/_event")
            token = victim.token
            await asyncio.sleep(0.2)
        async with Tab(url, "", token) as thief:
            await asyncio.sleep(1.2)
            assert SECRET not in str(thief.updates)

    play(scene)


def test_a_token_used_by_two_tabs_of_one_person_keeps_them_apart(url: str) -> None:
    jane = cookie()

    async def scene() -> None:
        async with Tab(url, jane) as one, Tab(url, jane, one.token) as two:
            await one.send("write", text="one")
            await two.send("write", text="two")
            assert (one.value("note"), two.value("note")) == ("one", "two")

    play(scene)


# The socket itself


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost", "https://localhost:1", "http://evil.localhost"]
)
def test_another_site_can_open_no_socket(url: str, origin: str) -> None:
    jane = cookie()

    async def scene() -> None:
        with pytest.raises(socketio.exceptions.ConnectionError):
            await Tab(url, jane, origin=origin).__aenter__()
        with pytest.raises(socketio.exceptions.ConnectionError):
            await Tab(url, jane, origin=f"{url}.evil.example").__aenter__()

    play(scene)


def test_a_program_without_origin_has_no_authority(url: str) -> None:
    jane = cookie()

    async def scene() -> None:
        async with Tab(url, jane, origin=None) as tab:
            await tab.send("greet")
            await tab.send("write", text="x")
            assert (tab.value("seen"), tab.value("note")) == ("hello", None)
            assert tab.redirects()

    play(scene)


@pytest.mark.parametrize(
    "query",
    ["EIO=4&transport=polling&token={t}", "EIO=4&transport=websocket", "EIO=4&transport=websocket&token=a/../b"],
)
def test_other_transports_and_tokens_are_refused(url: str, query: str) -> None:
    async def scene() -> None:
        async with aiohttp.ClientSession(headers={"Origin": url}) as http:
            address = f"{url}/_event/?{query.format(t=uuid.uuid4())}"
            async with http.get(address) as answer:
                assert answer.status == 404
            async with http.post(address, data="x") as answer:
                assert answer.status == 404
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await http.ws_connect(address)

    play(scene)


def test_a_flood_ends_its_own_socket_and_no_other(url: str) -> None:
    jane = cookie()

    async def scene() -> None:
        async with Tab(url, jane) as calm, Tab(url, jane) as wild:
            for _ in range(1500):
                if not wild.client.connected:
                    break
                await wild.client.emit(
                    "event", {"name": f"{DESK}.greet", "payload": {}, "router_data": ROUTE}, namespace="/_event"
                )
            await asyncio.wait_for(wild.client.wait(), 20)  # the server reads them at its own pace
            await calm.send("write", text="calm")
            assert calm.value("note") == "calm"

    play(scene)


def test_an_enormous_event_ends_its_own_socket_and_no_other(url: str) -> None:
    jane = cookie()

    async def scene() -> None:
        async with Tab(url, jane) as calm, Tab(url, jane) as big:
            await big.send("write", text="x" * 1_200_000)
            assert not big.client.connected
            await calm.send("write", text="calm")
            assert calm.value("note") == "calm"

    play(scene)


# What the log says


def test_nothing_private_is_in_the_log(url: str, folder: Path) -> None:
    mine = opened(email="canary-mail@example.com")

    async def scene() -> None:
        async with Tab(url, f"session={mine.token}; other=canary-cookie") as tab:
            await tab.send("write", text=SECRET)
            await tab.send("fail")
            await tab.send("write", text=[SECRET])
            await tab.send("typed", count=SECRET, ident=SECRET)
            await tab.send(f"no.{SECRET}")
            await tab.client.emit("client_error", {"error_type": SECRET, "message": SECRET}, namespace="/_event")
            await tab.client.emit(SECRET, {"x": SECRET}, namespace="/_event")
            await asyncio.sleep(0.3)

    play(scene)
    text = (folder / "log").read_text()
    assert "ValueError" in text, "the failure itself must be there"
    assert '"handler":"desk.write"' in text.replace(" ", "")
    for canary in (SECRET, "canary", mine.token, mine.who.session_id):
        assert canary not in text


# Negative controls: each choke point is what stops it


def leaks_to_a_thief(url: str) -> bool:
    jane = cookie()
    found = False

    async def scene() -> None:
        nonlocal found
        async with Tab(url, jane) as victim:
            await victim.send("write", text=SECRET)
        async with Tab(url, "", victim.token) as thief:
            await thief.send(HYDRATE)
            found = SECRET in str(thief.updates)

    play(scene)
    return found


def test_the_guard_alone_wipes_a_state_before_another_session_sees_it(postgres_url: str, tmp_path: Path) -> None:
    with serving(tmp_path, postgres_url, WITHOUT_GATE="1") as url:
        assert not leaks_to_a_thief(url)


def test_without_gate_and_guard_the_same_attack_succeeds(postgres_url: str, tmp_path: Path) -> None:
    with serving(tmp_path, postgres_url, WITHOUT_GATE="1", WITHOUT_GUARD="1") as url:
        assert leaks_to_a_thief(url)
