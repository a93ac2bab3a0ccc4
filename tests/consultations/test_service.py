"""Drafts: saved as typed, owned, complete before payment."""

from __future__ import annotations

import uuid

import pytest
from sqlmodel import col, select

from teleconsult.consultations import service
from teleconsult.consultations.models import Consent
from teleconsult.consultations.questions import CONSENTS, Step
from teleconsult.consultations.rules import MOVES, PAID, Status, may_move
from teleconsult.db import transaction
from teleconsult.errors import Conflict, Invalid, NotFound, TooMany
from tests.support import ANSWERS, full_draft, person

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def jane(database: str) -> uuid.UUID:
    """A patient."""
    assert database
    return person()


def test_first_answer_makes_the_draft_and_the_next_one_joins_it(jane: uuid.UUID) -> None:
    first = service.save_answers(jane, None, {"site": "face"})
    second = service.save_answers(jane, first.consultation_id, {"story": "It itches."})
    assert second.consultation_id == first.consultation_id
    kept = service.draft(jane, first.consultation_id)
    assert (kept.answers["site"], kept.answers["story"], kept.status) == ("face", "It itches.", Status.DRAFT)
    assert kept.ref.startswith("TC-")
    assert kept.saved_at == second.at >= first.at


def test_malformed_answer_makes_no_draft(jane: uuid.UUID) -> None:
    with pytest.raises(Invalid) as refused:
        service.save_answers(jane, None, {"site": "face", "status": "PENDING", "symptoms": "itch"})
    assert set(refused.value.problems) == {"status", "symptoms"}


def test_strangers_meet_the_same_nothing_everywhere(jane: uuid.UUID) -> None:
    mine, bob = full_draft(jane), person("bob@example.com")
    for attempt in (
        lambda i: service.draft(bob, i),
        lambda i: service.save_answers(bob, i, {"site": "face"}),
        lambda i: service.set_consent(bob, i, "care", given=False),
    ):
        said = set()
        for target in (mine, uuid.uuid4()):
            with pytest.raises(NotFound) as refused:
                attempt(target)
            said.add(refused.value.message)
        assert len(said) == 1
    assert service.draft(jane, mine).answers["site"] == ANSWERS["site"]


def test_sent_consultation_takes_no_more_answers(jane: uuid.UUID) -> None:
    draft = full_draft(jane)
    with transaction() as tx:
        service.owned(tx, jane, draft).status = Status.CANCELLED
    with pytest.raises(Conflict):
        service.save_answers(jane, draft, {"site": "face"})


def test_missing_by_page_in_order(jane: uuid.UUID) -> None:
    saved = service.save_answers(jane, None, {"site": "face"})
    missing = service.draft(jane, saved.consultation_id).problems
    assert list(missing) == list(Step)
    assert missing[Step.PHOTOS] == {"photos": "Add two photos: one from further away and one close up."}
    assert list(missing[Step.REVIEW]) == ["consent-care", "consent-data", "consent-urgent"]
    assert service.draft(jane, full_draft(jane)).problems == {}


def test_one_photo_is_not_enough() -> None:
    missing = service.missing(ANSWERS, 1, frozenset(c.kind for c in CONSENTS))
    assert missing == {Step.PHOTOS: {"photos": "Add one more photo: two are needed."}}


def test_red_flag_stops_although_everything_is_answered(jane: uuid.UUID) -> None:
    draft = service.draft(jane, full_draft(jane, flags=["swelling"]))
    assert draft.red_flags == ["swelling"]
    assert list(draft.problems) == [Step.SKIN]


def test_consent_keeps_version_words_and_time_and_can_be_unticked(jane: uuid.UUID) -> None:
    draft = service.save_answers(jane, None, {"site": "face"}).consultation_id
    service.set_consent(jane, draft, "care", given=True)
    service.set_consent(jane, draft, "care", given=True)
    with transaction() as tx:
        [row] = tx.exec(select(Consent).where(col(Consent.consultation_id) == draft)).all()
    assert (row.kind, row.version, len(row.text_sha256)) == ("care", CONSENTS[0].version, 64)
    service.set_consent(jane, draft, "care", given=False)
    assert service.draft(jane, draft).consents == frozenset()
    with pytest.raises(Invalid):
        service.set_consent(jane, draft, "marketing", given=True)


def test_drafts_of_one_person_are_limited(jane: uuid.UUID) -> None:
    for _ in range(service.MAX_DRAFTS):
        service.save_answers(jane, None, {"site": "face"})
    with pytest.raises(TooMany):
        service.save_answers(jane, None, {"site": "face"})


def test_references_are_easy_to_say() -> None:
    refs = {service.new_ref() for _ in range(500)}
    assert len(refs) > 490
    assert not set("".join(refs).replace("TC-", "")) & set("01ILOU")


@pytest.mark.parametrize("now", Status)
@pytest.mark.parametrize("then", Status)
def test_nothing_becomes_a_draft_again_and_nothing_leaves_it_but_paid_or_cancelled(now: Status, then: Status) -> None:
    assert may_move(now, then) == (then in MOVES[now])
    if then is Status.DRAFT:
        assert not may_move(now, then)
    if now is Status.DRAFT and may_move(now, then):
        assert then in {Status.PENDING, Status.CANCELLED}
    if now in PAID:
        assert not may_move(now, Status.DRAFT)
