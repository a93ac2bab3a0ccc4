"""One cold load of one page on a slow phone, and what it cost."""

from __future__ import annotations

import gzip
import time
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page

from teleconsult.ops.faults import Fault

WIDTH, HEIGHT = 390, 844
NETWORK = {"offline": False, "latency": 150, "downloadThroughput": 1_600_000 / 8, "uploadThroughput": 750_000 / 8}
"""1.6 Mbit/s down, 150 ms for a round trip."""
SLOWER_CPU = 4
QUIET = 500
"""Milliseconds after the page is usable in which late chunks and late shifts still count."""
PATIENCE = 60_000

# Reflex says that a page's state has arrived, its `on_load` included, by setting `is_hydrated`. Two frames later the
# page shows it. The same signal is read on every page and on the blank one.
WATCH = """
    window.bench = {shift: 0, paint: null, usable: null, inline: ""};
    new PerformanceObserver(list => {
        for (const entry of list.getEntries())
            if (!entry.hadRecentInput) bench.shift += entry.value;
    }).observe({type: "layout-shift", buffered: true});
    new PerformanceObserver(list => {
        for (const entry of list.getEntries())
            if (entry.name === "first-contentful-paint") bench.paint = entry.startTime;
    }).observe({type: "paint", buffered: true});
    addEventListener("DOMContentLoaded", () => {
        bench.inline = [...document.querySelectorAll("style")].map(style => style.textContent).join("");
    });
    const shown = () => { bench.usable ??= performance.now(); };
    window.WebSocket = class extends WebSocket {
        constructor(...words) {
            super(...words);
            this.addEventListener("message", ({data}) => {
                if (typeof data === "string" && /"is_hydrated[^"]*":true/.test(data))
                    requestAnimationFrame(() => requestAnimationFrame(shown));
            });
        }
    };
"""


@dataclass(frozen=True)
class Load:
    """Bytes on the wire as gzip, milliseconds since navigation, and the sum of layout shifts."""

    status: int
    js: int = 0
    css: int = 0
    paint: float = 0.0
    usable: float = 0.0
    shift: float = 0.0


@dataclass
class Wire:
    """Counts what comes over the network, by kind."""

    kinds: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    not_gzip: list[str] = field(default_factory=list)
    """Scripts and styles that came in another compression, whose sizes the budget does not speak of."""

    def listen(self, cdp: CDPSession) -> None:
        cdp.on("Network.responseReceived", self._begun)
        cdp.on("Network.loadingFinished", self._ended)

    def total(self, kind: str) -> int:
        return sum(size for key, size in self.sizes.items() if self.kinds.get(key) == kind)

    def _begun(self, event: dict[str, Any]) -> None:
        response, key = event["response"], event["requestId"]
        headers = {name.lower(): value for name, value in response["headers"].items()}
        mime = response["mimeType"]
        self.kinds[key] = "js" if "javascript" in mime else "css" if mime == "text/css" else ""
        if self.kinds[key] and headers.get("content-encoding", "gzip") != "gzip":
            self.not_gzip.append(response["url"])
        if "content-length" in headers:  # the compressed body alone, the same in every run
            self.sizes[key] = int(headers["content-length"])

    def _ended(self, event: dict[str, Any]) -> None:
        self.sizes.setdefault(event["requestId"], int(event["encodedDataLength"]))


def load(browser: Browser, url: str, cookies: Any) -> Load:
    """Open an address as a phone that was never here before."""
    context = browser.new_context(
        viewport={"width": WIDTH, "height": HEIGHT}, is_mobile=True, has_touch=True, storage_state=cookies
    )
    try:
        return _measure(context.new_page(), url)
    finally:
        context.close()


def _measure(page: Page, url: str) -> Load:
    cdp, wire = page.context.new_cdp_session(page), Wire()
    cdp.send("Network.enable")
    cdp.send("Network.setCacheDisabled", {"cacheDisabled": True})
    cdp.send("Network.setExtraHTTPHeaders", {"headers": {"Accept-Encoding": "gzip"}})
    cdp.send("Network.emulateNetworkConditions", NETWORK)
    cdp.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER_CPU})
    wire.listen(cdp)
    page.add_init_script(WATCH)
    answer = page.goto(url, wait_until="commit", timeout=PATIENCE)
    status = answer.status if answer else 0
    if status != 200:
        return Load(status)
    _until_usable(page)
    page.wait_for_load_state("networkidle", timeout=PATIENCE)
    page.wait_for_timeout(QUIET)
    page.locator("main h1:visible").first.wait_for()  # what was timed is the page, not an error or a skeleton
    if wire.not_gzip:
        raise Fault(f"Not gzip, though nothing else was asked for: {', '.join(wire.not_gzip)}")
    seen = page.evaluate("bench")
    inline = gzip.compress(seen["inline"].encode(), mtime=0)
    usable = max(seen["usable"], seen["paint"])  # an answer that nobody sees yet is of no use
    return Load(status, wire.total("js"), wire.total("css") + len(inline), seen["paint"], usable, seen["shift"])


def _until_usable(page: Page) -> None:
    """Ask from outside: the pages' policy refuses the `eval` that Playwright's own waiting needs."""
    deadline = time.monotonic() + PATIENCE / 1000
    while not page.evaluate("bench.usable !== null && bench.paint !== null"):
        if time.monotonic() > deadline:
            raise Fault(f"{page.url} was not usable within {PATIENCE // 1000} s.")
        page.wait_for_timeout(250)
