"""The question before an act, and what came of it."""

from __future__ import annotations

import reflex as rx
from reflex.vars import NumberVar, ObjectVar

from teleconsult.ui.operations import decisions
from teleconsult.ui.operations.decisions import Result
from teleconsult.ui.operations.overview_state import Overview
from teleconsult.ui.parts.base import Text, Tone, cn, on_page
from teleconsult.ui.parts.buttons import ButtonKind, button
from teleconsult.ui.parts.dialogs import close_dialog, dialog, opened_by
from teleconsult.ui.parts.fields import select
from teleconsult.ui.parts.icons import icon
from teleconsult.ui.parts.messages import callout

DIALOG, FORM, RESULT = "decide", "decision", "result"


def question_dialog() -> rx.Component:
    """One dialog for all acts. It opens when the question's number moves."""
    asked = Overview.question
    return rx.fragment(
        dialog(
            DIALOG,
            asked["title"],
            rx.el.form(
                rx.el.p(asked["text"], class_name="text-ink-2"),
                mail_line(asked["mail"]),
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


def mail_line(text: Text) -> rx.Component:
    """Who is written to."""
    return rx.el.p(
        icon("mail", 18, "mt-[3px] text-ink-2"),
        rx.el.span(text),
        class_name="mt-4 flex gap-2.5 rounded-tile bg-mist px-4 py-3 text-md",
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
    """What came of the decision."""
    return told_line(Overview.result, Overview.results, DIALOG, "mb-4")


def told_line(result: ObjectVar[Result], count: NumberVar[int], dialog_id: str, class_name: str = "") -> rx.Component:
    """What came of an act. It closes the dialog and takes the focus, because what had it may be gone."""
    show = f"((line) => {{ document.getElementById('{dialog_id}').close(); line?.focus() }})"
    told = rx.el.div(
        rx.match(result["tone"], *[(tone, _told(result, tone)) for tone in _TONES], _told(result, "neutral")),
        id=RESULT,
        tab_index=-1,
        on_mount=on_page(f"{show}(document.getElementById('{RESULT}'))"),
        class_name=cn("rounded-tile", class_name),
        data_testid="result",
    )
    shown = rx.State.is_hydrated & (result["title"] != "")
    return rx.el.div(rx.cond(shown, rx.el.div(told, key=count.to_string())), role="status")


_TONES: tuple[Tone, ...] = ("ok", "danger")


def _told(result: ObjectVar[Result], tone: Tone) -> rx.Component:
    return callout(result["text"], title=result["title"], tone=tone)
