"""What the pages hold when they are compiled, and the case that is there before the first snapshot."""

from __future__ import annotations

import json
import uuid

import pytest
from reflex.event import Event

from teleconsult.accounts.models import Role
from teleconsult.clinic import queue
from teleconsult.clinic.rules import CERTAINTY, FIELD_NAMES
from teleconsult.ui.clinic.pages import PAGES
from teleconsult.ui.clinic.resume import ResumeReview
from teleconsult.ui.session import Session
from tests.support import pending_case, person
from tests.ui.clinic.desk import Desk, doctor, run

QUEUE, REVIEW = (json.dumps(page.component().render(), default=str) for page in PAGES)


@pytest.mark.parametrize("hook", ["queue-claim-", "queue-row-", "queue-missed", "queue-continue"])
def test_the_queue_has_its_hooks(hook: str) -> None:
    assert hook in QUEUE


@pytest.mark.parametrize("hook", ["answer-publish", "case-release", "photo-viewer", "case-facts", "autosave-status"])
def test_the_review_has_its_hooks(hook: str) -> None:
    assert hook in REVIEW


@pytest.mark.parametrize("name", FIELD_NAMES)
def test_every_part_of_an_answer_has_its_field(name: str) -> None:
    assert f'name:\\"{name}\\"' in REVIEW


def test_every_certainty_can_be_chosen() -> None:
    for value in CERTAINTY:
        assert f'\\"{value}\\"' in REVIEW


def test_nothing_is_offered_that_does_not_work_yet() -> None:
    for later in ("Ask for photos", "Reject", "snippet", "Compare"):
        assert later not in REVIEW


@pytest.mark.parametrize(("role", "event", "shown"), [
    (Role.DERMATOLOGIST, "hydrate_and_load", True),
    (Role.DERMATOLOGIST, "on_load_internal", False),
    (Role.PATIENT, "hydrate_and_load", False),
])  # fmt: skip
@pytest.mark.usefixtures("database")
def test_the_case_is_loaded_before_the_snapshot(role: Role, event: str, *, shown: bool) -> None:
    amara = doctor()
    case_id = pending_case(person())
    queue.claim(amara, case_id)
    desk = Desk(amara, f"/clinic/{case_id}")
    assert desk.review.phase == "loading"
    run(_arrive(desk, role, event))
    page = desk.root.get_substate(desk.review.get_full_name().split("."))
    assert (page.case_id == str(case_id)) is shown
    assert uuid.UUID(page.case_id or str(case_id)) == case_id


async def _arrive(desk: Desk, role: Role, event: str) -> None:
    session = await desk.root.get_state(Session)
    session.role = role
    assert await ResumeReview().preprocess(None, desk.root, Event(name=f"reflex___state____state.{event}")) is None
