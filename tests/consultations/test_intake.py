"""What counts as an answer."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teleconsult.consultations import intake
from teleconsult.consultations.questions import BY_NAME, CONSENTS, FIELDS, Kind, Step
from tests.support import ANSWERS

TODAY = date(2026, 11, 23)


def test_complete_form_has_no_problems() -> None:
    assert intake.problems(Step.SKIN, ANSWERS, TODAY) == {}
    assert intake.problems(Step.HEALTH, ANSWERS, TODAY) == {}


def test_empty_form_names_every_mandatory_question_in_order() -> None:
    found = intake.problems(Step.SKIN, {}, TODAY) | intake.problems(Step.HEALTH, {}, TODAY)
    wanted = [f.name for f in FIELDS if f.missing and f.shown_if is None]
    assert list(found) == wanted
    assert all(text.endswith(".") for text in found.values())


@pytest.mark.parametrize("f", FIELDS, ids=lambda f: f.name)
def test_every_question_is_well_formed(f: intake.Field) -> None:
    chooses = {Kind.SELECT, Kind.CARDS, Kind.SEGMENTS, Kind.CHECKS}
    assert (f.kind in chooses) == bool(f.options)
    assert len({o.value for o in f.options}) == len(f.options)
    if f.shown_if:
        other = BY_NAME[f.shown_if[0]]
        assert f.shown_if[1] <= {o.value for o in other.options}
        assert other.step is f.step
    assert f.alert_if <= {o.value for o in f.options}


def test_follow_up_questions_count_only_when_asked() -> None:
    assert "allergies_text" in intake.problems(Step.HEALTH, {**ANSWERS, "allergies_text": " "}, TODAY)
    assert intake.problems(Step.HEALTH, {**ANSWERS, "allergies": "none", "allergies_text": ""}, TODAY) == {}
    assert "changing" in intake.problems(Step.SKIN, {**ANSWERS, "concern": "spot"}, TODAY)
    assert "conditions_text" in intake.problems(Step.HEALTH, {**ANSWERS, "conditions": ["other"]}, TODAY)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Enter your date of birth."),
        ("--", "Enter your date of birth."),
        ("1991-2-30", "Enter day, month and a year with four digits."),
        ("91-3-27", "Enter day, month and a year with four digits."),
        ("1850-1-1", "Check the year of your birth."),
        ("2027-1-1", "Check the year of your birth."),
        ("2008-11-24", "You need to be 18 or older. Please see a doctor in person."),
        ("2008-11-23", ""),
        ("1991- 3 -27", ""),
    ],
)
def test_date_of_birth(typed: str, sentence: str) -> None:
    assert intake.problems(Step.HEALTH, {**ANSWERS, "dob": typed}, TODAY).get("dob", "") == sentence


def test_story_needs_twenty_characters() -> None:
    assert "story" in intake.problems(Step.SKIN, {**ANSWERS, "story": "x" * 19}, TODAY)
    assert intake.problems(Step.SKIN, {**ANSWERS, "story": "x" * 20}, TODAY) == {}


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("status", "PENDING"),
        ("site", "elbow of a giant"),
        ("site", ["face"]),
        ("symptoms", "itch"),
        ("symptoms", ["itch", "gold"]),
        ("symptoms", [1]),
        ("story", "x" * 2001),
        ("story", None),
        ("story", {"$ne": 1}),
        ("dob", 19910327),
    ],
)
def test_malformed_input_is_refused(name: str, raw: object) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        intake.accept(name, raw)


def test_choices_are_stored_in_the_order_of_the_form() -> None:
    assert intake.accept("symptoms", ["scaling", "itch"]) == ["itch", "scaling"]


@given(st.text())
def test_any_text_can_be_stored_as_utf8_without_control_characters(text: str) -> None:
    kept = intake.clean_text(text)
    kept.encode()
    assert "\x00" not in kept
    assert intake.clean_text(kept) == kept


def test_none_of_these_excludes_everything_else() -> None:
    assert intake.tick(["itch", "pain"], "none", on=True) == ["none"]
    assert intake.tick(["none"], "itch", on=True) == ["itch"]
    assert intake.tick(["itch"], "itch", on=False) == []
    assert intake.tick(["itch"], "itch", on=True) == ["itch"]


def test_red_flags() -> None:
    assert intake.red_flags({"flags": ["none"]}) == []
    assert intake.red_flags({"flags": ["swelling"]}) == ["swelling"]
    assert intake.red_flags({}) == []


def test_answers_in_words() -> None:
    said = {name: intake.spoken(BY_NAME[name], ANSWERS[name]) for name in ("site", "symptoms", "dob", "story")}  # type: ignore[arg-type]
    assert said["site"] == "Right cheek"
    assert said["symptoms"] == "Itch, Flake"
    assert said["dob"] == "27 Mar 1991"
    assert said["story"] == ANSWERS["story"]
    assert intake.spoken(BY_NAME["dob"], "31-") == ""
    assert intake.spoken(BY_NAME["sex"], None) == ""


def test_three_separate_consents() -> None:
    assert [c.kind for c in CONSENTS] == ["care", "data", "urgent"]


def test_lists_of_answers_name_each_question_shortly_where_it_has_a_short_name() -> None:
    assert BY_NAME["concern"].title == "Main concern"
    assert all(field.title for field in FIELDS)
    assert {field.title for field in FIELDS if not field.summary} <= {field.label for field in FIELDS}
