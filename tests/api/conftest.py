"""The API behind its gate, with a few compiled pages beside it."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest
from starlette.staticfiles import StaticFiles

from teleconsult.accounts import throttle
from teleconsult.api.app import create_api
from teleconsult.api.gate import Gate
from tests.api.browser import URL, Browser
from tests.support import fresh_settings

PAGE = '<!doctype html><script>go()</script><script type="module" src="/assets/a-1.js"></script><p>{}</p>'
PAGES = ("", "sign-in", "sign-up", "consultations", "clinic", "operations", "settings", "help")


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """What a build leaves behind."""
    for name in PAGES:
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "index.html").write_text(PAGE.format(name or "home"))
    (tmp_path / "404.html").write_text(PAGE.format("404").replace("go()", "lost()"))
    for name in ("assets/a-1.js", "fonts/f.woff2", "icons.svg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("<svg/>")
    return tmp_path


@pytest.fixture
def gated(database: str, pages: Path) -> Generator[Gate]:
    """What the server runs, without Reflex."""
    fresh_settings(PUBLIC_URL=URL, DATABASE_URL=database)
    for window in (throttle.ACCOUNT, throttle.ADDRESS, throttle.NEW_ACCOUNTS):
        window.clear()
    api = create_api()
    api.mount("", StaticFiles(directory=pages, html=True))
    yield Gate(api, pages=pages)
    fresh_settings(PUBLIC_URL=URL, ENVIRONMENT="test", TRUSTED_PROXY_HOPS="0")


@pytest.fixture
def stranger(gated: Gate) -> Browser:
    """A stranger's browser."""
    return Browser(gated)
