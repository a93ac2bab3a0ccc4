"""Who gets events: the endpoint of the command line and those registered through the API, with their secrets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from teleconsult.sandbox import objects
from teleconsult.sandbox.ids import new_id
from teleconsult.sandbox.parameters import api_version
from teleconsult.sandbox.store import Store

KIND, COMMAND_LINE = "webhook_endpoint", "we_1CommandLine00000000000"
ENABLED, DISABLED = "enabled", "disabled"
DAY = 86_400


@dataclass(frozen=True)
class Target:
    """An address, the secrets it is signed with (two while one is rolled), and the types it asked for."""

    name: str
    url: str
    secrets: tuple[str, ...]
    types: tuple[str, ...] = ("*",)

    def wants(self, kind: str) -> bool:
        """Whether events of this type go there."""
        return "*" in self.types or kind in self.types


def in_force(store: Store) -> list[Target]:
    """Every endpoint that is switched on."""
    rows = store.all(KIND).values()
    return [_target(store, row) for row in rows if row["status"] == ENABLED]


def _target(store: Store, row: dict[str, Any]) -> Target:
    return Target(row["id"], row["url"], tuple(store.note(row["id"])["secrets"]), tuple(row["enabled_events"]))


def seed(store: Store, given: Target | None) -> None:
    """Register the endpoint of the command line, as if the dashboard had done it; without one, none is left of it.

    It is switched on again, and keeps the types a later call gave it as long as the command line stays the same.
    """
    known = store.find(KIND, COMMAND_LINE)
    if given is None:
        if known:
            store.remove(known)
        return
    if known is None or store.note(COMMAND_LINE).get("types") != list(given.types):
        params = {"url": given.url, "enabled_events": list(given.types), "api_version": api_version()}
        params["description"] = "The endpoint of the sandbox's command line"
        known = store.put(objects.webhook_endpoint(params, store.now()) | {"id": COMMAND_LINE})
    known |= {"url": given.url, "status": ENABLED}
    store.note(COMMAND_LINE).update(secrets=list(given.secrets), types=list(given.types))


def roll(store: Store, row: dict[str, Any], secret: str | None = None) -> str:
    """Give it a new secret; the old one signs too until it is forgotten. Returns the new one."""
    fresh, note = secret or new_id("whsec_"), store.note(row["id"])
    note["secrets"] = [fresh, *note["secrets"][:1]]
    return fresh


def forget_old_secret(store: Store, wanted: str) -> None:
    """From now on only the newest secret signs."""
    if store.find(KIND, wanted):
        store.note(wanted)["secrets"] = store.note(wanted)["secrets"][:1]


def heard(store: Store, wanted: str, *, ok: bool, patience: float | None) -> None:
    """Note an answer. Like Stripe, an endpoint that has only failed for long enough is switched off, if that is on."""
    row, note = store.find(KIND, wanted), store.note(wanted)
    if ok or patience is None or row is None:
        note.pop("failing_since", None)
        return
    since = note.setdefault("failing_since", store.moment())
    if store.moment() - since >= patience:
        row["status"] = DISABLED
