"""Declaring handlers, and the start that refuses undeclared ones."""

import uuid
from collections.abc import Callable, Generator
from types import FunctionType

import pytest
import reflex as rx
from reflex_base.registry import RegistrationContext

from teleconsult.accounts.models import Role
from teleconsult.accounts.sessions import SignedIn
from teleconsult.ui import guard
from teleconsult.ui.session import Session, _initials


def copy(fn: Callable[..., object]) -> FunctionType:
    """The same function anew, so that marking one doesn't mark the next test's."""
    fresh = FunctionType(fn.__code__, fn.__globals__, fn.__name__, fn.__defaults__)
    fresh.__annotations__ = dict(fn.__annotations__)
    fresh.__qualname__ = f"Desk.{fn.__name__}"  # as if written in the class: @rx.event looks at that
    return fresh


@pytest.fixture
def nothing_registered() -> Generator[None]:
    """A registry of Reflex's own states only; what the test adds is gone afterwards."""
    registry = RegistrationContext.get().fork()
    for name in [name for name, entry in registry.event_handlers.items() if not guard._of_framework(entry.handler.fn)]:
        del registry.event_handlers[name]
    with registry:
        yield


def state(handlers: dict[str, Callable[..., object]]) -> None:
    """A state with these handlers, registered under a name of its own."""
    type(f"Desk{uuid.uuid4().hex}", (rx.State,), {"__module__": __name__, "__annotations__": {}, **handlers})


def bare(self: rx.State) -> None:
    pass


def counted(self: rx.State, number: int = 1) -> None:
    pass


async def slow(self: rx.State) -> None:
    pass


@pytest.mark.usefixtures("nothing_registered")
def test_an_app_whose_handlers_are_declared_starts() -> None:
    state({"first": rx.event(guard.public(copy(bare))), "second": guard.allow("patient")(rx.event(copy(counted)))})
    app = rx.App()
    guard.install(app)
    assert [type(layer).__name__ for layer in app._middlewares].count("Guard") == 1


@pytest.mark.usefixtures("nothing_registered")
@pytest.mark.parametrize("make", [rx.event, lambda fn: fn, rx.event(background=True)])
def test_an_undeclared_handler_stops_the_start_by_its_name(make: Callable[..., Callable[..., object]]) -> None:
    state({"fine": guard.public(copy(bare)), "slow": make(copy(slow))})
    assert [name.rsplit(".", 1)[1] for name in guard.undeclared_handlers()] == ["slow"]
    with pytest.raises(RuntimeError, match=r"Declare who may call .*\.slow: @public"):
        guard.install(rx.App())


@pytest.mark.usefixtures("nothing_registered")
def test_what_begins_with_an_underscore_is_no_handler() -> None:
    state({"_helper": copy(bare)})
    assert guard.undeclared_handlers() == []


def untyped(self: rx.State, number) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - that is the point
    pass


def unknown(self: rx.State, number: "Missing") -> None:  # noqa: F821 - that is the point
    pass


def uploading(self: rx.State, file: rx.UploadFile) -> None:
    pass


@pytest.mark.usefixtures("nothing_registered")
@pytest.mark.parametrize("handler", [untyped, unknown, uploading])
def test_an_argument_that_can_not_be_checked_stops_the_start(handler: Callable[..., object]) -> None:
    state({"typed": guard.public(copy(handler))})
    with pytest.raises(RuntimeError, match="give every argument a type that can be checked"):
        guard.install(rx.App())


def test_a_role_that_does_not_exist_can_not_be_allowed() -> None:
    with pytest.raises(ValueError, match="admin"):
        guard.allow("admin")


@pytest.mark.parametrize(
    "value",
    ["\0", "a\0", "\ud800", ["\0"], {"a": "\0"}, {"\0": 1}, {"a": {"b": ["\udfff"]}}, 2**63, -(2**64), float("inf"),
     float("nan")],
)  # fmt: skip
def test_what_the_database_can_not_hold_is_refused(value: object) -> None:
    assert not guard._storable(value)


def test_endless_nesting_is_refused() -> None:
    nested: object = "x"
    for _ in range(5000):
        nested = [nested]
    assert not guard._storable(nested)


@pytest.mark.parametrize(
    "value", ["", "\\u0000", "café 👩🏽‍⚕️", "\n\t", 2**63 - 1, -5, 0.5, True, None, [1, {"a": "b"}]]
)
def test_ordinary_values_pass(value: object) -> None:
    assert guard._storable(value)


def who(name: str, email: str = "jane@example.com") -> SignedIn:
    return SignedIn("0" * 64, uuid.uuid4(), Role.PATIENT, name, email, "UTC")


@pytest.mark.parametrize(
    ("name", "letters"), [("Jane Miller", "JM"), ("jane", "J"), ("Ana de la Cruz", "AC"), ("", "J"), ("Özil", "Ö")]
)
def test_initials_are_of_the_name_else_of_the_address(name: str, letters: str) -> None:
    assert _initials(who(name)) == letters


def test_only_names_and_role_are_sent_to_the_page() -> None:
    public = {name for name in Session.get_fields() if not name.startswith(("_", "rx_", "router", "is_hydrated"))}
    assert public == {"name", "initials", "email", "role"}
