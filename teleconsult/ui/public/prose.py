"""The frame of pages that are read from top to bottom."""

from __future__ import annotations

from typing import NamedTuple

import reflex as rx

from teleconsult.ui.parts.base import Node
from teleconsult.ui.parts.headings import page_title
from teleconsult.ui.parts.messages import callout
from teleconsult.ui.parts.surfaces import card
from teleconsult.ui.parts.typography import reading
from teleconsult.ui.shell import page_shell


class Section(NamedTuple):
    """A heading and its paragraphs; a list of items is one tuple."""

    title: str
    body: tuple[Node | tuple[Node, ...], ...]


def prose(
    title: str, lead: Node, sections: tuple[Section, ...], *, before: Node = "", current: str = ""
) -> rx.Component:
    """Title, lead, then the sections on one card in one reading measure."""
    return page_shell(
        page_title(title, sub=lead),
        before,
        card(*[_section(section) for section in sections], class_name="space-y-8"),
        width="form",
        current=current,
    )


def fill_in(what: str) -> rx.Component:
    """A gap that the clinic has to fill before it opens, marked so that nobody overlooks it."""
    return rx.el.mark(f"[{what}]", class_name="rounded-sm bg-warn-soft px-0.5 font-medium text-warn-ink")


def to_complete() -> rx.Component:
    """Says on a page that it isn't finished until the clinic has completed it."""
    return callout(
        "This text comes with the software. The clinic that runs this site fills in the marked places and has the "
        "whole checked for its country before it opens.",
        tone="warn",
        title="To be completed by the clinic",
        class_name="mb-6",
    )


def _section(section: Section) -> rx.Component:
    blocks = [
        rx.el.ul(*[rx.el.li(item) for item in block]) if isinstance(block, tuple) else rx.el.p(block)
        for block in section.body
    ]
    return rx.el.section(rx.el.h2(section.title, class_name="text-h3"), reading(*blocks, class_name="mt-2"))
