"""One product for all these tests, one browser for each file, and a console that has to stay silent."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from teleconsult.ops import browser as browsers
from teleconsult.ops import build, postgres
from tests.e2e import product as products
from tests.e2e.product import Product
from tests.sandbox_process import free_port

FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-gpu"]
PATIENCE = 30_000
"""Milliseconds that something on a page may take on a slow machine."""

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}

Open = Callable[..., Page]


@pytest.fixture(scope="session")
def product() -> Generator[Product]:
    """The product, running. At the end nothing of it is left, and it never failed."""
    build.ensure()
    folder = Path(tempfile.mkdtemp(prefix="teleconsult-e2e-"))
    running = products.start(folder, free_port())
    try:
        yield running
    finally:
        left = running.stop()
        said = running.said.read_text(encoding="utf-8")
        logs = "".join(path.read_text(encoding="utf-8") for path in (running.data / "logs").glob("*.log"))
        postgres.remove(running.data)
        shutil.rmtree(folder)
    assert left == []
    assert running.process.returncode == 0
    assert "Stopped. Your data is kept." in said
    assert "Traceback" not in said + logs, said + logs


@pytest.fixture(scope="module")
def chromium() -> Generator[Browser]:
    """A browser. For one file only: while it runs, this process has an event loop that tests elsewhere can't have."""
    path = os.environ.get(browsers.VARIABLE) or browsers.find_or_install()
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def open_page(chromium: Browser, product: Product) -> Generator[Open]:
    """Makes a page in a browser profile of its own. Nothing may complain in any console by the end of the test."""
    complaints: list[str] = []
    contexts: list[BrowserContext] = []

    def make(*, expect: str = "", **options: Any) -> Page:
        context = chromium.new_context(base_url=product.url, **{"viewport": DESKTOP, "locale": "en-GB", **options})
        context.set_default_timeout(PATIENCE)
        context.on("console", lambda message: _note(complaints, message, expect))
        context.on("weberror", lambda error: complaints.append(f"{error.page and error.page.url}: {error.error}"))
        contexts.append(context)
        return context.new_page()

    yield make
    for context in contexts:
        context.close()
    assert complaints == []


def _note(complaints: list[str], message: ConsoleMessage, expect: str) -> None:
    if message.type == "error" and not (expect and expect in message.text):
        complaints.append(f"{message.location.get('url')}: {message.text}")


@pytest.fixture
def page(open_page: Open) -> Page:
    """One page at desktop width."""
    return open_page()
