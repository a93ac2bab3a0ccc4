"""Settings that last for one test."""

from __future__ import annotations

from collections.abc import Callable, Generator

import pytest

from teleconsult.settings import get_settings


@pytest.fixture
def set_to(monkeypatch: pytest.MonkeyPatch) -> Generator[Callable[..., None]]:
    """Change settings: `set_to(PRICE_MINOR="3500")`. They are back to what they were afterwards."""

    def change(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        get_settings.cache_clear()

    change()
    yield change
    get_settings.cache_clear()
