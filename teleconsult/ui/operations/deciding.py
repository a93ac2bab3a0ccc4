"""The question before an act, and what came of it."""

from __future__ import annotations

import reflex as rx

from teleconsult.ui.operations import decisions
from teleconsult.ui.operations.overview_state import Overview
from teleconsult.ui.parts.base import Tone, on_page
from teleconsult.ui.parts.buttons import ButtonKind, button
from teleconsult.ui.parts.dialogs import close_dialog, dialog, opened_by
from teleconsult.ui.parts.fields import select
from teleconsult.ui.parts.icons import icon
from teleconsult.ui.parts.messages import callout

DIALOG, FORM, RESULT = "decide", "decision", "result"

_SHOW_RESULT = (
    f"(() => {{ document.getElementById('{DIALOG}')?.close(); document.getElementById('{RESULT}')?.focus() }})()"
)


def question_dialog() -> rx.Component:
    """One dialog for all acts. It opens when the question's number moves."""
    asked = Overview.question
    return rx.fragment(
        dialog(
            DIALOG,
            asked["title"],
            rx.el.form(
                rx.el.p(asked["text"], class_name="text-ink-2"),
                rx.el.p(
                    icon("mail", 18, "mt-[3px] text-ink-2"),
                    rx.el.span(asked["mail"]),
                    class_name="mt-4 flex gap-2.5 rounded-tile bg-mist px-4 py-3 text-md",
                ),
                rx.cond(asked["act"] == decisions.ASIDE, _reason()),
                id=FORM,
                key=Overview.questions.to_string(),
                on_submit=Overview.decide,
                no_validate=True,
            ),
            footer=(
                rx.fragment(rx.match(asked["act"], (decisions.RETURN, _confirm("danger")), _confirm("primary"))),
                button("Not now", close_dialog(DIALOG), kind="secondary", custom_attrs={"data-safe": ""}),
            ),
        ),
        rx.cond(rx.State.is_hydrated, opened_by(DIALOG, Overview.questions)),
    )


def _confirm(kind: ButtonKind) -> rx.Component:
    return button(
        Overview.question["confirm"],
        kind=kind,
        type="submit",
        form=FORM,
        loading=Overview.deciding,
        data_testid="decide",
    )


def _reason() -> rx.Component:
    return rx.el.div(
        select(
            "reason",
            "Why?",
            [*decisions.DISMISSALS.items()],
            placeholder="Choose a reason",
            error=Overview.problem,
        ),
        class_name="mt-5",
    )


def result_line() -> rx.Component:
    """It closes the dialog and takes the focus, because the button that had it may be gone with its row."""
    told = {tone: _told(tone) for tone in ("ok", "danger")}
    return rx.el.div(
        rx.cond(
            rx.State.is_hydrated & (Overview.result["title"] != ""),
            rx.el.div(
                rx.el.div(
                    rx.match(Overview.result["tone"], *told.items(), _told("neutral")),
                    id=RESULT,
                    tab_index=-1,
                    on_mount=on_page(_SHOW_RESULT),
                    class_name="mb-4 rounded-tile",
                    data_testid="result",
                ),
                key=Overview.results.to_string(),
            ),
        ),
        role="status",
    )


def _told(tone: Tone) -> rx.Component:
    return callout(Overview.result["text"], title=Overview.result["title"], tone=tone)
