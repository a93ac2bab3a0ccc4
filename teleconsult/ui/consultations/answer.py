"""A dermatologist's answer as its patient reads it, on the screen and on paper."""

from __future__ import annotations

import reflex as rx

from teleconsult.ui.consultations.sheet import Words
from teleconsult.ui.parts.base import on_page
from teleconsult.ui.parts.buttons import button
from teleconsult.ui.parts.headings import avatar
from teleconsult.ui.parts.lists import facts
from teleconsult.ui.parts.messages import callout
from teleconsult.ui.parts.surfaces import card
from teleconsult.ui.parts.typography import display, eyebrow, h2, meta, reading


def answer(words: rx.vars.ObjectVar[Words]) -> rx.Component:
    """Who answered, what it looks like, what to do, and when to see somebody in person."""
    return card(
        _signed(words),
        rx.el.section(
            eyebrow("What it looks like", tag="h2"),
            display(
                words["impression"],
                tag="p",
                class_name="mt-1 text-[1.875rem] leading-9 sm:text-[2.125rem] sm:leading-10",
            ),
            reading(rx.foreach(words["explanation"].to(list[str]), rx.el.p), class_name="mt-4"),
            class_name="mt-7",
        ),
        rx.el.section(
            h2("Your plan"),
            reading(rx.el.ol(rx.foreach(words["plan"].to(list[str]), rx.el.li)), class_name="mt-4"),
            class_name="mt-8",
        ),
        rx.cond(words["medicine"] != "", _medicine(words)),
        callout(
            rx.el.p(words["safety_net"], class_name="whitespace-pre-line"),
            tone="warn",
            title="See a doctor in person if",
            class_name="mt-8",
        ),
        rx.el.div(
            button("Print", on_page("window.print()"), kind="secondary", icon_name="printer", full="phone"),
            class_name="no-print mt-6",
        ),
        tag="article",
        class_name="sm:p-9",
        data_testid="answer",
    )


def _signed(words: rx.vars.ObjectVar[Words]) -> rx.Component:
    return rx.el.div(
        avatar(words["initials"], "lg"),
        rx.el.div(
            rx.el.p(words["signer"], class_name="font-semibold"),
            meta(words["credentials"]),
            meta(words["answered"]),
            class_name="min-w-0",
        ),
        class_name="flex items-center gap-4",
    )


def _medicine(words: rx.vars.ObjectVar[Words]) -> rx.Component:
    """What to use and how, as text. It is not a prescription, and says so."""
    return rx.el.section(
        h2("Medicine"),
        facts([("Name", words["medicine"]), ("Use", words["medicine_use"])], wide=True, class_name="mt-3"),
        meta("This is advice, not a prescription you can hand in.", class_name="mt-3"),
        class_name="mt-8",
    )
