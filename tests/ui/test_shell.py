"""The frame around pages: who is shown which way around, and the ways in and out."""

from __future__ import annotations

import json

import pytest

from teleconsult.ui.flash import LONGEST, Flash
from teleconsult.ui.shell import START, Area, page_shell


def markup(area: Area) -> str:
    return json.dumps(page_shell("x", area=area, current="Queue").render(), default=str)


def test_a_page_for_everybody_offers_the_ways_in_until_somebody_is_signed_in() -> None:
    seen = markup("public")
    assert f'to:\\"{START}\\"' in seen
    assert 'to:\\"/sign-in\\"' in seen
    assert "/api/auth/sign-out" in seen, "the menu follows with the role"


@pytest.mark.parametrize("area", ["patient", "clinic", "operations", "account"])
def test_a_page_of_ones_own_has_the_way_out_from_the_start(area: Area) -> None:
    seen = markup(area)
    assert "/api/auth/sign-out" in seen
    assert "/sign-in" not in seen


def test_nobody_sees_the_way_around_of_another_role() -> None:
    assert 'to:\\"/clinic\\"' in markup("clinic")
    assert 'to:\\"/clinic\\"' not in markup("patient")
    assert 'to:\\"/consultations\\"' not in markup("clinic")
    assert 'to:\\"/operations/payments\\"' in markup("operations")
    assert 'to:\\"/operations' not in markup("clinic") + markup("patient")


def test_the_current_place_is_marked() -> None:
    assert '\\"aria-current\\":\\"page\\"' in markup("clinic").replace(" ", "").replace('\\\\"', '\\"')
    assert "aria-current" not in markup("patient")


def test_signing_out_is_the_browsers_own_post() -> None:
    seen = markup("patient")
    assert 'method:\\"post\\"' in seen
    assert "onSubmit" not in seen


def test_a_new_message_replaces_the_old_one_and_can_be_told_from_it() -> None:
    flash = Flash(_reflex_internal_init=True)
    Flash.push.fn(flash, "Draft discarded", "neutral")
    first = flash.count
    Flash.push.fn(flash, "Draft discarded" * 40, "error")
    assert (len(flash.text), flash.tone) == (LONGEST, "error")
    assert flash.count != first
    Flash.shown.fn(flash)
    assert flash.text == ""
