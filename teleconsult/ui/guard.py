"""The guard: every event of every page passes it, and is refused unless its handler says who may call it.

In Reflex any client can call any method of any state, also one that no page uses, with any arguments. So:

- each handler is declared `@public`, `@signed_in` or `@allow(role, …)`; an undeclared one stops the start and is
  refused at run time;
- the session is looked up in the database at every event, so that signing out ends open pages too;
- a state tree belongs to one session and is wiped before another one sees it;
- arguments are converted to the types the handler declares, or the event is refused;
- framework handlers that pages don't need (`setvar`, client storage) can't be called at all.

Refusals are silent and counted: a person never meets one, except for being asked to sign in.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import typing
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import pydantic
import reflex as rx
import structlog
from reflex.event import Event
from reflex.middleware.middleware import Middleware
from reflex.state import BaseState, StateUpdate
from reflex_base.registry import RegistrationContext
from reflex_base.utils.form import transform_form_data

from teleconsult import addresses
from teleconsult.accounts import sessions
from teleconsult.accounts.models import Role
from teleconsult.accounts.sessions import SignedIn
from teleconsult.accounts.throttle import Window
from teleconsult.errors import Unavailable
from teleconsult.settings import get_settings
from teleconsult.ui.session import Session

FROM_PAGES = {"hydrate", "hydrate_and_load", "on_load_internal"}
"""Framework handlers a page's own code calls."""

FRAMEWORK = {*FROM_PAGES, "set_is_hydrated"}
"""Framework handlers that may run. The last only follows another one, never from a page."""

SNAPSHOTS = {"hydrate", "hydrate_and_load"}
"""The two that send a whole state tree, and so need the session confirmed first."""

PAUSES = (0.5, 1, 2, 4, 8, 15)
"""Seconds before each new try of a snapshot while the database is away. The page keeps what it shows meanwhile."""

ROUTE_PARTS, ROUTE_LENGTH = 50, 8000
"""The most parts of an event's route, and characters of each: no address of ours comes near."""

LARGEST, DEEPEST = 2**63 - 1, 12
"""Bounds of an argument: the largest number of a PostgreSQL bigint, and levels of lists in lists."""

ANYBODY = "anybody"
_MARK = "__callers__"
_AWAY = "__while_away__"
_FORM_ENTRIES = "__reflex_form_data__"

refused: Counter[str] = Counter()
"""Refused events by reason since the start, for the metrics page and the tests."""

log = structlog.get_logger(__name__)
Handler = TypeVar("Handler", bound=Callable[..., Any])


def public(handler: Handler) -> Handler:
    """Anybody may call it, signed in or not."""
    return _mark(handler, frozenset({ANYBODY}))


def signed_in(handler: Handler) -> Handler:
    """Everybody with an account may call it."""
    return _mark(handler, frozenset(Role))


def allow(*roles: str) -> Callable[[Handler], Handler]:
    """Only people of these roles may call it: `@allow("dermatologist")`."""
    known = frozenset(Role(role) for role in roles)
    return lambda handler: _mark(handler, known)


def while_away(handler: Handler) -> Handler:
    """May run while the database is away too, for the person this tab was last confirmed to belong to.

    Only for handlers that take typed words into memory and save them later: without the database they read nothing and
    change nothing. Everything else is answered with `Unavailable`.
    """
    setattr(handler, _AWAY, True)
    return handler


def install(app: rx.App) -> None:
    """Put the guard in front of this app's events.

    Raises:
        RuntimeError: a handler isn't declared, or has arguments that can't be checked. Nothing is served then.
    """
    if open_ones := undeclared_handlers():
        raise RuntimeError(f"Declare who may call {', '.join(open_ones)}: @public, @signed_in or @allow(role).")
    for name, registered in _registry().items():
        if not _of_framework(registered.handler.fn):
            _read_arguments(name, registered.handler.fn)
    app.add_middleware(Guard())
    namespace = app.event_namespace
    if namespace is None:
        raise RuntimeError("The guard needs an app with state.")
    setattr(namespace, "on_event", _door(namespace.on_event))  # noqa: B010 - on this one instance
    setattr(namespace, "on_client_error", _drop_client_error)  # noqa: B010


def undeclared_handlers() -> list[str]:
    """Every handler of ours that doesn't say who may call it, by its full name."""
    return sorted(
        name
        for name, registered in _registry().items()
        if not _of_framework(registered.handler.fn) and not hasattr(registered.handler.fn, _MARK)
    )


class Guard(Middleware):
    """Decides about each event, also chained ones and those of `on_load`, just before its handler would run."""

    async def preprocess(self, app: rx.App, state: BaseState, event: Event) -> StateUpdate | None:  # noqa: ARG002
        """None lets the event pass; anything else is sent instead of running it."""
        fn = _registry()[event.name].handler.fn
        internal = _of_framework(fn)
        if internal and fn.__name__ not in FRAMEWORK:
            return _refuse("framework", event.name)
        token = sessions.token_in(state.router.headers.cookie, get_settings())
        held = await state.get_state(Session)
        if internal and fn.__name__ not in SNAPSHOTS and held._bound and held._sid == _sid_of(token):  # noqa: SLF001
            return None  # touches no data, and what follows is checked by itself
        try:
            who = await _confirm(token, PAUSES if internal else ())
        except Unavailable:
            if _goes_on(fn, held, token):
                return _check_arguments(event, fn)
            raise
        _bind(state, held, who)
        return None if internal else await _decide(state, event, fn, who)


async def _decide(state: BaseState, event: Event, fn: Callable[..., Any], who: SignedIn | None) -> StateUpdate | None:
    callers = _callers(fn)
    if ANYBODY not in callers and who is None:
        return await _to_sign_in(state, event.name)
    if ANYBODY not in callers and (who is None or who.role not in callers):
        return _refuse("role", event.name)
    return _check_arguments(event, fn)


def _goes_on(fn: Callable[..., Any], held: Session, token: str) -> bool:
    """Whether it runs while the database is away: `while_away`, for the session this tab is tied to."""
    same = bool(held._sid) and held._sid == _sid_of(token)  # noqa: SLF001 - the guard alone writes it
    return same and hasattr(fn, _AWAY) and held.role in _callers(fn)


async def _confirm(token: str, pauses: Sequence[float]) -> SignedIn | None:
    """Who holds the session, tried once more after each pause while the database is away."""
    for pause in pauses:
        try:
            return await asyncio.to_thread(sessions.confirm, token)
        except Unavailable:
            await asyncio.sleep(pause)
    return await asyncio.to_thread(sessions.confirm, token)


def _bind(state: BaseState, held: Session, who: SignedIn | None) -> None:
    """Tie the state tree to this session; empty it first if it belonged to another one."""
    if held._bound and held._sid != (who.session_id if who else ""):  # noqa: SLF001 - the guard alone writes it
        root = state._get_root_state()  # noqa: SLF001 - Reflex has no public way to the root
        hydrated = getattr(root, "is_hydrated", False)
        root.reset()
        setattr(root, "is_hydrated", hydrated)  # noqa: B010 - declared on the root state only
    held._hold(who)  # noqa: SLF001


def _check_arguments(event: Event, fn: Callable[..., Any]) -> StateUpdate | None:
    """Convert the arguments to the declared types in place, so that the handler gets exactly those."""
    known = _read_arguments(event.name, fn)
    missing = [name for name, argument in known.items() if argument.needed and name not in event.payload]
    if missing or set(event.payload) - set(known) or not _storable(event.payload):
        return _refuse("arguments", event.name)
    for name, value in event.payload.items():
        try:
            event.payload[name] = known[name].convert(value)
        except (pydantic.ValidationError, ValueError, TypeError):  # its text holds the value: never logged
            return _refuse("arguments", event.name)
    return None


async def _to_sign_in(state: BaseState, name: str) -> StateUpdate:
    _refuse("signed_out", name)
    path = str(state.router.url.path) or addresses.LANDING
    target = addresses.SIGN_IN if path == addresses.SIGN_IN else addresses.with_next(addresses.SIGN_IN, path)
    delta = await state._get_root_state()._get_resolved_delta()  # noqa: SLF001 - as Reflex sends it after a handler
    state._get_root_state()._clean()  # noqa: SLF001
    return StateUpdate(delta=delta, events=Event.from_event_type(rx.redirect(target)))


def _refuse(reason: str, name: str) -> StateUpdate:
    """Count it and answer with nothing. The name is one of the registry's, never a client's own words."""
    refused[reason] += 1
    log.info("event_refused", reason=reason, handler=name.rsplit("___", 1)[-1] or None)
    return StateUpdate()


def _door(enter: Callable[..., Any]) -> Callable[..., Any]:
    """Look at what arrives on a socket before it is queued, so that nonsense costs nothing and isn't logged."""
    events = Window(tries=150, seconds=5)

    async def on_event(sid: str, data: Any) -> None:
        if not events.take(sid):
            _refuse("flood", "")
        elif not _well_formed(data):
            _refuse("malformed", "")
        elif _internal_only(data):
            _refuse("framework", data["name"])
        else:
            await enter(sid, data)

    return on_event


def _well_formed(data: object) -> bool:
    """An event of a known handler, with a payload and a route that are what Reflex takes for granted."""
    if not isinstance(data, dict):
        return False
    name = data.get("name")
    known = isinstance(name, str) and name in _registry()
    return known and isinstance(data.get("payload", {}), dict) and _plain_route(data.get("router_data", {}))


def _internal_only(event: dict[str, Any]) -> bool:
    """A framework handler that no page of ours has a reason to call, or one with variables to set."""
    fn = _registry()[event["name"]].handler.fn
    return _of_framework(fn) and (fn.__name__ not in FROM_PAGES or bool(event.get("payload", {}).get("vars")))


def _plain_route(route: object) -> bool:
    """What the page's router makes: `pathname`, `asPath`, and a `query` of strings or, for a splat, lists of them."""
    if not isinstance(route, dict):
        return False
    query = route.get("query")
    parts = [value for name, value in route.items() if name != "query"]
    for value in query.values() if isinstance(query, dict) else [query]:
        parts += value if isinstance(value, list) else [value]
    return len(parts) <= ROUTE_PARTS and all(
        part is None or (isinstance(part, str) and len(part) <= ROUTE_LENGTH) for part in parts
    )


async def _drop_client_error(sid: str, data: Any = None) -> None:  # noqa: ARG001 - the signature of the socket event
    """A page reports an error in words of its own, which may be anything: counted, never written down."""
    refused["client_error"] += 1


class _Argument:
    """One argument of a handler: whether it is needed, and how a value becomes its type."""

    def __init__(self, hint: Any, needed: bool) -> None:
        self.hint, self.needed = hint, needed
        self.adapter = pydantic.TypeAdapter(hint)

    def convert(self, value: Any) -> Any:
        if isinstance(value, dict) and _FORM_ENTRIES in value:
            value = transform_form_data(value, self.hint)
        return self.adapter.validate_python(value)


@functools.cache
def _read_arguments(name: str, fn: Callable[..., Any]) -> dict[str, _Argument]:
    """The declared arguments of a handler without its `self`.

    Raises:
        RuntimeError: one has no type, or a type that can't be checked.
    """
    try:
        hints = typing.get_type_hints(fn)
        parameters = list(inspect.signature(fn).parameters.values())[1:]
        return {p.name: _Argument(hints[p.name], p.default is p.empty) for p in parameters}
    except (KeyError, NameError, pydantic.errors.PydanticUserError) as error:
        raise RuntimeError(f"{name}: give every argument a type that can be checked ({error}).") from None


def _storable(value: object, depth: int = 0) -> bool:
    """Whether PostgreSQL can hold it: no NUL, no halves of characters, no number beyond its own, no endless nesting."""
    if isinstance(value, str):
        return "\0" not in value and value == value.encode("utf-8", "ignore").decode()
    if isinstance(value, (int, float)):
        return abs(value) <= LARGEST
    if isinstance(value, Mapping):
        return depth < DEEPEST and all(_storable(part, depth + 1) for pair in value.items() for part in pair)
    if isinstance(value, (list, tuple)):
        return depth < DEEPEST and all(_storable(part, depth + 1) for part in value)
    return True


def _mark(handler: Handler, callers: frozenset[str]) -> Handler:
    setattr(getattr(handler, "fn", handler), _MARK, callers)  # @rx.event wraps functions outside a state
    return handler


def _callers(fn: Callable[..., Any]) -> frozenset[str]:
    return getattr(fn, _MARK, frozenset())


def _of_framework(fn: Callable[..., Any]) -> bool:
    return (getattr(fn, "__module__", None) or "").split(".")[0].startswith("reflex")


def _sid_of(token: str) -> str:
    return sessions.fingerprint(token) if token else ""


def _registry() -> dict[str, Any]:
    return RegistrationContext.get().event_handlers
