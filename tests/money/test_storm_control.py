"""Negative control of the storm, in a file of its own: its database and its sandbox are emptied by nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import empty
from tests.money.stage import stage
from tests.money.test_storm import twenty_events


def test_without_the_ledger_one_event_is_many(postgres_url: str, tmp_path: Path) -> None:
    """The same storm on servers whose gate stands open."""
    empty(postgres_url)
    with stage(tmp_path, with_worker=False, NO_LEDGER="1") as unsafe, pytest.raises(AssertionError, match="noop"):
        twenty_events(unsafe)
