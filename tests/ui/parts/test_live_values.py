"""Parts take plain values and state Vars alike: each is rendered both ways."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import reflex as rx

from teleconsult.ui.parts.buttons import button, link_button
from teleconsult.ui.parts.choices import Choice, checkbox, checkbox_cards, date_of_birth, radio_cards, segmented
from teleconsult.ui.parts.fields import select, text_area, text_field
from teleconsult.ui.parts.lists import Column, Moment, data_table, list_row, table_row, timeline
from teleconsult.ui.parts.messages import Problem, callout, error_summary
from teleconsult.ui.parts.photos import photo_tile
from teleconsult.ui.parts.status import STATUS, badge, status_badge
from teleconsult.ui.parts.steps import tabs

YES_NO = (Choice("yes", "Yes"), Choice("no", "No"))


class Sample(rx.State):
    """Stands for a form's state."""

    answers: rx.Field[dict[str, str]] = rx.field(default_factory=dict)
    several: rx.Field[list[str]] = rx.field(default_factory=list)
    rows: rx.Field[list[dict[str, str]]] = rx.field(default_factory=list)
    problem: rx.Field[str] = rx.field("")
    number: rx.Field[int] = rx.field(0)

    @rx.event
    def answer(self, name: str, value: str) -> None:
        """Take one answer."""

    @rx.event
    def tick(self, name: str, on: bool) -> None:
        """Take one box."""


def markup(component: rx.Component) -> str:
    return json.dumps(component.render(), default=str)


ANSWER = Sample.answers["concern"]
LIVE = {
    "text_field": lambda: text_field("x", "X", default_value=ANSWER, error=Sample.problem, on_blur=Sample.answer("x")),
    "text_area": lambda: text_area("x", "X", default_value=ANSWER, hint=Sample.problem, on_change=Sample.answer("x")),
    "select": lambda: select("x", "X", ["a", "b"], default_value=ANSWER, on_change=Sample.answer("x")),
    "radio_cards": lambda: radio_cards("x", "X", YES_NO, checked=ANSWER, on_change=Sample.answer("x")),
    "segmented": lambda: segmented("x", "X", YES_NO, checked=ANSWER, on_change=Sample.answer("x")),
    "checkbox": lambda: checkbox("x", "X", checked=ANSWER == "yes", on_change=Sample.tick("x")),
    "checkbox_cards": lambda: checkbox_cards(
        "x", "X", YES_NO, checked=Sample.several, attrs_for=lambda v: {"on_change": Sample.tick(v)}
    ),
    "date_of_birth": lambda: date_of_birth(
        day=ANSWER, error=Sample.problem, attrs_for=lambda part: {"on_blur": Sample.answer(part)}
    ),
    "tabs": lambda: tabs([("a", "A", "/a"), ("b", "B", "/b")], ANSWER),
    "badge": lambda: badge(ANSWER, ANSWER, ANSWER),
    "timeline": lambda: timeline(Sample.rows),
    "error_summary": lambda: error_summary(Sample.rows),
    "photo_tile": lambda: photo_tile(Sample.number, ANSWER, src=ANSWER, note_tone=ANSWER),
    "list_row": lambda: list_row(ANSWER, ANSWER, ANSWER, ANSWER, src=ANSWER, testid=ANSWER),
    "data_table": lambda: data_table(
        "x", (Column("A"),), rx.foreach(Sample.rows, lambda row: table_row((Column("A"),), [row["a"]]))
    ),
    "callout": lambda: callout(ANSWER, title=ANSWER),
    "button": lambda: button(ANSWER, loading=Sample.number > 0, loading_label="Saving"),
}


@pytest.mark.parametrize("part", LIVE)
def test_a_part_follows_the_state(part: str) -> None:
    assert "sample" in markup(LIVE[part]()), f"{part} does not read the state"


@pytest.mark.parametrize("group", [radio_cards, segmented])
def test_a_group_starts_with_its_answer_and_leaves_it_to_the_browser(group: Callable[..., rx.Component]) -> None:
    seen = markup(group("x", "X", YES_NO, checked="no"))
    assert seen.count("defaultChecked:true") == 1
    assert '"checked:' not in seen


def test_a_live_group_is_uncontrolled_too() -> None:
    seen = markup(radio_cards("x", "X", YES_NO, checked=ANSWER))
    assert seen.count("defaultChecked:") == 2
    assert '"checked:' not in seen


def test_an_error_is_said_at_its_field_and_tied_to_it() -> None:
    seen = markup(text_field("email", "E-mail", hint="Hint", error="Enter an e-mail address."))
    assert "email-hint email-error" in seen
    assert "Enter an e-mail address." in seen
    assert "email-error" not in markup(text_field("email", "E-mail", hint="Hint"))


def test_the_summary_links_each_message_to_its_field() -> None:
    assert "#email" in markup(error_summary([Problem("email", "Enter an e-mail address.")]))


def test_a_link_that_the_server_decides_on_is_a_plain_one() -> None:
    assert "reloadDocument" in markup(link_button("Start", "/consultations/new/skin", document=True))
    assert "reloadDocument" not in markup(link_button("Help", "/help"))


@pytest.mark.parametrize("status", STATUS)
def test_every_status_has_word_and_icon(status: str) -> None:
    seen = markup(status_badge(status))
    assert STATUS[status].word in seen
    assert f"#{STATUS[status].icon}" in seen


def test_the_last_moment_of_a_static_history_is_drawn_as_given() -> None:
    seen = markup(timeline([Moment("Sent", "09:00"), Moment("Answer", "later", "clock", "next")]))
    assert "Sent" in seen
    assert "#clock" in seen
