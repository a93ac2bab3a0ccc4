"""Errors nobody expected: one reference for the person and the report, and no text in either."""

from __future__ import annotations

import json

import pytest
import reflex as rx
import structlog

from teleconsult.errors import Conflict
from teleconsult.ui import faults

TYPED = "itches at night"


def said(spec: rx.event.EventSpec) -> dict[str, object]:
    return {str(name): json.loads(str(value)) for name, value in spec.args}


@pytest.mark.parametrize(("text", "digits"), [("", "811C-9DC5"), ("a", "E40C-292C"), ("foobar", "BF9C-F968")])
def test_a_reference_is_the_published_hash(text: str, digits: str) -> None:
    assert faults.reference(text) == f"E-{digits}"


def test_the_browser_computes_with_the_same_numbers() -> None:
    assert "16777619" in faults.REFERENCE_IN_BROWSER
    assert "2166136261" in faults.REFERENCE_IN_BROWSER


def test_a_refusal_is_answered_with_its_own_sentence() -> None:
    told = said(faults.answer(Conflict("Dr. Okafor just claimed this.")))
    assert told == {"text": "Dr. Okafor just claimed this.", "tone": "error"}


def test_anything_else_is_on_us_and_its_text_stays_here() -> None:
    with structlog.testing.capture_logs() as lines:
        told = said(faults.answer(ValueError(TYPED)))
    (line,) = [line for line in lines if line["event"] == "unexpected"]
    assert line["reference"] in str(told["text"])
    assert TYPED not in str(told)


def report(text: str) -> list[dict[str, object]]:
    state = faults.Faults(_reflex_internal_init=True)
    with structlog.testing.capture_logs() as lines:
        faults.Faults.report.fn(state, text, "")
    return [dict(line) for line in lines if line["event"] == "page_broke"]


@pytest.fixture(autouse=True)
def fresh_window() -> None:
    faults._reports.clear()


def test_a_broken_page_is_reported_by_reference_kind_and_place() -> None:
    text = f"TypeError: {TYPED}\n at f (https://clinic.example/assets/review-BxK8.js:1:1260)"
    (line,) = report(text)
    assert (line["reference"], line["error"], line["where"]) == (
        faults.reference(text),
        "TypeError",
        "review-BxK8.js:1:1260",
    )
    assert TYPED not in str(line)


def test_one_page_cannot_fill_the_log() -> None:
    assert [len(report("Error: x")) for _ in range(7)] == [1, 1, 1, 1, 1, 0, 0]
