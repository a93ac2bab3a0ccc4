"""What every part works with: the state, the address the sandbox is reached at, and the way events go out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from teleconsult.sandbox import objects
from teleconsult.sandbox.agenda import Agenda
from teleconsult.sandbox.delivery import NORMAL, Deliverer, Manner
from teleconsult.sandbox.endpoints import Target
from teleconsult.sandbox.faults import Faults
from teleconsult.sandbox.parameters import api_version
from teleconsult.sandbox.store import Store

AUTOMATIC = {"id": None, "idempotency_key": None}


@dataclass
class Sandbox:
    """One sandbox. `base` is its own address, without a final slash; `endpoint` is the one of the command line."""

    store: Store
    deliverer: Deliverer
    base: str
    endpoint: Target | None = None
    faults: Faults = field(default_factory=Faults)
    agenda: Agenda = field(init=False)

    def __post_init__(self) -> None:
        self.agenda = Agenda(self.store)

    def forget(self) -> None:
        """Begin anew, with nothing known and nothing planned."""
        self.deliverer.stop()
        self.store.clear()
        self.faults.orders.clear()
        self.agenda = Agenda(self.store)

    def emit(
        self,
        kind: str,
        item: dict[str, Any],
        *,
        previous: dict[str, Any] | None = None,
        request: dict[str, Any] | None = None,
        manner: Manner = NORMAL,
    ) -> dict[str, Any]:
        """Make an event of the object as it is now, and send it to every endpoint that asked for its type."""
        event = self.draft(kind, item, previous=previous, request=request)
        return self.publish(event, manner)

    def draft(
        self,
        kind: str,
        item: dict[str, Any],
        *,
        previous: dict[str, Any] | None = None,
        request: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """An event whose object is frozen now and which is published later, as Stripe's order asks for."""
        self.store.touch(item["object"], item["id"])
        event = objects.event(kind, item, self.store.now(), api_version(), request or AUTOMATIC)
        if previous is not None:
            event["data"]["previous_attributes"] = previous
        return event

    def publish(self, event: dict[str, Any], manner: Manner = NORMAL) -> dict[str, Any]:
        """Keep a drafted event and send it."""
        self.store.put(event)
        self.deliverer.send(event, manner)
        return event

    def plan(self, seconds: float, act: str, **facts: Any) -> None:
        """Let an act of `clockwork` happen by itself, so many seconds of the sandbox's clock from now."""
        self.agenda.add(seconds, act, facts)


@dataclass(frozen=True)
class Call:
    """One API request after its checks: typed parameters, the ids of its address, and who asked."""

    sandbox: Sandbox
    params: dict[str, Any]
    ids: tuple[str, ...]
    path: str
    request: dict[str, Any]

    @property
    def store(self) -> Store:
        """The state."""
        return self.sandbox.store

    def emit(self, kind: str, item: dict[str, Any], previous: dict[str, Any] | None = None) -> None:
        """Send an event that names this request as its cause."""
        self.sandbox.emit(kind, item, previous=previous, request=self.request)
