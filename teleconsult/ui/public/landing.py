"""Landing: what you get, what it costs, who answers, what we can't do."""

from __future__ import annotations

from typing import Literal

import reflex as rx

from teleconsult.ui.offer import Offer
from teleconsult.ui.parts.base import Node, cn, focus_fragment
from teleconsult.ui.parts.buttons import link_button
from teleconsult.ui.parts.headings import avatar
from teleconsult.ui.parts.icons import icon
from teleconsult.ui.parts.money import price
from teleconsult.ui.parts.photos import photo
from teleconsult.ui.parts.surfaces import disclosure
from teleconsult.ui.parts.typography import display, h2, meta, reading
from teleconsult.ui.shell import START, page_shell

_BAND = "mx-auto max-w-page px-5 py-16 sm:px-6 lg:py-20"
_TITLE = "text-h1 scroll-mt-6"


def landing() -> rx.Component:
    """The page at `/`."""
    return page_shell(_hero(), _how(), _scope(), _people(), _questions(), width="full", flush=True)


def _start(full: bool | Literal["phone"], class_name: str = "") -> rx.Component:
    return link_button("Start a consultation", START, size="lg", document=True, full=full, class_name=class_name)


def _hero() -> rx.Component:
    words = rx.el.div(
        display(
            "A dermatologist’s answer about your skin, within ",
            rx.el.span(Offer.answer_time, class_name="whitespace-nowrap"),
            ".",
            class_name="text-[2.5rem] leading-[1.08] sm:text-[3.375rem] sm:leading-[1.06]",
        ),
        rx.el.p(
            "Send photos and a few details. A registered dermatologist tells you what it looks like and what to do "
            "next.",
            class_name="mt-5 max-w-[46ch] text-lg text-ink-2",
        ),
        rx.el.p(price(Offer.price, "text-ink"), " ", Offer.terms, " No subscription.", class_name="mt-5 text-lg"),
        rx.el.div(
            _start(full="phone"),
            link_button(
                "See how it works", "#how", kind="secondary", size="lg", full="phone", on_click=focus_fragment()
            ),
            class_name="mt-7 flex flex-col gap-3 sm:flex-row",
        ),
        rx.el.ul(
            _promise("timer", "An answer by a stated time, or your money back"),
            _promise("undo-2", "Full refund if we can’t assess it"),
            _promise("lock", "Seen by dermatologists only, location removed"),
            class_name="mt-8 flex flex-col gap-2",
        ),
        class_name="lg:py-6",
    )
    return rx.el.section(
        words,
        _sample(),
        class_name=(
            "mx-auto grid max-w-page items-center gap-12 px-5 pt-10 pb-16 sm:px-6 sm:pt-16 lg:grid-cols-[1.12fr_1fr] "
            "lg:gap-20 lg:pb-24"
        ),
    )


def _promise(name: str, text: str) -> rx.Component:
    return rx.el.li(
        icon(name, 18, "mt-[3px] text-brand"), rx.el.span(text), class_name="flex gap-2.5 text-md text-ink-2"
    )


def _sample() -> rx.Component:
    """The product itself is the picture: an invented answer, and it says so."""
    tile = "aspect-square w-full rounded-control"
    return rx.el.figure(
        rx.el.div(
            rx.el.div(
                avatar("AL", "md"),
                rx.el.div(
                    rx.el.p("Dr. Amara Lindqvist", class_name="font-semibold"),
                    meta("Dermatologist, answered in 18 hours"),
                    class_name="min-w-0",
                ),
                class_name="flex items-center gap-3",
            ),
            rx.el.div(
                photo("/photos/hand.webp", "", tile),
                photo("/photos/hand-close.webp", "", tile),
                class_name="mt-5 grid grid-cols-2 gap-2.5",
            ),
            meta("What it looks like", class_name="mt-5"),
            display("Likely irritant contact dermatitis", tag="p", class_name="mt-0.5 text-[1.625rem] leading-8"),
            reading(
                rx.el.ol(
                    rx.el.li("Emollient after every wash, at least six times a day."),
                    rx.el.li("Hydrocortisone 1 % ointment, thin layer, twice a day for 7 days."),
                ),
                class_name="mt-4 text-md",
            ),
            class_name="p-6 sm:p-7",
        ),
        rx.el.figcaption(
            "Sample answer: doctor and case invented, photos synthetic.",
            class_name="border-t border-line px-6 py-3 text-sm text-ink-2 sm:px-7",
        ),
        class_name="card overflow-hidden rounded-[20px] bg-card shadow-lift",
    )


def _how() -> rx.Component:
    steps = (
        (
            "Describe and photograph",
            ("About five minutes. Your answers are saved as you go, so you can stop and come back.",),
        ),
        (
            "Pay once",
            (Offer.price, " on Stripe’s secure page. Nothing is charged before that, and your card never reaches us."),
        ),
        (
            "Read your answer",
            ("What it looks like, a plan, and when to see someone in person. One follow-up question is included.",),
        ),
    )
    return rx.el.section(
        rx.el.div(
            rx.el.h2("How it works", id="how", tab_index=-1, class_name=_TITLE),
            rx.el.ol(
                *[_step(number, title, *text) for number, (title, text) in enumerate(steps, 1)],
                class_name="mt-9 grid gap-9 md:grid-cols-3 md:gap-8",
            ),
            class_name=_BAND,
        ),
        class_name="border-y border-line bg-card",
    )


def _step(number: int, title: str, *text: Node) -> rx.Component:
    return rx.el.li(
        rx.el.p(
            str(number),
            class_name=(
                "num grid size-8 place-content-center rounded-full bg-brand-soft text-md font-semibold text-brand-ink"
            ),
            aria_hidden="true",
        ),
        rx.el.h3(title, class_name="mt-4 text-h3"),
        rx.el.p(*text, class_name="mt-1.5 text-ink-2"),
    )


def _scope() -> rx.Component:
    can = (
        "Rashes, eczema, psoriasis and hives",
        "Acne and rosacea",
        "A single spot or mole you want looked at",
        "Hair loss, dandruff and nail changes",
        "Itch without a visible rash",
    )
    cannot = (
        "Emergencies and anyone feeling very unwell",
        "Children under 18",
        "A full-body mole check",
        "Anything in the mouth, eyes or genitals",
        "A sick note or a repeat prescription",
    )
    return rx.el.section(
        rx.el.div(
            _listing("What we can help with", can, "check", "text-brand"),
            _listing("What needs someone in person", cannot, "x", "text-ink-2"),
            class_name="grid gap-10 md:grid-cols-2",
        ),
        rx.el.p(
            icon("siren", 20, "mt-[3px]"),
            rx.el.span(
                "Trouble breathing, a swollen face, or a rash that spreads fast with fever? Call ",
                Offer.emergency_number,
                " now.",
            ),
            class_name=(
                "mt-10 flex gap-3 rounded-tile bg-warn-soft px-4 py-3.5 font-medium text-warn-ink inset-ring "
                "inset-ring-warn-line"
            ),
        ),
        class_name=_BAND,
    )


def _listing(title: str, items: tuple[str, ...], mark: str, ink: str) -> rx.Component:
    rows = [rx.el.li(icon(mark, 18, cn("mt-[4px]", ink)), rx.el.span(item), class_name="flex gap-3") for item in items]
    return rx.el.div(h2(title), rx.el.ul(*rows, class_name="mt-4 space-y-2.5"))


def _people() -> rx.Component:
    facts = (
        (
            "badge-check",
            "In the medical register",
            "Your answer carries the dermatologist’s name, title and registration number, so you can look them up.",
        ),
        (
            "pencil",
            "Signed by one person",
            "One dermatologist looks at your photos, writes the answer and signs it. It isn’t written by a program.",
        ),
        (
            "stethoscope",
            "Honest about limits",
            "If your skin needs to be seen or touched, the answer says so, and says how soon.",
        ),
    )
    return rx.el.section(
        rx.el.h2("Who answers", class_name=_TITLE),
        rx.el.ul(
            *[_fact(*fact) for fact in facts],
            class_name="mt-8 grid gap-8 md:grid-cols-3",
        ),
        class_name="mx-auto max-w-page px-5 pb-16 sm:px-6 lg:pb-20",
    )


def _fact(name: str, title: str, text: str) -> rx.Component:
    return rx.el.li(
        icon(name, 24, "text-brand"),
        rx.el.h3(title, class_name="mt-3 text-h3"),
        rx.el.p(text, class_name="mt-1.5 text-ink-2"),
    )


def _questions() -> rx.Component:
    answers = rx.el.div(
        disclosure(
            "When exactly do I get my answer?",
            rx.el.p(
                "You see a date and a clock time when you have paid, for example Thu 27 Nov, 14:30. If we miss it, you "
                "can have your money back."
            ),
        ),
        disclosure(
            "What if my photos aren’t good enough?",
            rx.el.p(
                "Your dermatologist asks for new ones at no cost, or refunds you in full. You never pay for photos we "
                "can’t assess."
            ),
        ),
        disclosure(
            "Who can see my photos?",
            rx.el.p(
                "You and the clinic’s dermatologists. We remove the place and the camera’s data from every photo "
                "before we store it."
            ),
        ),
        disclosure(
            "Is this a prescription?",
            rx.el.p(
                "Your answer may name a medicine and how to use it. Whether it counts as a prescription depends on "
                "where you live, and your answer says so."
            ),
        ),
        class_name="mt-6 divide-y divide-line border-y border-line",
    )
    ready = rx.el.div(
        rx.el.p("Ready when you are", class_name="text-h2 font-semibold tracking-[-0.018em]"),
        rx.el.p(
            "Five minutes, two photos. You can stop and come back: nothing is charged until you pay.",
            class_name="mt-2 text-ink-2",
        ),
        _start(full=True, class_name="mt-6"),
        class_name="card self-start rounded-card bg-card p-6 shadow-card sm:p-8",
    )
    return rx.el.section(
        rx.el.div(rx.el.h2("Questions", class_name=_TITLE), answers),
        ready,
        class_name="mx-auto grid max-w-page gap-12 px-5 pb-20 sm:px-6 lg:grid-cols-[1.4fr_1fr] lg:gap-20 lg:pb-28",
    )
