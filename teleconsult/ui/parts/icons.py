"""The icon sprite and the brand mark."""

from __future__ import annotations

from typing import Any

import reflex as rx

from teleconsult.ui.parts.base import Text, cn

ICON_SPRITE = "/icons.svg"


BRAND = "Teleconsult"


def icon(name: Text, size: int = 18, class_name: str = "", label: str = "") -> rx.Component:
    """An icon from the sprite. `name` may be a Var: no extra JavaScript either way."""
    hidden: dict[str, Any] = {"role": "img", "aria_label": label} if label else {"aria_hidden": "true"}
    return rx.el.svg(
        rx.el.svg.use(href=f"{ICON_SPRITE}#{name}"),
        width=str(size),
        height=str(size),
        class_name=cn("icon", class_name),
        custom_attrs={"focusable": "false"},
        **hidden,
    )


def spinner(size: int = 18, class_name: str = "") -> rx.Component:
    """Something is under way. It stands still for people who asked for less motion."""
    return icon("loader-circle", size, cn("spin", class_name))


def brand_mark(size: int = 30) -> rx.Component:
    """A speech bubble seen through a lens: one spot, one answer."""
    return rx.el.svg(
        rx.el.svg.path(
            d=(
                "M16 4.5c6.6 0 11.5 4.7 11.5 10.9S22.6 26.3 16 26.3c-1.5 0-2.9-.2-4.2-.7l-4.7 2a.9.9 0 0 "
                "1-1.2-1l.7-4.3c-1.4-1.9-2.1-4.3-2.1-6.9C4.5 9.2 9.4 4.5 16 4.5Z"
            ),
            fill="var(--color-brand)",
        ),
        rx.el.svg.circle(cx="16", cy="15.4", r="5.6", fill="none", stroke="#fff", stroke_width="2"),
        rx.el.svg.circle(cx="16", cy="15.4", r="1.9", fill="#fff"),
        view_box="0 0 32 32",
        width=str(size),
        height=str(size),
        class_name="flex-none",
        aria_hidden="true",
    )


def brand(href: Text = "/") -> rx.Component:
    """Mark and name, leading home."""
    return rx.el.a(
        brand_mark(),
        rx.el.span(BRAND, class_name="text-[1.0625rem] font-semibold tracking-[-0.015em]"),
        href=href,
        class_name="-mx-1 inline-flex min-h-11 items-center gap-2 rounded-control px-1 text-ink no-underline",
    )
