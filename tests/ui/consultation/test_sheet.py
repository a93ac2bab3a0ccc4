"""Between answers and controls."""

from __future__ import annotations

import pytest

from teleconsult.consultations.questions import FIELDS, Kind, Step
from teleconsult.ui.consultation import pages, sheet
from teleconsult.ui.consultation.addresses import place
from tests.support import ANSWERS


def test_every_question_has_its_controls() -> None:
    texts, ticks = sheet.controls({})
    for f in FIELDS:
        if f.kind is Kind.CHECKS:
            assert ticks[f.name] == []
        else:
            names = [f"{f.name}_{part}" for part in sheet.DATE_PARTS] if f.kind is Kind.DATE else [f.name]
            assert all(texts[name] == "" for name in names)


def test_what_controls_show_comes_back_as_the_same_answers() -> None:
    texts, ticks = sheet.controls(ANSWERS)
    held = [*texts.items(), *[(name, value) for name, values in ticks.items() for value in values]]
    back = {**sheet.answers(Step.SKIN, held), **sheet.answers(Step.HEALTH, held)}
    assert {name: value for name, value in back.items() if value} == ANSWERS


def test_a_question_that_is_not_on_the_page_keeps_its_answer() -> None:
    assert "changing" not in sheet.answers(Step.SKIN, [("concern", "rash")])
    assert "conditions_text" not in sheet.answers(Step.HEALTH, [("conditions", "none")])


def test_unticking_everything_is_an_answer() -> None:
    assert sheet.answers(Step.SKIN, [])["symptoms"] == []


def test_none_of_these_gives_way_to_a_tick() -> None:
    assert sheet.answers(Step.SKIN, [("flags", "none"), ("flags", "swelling")])["flags"] == ["swelling"]


@pytest.mark.parametrize(("boxes", "date"), [
    ({"dob_day": "27", "dob_month": "3", "dob_year": "1991"}, "1991-3-27"),
    ({"dob_day": " 7."}, "--7"),
    ({"dob_day": "", "dob_month": " "}, ""),
])  # fmt: skip
def test_a_date_is_made_of_what_was_typed(boxes: dict[str, str], date: str) -> None:
    assert sheet.answers(Step.HEALTH, [*{"dob_day": "", **boxes}.items()])["dob"] == date


def test_a_control_nobody_knows_is_no_answer() -> None:
    assert sheet.answer("isAdmin", "yes", {}) is None
    assert sheet.answer("sex_day", "1", {}) is None


@pytest.mark.parametrize(("site", "title"), [
    ("", "Add your photos"),
    ("right_cheek", "Add photos of your right cheek"),
    ("several", "Add photos of each place"),
])  # fmt: skip
def test_the_photo_page_names_the_place(site: str, title: str) -> None:
    assert sheet.photo_title({"site": site}) == title


def test_answers_in_words_leave_out_what_was_not_asked_or_not_answered() -> None:
    rows = sheet.rows(Step.HEALTH, {**ANSWERS, "medicines_text": "left from before", "medicines": "none"})
    assert {"term": "Born", "value": "27 Mar 1991"} in rows
    assert {"term": "Allergic to", "value": "Penicillin: rash all over"} in rows
    assert not {"Takes", "Own doctor"} & {row["term"] for row in rows}


@pytest.mark.parametrize("path", ["/", "/consultations", "/consultations/1", "/consultations/1/pay", "/clinic/1/skin"])
def test_other_addresses_are_no_place_of_the_form(path: str) -> None:
    assert place(path) is None


def test_every_question_is_drawn_and_bound_to_the_form_it_belongs_to() -> None:
    drawn = {page.route.rsplit("/", 1)[1]: str(page.component().render()) for page in pages.PAGES}
    for f in FIELDS:
        name = f"{f.name}_day" if f.kind is Kind.DATE else f.name
        assert f'name:"{name}"' in drawn[f.step].replace("\\", ""), f.name
