"""Everything the sandbox knows, in memory and, if asked, in a file that outlives the process."""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path
from typing import Any

from teleconsult.sandbox.errors import missing
from teleconsult.sandbox.file import StateFile

KEPT_EVENTS, KEPT_REQUESTS, PRUNED_AT_ONCE = 50_000, 5_000, 1_000
DAY = 86_400
NOTES, DELETED, DELIVERIES, KEYS, AGENDA, SETTINGS = (
    "~note", "~deleted", "~delivery", "~key", "~agenda", "~setting"
)  # fmt: skip
Table = dict[str, Any]


class Store:
    """Objects by Stripe's own name, each kind in order of creation. Only the event loop's thread touches it.

    `notes` holds what Stripe keeps to itself about an object (line items, the payment under way, a signing secret).
    `requests` is what came in over the API, for tests that search what Stripe was told; it is not kept over a restart.

    What is looked up may be changed, and is written with the next `save`, which must come before the next pause.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._file = StateFile(path) if path else None
        self._begin()
        for place, key, value in self._file.rows() if self._file else ():
            self._tables.setdefault(place, {})[key] = value
        for row in self.deliveries.values():
            self._by_event.setdefault(row["event"], []).append(row)

    def _begin(self) -> None:
        self._tables: dict[str, Table] = {name: {} for name in (NOTES, DELETED, DELIVERIES, KEYS, AGENDA, SETTINGS)}
        self._by_event: dict[str, list[dict[str, Any]]] = {}
        self._touched: dict[tuple[str, str], None] = {}
        self.requests: deque[dict[str, Any]] = deque(maxlen=KEPT_REQUESTS)

    def save(self) -> None:
        """Write what may have changed since the last time."""
        self._prune()
        if self._file:
            self._file.write((place, key, self._tables.get(place, {}).get(key)) for place, key in self._touched)
        self._touched.clear()

    def clear(self) -> None:
        """Forget everything, the clock's shift included."""
        self._begin()
        if self._file:
            self._file.clear()

    def touch(self, place: str, key: str) -> None:
        """Mark a row as changed. Looking it up does so too."""
        self._touched[place, key] = None

    # ---- time

    def now(self) -> int:
        """Unix seconds by the sandbox's clock, which a test may have moved."""
        return int(self.moment())

    def moment(self) -> float:
        """The same with its fraction."""
        return time.time() + self._tables[SETTINGS].get("clock_offset", 0)

    def advance(self, seconds: float) -> None:
        """Move the clock."""
        self._tables[SETTINGS]["clock_offset"] = self._tables[SETTINGS].get("clock_offset", 0) + seconds
        self.touch(SETTINGS, "clock_offset")

    # ---- objects

    @property
    def objects(self) -> dict[str, Table]:
        """Every object, by kind."""
        return {kind: rows for kind, rows in self._tables.items() if not kind.startswith("~")}

    def all(self, kind: str) -> Table:
        """Every object of a kind, oldest first: to read, not to change."""
        return self._tables.setdefault(kind, {})

    def put(self, item: dict[str, Any]) -> dict[str, Any]:
        """Keep an object under its own kind and id."""
        self.all(item["object"])[item["id"]] = item
        self.touch(item["object"], item["id"])
        return item

    def find(self, kind: str, wanted: Any) -> dict[str, Any] | None:
        """The object, or None."""
        item = self.all(kind).get(wanted) if isinstance(wanted, str) else None
        if item is not None:
            self.touch(kind, wanted)
        return item

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
        self._drop(item["object"], item["id"])
        self.deleted[item["id"]] = item["object"]
        self.touch(DELETED, item["id"])
        return {"id": item["id"], "object": item["object"], "deleted": True}

    @property
    def deleted(self) -> Table:
        """The kinds of what was deleted, by id."""
        return self._tables[DELETED]

    def note(self, wanted: str) -> dict[str, Any]:
        """What is privately known about an object; changes to it are kept."""
        self.touch(NOTES, wanted)
        return self._tables[NOTES].setdefault(wanted, {})

    # ---- deliveries, keys, plans

    @property
    def deliveries(self) -> Table:
        """Every delivery, oldest first."""
        return self._tables[DELIVERIES]

    def deliveries_of(self, event: str) -> list[dict[str, Any]]:
        """The deliveries of one event."""
        return self._by_event.get(event, [])

    def add_delivery(self, row: dict[str, Any]) -> None:
        """Keep a new delivery."""
        self.deliveries[row["id"]] = row
        self._by_event.setdefault(row["event"], []).append(row)
        self.touch(DELIVERIES, row["id"])

    def kept_answer(self, key: str) -> dict[str, Any] | None:
        """What an idempotency key was answered with during the last day."""
        kept = self._tables[KEYS].get(key)
        return kept if kept and kept["created"] > self.now() - DAY else None

    def keep_answer(self, key: str, answer: dict[str, Any]) -> None:
        """Remember it, as the youngest."""
        self._tables[KEYS].pop(key, None)
        self._tables[KEYS][key] = answer
        self.touch(KEYS, key)

    @property
    def plans(self) -> Table:
        """What is on the agenda, by id."""
        return self._tables[AGENDA]

    def plan(self, wanted: str, entry: dict[str, Any]) -> None:
        """Put an entry on the agenda."""
        self.plans[wanted] = entry
        self.touch(AGENDA, wanted)

    def unplan(self, wanted: str) -> dict[str, Any]:
        """Take an entry off the agenda."""
        self.touch(AGENDA, wanted)
        return self.plans.pop(wanted)

    # ---- limits

    def _drop(self, place: str, key: str) -> None:
        del self._tables[place][key]
        self.touch(place, key)

    def _prune(self) -> None:
        """Let go of old events with their deliveries, and of keys that are a day old; now and then, many at once."""
        events, keys = self.all("event"), self._tables[KEYS]
        if len(events) > KEPT_EVENTS + PRUNED_AT_ONCE:
            for old in list(events)[: len(events) - KEPT_EVENTS]:
                self._drop("event", old)
                for row in self._by_event.pop(old, ()):
                    self._drop(DELIVERIES, row["id"])
        oldest = next(iter(keys), None)
        while oldest is not None and keys[oldest]["created"] < self.now() - DAY:
            self._drop(KEYS, oldest)
            oldest = next(iter(keys), None)
