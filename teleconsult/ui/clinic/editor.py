"""Writing an answer: its fields, its preview, and the question before it is signed."""

from __future__ import annotations

import uuid
from typing import Any

import reflex as rx

from teleconsult.clinic.rules import CERTAINTY
from teleconsult.ui.answer import answer_sheet
from teleconsult.ui.clinic.review_state import Review
from teleconsult.ui.parts.base import Node
from teleconsult.ui.parts.buttons import button
from teleconsult.ui.parts.choices import Choice, segmented
from teleconsult.ui.parts.dialogs import close_dialog, confirm_dialog, dialog, opened_by
from teleconsult.ui.parts.fields import text_area, text_field
from teleconsult.ui.parts.lists import facts
from teleconsult.ui.parts.messages import autosave, callout, error_summary
from teleconsult.ui.parts.surfaces import card
from teleconsult.ui.parts.typography import h2

FORM_ID = "answer"
PAUSE = 2000
"""Milliseconds without typing after which a text is saved."""

CASE = Review.case_id.to(uuid.UUID)
"""Every event says which case it belongs to: it may arrive when another one is on show."""

SIGN, PREVIEW = "sign", "preview"


def editor() -> rx.Component:
    """The card with the form. It appears when the case has been loaded and stays until the page is left."""
    return card(
        rx.el.div(
            h2("Your answer"),
            autosave(Review.saving, Review.saved_at),
            class_name="flex min-h-7 items-center justify-between gap-4",
        ),
        rx.cond(Review.chart["begun_by"] != "", _begun()),
        rx.el.form(
            # Enter in a line would press the first submit button of the form; a disabled one does nothing.
            rx.el.button(type="submit", disabled=True, hidden=True, aria_hidden="true"),
            _problems(),
            *_fields(),
            id=FORM_ID,
            no_validate=True,  # what is missing is said in our words, on the page
            on_submit=Review.ask(CASE),
            class_name=(
                # The facts above stick to the top; what gets the focus stops below them.
                "mt-5 flex flex-col gap-6 lg:[&_fieldset]:scroll-mt-72 lg:[&_input]:scroll-mt-72 "
                "lg:[&_textarea]:scroll-mt-72"
            ),
        ),
        tag="section",
        class_name="sm:p-6",
    )


def bar() -> rx.Component:
    """The foot of the screen: give back on one side, preview and sign on the other."""
    return rx.el.div(
        rx.el.div(
            rx.el.div(
                button("Preview", Review.preview, kind="secondary", icon_name="eye", full="phone"),
                button(
                    "Sign and send",
                    type="submit",
                    form=FORM_ID,
                    icon_name="check",
                    loading=Review.leaving == "sign",
                    disabled=Review.leaving != "",
                    full="phone",
                    data_testid="answer-publish",
                ),
                class_name="flex gap-3 max-sm:grid max-sm:grid-cols-[auto_1fr]",
            ),
            button(
                "Release back to queue",
                Review.release(CASE),
                kind="quiet",
                icon_name="undo-2",
                loading=Review.leaving == "release",
                disabled=Review.leaving != "",
                full="phone",
                class_name="sm:-ms-4",
                data_testid="case-release",
            ),
            class_name=(
                "mx-auto flex max-w-wide flex-col gap-1 px-5 py-3 pb-[max(0.75rem,env(safe-area-inset-bottom))] "
                "sm:flex-row-reverse sm:items-center sm:justify-between sm:px-6"
            ),
        ),
        class_name="no-print sticky bottom-0 z-10 border-t border-line bg-card",
    )


def dialogs() -> rx.Component:
    """The preview and the last question. Each opens when its counter moves."""
    signed = rx.el.span(Review.chart["name"], ", ", Review.chart["registration_no"])
    return rx.fragment(
        dialog(
            PREVIEW,
            "As the patient will see it",
            rx.el.div(answer_sheet(Review.words), class_name="mt-4"),
            class_name="sm:w-[min(44rem,100%)]",
        ),
        opened_by(PREVIEW, Review.previews),
        confirm_dialog(
            SIGN,
            "Sign and send?",
            "The patient sees this immediately and it can’t be edited.",
            "Sign and send",
            [close_dialog(SIGN), Review.sign(CASE)],
            cancel="Keep editing",
            kind="primary",
            extra=rx.el.div(
                facts([("Impression", Review.words["impression"]), ("Signed as", signed)], wide=True),
                class_name="mt-4 rounded-tile bg-mist p-4",
            ),
        ),
        opened_by(SIGN, Review.questions),
    )


def _begun() -> rx.Component:
    return callout(
        "Check it before you sign: it goes out under your name.",
        title=rx.el.span(Review.chart["begun_by"], " began this answer"),
        tone="info",
        icon_name="users",
        class_name="mt-4",
    )


def _problems() -> rx.Component:
    return rx.fragment(
        rx.cond(
            Review.summary.length() > 0,
            rx.el.div(error_summary(Review.summary.to(list[dict[str, str]])), key=Review.attempt.to_string()),
        ),
        rx.el.div(
            rx.cond(Review.notice != "", callout(Review.notice, tone="danger")), role="alert", class_name="empty:hidden"
        ),
    )


def _fields() -> tuple[rx.Component, ...]:
    return (
        _line("impression", "Impression", hint="One line. The patient reads it first."),
        segmented(
            "certainty",
            "How certain?",
            [Choice(value, label) for value, label in CERTAINTY.items()],
            checked=Review.written["certainty"],
            error=Review.errors["certainty"],
            on_change=Review.keep(CASE, "certainty"),
        ),
        _text("explanation", "Explanation", 4),
        _text("plan", "Plan", 4, hint="One step per line. They become a numbered list."),
        _line("medicine", "Medicine", optional=True),
        _line("medicine_use", "How to use it", optional=True, hint="Amount, how often, how long, what to watch for."),
        _text("safety_net", "See a doctor in person if", 2),
    )


def _line(name: str, label: Node, **more: Any) -> rx.Component:
    return text_field(name, label, error=Review.errors[name], **_kept(name), **more)


def _text(name: str, label: Node, rows: int, **more: Any) -> rx.Component:
    return text_area(name, label, rows=rows, error=Review.errors[name], **_kept(name), **more)


def _kept(name: str) -> dict[str, Any]:
    """Saved when the typing pauses, and when the field is left: whichever comes first."""
    keep = Review.keep(CASE, name)
    return {
        "default_value": Review.written[name],
        "auto_complete": "off",
        "on_change": keep.debounce(PAUSE),
        "on_blur": keep,
    }
