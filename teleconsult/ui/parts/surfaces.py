"""Cards, stacks, rows of buttons, disclosures."""

from __future__ import annotations

from typing import Any, Literal

import reflex as rx

from teleconsult.ui.parts.base import Node, cn
from teleconsult.ui.parts.icons import icon


def card(
    *children: Node,
    tag: Literal["div", "section", "article", "aside", "li"] = "div",
    pad: bool = True,
    class_name: str = "",
    **attrs: Any,
) -> rx.Component:
    """A white surface with a hairline edge."""
    make = {"div": rx.el.div, "section": rx.el.section, "article": rx.el.article, "aside": rx.el.aside, "li": rx.el.li}[
        tag
    ]
    return make(
        *children,
        class_name=cn("card rounded-card bg-card shadow-card", "p-5 sm:p-7" if pad else "", class_name),
        **attrs,
    )


def divider(class_name: str = "") -> rx.Component:
    """A hairline."""
    return rx.el.hr(class_name=cn("border-t border-line", class_name))


def stack(*children: Node, gap: Literal["sm", "md", "lg", "xl"] = "md", class_name: str = "") -> rx.Component:
    """Children one below the other at an even distance."""
    space = {"sm": "gap-3", "md": "gap-5", "lg": "gap-7", "xl": "gap-12"}[gap]
    return rx.el.div(*children, class_name=cn("flex flex-col", space, class_name))


def actions(*children: Node, sticky: bool = False, class_name: str = "") -> rx.Component:
    """A row of buttons: primary first in the source, right-hand on wide screens, full width on a phone.

    `sticky` pins the row to the bottom of a phone screen, above the safe area.
    """
    return rx.el.div(
        *children,
        class_name=cn(
            "no-print flex flex-col gap-3 sm:flex-row-reverse sm:items-center sm:justify-between",
            "sticky bottom-0 z-10 -mx-5 border-t border-line bg-card px-5 pt-3 "
            "pb-[max(0.75rem,env(safe-area-inset-bottom))] "
            "sm:static sm:mx-0 sm:border-0 sm:bg-transparent sm:p-0"
            if sticky
            else "",
            class_name,
        ),
    )


def disclosure(question: str, *answer: Node) -> rx.Component:
    """One FAQ entry on native <details>."""
    return rx.el.details(
        rx.el.summary(
            rx.el.span(question, class_name="font-semibold"),
            icon("chevron-down", 18, "mt-1 text-ink-2 transition-transform group-open:rotate-180"),
            class_name="flex min-h-11 items-start justify-between gap-4 rounded-sm py-4",
        ),
        rx.el.div(*answer, class_name="max-w-read pb-5 text-ink-2"),
        class_name="group",
    )
