"""What every part stands on: shared types and helpers that work on Python values and Reflex Vars alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

import reflex as rx

Text: TypeAlias = str | rx.Var[str]


Flag: TypeAlias = bool | rx.Var[bool]


Node: TypeAlias = rx.Component | str | rx.Var[str]


Handler: TypeAlias = Any  # what Reflex accepts in on_click and friends


Tone = Literal["neutral", "info", "ok", "warn", "ask", "danger"]


class NavItem(NamedTuple):
    """A place to go: its name and its address."""

    label: str
    href: Text


def cn(*names: str) -> str:
    """Join class names, dropping the empty ones."""
    return " ".join(name for name in names if name)


def pick(value: Text, cases: Mapping[str, Any], default: Any) -> Any:
    """Choose by a plain string now, or by a Var in the browser. Both branches are compiled literals."""
    if isinstance(value, rx.Var):
        return rx.match(value, *cases.items(), default)
    return cases.get(value, default)


def when(condition: Flag | Text, shown: Any, other: Any = "") -> Any:
    """`rx.cond` for Vars, plain `if` for Python values (so static pages carry no dead branches)."""
    if isinstance(condition, rx.Var):
        return rx.cond(condition, shown, other)
    return shown if condition else other


def given(value: Node) -> bool:
    """Whether a part was handed something to show. A Var counts: what it holds is known in the browser only."""
    return isinstance(value, rx.Var) or bool(value)


def on_page(script: str) -> rx.event.EventSpec:
    """Run a DOM one-liner in the browser, without eval: it is compiled into the page as a function."""
    return rx.run_script(script)


def focus_fragment() -> rx.event.EventSpec:
    """Move the focus to the element that the address names, after a link to `#id` was followed."""
    return on_page("setTimeout(() => document.getElementById(decodeURIComponent(location.hash.slice(1)))?.focus())")
