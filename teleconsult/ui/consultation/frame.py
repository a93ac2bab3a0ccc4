"""What all four steps share: the way back, where one is, whether it is saved; and what stands in place of a form."""

from __future__ import annotations

from typing import Any, Literal

import reflex as rx

from teleconsult.consultations.questions import Step
from teleconsult.ui.consultation.addresses import LIST, NAMES, ORDER
from teleconsult.ui.consultation.form import Form
from teleconsult.ui.consultation.stop import stop
from teleconsult.ui.parts.base import NavItem, Node, on_page
from teleconsult.ui.parts.buttons import button, row_link
from teleconsult.ui.parts.messages import autosave, callout, error_summary, skeleton
from teleconsult.ui.parts.steps import stepper
from teleconsult.ui.parts.surfaces import actions
from teleconsult.ui.parts.typography import h1, lede, visually_hidden
from teleconsult.ui.public.plain import nothing_here, plain
from teleconsult.ui.shell import page_shell

_HEADING = "mt-7 mb-7 sm:mt-10 sm:mb-8"


def frame(
    step: Step, title: Node, sub: str, *children: rx.Component, width: Literal["form", "page"] = "form"
) -> rx.Component:
    """The page of one step. `children` appear when the draft has been loaded, and stay until the page is left."""
    form = rx.el.div(
        _head(step, title, sub),
        rx.cond(Form.phase == "open", rx.fragment(*children), _waiting()),
    )
    return page_shell(
        rx.match(Form.phase, ("stopped", stop()), ("gone", nothing_here()), ("down", _not_loaded()), form),
        rx.fragment(on_unmount=Form.leave),
        _new_address(),
        area="patient",
        with_footer=False,
        width=width,
        class_name="sm:pt-6 max-sm:pb-0",
    )


def summary() -> rx.Component:
    """What is missing, at the top of a page. It appears anew, and takes the focus, each time somebody is told."""
    problems: Any = Form.summary
    return rx.fragment(
        rx.cond(
            problems.length() > 0,
            rx.el.div(error_summary(problems), key=Form.attempt.to_string(), class_name="mb-9"),
            rx.fragment(),
        ),
        rx.el.div(
            rx.cond(Form.notice != "", callout(Form.notice, tone="danger", class_name="mb-9"), rx.fragment()),
            role="alert",
        ),
    )


def go_on(label: str, **attrs: Any) -> rx.Component:
    """The one button that leads on; it stays in view on a phone."""
    return actions(button(label, size="lg", full="phone", **attrs), sticky=True, class_name="mt-9")


def address_of(step: Step) -> rx.Var[str]:
    """Where another step of the open form is."""
    return rx.Var.create(f"{LIST}/{Form.base}/{step}").to(str)


def _head(step: Step, title: Node, sub: str) -> rx.Component:
    number = ORDER.index(step)
    named = rx.el.div(_title(title), lede(sub, class_name="mt-1.5"), class_name=_HEADING)
    back = ("Consultations", LIST) if number == 0 else (NAMES[ORDER[number - 1]], address_of(ORDER[number - 1]))
    return rx.el.div(
        rx.el.div(
            row_link(*back, "arrow-left"),
            autosave(Form.saving, Form.saved_at),
            class_name="mb-2 flex items-center justify-between",
        ),
        stepper([NavItem(NAMES[s], address_of(s)) for s in ORDER], number + 1),
        rx.cond(Form.phase == "open", named, _unnamed()) if isinstance(title, rx.Var) else named,
    )


def _unnamed() -> rx.Component:
    """In place of a title that the draft decides: how many lines it takes isn't known before."""
    return rx.el.div(
        skeleton("h-9 w-64"), skeleton("mt-4 h-5 w-full"), skeleton("mt-2 h-5 w-40"), key="unnamed", class_name=_HEADING
    )


def _title(title: Node) -> rx.Component:
    """It takes the focus when a step follows another, as a new page would; not when somebody has just arrived."""
    arrived = "history.state?.idx && document.activeElement === document.body"
    focus = on_page(f"{arrived} && document.getElementById('step').focus({{ preventScroll: true }})")
    return h1(title, id="step", tab_index=-1, on_mount=focus, class_name="focus-visible:outline-none")


def _new_address() -> rx.Component:
    """Show the address that the first answer gave the form, without a new page and only while its page is open."""
    return rx.cond(
        Form.moved_to != "",
        rx.el.span(key=Form.moved_to, on_mount=rx.redirect(Form.moved_to, replace=True), hidden=True),
        rx.fragment(),
    )


def _waiting() -> rx.Component:
    """Grey stand-ins for the first questions."""
    line = rx.el.div(skeleton("h-4 w-48"), skeleton("mt-3 h-12 w-full rounded-control"))
    return rx.el.div(
        visually_hidden("Loading"),
        *[line] * 4,
        key="waiting",  # the form is put in its place as something new, not moved into it
        role="status",
        class_name="flex min-h-[60vh] flex-col gap-9",
    )


def _not_loaded() -> rx.Component:
    return plain(
        "Not loaded",
        "We can’t open your draft right now.",
        "It is saved. This usually takes a moment; nothing was charged.",
        button("Try again", Form.open, icon_name="rotate-cw", full="phone"),
    )
