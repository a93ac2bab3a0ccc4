"""Everything the sandbox knows, in memory and, if asked, in one file that is replaced as a whole after each change."""

from __future__ import annotations

import json
import os
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from teleconsult.sandbox.errors import missing

KEPT_IN_FILE, KEPT_IN_MEMORY, KEPT_REQUESTS = 1_000, 100_000, 5_000
DAY = 86_400
PERSISTED = ("objects", "deleted", "notes", "deliveries", "idempotency", "agenda", "clock_offset")


@dataclass
class Store:
    """Objects by Stripe's own name, each kind in order of creation. Only the event loop's thread touches it.

    `notes` holds what Stripe keeps to itself about an object (line items, the payment under way, a signing secret).
    `requests` is what came in over the API, for tests that search what Stripe was told; it is not kept over a restart.
    """

    path: Path | None = None
    objects: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    deleted: dict[str, str] = field(default_factory=dict)
    notes: dict[str, dict[str, Any]] = field(default_factory=dict)
    deliveries: list[dict[str, Any]] = field(default_factory=list)
    idempotency: dict[str, dict[str, Any]] = field(default_factory=dict)
    agenda: dict[str, dict[str, Any]] = field(default_factory=dict)
    clock_offset: int = 0
    requests: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=KEPT_REQUESTS))

    @classmethod
    def load(cls, path: Path | None) -> Store:
        """The state of the last run, or an empty one."""
        store = cls(path)
        if path and path.exists():
            for name, value in json.loads(path.read_text()).items():
                setattr(store, name, value)
        return store

    def save(self) -> None:
        """Write the file beside itself and rename it: a reader, or a crash, sees the old state or the new one."""
        self._prune(KEPT_IN_FILE if self.path else KEPT_IN_MEMORY)
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_name(self.path.name + ".new")
        fresh.write_text(json.dumps({name: getattr(self, name) for name in PERSISTED}))
        fresh.chmod(0o600)
        os.replace(fresh, self.path)  # noqa: PTH105 - the atomic rename is the point

    def clear(self) -> None:
        """Forget everything, the clock's shift included."""
        empty = Store(self.path)
        for name in (*PERSISTED, "requests"):
            setattr(self, name, getattr(empty, name))

    def now(self) -> int:
        """Unix seconds by the sandbox's clock, which a test may have moved."""
        return int(self.moment())

    def moment(self) -> float:
        """The same with its fraction."""
        return time.time() + self.clock_offset

    def all(self, kind: str) -> dict[str, dict[str, Any]]:
        """Every object of a kind, oldest first."""
        return self.objects.setdefault(kind, {})

    def put(self, item: dict[str, Any]) -> dict[str, Any]:
        """Keep an object under its own kind and id."""
        self.all(item["object"])[item["id"]] = item
        return item

    def find(self, kind: str, wanted: Any) -> dict[str, Any] | None:
        """The object, or None."""
        return self.all(kind).get(wanted) if isinstance(wanted, str) else None

    def get(self, kind: str, wanted: str, param: str = "id", status: int = 404) -> dict[str, Any]:
        """The object.

        Raises:
            StripeError: resource_missing, naming `param`.
        """
        item = self.find(kind, wanted)
        if item is None:
            raise missing(kind, wanted, param, status)
        return item

    def anything(self, wanted: str) -> dict[str, Any] | None:
        """An object of whatever kind, for `expand`."""
        return next((found for items in self.objects.values() if (found := items.get(wanted))), None)

    def remove(self, item: dict[str, Any]) -> dict[str, Any]:
        """Take an object away and give back Stripe's answer to that."""
        del self.all(item["object"])[item["id"]]
        self.deleted[item["id"]] = item["object"]
        return {"id": item["id"], "object": item["object"], "deleted": True}

    def note(self, wanted: str) -> dict[str, Any]:
        """What is privately known about an object; changes to it are kept."""
        return self.notes.setdefault(wanted, {})

    def _prune(self, kept: int) -> None:
        """Let go of old events, deliveries and keys: the file is written whole, so it must stay small."""
        events = self.all("event")
        for old in list(events)[: max(0, len(events) - kept)]:
            del events[old]
        del self.deliveries[:-kept]
        now = self.now()
        for key in [key for key, kept in self.idempotency.items() if kept["created"] < now - DAY]:
            del self.idempotency[key]
