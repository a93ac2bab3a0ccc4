"""The uploader's two halves, Python and JavaScript, name the same things. Browser tests try them together."""

from __future__ import annotations

import re

import pytest
import reflex as rx

from teleconsult.consultations.photos import ADDRESS
from teleconsult.ui.consultation import uploader as module
from teleconsult.ui.consultation.uploader import SCRIPT, WORDS, uploader
from tests.support import ROOT

SOURCE = (ROOT / "assets" / SCRIPT.removeprefix("/")).read_text("utf-8")
CODE = re.sub(r"(?m)//.*$", "", re.sub(r"/\*.*?\*/", "", SOURCE, flags=re.DOTALL))
STATES = {"queued", "uploading", "processing", "done", "failed", "offline"}


@pytest.fixture(scope="module")
def drawn() -> str:
    return str(uploader("new", 0, lambda _told: rx.noop()))


def hooks_in_code() -> set[str]:
    """Names given to the script's `part` helper, and names in selectors."""
    calls = [line for line in CODE.splitlines() if "part(" in line]
    named = {name for line in calls for name in re.findall(r'"(\w+)"', line)} - STATES
    return named | set(re.findall(r"\[data-photo-(\w+)\]", CODE))


def test_every_hook_the_script_looks_for_is_drawn(drawn: str) -> None:
    hooks = hooks_in_code()
    assert {"upload", "input", "list", "template", "remove", "retry", "refresh", "percent", "bar"} <= hooks
    assert {hook for hook in hooks if f"data-photo-{hook}" not in drawn} == set()


def test_nothing_is_drawn_that_the_script_does_not_use(drawn: str) -> None:
    assert set(re.findall(r"data-photo-(\w+)", drawn)) <= hooks_in_code()


def test_every_state_of_a_file_has_its_look(drawn: str) -> None:
    states = set(re.findall(r'show\(job, "(\w+)"', CODE))
    assert states == STATES
    assert all(f"group-data-[state={state}]:flex" in drawn for state in states)


def test_every_word_is_used_and_none_is_missing() -> None:
    assert set(re.findall(r"\bwords(?:\(\))?\.(\w+)", CODE)) == set(WORDS)


def test_every_place_in_a_sentence_is_filled() -> None:
    assert {name for text in WORDS.values() for name in re.findall(r"\{(\w+)\}", text)} == {"name", "size", "limit"}


def test_the_script_holds_no_wording_and_no_eval() -> None:
    sentences = [text for text in re.findall(r'"([^"]*)"', CODE) if re.search(r"[a-z] [a-z]", text)]
    assert sentences == ["use strict"]
    assert not re.search(r"eval|innerHTML|new Function|localStorage|sessionStorage|document\.write", CODE)


def test_the_script_sends_to_the_photo_route(drawn: str) -> None:
    assert ADDRESS in drawn
    assert module.INPUT_ID in drawn
    assert "capture" not in drawn, "it would take the photo library away on phones"
