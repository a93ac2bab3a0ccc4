"""The two pages of questions, "Your skin" and "Health": both follow from the questions of their step."""

from __future__ import annotations

from typing import Any

import reflex as rx

from teleconsult.consultations import intake
from teleconsult.consultations.questions import Step
from teleconsult.ui.consultation.fields import FORM_ID, HELD, question
from teleconsult.ui.consultation.form import Form
from teleconsult.ui.consultation.frame import frame, go_on, summary


def skin() -> rx.Component:
    """Step 1."""
    return frame(
        Step.SKIN,
        "What is happening with your skin?",
        "Plain words are fine. Your dermatologist asks if something is unclear.",
        _questions(Step.SKIN, "Continue to photos"),
    )


def health() -> rx.Component:
    """Step 3."""
    return frame(
        Step.HEALTH,
        "A few questions about your health",
        "They decide which treatments are safe for you.",
        _questions(Step.HEALTH, "Continue to review"),
    )


def _questions(step: Step, label: str) -> rx.Component:
    return rx.el.form(
        summary(),
        rx.el.div(*[question(f) for f in intake.fields_of(step)], class_name="flex flex-col gap-9"),
        go_on(label, type="submit"),
        id=FORM_ID,
        no_validate=True,  # what is missing is said in our words, on the page
        on_submit=Form.go_on(Form.key, _plain(step), HELD),
    )


def _plain(step: Step) -> Any:
    """Reflex writes plain text into a page, not members of an enumeration; the guard makes it one again."""
    return str(step)
