"""Text: headings, the one serif line, secondary lines, long reading text."""

from __future__ import annotations

from typing import Any, Literal

import reflex as rx

from teleconsult.ui.parts.base import Node, cn


def h1(*text: Node, class_name: str = "", **attrs: Any) -> rx.Component:
    """The page's one main heading."""
    return rx.el.h1(*text, class_name=cn("text-[1.625rem] leading-8 sm:text-h1", class_name), **attrs)


def h2(*text: Node, class_name: str = "", **attrs: Any) -> rx.Component:
    """A section's heading."""
    return rx.el.h2(*text, class_name=cn("text-h3", class_name), **attrs)


def display(*text: Node, tag: Literal["h1", "h2", "p"] = "h1", class_name: str = "") -> rx.Component:
    """The serif line. One per screen at most: landing headline, the dermatologist's impression, empty calm."""
    make = {"h1": rx.el.h1, "h2": rx.el.h2, "p": rx.el.p}[tag]
    return make(*text, class_name=cn("font-display font-normal tracking-[-0.022em] text-balance", class_name))


def lede(*text: Node, class_name: str = "") -> rx.Component:
    """The sentence under a heading."""
    return rx.el.p(*text, class_name=cn("text-ink-2", class_name))


def eyebrow(text: Node, tag: Literal["p", "h2", "h3"] = "p", class_name: str = "") -> rx.Component:
    """A small label above a group."""
    make = {"p": rx.el.p, "h2": rx.el.h2, "h3": rx.el.h3}[tag]
    return make(text, class_name=cn("text-sm font-semibold tracking-normal text-ink-2", class_name))


def meta(*text: Node, class_name: str = "") -> rx.Component:
    """Secondary information: times, references, remarks."""
    return rx.el.p(*text, class_name=cn("text-sm text-ink-2", class_name))


def reading(*children: Node, class_name: str = "") -> rx.Component:
    """Long text written by people: paragraphs, numbered plans, lists."""
    return rx.el.div(*children, class_name=cn("reading max-w-read", class_name))


def visually_hidden(*children: Node) -> rx.Component:
    """Text for screen readers alone."""
    return rx.el.span(*children, class_name="sr-only")
