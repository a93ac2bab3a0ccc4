"""One large sentence and a way on: pages for when there is nothing else to show."""

from __future__ import annotations

import reflex as rx

from teleconsult.ui.parts.base import Node
from teleconsult.ui.parts.buttons import link_button
from teleconsult.ui.parts.typography import display, meta
from teleconsult.ui.shell import page_shell


def plain(label: str, sentence: str, text: Node, *actions: rx.Component) -> rx.Component:
    """The words alone, for use inside a page."""
    return rx.el.div(
        meta(label),
        display(sentence, class_name="mt-2 text-[2.25rem] leading-[1.12] sm:text-[2.75rem]"),
        rx.el.div(text, class_name="mt-4 text-lg text-ink-2"),
        rx.el.div(*actions, class_name="mt-8 flex flex-col gap-3 sm:flex-row"),
        class_name="mx-auto max-w-form py-6 sm:py-16",
    )


def nothing_here() -> rx.Component:
    """For an address without a page, and for a consultation that is somebody else's: the two look alike."""
    return plain(
        "Page not found",
        "There is nothing at this address.",
        "The link may be old, or it belongs to someone else’s account.",
        link_button("Go to your consultations", "/consultations", document=True, full="phone"),
        link_button("Get help", "/help", kind="secondary", full="phone"),
    )


def not_found() -> rx.Component:
    """The page for addresses that don't exist."""
    return page_shell(nothing_here())
