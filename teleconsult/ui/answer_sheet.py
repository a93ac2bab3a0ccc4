"""An answer as the patient reads it. The dermatologist's preview is this very part, so the two can't differ."""

from __future__ import annotations

from typing import TypedDict

import reflex as rx
from reflex.vars import ObjectVar

from teleconsult.clinic.rules import AnswerText
from teleconsult.ui.parts.headings import avatar
from teleconsult.ui.parts.lists import facts
from teleconsult.ui.parts.messages import callout
from teleconsult.ui.parts.typography import display, eyebrow, h2, meta, reading


class Words(TypedDict):
    """An answer in words and lines. An empty text or list leaves its part out."""

    signer: str
    initials: str
    credentials: str
    """Title and registration number, for example "Consultant dermatologist, registration 7412036"."""
    answered: str
    """When it was answered, for example "Answered Fri 20 Nov, 09:12"."""
    impression: str
    explanation: list[str]
    plan: list[str]
    medicine: str
    medicine_use: str
    safety_net: str


def sheet(text: AnswerText, *, name: str, title: str, registration_no: str, signed: str) -> Words:
    """The words of one answer."""
    registration = f"registration {registration_no}" if registration_no else ""
    return Words(
        signer=name,
        initials=_initials(name),
        credentials=", ".join(part for part in (title, registration) if part),
        answered=signed,
        impression=text.headline,
        explanation=list(text.paragraphs),
        plan=list(text.steps),
        medicine=text.medicine,
        medicine_use=text.medicine_use,
        safety_net=text.safety_net,
    )


def answer_sheet(answer: ObjectVar[Words]) -> rx.Component:
    """Who answered, what it looks like, why, what to do, and when to see somebody in person."""
    return rx.el.article(
        _signer(answer),
        rx.el.div(
            eyebrow("What it looks like"),
            display(answer["impression"], tag="h2", class_name="mt-1 text-[1.75rem] leading-9 sm:text-[2rem]"),
            class_name="mt-7",
        ),
        reading(rx.foreach(answer["explanation"].to(list[str]), rx.el.p), class_name="mt-5"),
        _part("Your plan", answer["plan"].to(list[str]).length() > 0, _steps(answer)),
        _part("Medicine", answer["medicine"] != "", _medicine(answer)),
        rx.cond(
            answer["safety_net"] != "",
            callout(
                rx.el.span(answer["safety_net"], class_name="whitespace-pre-line"),
                title="See a doctor in person if",
                tone="warn",
                class_name="mt-7",
            ),
        ),
    )


def _signer(answer: ObjectVar[Words]) -> rx.Component:
    return rx.el.div(
        avatar(answer["initials"], "lg"),
        rx.el.div(
            rx.el.p(answer["signer"], class_name="font-semibold"),
            meta(answer["credentials"]),
            rx.cond(answer["answered"] != "", meta(answer["answered"])),
            class_name="min-w-0",
        ),
        class_name="flex items-center gap-4",
    )


def _part(title: str, shown: rx.Var[bool], body: rx.Component) -> rx.Component:
    return rx.cond(shown, rx.el.section(h2(title), rx.el.div(body, class_name="mt-3"), class_name="mt-7"))


def _steps(answer: ObjectVar[Words]) -> rx.Component:
    return reading(rx.el.ol(rx.foreach(answer["plan"].to(list[str]), rx.el.li)))


def _medicine(answer: ObjectVar[Words]) -> rx.Component:
    use = rx.el.span(answer["medicine_use"], class_name="whitespace-pre-line")
    return facts([("Name", answer["medicine"]), ("Use", use)], wide=True, class_name="max-w-read")


def _initials(name: str) -> str:
    """Two letters for the round badge, without "Dr."."""
    words = [word for word in name.split() if not word.endswith(".")] or name.split()
    return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper()


EMPTY = sheet(AnswerText(), name="", title="", registration_no="", signed="")
"""Before anything is known."""
