"""What every view of the control page shares: the frame, lists with filters, and buttons that act."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.responses import HTMLResponse

from teleconsult.sandbox.context import Sandbox
from teleconsult.sandbox.pages import Html, clock, el, join, page

TABS = (("/", "Payments"), ("/events", "Events"), ("/orders", "Orders"))
JUMPS = ((60, "1 min"), (3_600, "1 hour"), (86_400, "1 day"), (5 * 86_400, "5 days"))
EACH_PAGE = 20


@dataclass(frozen=True)
class View:
    """One look at the sandbox: the address and what its query asks for."""

    sandbox: Sandbox
    path: str
    query: dict[str, str]

    def asked(self, name: str) -> str:
        """A part of the query, or nothing."""
        return self.query.get(name, "").strip()

    def here(self, anchor: str = "", **changes: str) -> str:
        """This address with some of its query changed, and an empty value taken out."""
        kept = {name: value for name, value in self.query.items() if name != "said"} | changes
        query = urlencode({name: value for name, value in kept.items() if value})
        return self.path + (f"?{query}" if query else "") + (f"#{anchor}" if anchor else "")

    def button(self, action: str, label: str, *, anchor: str = "", class_: str = "quiet", **fields: str) -> Html:
        """A button that acts and comes back to this very view."""
        return self.form(action, label, anchor=anchor, class_=class_, hidden=fields)

    def form(
        self,
        action: str,
        label: str,
        *inputs: Html,
        anchor: str = "",
        class_: str = "quiet",
        shape: str = "act",
        hidden: dict[str, str] | None = None,
    ) -> Html:
        """Fields and the button that sends them."""
        told = {**(hidden or {}), "back": self.here(anchor)}
        kept = [el("input", type="hidden", name=name, value=value) for name, value in told.items()]
        send = el("button", label, type="submit", class_=class_)
        return el("form", *kept, *inputs, send, method="post", action=f"/_sandbox/{action}", class_=shape)

    def filters(self, name: str, choices: tuple[tuple[str, str], ...], label: str) -> Html:
        """Links of which one is chosen, by a part of the query."""
        chosen = self.asked(name)
        links = [
            el(
                "a",
                text,
                href=self.here(**{name: value, "page": ""}),
                aria_current="true" if value == chosen else None,
            )
            for value, text in choices
        ]
        return el("nav", *links, class_="filters", aria_label=label)

    def paged(self, rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], Html]:
        """The newest rows first, one page of them, with the way to the others."""
        number = self.asked("page")
        at = int(number) if number.isdigit() and number.isascii() else 0
        newest = rows[::-1][at * EACH_PAGE : (at + 1) * EACH_PAGE]
        newer = el("a", "Newer", href=self.here(page=str(at - 1) if at > 1 else ""), class_="button quiet")
        older = el("a", "Older", href=self.here(page=str(at + 1)), class_="button quiet")
        more = (at + 1) * EACH_PAGE < len(rows)
        turn = el("nav", newer if at else "", older if more else "", class_="turn", aria_label="Pages")
        return newest, turn if at or more else Html("")


def select(label: str, name: str, choices: Sequence[tuple[str, str]], wanted: str, chosen: str = "") -> Html:
    """A labelled choice of several. `wanted` makes its id unique on the page."""
    options = [el("option", text, value=value, selected=value == chosen) for value, text in choices]
    return el(
        "div",
        el("label", label, for_=f"{wanted}-{name}"),
        el("select", *options, id=f"{wanted}-{name}", name=name),
        class_="field",
    )


def line(label: str, name: str, wanted: str, **attributes: Any) -> Html:
    """A labelled line of input, as narrow as its form allows."""
    attributes = {"type": "text", "id": f"{wanted}-{name}", "name": name} | attributes
    return el("div", el("label", label, for_=attributes["id"]), el("input", **attributes), class_="field")


def tag(text: str, tone: str = "") -> Html:
    """A word about the state of something."""
    return el("span", text, class_=f"tag {tone}".strip())


def more(wanted: str, label: str, *body: Any) -> Html:
    """What is only sometimes needed, behind a line that opens it. It stays open while the page renews itself."""
    return el("details", el("summary", label), el("div", *body, class_="more"), id=wanted)


def framed(view: View, title: str, *body: Html) -> HTMLResponse:
    """The page: the clock, the tabs, what the last button said, and the view."""
    store = view.sandbox.store
    tabs = [el("a", text, href=href, aria_current="page" if href == view.path else None) for href, text in TABS]
    said = view.asked("said")
    return page(
        title,
        el(
            "div",
            el(
                "div",
                el("div", el("h1", "Local Stripe"), _time(store.now())),
                _jumps(view),
                class_="top",
            ),
            el("nav", *tabs, class_="tabs", aria_label="Views"),
            el("p", said[:300], class_="done", role="status") if said else "",
            el("div", *body, id="live"),
            class_="console",
        ),
        script="console",
    )


def _time(now: int) -> Html:
    return el("p", f"Its clock says {clock(now)}.", class_="hint num", id="clock")


def _jumps(view: View) -> Html:
    steps = [view.button("clock", text, advance=str(seconds)) for seconds, text in JUMPS]
    return el("div", el("span", "Move the clock on by", class_="hint"), join(*steps), class_="jumps")
