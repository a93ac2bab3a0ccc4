"""The form that returns money, and what came of it."""

from __future__ import annotations

import reflex as rx

from teleconsult.ui.operations import amounts, refunding
from teleconsult.ui.operations.deciding import mail_line, told_line
from teleconsult.ui.operations.payments_state import Payments
from teleconsult.ui.parts.buttons import button
from teleconsult.ui.parts.dialogs import close_dialog, dialog, opened_by
from teleconsult.ui.parts.fields import select, text_field

DIALOG, FORM = "return-money", "refund"


def refund_dialog() -> rx.Component:
    """It opens when the question's number moves. Each time the form is a new one."""
    asked = Payments.question
    return rx.fragment(
        dialog(
            DIALOG,
            asked["title"],
            rx.el.form(
                rx.el.p(asked["text"], class_name="text-ink-2"),
                mail_line(refunding.MAIL),
                rx.el.div(_amount(), _reason(), _confirm(), class_name="mt-6 space-y-5"),
                id=FORM,
                key=Payments.questions.to_string(),
                on_submit=Payments.refund,
                no_validate=True,
            ),
            footer=(
                button(
                    "Return money",
                    kind="danger",
                    type="submit",
                    form=FORM,
                    loading=Payments.refunding,
                    data_testid="refund",
                ),
                button("Not now", close_dialog(DIALOG), kind="secondary", custom_attrs={"data-safe": ""}),
            ),
        ),
        rx.cond(rx.State.is_hydrated, opened_by(DIALOG, Payments.questions)),
    )


def _amount() -> rx.Component:
    return text_field(
        amounts.FIELD,
        "Amount",
        hint=Payments.question["left"],
        error=Payments.problems[amounts.FIELD],
        default_value=Payments.question["start"],
        input_mode="decimal",
        auto_complete="off",
        max_length=20,
        input_class="num",
    )


def _reason() -> rx.Component:
    return select(
        "reason",
        "Why?",
        [*refunding.REASONS.items()],
        placeholder="Choose a reason",
        error=Payments.problems["reason"],
    )


def _confirm() -> rx.Component:
    label = rx.fragment("Write ", rx.el.span(Payments.question["ref"], class_name="num"), " to confirm")
    return text_field(
        "confirm",
        label,
        error=Payments.problems["confirm"],
        auto_complete="off",
        auto_capitalize="characters",
        spell_check=False,
        max_length=20,
        input_class="num",
    )


def refund_result() -> rx.Component:
    """What came of it."""
    return told_line(Payments.result, Payments.results, DIALOG)
