"""Figures that stand by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import reflex as rx

from teleconsult.ui.parts.base import Node, Text, cn, pick
from teleconsult.ui.parts.icons import icon

TONE_ICON = {"ok": "circle-check", "warn": "triangle-alert", "danger": "circle-alert"}
"""Tones with a mark. A figure of any other tone is only told."""

_CARD = "card rounded-card bg-card shadow-card p-4 sm:p-5"
_EDGE = {
    "warn": "inset-ring-[1.5px] inset-ring-warn-line",
    "danger": "inset-ring-[1.5px] inset-ring-danger-line",
}
_FIGURE = "num mt-1 text-[1.625rem] leading-9 font-semibold tracking-[-0.02em] sm:text-[1.75rem]"
_NOTE = "mt-1 flex gap-1.5 text-sm"
_INK = {"ok": "font-medium text-ok-ink", "warn": "font-medium text-warn-ink", "danger": "font-medium text-danger-ink"}


def stat_tiles(*tiles: rx.Component | rx.Var) -> rx.Component:
    """A grid of `stat_tile`s, or of one `rx.foreach` that makes them: two columns on a phone, four on a desk."""
    return rx.el.dl(*tiles, class_name="grid grid-cols-2 gap-3 lg:grid-cols-4 lg:gap-4")


def stat_tile(label: Node, value: Node, note: Node, tone: Text = "neutral", **attrs: Any) -> rx.Component:
    """One figure. It has colour only where somebody has to look, and the note says why. `tone` may be a Var."""
    mark = pick(tone, {key: icon(name, 15, "mt-[3px]") for key, name in TONE_ICON.items()}, rx.fragment())
    return rx.el.div(
        rx.el.dt(label, class_name="text-md text-ink-2"),
        rx.el.dd(value, class_name=_toned(tone, _FIGURE, {"danger": "text-danger-ink"})),
        rx.el.dd(mark, rx.el.span(note), class_name=_toned(tone, _NOTE, _INK, "text-ink-2")),
        class_name=_toned(tone, _CARD, _EDGE),
        **attrs,
    )


def _toned(tone: Text, always: str, by_tone: Mapping[str, str], otherwise: str = "") -> Any:
    return pick(tone, {key: cn(always, value) for key, value in by_tone.items()}, cn(always, otherwise))
