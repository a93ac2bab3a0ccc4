"""What is to happen by itself at some moment of the sandbox's clock: sessions expire, banks answer, books are kept.

It is part of the state, so a restart forgets none of it, and a clock that is moved brings it nearer.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any

from teleconsult.sandbox.ids import random_text

if TYPE_CHECKING:
    from teleconsult.sandbox.store import Store


class Agenda:
    """The entries of one store, earliest first. Each names its act and carries the facts for it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._heap = [(entry["at"], wanted) for wanted, entry in store.plans.items()]
        heapq.heapify(self._heap)

    def add(self, seconds: float, act: str, facts: dict[str, Any]) -> None:
        """Plan an act so many seconds from now."""
        wanted, at = random_text(12), self._store.moment() + seconds
        self._store.plan(wanted, {"at": at, "act": act, "facts": facts})
        heapq.heappush(self._heap, (at, wanted))

    def take(self) -> tuple[str, dict[str, Any]] | None:
        """The next act that is due, or None. It is off the agenda then."""
        if not self._heap or self._heap[0][0] > self._store.moment():
            return None
        entry = self._store.unplan(heapq.heappop(self._heap)[1])
        return entry["act"], entry["facts"]
