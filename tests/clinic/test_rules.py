from __future__ import annotations

from datetime import date

import pytest

from teleconsult.clinic import rules
from teleconsult.clinic.rules import AnswerText
from teleconsult.consultations.questions import BY_NAME

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("impression", "certainty", "headline"),
    [
        ("Irritant contact dermatitis", "likely", "Likely irritant contact dermatitis"),
        ("Psoriasis", "possible", "Possible psoriasis"),
        ("psoriasis", "uncertain", "Not certain, perhaps psoriasis"),
        ("HPV wart", "likely", "Likely HPV wart"),
        ("Bowen’s disease", "likely", "Likely Bowen’s disease"),
        ("  ", "likely", ""),
    ],
)
def test_the_headline_says_how_certain(impression: str, certainty: str, headline: str) -> None:
    assert AnswerText(impression=impression, certainty=certainty).headline == headline


def test_steps_and_paragraphs_skip_empty_lines() -> None:
    text = AnswerText(plan=" One. \n\n  \nTwo.\n", explanation="First.\n\nSecond.")
    assert (text.steps, text.paragraphs) == (("One.", "Two."), ("First.", "Second."))


@pytest.mark.parametrize(
    ("answers", "short", "long"),
    [
        ({"dob": "1991-11-24", "sex": "female"}, "34, F", "34, female"),
        ({"dob": "1991-11-23", "sex": "male"}, "35, M", "35, male"),
        ({"dob": "1991-11-23", "sex": "intersex"}, "35, intersex", "35, intersex"),
        ({"dob": "soon"}, "?, ?", "?, sex not given"),
    ],
)
def test_a_person_is_age_and_sex(answers: dict, short: str, long: str) -> None:
    assert (rules.who(answers, TODAY), rules.person(answers, TODAY)) == (short, long)


@pytest.mark.parametrize(
    ("name", "answers", "alerts"),
    [
        ("pregnant", {"pregnant": "maybe"}, True),
        ("pregnant", {"pregnant": "no"}, False),
        ("pregnant", {}, False),
        ("conditions", {"conditions": ["diabetes", "immune"]}, True),
        ("conditions", {"conditions": ["diabetes"]}, False),
        ("changing", {"concern": "spot", "changing": "colour"}, True),
        ("changing", {"concern": "rash", "changing": "colour"}, False),
    ],
)
def test_an_alert_stands_only_for_an_answer_that_still_applies(name: str, answers: dict, alerts: bool) -> None:
    assert rules.alerting(BY_NAME[name], answers) is alerts
    assert (BY_NAME[name] in rules.alerts(answers)) is alerts


def test_medicine_and_its_use_belong_together() -> None:
    whole = {"impression": "a", "explanation": "b", "plan": "c", "safety_net": "d"}
    assert rules.problems(AnswerText(**whole)) == {}
    assert list(rules.problems(AnswerText(**whole, medicine="x"))) == ["medicine_use"]
    assert list(rules.problems(AnswerText(**whole, medicine_use="twice a day"))) == ["medicine"]
