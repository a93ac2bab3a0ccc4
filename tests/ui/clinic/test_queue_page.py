"""The queue on the screen: what it says, a claim won or lost, and following the database until the page is left."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest

from teleconsult.accounts import sessions
from teleconsult.clinic import queue
from teleconsult.consultations.models import Consultation
from teleconsult.db import transaction, utcnow
from teleconsult.errors import Unavailable
from teleconsult.ui.clinic import queue_state
from teleconsult.ui.clinic.queue_state import Queue
from tests.support import pending_case, person
from tests.ui.clinic.desk import Desk, doctor, public, run

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def patient(database: str) -> uuid.UUID:
    assert database
    return person()


@pytest.fixture
def desk(database: str) -> Desk:
    assert database
    return Desk(doctor())


def test_shows_what_waits_without_name_or_complaint(desk: Desk, patient: uuid.UUID) -> None:
    case_id = pending_case(patient, site="back", duration="months", concern="spot", changing="growing")
    assert desk.did(Queue.load) == ["Queue.watch"]
    (row,) = desk.queue.waiting
    assert (row["id"], row["place"], row["flag"]) == (str(case_id), "Back, for months", "Changing mole")
    assert (row["due"], row["tone"], row["icon"]) == ("Due in 47 h", "neutral", "clock")
    assert (len(row["thumbs"]), row["more"], row["photos"]) == (2, "", "2 photos")
    assert desk.queue.summary == "1 waiting, for 0 min."
    told = str(public(desk.queue))
    for secret in ("Jane", "jane@", "spot", "Started three weeks ago", "Penicillin", str(patient)):
        assert secret not in told


def test_the_address_says_which_list_is_shown(desk: Desk, patient: uuid.UUID) -> None:
    queue.claim(desk.user, pending_case(patient))
    desk.go("/clinic?show=mine")
    desk.did(Queue.load)
    assert (desk.queue.show, len(desk.queue.mine), len(desk.queue.waiting)) == ("mine", 1, 0)
    desk.go("/clinic?show=nonsense")
    desk.did(Queue.load)
    assert desk.queue.show == "waiting"


def test_the_case_that_was_touched_last_is_offered_to_go_on(desk: Desk, patient: uuid.UUID) -> None:
    older, newer = pending_case(patient), pending_case(patient)
    for case_id in (newer, older):
        queue.claim(desk.user, case_id)
    with transaction() as tx:
        tx.get_one(Consultation, older).claimed_at = utcnow() - timedelta(minutes=12)
    desk.did(Queue.load)
    assert desk.queue.open_case["id"] == str(newer)
    queue.release(desk.user, newer)
    desk.did(Queue.load)
    assert desk.queue.open_case["text"].startswith("Last opened or edited 12 minutes ago.")


def test_a_claim_opens_the_case(desk: Desk, patient: uuid.UUID) -> None:
    case_id = pending_case(patient)
    desk.did(Queue.load)
    assert [sent for sent in desk.did(Queue.claim, case_id) if sent] == [f"/clinic/{case_id}"]
    assert desk.frames[0]["claiming_rx_state_"] == str(case_id)
    assert desk.queue.claiming == ""
    assert [line.id for line in queue.queue(desk.user).mine] == [case_id]


def test_a_claim_that_came_too_late_says_who_was_faster_and_the_row_is_gone(desk: Desk, patient: uuid.UUID) -> None:
    lost, left = pending_case(patient), pending_case(patient)
    desk.did(Queue.load)
    queue.claim(doctor("chidi", "6980114"), lost)
    assert desk.did(Queue.claim, lost) == []
    assert (desk.queue.missed, desk.queue.claiming) == ("Chidi just claimed this.", "")
    assert [row["id"] for row in desk.queue.waiting] == [str(left)]
    desk.did(Queue.claim, left)
    assert desk.queue.missed == ""


def test_a_database_that_is_away_is_said_and_forgotten_when_it_is_back(
    desk: Desk, patient: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    pending_case(patient)
    with monkeypatch.context() as away:
        away.setattr(queue, "queue", _away)
        desk.did(Queue.load)
        assert (desk.queue.phase, desk.queue.waiting) == ("failed", [])
    desk.did(Queue.load)
    assert (desk.queue.phase, len(desk.queue.waiting)) == ("ready", 1)


def test_nothing_stays_behind_in_a_page_that_is_left(desk: Desk, patient: uuid.UUID) -> None:
    empty = public(desk.queue)
    pending_case(patient)
    desk.did(Queue.load)
    assert public(desk.queue) != empty
    desk.did(Queue.leave)
    assert public(desk.queue) == empty


# Following the database


class Watch:
    """Looks at the queue as often as there are acts, each done in a pause between two looks; then the tab is left."""

    def __init__(self, desk: Desk, monkeypatch: pytest.MonkeyPatch, *acts: Callable[[], object]) -> None:
        self.desk, self.acts, self.pauses = desk, list(acts), 0
        monkeypatch.setattr(queue_state.asyncio, "sleep", self._pause)
        monkeypatch.setattr(sessions, "alive", lambda _: True)

    async def _pause(self, _seconds: float) -> None:
        self.pauses += 1
        if not self.acts:
            self.desk.go("/settings")
            return
        act = self.acts.pop(0)
        await asyncio.to_thread(act)

    def follow(self) -> list[str]:
        return self.desk.did(Queue.watch, self.desk.queue._visit)


def test_what_others_do_appears_by_itself(desk: Desk, patient: uuid.UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.did(Queue.load)
    seen = []

    def note() -> None:
        seen.append(desk.root.get_substate(Queue.get_full_name().split(".")).waiting_count)

    watch = Watch(desk, monkeypatch, lambda: pending_case(patient), note, lambda: pending_case(patient), note)
    assert watch.follow() == []
    assert seen == [1, 2]
    assert watch.pauses == 5


def test_looking_ends_when_another_page_is_shown(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.did(Queue.load)
    watch = Watch(desk, monkeypatch)
    assert watch.follow() == []
    assert watch.pauses == 1


def test_looking_ends_when_the_page_is_opened_anew(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.did(Queue.load)
    first = desk.queue._visit
    desk.did(Queue.load)
    watch = Watch(desk, monkeypatch, lambda: None)
    assert desk.did(Queue.watch, first) == []
    assert watch.pauses == 1


def test_looking_ends_with_the_session_and_asks_to_sign_in(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.did(Queue.load)
    watch = Watch(desk, monkeypatch, lambda: None, lambda: None)
    monkeypatch.setattr(sessions, "alive", lambda _: False)
    assert watch.follow() == ["Queue.load"]  # which the guard answers with the sign-in page
    assert watch.pauses == 1


def test_looking_goes_on_through_an_outage(desk: Desk, patient: uuid.UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.did(Queue.load)
    pending_case(patient)
    phases = []

    def note() -> None:
        phases.append(desk.root.get_substate(Queue.get_full_name().split(".")).phase)

    watch = Watch(desk, monkeypatch, lambda: monkeypatch.setattr(sessions, "alive", _away))
    watch.acts += [note, lambda: monkeypatch.setattr(sessions, "alive", lambda _: True), note]
    watch.follow()
    assert phases == ["failed", "ready"]


def test_an_unchanged_queue_sends_nothing(desk: Desk, patient: uuid.UUID) -> None:
    pending_case(patient)
    desk.did(Queue.load)
    desk.root._clean()
    desk.queue._show(queue.queue(desk.user))
    assert Queue.get_full_name() not in run(desk.root._get_resolved_delta())
    pending_case(patient)
    desk.queue._show(queue.queue(desk.user))
    assert Queue.get_full_name() in run(desk.root._get_resolved_delta())


def _away(*_: object) -> None:
    raise Unavailable
