"""A form that saves by itself: what can be kept is kept, and the rest is said field by field."""

from __future__ import annotations

import uuid

import pytest
from sqlmodel import func, select

from teleconsult.consultations import drafting
from teleconsult.consultations.models import Consultation
from teleconsult.consultations.questions import CONSENTS, Step
from teleconsult.db import transaction
from teleconsult.errors import NotFound
from tests.support import full_draft, person


@pytest.fixture
def jane(database: str) -> uuid.UUID:
    assert database
    return person()


def drafts() -> int:
    with transaction() as tx:
        return tx.exec(select(func.count()).select_from(Consultation)).one()


def test_a_form_without_a_real_answer_stays_without_a_row(jane: uuid.UUID) -> None:
    assert drafting.keep(jane, None, {"story": "", "symptoms": []}) == drafting.Kept(None, None)
    assert drafts() == 0


def test_what_can_be_kept_is_kept_and_the_rest_has_its_sentence(jane: uuid.UUID) -> None:
    kept = drafting.keep(jane, None, {"site": "face", "concern": "no such thing"})
    assert kept.consultation_id
    assert list(kept.refused) == ["concern"]
    assert kept.refused["concern"]
    draft = drafting.read(jane, kept.consultation_id)
    assert (draft.saved_at, draft.answers["site"]) == (kept.at, "face")
    assert not draft.answers.get("concern")


def test_an_answer_can_be_emptied_once_there_is_a_draft(jane: uuid.UUID) -> None:
    kept = drafting.keep(jane, None, {"site": "face", "story": "It itches."})
    again = drafting.keep(jane, kept.consultation_id, {"story": ""})
    assert again.consultation_id == kept.consultation_id
    assert not drafting.read(jane, again.consultation_id).answers.get("story")
    assert drafts() == 1


def test_what_is_missing_on_a_page_is_said_with_and_without_a_draft(jane: uuid.UUID) -> None:
    assert "site" in drafting.problems(jane, None, Step.SKIN)
    kept = drafting.keep(jane, None, {"site": "face"})
    left = drafting.problems(jane, kept.consultation_id, Step.SKIN)
    assert left
    assert "site" not in left
    assert drafting.problems(jane, full_draft(jane), Step.SKIN) == {}


def test_consents_are_kept_as_they_are_ticked(jane: uuid.UUID) -> None:
    case = full_draft(jane)
    first = CONSENTS[0].kind
    assert drafting.agree(jane, case, {}) is None
    assert drafting.agree(jane, case, {first: False})
    assert first not in drafting.read(jane, case).consents
    assert drafting.agree(jane, case, {first: True})
    assert first in drafting.read(jane, case).consents


def test_a_strangers_draft_is_not_there(jane: uuid.UUID) -> None:
    case, bob = full_draft(jane), person("bob@example.com")
    for act in (
        lambda: drafting.read(bob, case),
        lambda: drafting.problems(bob, case, Step.SKIN),
        lambda: drafting.keep(bob, case, {"site": "face"}),
        lambda: drafting.agree(bob, case, {CONSENTS[0].kind: True}),
    ):
        with pytest.raises(NotFound):
            act()
