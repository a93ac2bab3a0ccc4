"""The card with a dermatologist's answer, on the screen and on paper."""

from __future__ import annotations

import reflex as rx

from teleconsult.ui.answer import Words, answer_sheet
from teleconsult.ui.parts.base import on_page
from teleconsult.ui.parts.buttons import button
from teleconsult.ui.parts.surfaces import card


def answer(words: rx.vars.ObjectVar[Words]) -> rx.Component:
    """What the patient came for, and a way to print it."""
    return card(
        answer_sheet(words),
        rx.el.div(
            button("Print", on_page("window.print()"), kind="secondary", icon_name="printer", full="phone"),
            class_name="no-print mt-6",
        ),
        tag="article",
        class_name="sm:p-9",
        data_testid="answer",
    )
