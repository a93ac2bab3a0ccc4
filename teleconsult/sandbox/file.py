"""The state on disk: one SQLite file, one row for each thing that is known.

A save writes only what changed and is one transaction, so it costs the same with ten sessions as with ten thousand,
and a process that is killed loses nothing it had answered for. (A power cut may take the last moments with it: the
file is not flushed to the disk at each save, which a sandbox doesn't need.)
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

TABLE = "create table if not exists rows (id integer primary key, place text, key text, text text, unique (place, key))"
PUT = "insert into rows (place, key, text) values (?, ?, ?) on conflict (place, key) do update set text = excluded.text"
Row = tuple[str, str, Any]


class StateFile:
    """One file. A row's place is the kind of thing it is, its key the thing's id; None removes it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = normal")
        self._db.execute(TABLE)
        self._written: dict[tuple[str, str], int] = {}

    def rows(self) -> Iterator[Row]:
        """Everything, in the order in which it was first written."""
        for place, key, text in self._db.execute("select place, key, text from rows order by id"):
            self._written[place, key] = hash(text)
            yield place, key, json.loads(text)

    def write(self, changes: Iterable[Row]) -> None:
        """Keep these rows, all or none; what is as it was costs nothing."""
        fresh = [row for row in map(self._changed, changes) if row]
        if not fresh:
            return
        self._db.execute("begin")
        self._db.executemany("delete from rows where place = ? and key = ?", [r[:2] for r in fresh if r[2] is None])
        self._db.executemany(PUT, [row for row in fresh if row[2] is not None])
        self._db.execute("commit")

    def clear(self) -> None:
        """Forget everything."""
        self._written.clear()
        self._db.execute("delete from rows")

    def _changed(self, row: Row) -> tuple[str, str, str | None] | None:
        place, key, value = row
        if value is None:
            known = self._written.pop((place, key), None)
            return (place, key, None) if known is not None else None
        text = json.dumps(value)
        if self._written.get((place, key)) == hash(text):
            return None
        self._written[place, key] = hash(text)
        return place, key, text
