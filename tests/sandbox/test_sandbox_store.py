"""What is kept, and for how long."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from teleconsult.sandbox import store as stores
from teleconsult.sandbox.store import Store


def event(number: int) -> dict[str, Any]:
    return {"id": f"evt_{number}", "object": "event"}


def delivery(number: int) -> dict[str, Any]:
    return {"id": f"wd_{number}", "event": f"evt_{number}"}


def test_old_events_go_with_their_deliveries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "KEPT_EVENTS", 5)
    monkeypatch.setattr(stores, "PRUNED_AT_ONCE", 2)
    kept = Store(tmp_path / "s.sqlite")
    for number in range(8):
        kept.put(event(number))
        kept.add_delivery(delivery(number))
        kept.save()
    for known in (kept, Store(tmp_path / "s.sqlite")):
        assert list(known.all("event")) == [f"evt_{number}" for number in range(3, 8)]
        assert list(known.deliveries) == [f"wd_{number}" for number in range(3, 8)]
        assert known.deliveries_of("evt_2") == []
        assert known.deliveries_of("evt_3") == [delivery(3)]


def test_keys_are_dropped_after_a_day(tmp_path: Path) -> None:
    kept = Store(tmp_path / "s.sqlite")
    kept.keep_answer("old", {"created": kept.now()})
    kept.advance(stores.DAY - 10)
    kept.keep_answer("young", {"created": kept.now()})
    kept.save()
    assert kept.kept_answer("old")
    kept.advance(20)
    kept.save()
    known = Store(tmp_path / "s.sqlite")
    assert (known.kept_answer("old"), known.kept_answer("young")) == (None, kept.kept_answer("young"))


def test_a_save_writes_only_what_changed(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    kept = Store(path)
    for number in range(3):
        kept.put(event(number))
    kept.save()
    with sqlite3.connect(path) as spy:
        spy.execute(
            'update rows set text = \'{"id": "evt_0", "object": "event", "spied": true}\' where key = \'evt_0\''
        )
    kept.get("event", "evt_0")
    kept.get("event", "evt_1")["changed"] = True
    kept.save()
    known = Store(path)
    assert "spied" in known.get("event", "evt_0"), "it was looked at and not changed, so it was not written"
    assert "changed" in known.get("event", "evt_1")


def test_forgetting_empties_the_file(tmp_path: Path) -> None:
    kept = Store(tmp_path / "s.sqlite")
    kept.put(event(1))
    kept.save()
    kept.clear()
    assert Store(tmp_path / "s.sqlite").objects == {}
