"""Who gets events: the endpoint of the command line and those registered through the API, with their secrets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from teleconsult.sandbox.ids import new_id
from teleconsult.sandbox.store import Store

KIND, LISTENER, COMMAND_LINE = "webhook_endpoint", "~listener", "command-line"
ENABLED, DISABLED = "enabled", "disabled"
DAY = 86_400


@dataclass(frozen=True)
class Target:
    """An address, the secrets it is signed with (two while one is rolled), and the types it asked for.

    `version` is the API version it was made with; without one it gets the account's.
    """

    name: str
    url: str
    secrets: tuple[str, ...]
    types: tuple[str, ...] = ("*",)
    version: str | None = None

    def wants(self, kind: str) -> bool:
        """Whether events of this type go there."""
        return "*" in self.types or kind in self.types


def everyone(store: Store) -> list[dict[str, Any]]:
    """Every endpoint, the one of the command line first."""
    return [*store.all(LISTENER).values(), *store.all(KIND).values()]


def get(store: Store, wanted: str) -> dict[str, Any]:
    """One of them.

    Raises:
        StripeError: 404.
    """
    return store.find(LISTENER, wanted) or store.get(KIND, wanted)


def in_force(store: Store) -> list[Target]:
    """Every endpoint that is switched on."""
    return [_target(store, row) for row in everyone(store) if row["status"] == ENABLED]


def _target(store: Store, row: dict[str, Any]) -> Target:
    secrets, types = tuple(store.note(row["id"])["secrets"]), tuple(row["enabled_events"])
    return Target(row["id"], row["url"], secrets, types, row.get("api_version"))


def seed(store: Store, given: Target | None) -> None:
    """Let the endpoint of the command line listen, and nobody when there is none.

    Like that of `stripe listen` it is not among the account's endpoints: the API neither lists nor changes it.
    """
    known = store.find(LISTENER, COMMAND_LINE)
    if given is None:
        if known:
            store.remove(known)
        return
    row = {"id": COMMAND_LINE, "object": LISTENER, "url": given.url, "enabled_events": list(given.types)}
    store.put(row | {"status": ENABLED})
    store.note(COMMAND_LINE)["secrets"] = list(given.secrets)


def roll(store: Store, row: dict[str, Any], secret: str | None = None) -> str:
    """Give it a new secret; the old one signs too until it is forgotten. Returns the new one."""
    fresh, note = secret or new_id("whsec_"), store.note(row["id"])
    note["secrets"] = [fresh, *note["secrets"][:1]]
    return fresh


def forget_old_secret(store: Store, wanted: str) -> None:
    """From now on only the newest secret signs."""
    if any(row["id"] == wanted for row in everyone(store)):
        store.note(wanted)["secrets"] = store.note(wanted)["secrets"][:1]


def heard(store: Store, wanted: str, *, ok: bool, patience: float | None) -> None:
    """Note an answer. Like Stripe, an endpoint that has only failed for long enough is switched off, if that is on."""
    row = store.find(LISTENER, wanted) or store.find(KIND, wanted)
    note = store.note(wanted)
    if ok or patience is None or row is None:
        note.pop("failing_since", None)
        return
    since = note.setdefault("failing_since", store.moment())
    if store.moment() - since >= patience:
        row["status"] = DISABLED
