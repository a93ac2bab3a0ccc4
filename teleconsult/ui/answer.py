"""An answer as the patient reads it. The dermatologist's preview is this very part, so the two can't differ."""

from __future__ import annotations

from typing import TypedDict

import reflex as rx
from reflex.vars import ObjectVar

from teleconsult.accounts.profile import credentials
from teleconsult.clinic.rules import AnswerText
from teleconsult.ui.parts.headings import avatar
from teleconsult.ui.parts.lists import facts
from teleconsult.ui.parts.messages import callout
from teleconsult.ui.parts.typography import display, eyebrow, h2, meta, reading


class Words(TypedDict):
    """An answer in words and lines. A part that is empty is left out."""

    signer: str
    initials: str
    credentials: str
    answered: str
    """When, for example "Answered Fri 20 Nov, 09:12"."""
    impression: str
    explanation: list[str]
    plan: list[str]
    medicine: str
    medicine_use: str
    safety_net: str


def words(text: AnswerText, *, name: str, title: str, registration_no: str, answered: str) -> Words:
    """The words of one answer and its signature."""
    return Words(
        signer=name,
        initials="".join(part[0] for part in name.removeprefix("Dr. ").split()[:2]).upper(),
        credentials=credentials(title, registration_no),
        answered=answered,
        impression=text.headline,
        explanation=list(text.paragraphs),
        plan=list(text.steps),
        medicine=text.medicine,
        medicine_use=text.medicine_use,
        safety_net=text.safety_net,
    )


NO_WORDS = words(AnswerText(), name="", title="", registration_no="", answered="")
"""Before anything is known."""


def answer_sheet(answer: ObjectVar[Words]) -> rx.Component:
    """Who answered, what it looks like, what to do, and when to see somebody in person."""
    return rx.fragment(
        _signed(answer),
        rx.el.section(
            eyebrow("What it looks like", tag="h2"),
            display(
                answer["impression"],
                tag="p",
                class_name="mt-1 text-[1.875rem] leading-9 sm:text-[2.125rem] sm:leading-10",
            ),
            reading(rx.foreach(answer["explanation"].to(list[str]), rx.el.p), class_name="mt-4"),
            class_name="mt-7",
        ),
        rx.cond(answer["plan"].to(list[str]).length() > 0, _plan(answer)),
        rx.cond(answer["medicine"] != "", _medicine(answer)),
        rx.cond(
            answer["safety_net"] != "",
            callout(
                rx.el.p(answer["safety_net"], class_name="whitespace-pre-line"),
                tone="warn",
                title="See a doctor in person if",
                class_name="mt-8",
            ),
        ),
    )


def _signed(answer: ObjectVar[Words]) -> rx.Component:
    return rx.el.div(
        avatar(answer["initials"], "lg"),
        rx.el.div(
            rx.el.p(answer["signer"], class_name="font-semibold"),
            meta(answer["credentials"]),
            meta(answer["answered"]),
            class_name="min-w-0",
        ),
        class_name="flex items-center gap-4",
    )


def _plan(answer: ObjectVar[Words]) -> rx.Component:
    steps = rx.el.ol(rx.foreach(answer["plan"].to(list[str]), rx.el.li))
    return rx.el.section(h2("Your plan"), reading(steps, class_name="mt-4"), class_name="mt-8")


def _medicine(answer: ObjectVar[Words]) -> rx.Component:
    """What to use and how, as text. It is not a prescription, and says so."""
    return rx.el.section(
        h2("Medicine"),
        facts([("Name", answer["medicine"]), ("Use", answer["medicine_use"])], wide=True, class_name="mt-3"),
        meta("This is advice, not a prescription you can hand in.", class_name="mt-3"),
        class_name="mt-8",
    )
