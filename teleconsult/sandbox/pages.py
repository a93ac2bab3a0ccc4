"""The common look of every page of the sandbox: grey, without a brand, saying on top what it is."""

from __future__ import annotations

import html
import time
from pathlib import Path
from typing import Any

from starlette.responses import HTMLResponse

HERE = Path(__file__).parent
MERCHANT = "Teleconsult"
SECURITY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; base-uri 'none'; "
    "connect-src 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
VOID = frozenset({"input", "meta", "link", "br", "hr"})


class Html(str):
    """Text that is markup already. Plain text is escaped wherever it meets it."""

    __slots__ = ()


def el(tag: str, *children: Any, **attributes: Any) -> Html:
    """An element. `class_` loses its underscore, others become hyphens; attributes that are None or False vanish."""
    names = "".join(_attribute(name, value) for name, value in attributes.items() if value not in (None, False))
    if tag in VOID:
        return Html(f"<{tag}{names}>")
    return Html(f"<{tag}{names}>{''.join(_escaped(child) for child in children)}</{tag}>")


def join(*children: Any) -> Html:
    """Several pieces in a row, without an element around them."""
    return Html("".join(_escaped(child) for child in children))


def page(title: str, *body: Any, status: int = 200, script: str = "") -> HTMLResponse:
    """A whole page under the bar that says that it is a test. `script` names its script."""
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="robots", content="noindex"),
        el("title", f"{title} · Test page"),
        el("link", rel="stylesheet", href="/sandbox.css"),
        el("link", rel="stylesheet", href="/console.css") if script == "console" else "",
        el("script", src=f"/{script}.js", defer=True) if script else "",
    )
    bar = el(
        "header",
        el("p", el("strong", "Test page."), " No money moves. This page only exists outside production."),
        class_="bar",
    )
    text = "<!doctype html>" + el("html", head, el("body", bar, el("main", *body)), lang="en")
    return HTMLResponse(text, status, SECURITY)


def notice(title: str, text: str, *actions: Any, status: int = 200) -> HTMLResponse:
    """A page that only says one thing and offers the way on."""
    return page(title, el("div", el("h1", title), el("p", text), *actions, class_="narrow"), status=status)


def field(label: str, name: str, **attributes: Any) -> Html:
    """A labelled line of input."""
    attributes = {"type": "text", "id": f"f-{name}", "name": name} | attributes
    return el("div", el("label", label, for_=attributes["id"]), el("input", **attributes), class_="field")


def radio(name: str, value: str, label: str, text: str, *, checked: bool = False) -> Html:
    """One choice of several, with a line that explains it."""
    words = el("span", el("span", label, class_="choice-label"), el("span", text, class_="hint"))
    return el("label", el("input", type="radio", name=name, value=value, checked=checked), words, class_="choice")


def link(label: str, href: str | None, class_: str = "button quiet") -> Html:
    """A link that looks like a button, or nothing when there is nowhere to go."""
    return el("a", label, href=href, class_=class_) if href else Html("")


def back(href: str | None) -> Html:
    """The way back to the shop."""
    return link(f"← Back to {MERCHANT}", href, "back")


def facts(rows: list[tuple[str, str]]) -> Html:
    """Names and values, the last pair being the sum."""
    return el("dl", *(el("div", el("dt", name), el("dd", value)) for name, value in rows), class_="facts")


def day(seconds: int) -> str:
    """`19 Nov 2026`, UTC."""
    at = time.gmtime(seconds)
    return f"{at.tm_mday} {time.strftime('%b %Y', at)}"


def clock(seconds: float) -> str:
    """`19 Nov, 15:01:07 UTC`."""
    at = time.gmtime(seconds)
    return f"{at.tm_mday} {time.strftime('%b, %H:%M:%S UTC', at)}"


def _attribute(name: str, value: Any) -> str:
    name = name.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{html.escape(str(value))}"'


def _escaped(child: Any) -> str:
    return child if isinstance(child, Html) else html.escape(str(child))
