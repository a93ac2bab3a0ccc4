from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from teleconsult.ui.clinic import words

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("minutes", "text", "tone"),
    [
        (-26 * 60, "Overdue by 26 h", "danger"),
        (-40, "Overdue by 40 min", "danger"),
        (0, "Due now", "danger"),
        (30, "Due in 30 min", "danger"),
        (4 * 60 - 1, "Due in 3 h", "danger"),
        (4 * 60, "Due in 4 h", "warn"),
        (12 * 60 - 1, "Due in 11 h", "warn"),
        (12 * 60, "Due in 12 h", "neutral"),
        (80 * 60, "Due in 3 days", "neutral"),
    ],
)
def test_how_urgent_a_case_is(minutes: int, text: str, tone: str) -> None:
    badge = words.due(NOW + timedelta(minutes=minutes), NOW)
    assert (badge.text, badge.tone) == (text, tone)


@pytest.mark.parametrize(
    ("count", "hours", "said"),
    [
        (0, None, "Nothing is waiting."),
        (1, 2, "1 waiting, for 2 h."),
        (7, 21, "7 waiting, the oldest for 21 h."),
    ],
)
def test_what_waits(count: int, hours: int | None, said: str) -> None:
    oldest = NOW - timedelta(hours=hours) if hours else None
    assert words.waiting(count, oldest, NOW) == said


@pytest.mark.parametrize(("minutes", "said"), [(None, "just now"), (1, "just now"), (12, "12 minutes ago")])
def test_since_when_a_case_is_open(minutes: int | None, said: str) -> None:
    at = NOW - timedelta(minutes=minutes) if minutes else None
    assert words.claimed(at, NOW).startswith(f"Last opened or edited {said}. Claims are released after 60 minutes")


def test_alerts_are_marked_and_always_among_the_facts() -> None:
    answers = {
        "dob": "1991-3-27", "sex": "female", "pregnant": "maybe", "allergies": "some", "allergies_text": "Penicillin",
        "medicines": "none", "duration": "weeks", "conditions": ["diabetes", "immune"], "skin_cancer": "none",
    }  # fmt: skip
    facts = {fact["label"]: (fact["value"], fact["alert"]) for fact in words.facts(answers, TODAY)}
    assert facts == {
        "Age, sex": ("35, female", False),
        "Pregnant or breastfeeding": ("I could be", True),
        "Allergies": ("Penicillin", True),
        "Medicines": ("None", False),
        "Skin type": ("Not given", False),
        "How long": ("Weeks", False),
        "Conditions": ("Diabetes, Weak immune system", True),
    }


def test_a_detail_of_an_answer_that_was_taken_back_is_not_a_fact() -> None:
    facts = words.facts({"allergies": "none", "allergies_text": "Penicillin"}, TODAY)
    assert next(fact for fact in facts if fact["label"] == "Allergies") == {
        "label": "Allergies", "value": "None that I know of", "alert": False, "wide": False,
    }  # fmt: skip


def test_a_long_fact_gets_a_line_of_its_own() -> None:
    answers = {"allergies": "some", "allergies_text": "Penicillin, " * 20}
    assert [fact["label"] for fact in words.facts(answers, TODAY) if fact["wide"]] == ["Allergies"]


def test_answers_are_grouped_and_hold_only_what_was_asked_and_said() -> None:
    answers = {"site": "back", "concern": "rash", "changing": "growing", "tried": "", "sex": "male", "gp": "Dr. No"}
    skin, health = words.groups(answers)
    assert (skin["title"], [said["label"] for said in skin["said"]]) == ("The skin", ["Where", "Main concern"])
    assert (health["title"], health["said"]) == ("Health", [{"label": "Own doctor", "value": "Dr. No", "alert": False}])


def test_a_part_without_answers_is_left_out() -> None:
    assert [group["title"] for group in words.groups({"site": "back"})] == ["The skin"]


@pytest.mark.parametrize(
    ("kind", "quality", "line"),
    [
        ("overview", "good", "1 of 3, overview"),
        ("close", "blurry", "1 of 3, close-up, blurry"),
        ("odd", "good", "1 of 3, other"),
    ],
)
def test_the_line_above_a_photo(kind: str, quality: str, line: str) -> None:
    assert words.photo(kind, quality, 1, 3) == line
