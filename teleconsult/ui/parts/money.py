"""Prices and the order."""

from __future__ import annotations

from collections.abc import Sequence

import reflex as rx

from teleconsult.ui.parts.base import Node, Text, cn
from teleconsult.ui.parts.icons import icon
from teleconsult.ui.parts.surfaces import card
from teleconsult.ui.parts.typography import h2


def price(amount: Text, class_name: str = "") -> rx.Component:
    """An amount, formatted by `billing.rules.money`."""
    return rx.el.span(amount, class_name=cn("num font-semibold tracking-[-0.02em]", class_name))


def order_box(
    total: Text, rows: Sequence[tuple[Node, Node]], includes: Sequence[Node], *footer: Node, total_label: str = "Total"
) -> rx.Component:
    """What is paid, what is included, what happens to the money. Amounts arrive formatted from the server."""
    return card(
        h2("Your order"),
        rx.el.dl(
            *[
                rx.el.div(
                    rx.el.dt(term, class_name="text-md text-ink-2"),
                    rx.el.dd(value, class_name="num text-md"),
                    class_name="flex justify-between gap-6",
                )
                for term, value in rows
            ],
            rx.el.div(
                rx.el.dt(total_label, class_name="font-semibold"),
                rx.el.dd(price(total, "text-h2")),
                class_name="mt-3 flex items-baseline justify-between gap-6 border-t border-line pt-3",
            ),
            class_name="mt-4 space-y-1.5",
        ),
        rx.el.ul(
            *[
                rx.el.li(icon("check", 17, "mt-[3px] text-brand"), rx.el.span(text), class_name="flex gap-2.5 text-md")
                for text in includes
            ],
            class_name="mt-4 space-y-1.5",
        ),
        *footer,
        tag="section",
    )
