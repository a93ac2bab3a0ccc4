"""The top of a page: title, way back, the letterhead on paper; and the round initials of a person."""

from __future__ import annotations

from typing import Literal

import reflex as rx

from teleconsult.ui.parts.base import Node, Text, cn, given
from teleconsult.ui.parts.buttons import row_link
from teleconsult.ui.parts.icons import BRAND, brand_mark
from teleconsult.ui.parts.typography import h1, lede, meta


def avatar(initials: Text, size: Literal["sm", "md", "lg"] = "sm") -> rx.Component:
    """Initials in a circle; the name itself stands beside it, so this one is hidden from screen readers."""
    box = {"sm": "size-8 text-xs", "md": "size-11 text-md", "lg": "size-13 text-base"}[size]
    return rx.el.span(
        initials,
        aria_hidden="true",
        class_name=cn(
            "inline-grid flex-none place-content-center rounded-full bg-brand-soft font-semibold text-brand-ink", box
        ),
    )


def page_title(title: Node, *aside: Node, sub: Node = "", above: Node = "", class_name: str = "") -> rx.Component:
    """The page's h1 with a line above, a line below and actions at its side."""
    return rx.el.div(
        rx.el.div(
            meta(above, class_name="mb-1") if given(above) else rx.fragment(),
            h1(title),
            lede(sub, class_name="mt-1.5") if given(sub) else rx.fragment(),
            class_name="min-w-0 max-w-read",
        ),
        rx.el.div(*aside, class_name="flex flex-none flex-wrap items-center gap-3 max-sm:*:flex-1")
        if aside
        else rx.fragment(),
        class_name=cn("mb-7 flex flex-col gap-x-8 gap-y-5 sm:flex-row sm:items-end sm:justify-between", class_name),
    )


def print_head(who: Text) -> rx.Component:
    """Paper only: who sent this and for whom, because the site header is not printed."""
    return rx.el.div(
        rx.el.span(brand_mark(26), BRAND, class_name="flex items-center gap-2 font-semibold"),
        rx.el.span(who),
        aria_hidden="true",
        class_name="mb-6 hidden items-center justify-between border-b border-line pb-3 print:flex",
    )


def back_link(label: str, href: str) -> rx.Component:
    """One step up, above the title."""
    return rx.el.div(row_link(label, href, "arrow-left"), class_name="no-print -mt-3 mb-2")
