"""How deliveries went: each try with the answer's code, and what comes next."""

from __future__ import annotations

from typing import Any

from teleconsult.sandbox.console.frame import tag
from teleconsult.sandbox.context import Sandbox
from teleconsult.sandbox.delivery import PENDING, WITHHELD
from teleconsult.sandbox.pages import Html, clock, el

Item = dict[str, Any]


def delivery(row: Item) -> Html:
    """One delivery."""
    changed = ", ".join(name.replace("_", " ") for name in row["changes"])
    return el(
        "p",
        el("span", row["url"].partition("://")[2], class_="code hint"),
        *_tries(row),
        el("span", f"changed: {changed}", class_="hint") if changed else "",
        class_="delivery",
    )


def answers(sandbox: Sandbox, event: Item) -> list[Html]:
    """The same of all deliveries of an event, in few words."""
    rows = sandbox.store.deliveries_of(event["id"])
    return [word for row in rows for word in _tries(row)] or [tag("nobody asked for it", "off")]


def _tries(row: Item) -> list[Html]:
    codes = [_code(attempt) for attempt in row["tries"]]
    if row["status"] == WITHHELD:
        return [tag("held back", "bad")]
    if row["status"] == PENDING:
        words = f"next try {clock(row['due'])}" if codes else f"due {clock(row['due'])}"
        codes.append(el("span", words, class_="hint num"))
    return codes


def _code(attempt: Item) -> Html:
    status = attempt.get("status")
    if status is None:
        return tag(attempt["error"], "bad")
    return tag(f"{status} in {attempt['seconds']:.2f} s", "good" if 200 <= status < 300 else "bad")  # noqa: PLR2004 - 2xx
