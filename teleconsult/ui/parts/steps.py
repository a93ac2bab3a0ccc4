"""Where one is in a form, a set of views or a long list."""

from __future__ import annotations

from collections.abc import Sequence

import reflex as rx

from teleconsult.ui.parts.base import NavItem, Node, Text, cn, when
from teleconsult.ui.parts.icons import icon


def stepper(steps: Sequence[NavItem], current: int) -> rx.Component:
    """Bars with names; a phone shows only the current name. Finished steps are links. `current` counts from 1."""

    def step(number: int, item: NavItem) -> rx.Component:
        done, now = number < current, number == current
        bar = rx.el.span(class_name=cn("block h-1 rounded-full", "bg-brand" if done or now else "bg-line-2"))
        name = rx.el.span(
            icon("check", 14, "text-brand") if done else rx.el.span(f"{number}", class_name="num"),
            item.label,
            class_name=cn(
                "mt-2 inline-flex items-center gap-1.5 text-sm max-sm:sr-only",
                "font-semibold text-ink" if now else "text-ink-2",
            ),
        )
        body = (
            rx.el.a(
                bar,
                name,
                href=item.href,
                class_name="block rounded-sm py-1.5 no-underline hover:*:text-ink max-sm:-mb-7 max-sm:pt-2 max-sm:pb-8",
            )
            if done
            else rx.el.span(bar, name, class_name="block py-1.5 max-sm:pt-2 max-sm:pb-1")
        )
        return rx.el.li(body, class_name="min-w-0", custom_attrs={"aria-current": "step"} if now else {})

    return rx.el.nav(
        # A grid: its columns are the same while the page still arrives.
        rx.el.ol(
            *[step(i, item) for i, item in enumerate(steps, 1)],
            class_name=f"grid grid-cols-{len(steps)} gap-2 sm:gap-3",
        ),
        rx.el.p(
            rx.el.span(f"Step {current} of {len(steps)}", class_name="text-ink-2"),
            rx.el.span(f" {steps[current - 1].label}", class_name="font-semibold"),
            aria_hidden="true",
            class_name="mt-0.5 text-sm sm:hidden",
        ),
        aria_label="Progress",
    )


def tabs(items: Sequence[tuple[str, Node, str]], current: Text, label: str = "View") -> rx.Component:
    """Tabs that are links: each has a URL, Back works, no script. Items are (key, label with count, href)."""
    base = "inline-flex min-h-11 flex-none items-center border-b-2 px-1 text-md no-underline"
    look = {
        True: cn(base, "border-brand font-semibold text-ink"),
        False: cn(base, "border-transparent font-medium text-ink-2 hover:border-line-2 hover:text-ink"),
    }
    return rx.el.nav(
        *[
            rx.el.a(
                text,
                href=href,
                custom_attrs={"aria-current": when(current == key, "page", "false")},
                class_name=when(current == key, look[True], look[False]),
            )
            for key, text, href in items
        ],
        aria_label=label,
        class_name="no-print flex gap-6 overflow-x-auto border-b border-line [scrollbar-width:none]",
    )


def pagination(first: int, last: int, total: int, prev_href: str = "", next_href: str = "") -> rx.Component:
    """Where in a long list one is, with the way back and on."""

    def arrow(label: str, href: str, name: str) -> rx.Component:
        if href:
            return rx.el.a(
                icon(name),
                href=href,
                aria_label=label,
                class_name=(
                    "grid size-11 place-content-center rounded-control text-ink inset-ring inset-ring-line-2 "
                    "hover:bg-mist"
                ),
            )
        return rx.el.span(
            icon(name),
            aria_hidden="true",
            class_name="grid size-11 place-content-center rounded-control text-line-2 inset-ring inset-ring-line",
        )

    return rx.el.nav(
        rx.el.p(f"{first}–{last} of {total}", class_name="num text-sm text-ink-2"),
        rx.el.div(
            arrow("Previous page", prev_href, "chevron-left"),
            arrow("Next page", next_href, "chevron-right"),
            class_name="flex gap-2",
        ),
        aria_label="Pages",
        class_name="flex items-center justify-between",
    )
