"""`/clinic/{id}`: one case, its photos and answers on one side, its facts and the answer on the other."""

from __future__ import annotations

import reflex as rx
from reflex.vars import ObjectVar

from teleconsult.ui.answer import answer_sheet
from teleconsult.ui.clinic.editor import bar, dialogs, editor
from teleconsult.ui.clinic.nothing import doctors_only, no_such_case
from teleconsult.ui.clinic.queue_state import HERE
from teleconsult.ui.clinic.review_state import Review
from teleconsult.ui.clinic.viewer import photo_viewer
from teleconsult.ui.clinic.words import Fact, Group, Said
from teleconsult.ui.parts.buttons import button
from teleconsult.ui.parts.headings import back_link
from teleconsult.ui.parts.messages import callout, skeleton
from teleconsult.ui.parts.status import badge
from teleconsult.ui.parts.surfaces import card
from teleconsult.ui.parts.typography import eyebrow, h1, h2, meta, visually_hidden
from teleconsult.ui.shell import page_shell

_BAND = "mx-auto w-full max-w-wide px-5 pt-7 pb-10 sm:px-6"


def review() -> rx.Component:
    """The page."""
    return page_shell(
        doctors_only(
            rx.match(
                Review.phase,
                ("open", rx.cond(Review.chart["answered"] != "", _answered(), _open())),
                ("gone", rx.el.div(no_such_case(), class_name=_BAND)),
                ("down", rx.el.div(_failed(), class_name=_BAND)),
                _loading(),
            )
        ),
        rx.fragment(on_unmount=Review.leave),
        area="clinic",
        current="Queue",
        width="wide",
        flush=True,
        with_footer=False,
        class_name="flex flex-col justify-between",
    )


def _open() -> rx.Component:
    return rx.fragment(
        rx.el.div(_head(), _columns(_case(), rx.fragment(_facts(), editor())), class_name=_BAND), bar(), dialogs()
    )


def _answered() -> rx.Component:
    sent = card(h2("What the patient reads"), rx.el.div(answer_sheet(Review.words), class_name="mt-5"), tag="section")
    return rx.el.div(_head(), _columns(_case(), rx.fragment(_facts(), sent)), class_name=_BAND)


def _head() -> rx.Component:
    return rx.el.div(
        back_link("Queue", HERE),
        rx.el.div(
            rx.el.div(h1(Review.chart["ref"], class_name="num"), meta(Review.chart["line"], class_name="mt-0.5")),
            badge(Review.chart["due"], Review.chart["tone"], Review.chart["icon"], class_name="mt-1.5"),
            class_name="flex items-start justify-between gap-4",
        ),
        class_name="mb-5",
    )


def _columns(left: rx.Component, right: rx.Component) -> rx.Component:
    """Side by side; on a phone one below the other, the facts first."""
    column = "contents min-w-0 flex-col gap-5 lg:flex"
    return rx.el.div(
        rx.el.div(left, class_name=column),
        rx.el.div(right, class_name=column),
        class_name="grid items-start gap-5 *:min-w-0 lg:grid-cols-[1.15fr_1fr] lg:gap-6",
    )


def _case() -> rx.Component:
    return rx.fragment(photo_viewer(Review.photos), _answers())


def _facts() -> rx.Component:
    """They stay in view while the answer is written."""
    return rx.el.dl(
        rx.foreach(Review.facts, _fact),
        class_name=(
            "card flex flex-wrap gap-px overflow-hidden rounded-card bg-line shadow-card max-lg:order-first "
            "lg:sticky lg:top-3 lg:z-5"
        ),
        data_testid="case-facts",
    )


def _fact(fact: ObjectVar[Fact]) -> rx.Component:
    base = "min-w-0 flex-1 px-3.5 py-2.5"
    return rx.el.div(
        rx.el.dt(
            rx.cond(fact["alert"], visually_hidden("Important: ")),
            fact["label"],
            class_name=rx.cond(fact["alert"], "text-sm font-semibold text-danger-ink", "text-sm text-ink-2"),
        ),
        rx.el.dd(fact["value"], class_name="text-md font-semibold whitespace-pre-line"),
        class_name=[
            base,
            rx.cond(fact["alert"], "bg-danger-soft text-danger-ink", "bg-card"),
            rx.cond(fact["wide"], "basis-full", "basis-[40%] sm:basis-[30%]"),
        ],
    )


def _answers() -> rx.Component:
    return card(
        h2("In the patient’s words"),
        rx.el.blockquote(
            Review.chart["story"], class_name="mt-3 border-s-2 border-line-2 ps-4 whitespace-pre-line text-ink"
        ),
        rx.foreach(Review.groups, _group),
        tag="section",
        class_name="sm:p-6",
    )


def _group(group: ObjectVar[Group]) -> rx.Component:
    return rx.el.div(
        eyebrow(group["title"], tag="h3"),
        rx.el.dl(rx.foreach(group["said"].to(list[Said]), _said), class_name="mt-2 divide-y divide-line"),
        class_name="mt-6",
    )


def _said(said: ObjectVar[Said]) -> rx.Component:
    loud = "num min-w-0 flex-1 text-md font-medium whitespace-pre-line"
    return rx.el.div(
        rx.el.dt(said["label"], class_name="text-md text-ink-2 sm:w-44 sm:flex-none"),
        rx.cond(
            said["alert"],
            rx.el.dd(said["value"], class_name=f"{loud} text-danger-ink"),
            rx.el.dd(said["value"], class_name=loud),
        ),
        class_name="flex flex-col gap-0.5 py-2.5 sm:flex-row sm:gap-6",
    )


def _loading() -> rx.Component:
    box = "rounded-card bg-line"
    return rx.el.div(
        visually_hidden("Loading the case"),
        skeleton("h-9 w-40"),
        rx.el.div(
            skeleton(f"h-[34rem] {box}"),
            rx.el.div(skeleton(f"h-32 {box}"), skeleton(f"mt-5 h-96 {box}")),
            class_name="mt-6 grid gap-6 lg:grid-cols-[1.15fr_1fr]",
        ),
        role="status",
        class_name=_BAND,
    )


def _failed() -> rx.Component:
    return callout(
        "It is safe, and so is what you wrote.",
        title="We couldn’t load this case",
        tone="danger",
        role="alert",
        action=button("Try again", Review.open, kind="secondary", icon_name="rotate-cw"),
    )
