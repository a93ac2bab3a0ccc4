"""The overview's handlers: what is shown, each act with its question and result, and following the database."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest

from teleconsult.accounts import sessions
from teleconsult.accounts.models import Role
from teleconsult.billing import desk as service
from teleconsult.billing import quarantine
from teleconsult.billing.models import Payment
from teleconsult.billing.quarantine import Dismissal
from teleconsult.consultations.rules import Status
from teleconsult.db import transaction
from teleconsult.errors import Forbidden, Unavailable
from teleconsult.ui.operations import following, overview_state
from teleconsult.ui.operations.overview_state import CHOOSE_REASON, Overview
from tests.billing.deliveries import attempt, consultation, deliver, event, mails, payments, session
from tests.support import full_draft, person
from tests.ui.clinic.desk import public, run
from tests.ui.operations.desk import Desk

Texts = list[str]


def choose(desk: Desk, act: str, item: object) -> None:
    desk.did(Overview.choose, act, str(item))


def decide(desk: Desk, reason: str | None = None) -> str:
    """Answer the question. The title of what came of it."""
    desk.sent_by_page(Overview.decide, {"reason": reason})
    return desk.overview.result["title"]


# ── What is shown ──────────────────────────────────────────────────────────────────────────────────


def test_it_shows_what_waits_and_goes_on_looking(desk: Desk, wrong: Payment) -> None:
    assert desk.did(Overview.load) == ["Overview.watch"]
    page = desk.overview
    assert (page.phase, [row["id"] for row in page.waiting]) == ("ready", [str(wrong.id)])
    assert {t["label"]: t["value"] for t in page.tiles}["To be decided"] == "1"


def test_nothing_of_the_patient_is_on_the_page(desk: Desk, wrong: Payment, draft: uuid.UUID) -> None:
    desk.did(Overview.load)
    choose(desk, "accept", wrong.id)
    told = json.dumps(public(desk.overview), default=str)
    assert consultation(draft).ref in told
    owner = str(consultation(draft).user_id)
    for secret in ("Jane", "jane@", "rash", "cheek", "Started three weeks ago", "Penicillin", owner):
        assert secret not in told


def test_a_database_that_is_away_is_said_and_forgotten_when_it_is_back(
    desk: Desk, wrong: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as away:
        away.setattr(service, "overview", _away)
        desk.did(Overview.load)
        assert (desk.overview.phase, desk.overview.waiting) == ("failed", [])
    desk.did(Overview.load)
    assert (desk.overview.phase, len(desk.overview.waiting)) == ("ready", 1)
    assert wrong.status == "REVIEW"


@pytest.mark.parametrize("role", [Role.PATIENT, Role.DERMATOLOGIST])
def test_the_services_refuse_everybody_else(wrong: Payment, role: Role) -> None:
    somebody = person("somebody@example.com", role)
    asked: list[Callable[[], object]] = [
        lambda: service.overview(somebody),
        lambda: service.proof(somebody),
        lambda: service.accept(somebody, str(wrong.id)),
        lambda: service.give_back(somebody, str(wrong.id)),
        lambda: service.put_aside(somebody, str(wrong.id), Dismissal.TEST),
    ]
    for ask in asked:
        with pytest.raises(Forbidden):
            ask()


def test_nothing_stays_behind_in_a_page_that_is_left(desk: Desk, wrong: Payment) -> None:
    empty = public(desk.overview)
    desk.did(Overview.load)
    choose(desk, "accept", wrong.id)
    assert public(desk.overview) != empty
    desk.did(Overview.leave)
    assert public(desk.overview) == empty
    assert desk.overview._seen is None


# ── Decisions ──────────────────────────────────────────────────────────────────────────────────────


def test_accepted_after_a_question_it_is_queued_and_the_line_is_gone(
    desk: Desk, wrong: Payment, draft: uuid.UUID
) -> None:
    desk.did(Overview.load)
    choose(desk, "accept", wrong.id)
    ref = consultation(draft).ref
    assert (desk.overview.questions, desk.overview.question["title"]) == (1, f"Accept €54.00 for {ref}?")
    assert consultation(draft).status == Status.DRAFT, "a question changes nothing"
    assert decide(desk) == f"{ref} is in the queue"
    assert desk.frames[0]["deciding_rx_state_"] is True
    assert (desk.overview.deciding, desk.overview.waiting, desk.overview.results) == (False, [], 1)
    assert consultation(draft).status == Status.PENDING
    assert [m.kind for m in mails()] == ["payment_received"]


def test_returned_it_goes_back_and_the_draft_stays(desk: Desk, wrong: Payment, draft: uuid.UUID) -> None:
    desk.did(Overview.load)
    choose(desk, "refund", wrong.id)
    assert decide(desk) == "€54.00 is going back"
    assert payments(draft)[0].status == "RETURNED"
    assert consultation(draft).status == Status.DRAFT


def test_putting_aside_needs_a_reason(desk: Desk, draft: uuid.UUID) -> None:
    sent = event(session(attempt(draft), livemode=True), livemode=True)
    deliver(sent)
    desk.did(Overview.load)
    choose(desk, "dismiss", sent["id"])
    for nothing in ("", "because"):
        assert decide(desk, reason=nothing) == ""
        assert (desk.overview.problem, desk.overview.deciding) == (CHOOSE_REASON, False)
        assert len(quarantine.listed()) == 1
    assert decide(desk, reason="test") == "Put aside"
    assert desk.overview.problem == ""
    assert quarantine.listed() == []


def test_a_second_press_of_the_button_changes_nothing(desk: Desk, wrong: Payment) -> None:
    desk.did(Overview.load)
    choose(desk, "refund", wrong.id)
    first = decide(desk)
    assert decide(desk) == first
    assert desk.overview.results == 1


def test_somebody_was_faster_between_question_and_answer(desk: Desk, wrong: Payment, draft: uuid.UUID) -> None:
    desk.did(Overview.load)
    choose(desk, "accept", wrong.id)
    quarantine.refund(person("chi@clinic.example", Role.OPERATOR), wrong.id)
    assert decide(desk) == f"{consultation(draft).ref} doesn’t wait any more"
    assert (desk.overview.result["tone"], desk.overview.waiting) == ("neutral", [])
    assert payments(draft)[0].status == "RETURNED"


def test_somebody_was_faster_before_the_question(desk: Desk, wrong: Payment) -> None:
    choose(desk, "accept", wrong.id)  # of a list that is not there any more
    assert desk.overview.result["title"] == "It doesn’t wait any more"
    assert desk.overview.questions == 0


@pytest.mark.parametrize("act", ["dismiss", "load", "", "__class__"])
def test_only_acts_that_are_offered_are_asked_about(desk: Desk, wrong: Payment, act: str) -> None:
    desk.did(Overview.load)
    choose(desk, act, wrong.id)
    assert desk.overview.questions == 0
    assert decide(desk).endswith("doesn’t wait any more")
    assert len(quarantine.listed()) == 1


def test_an_answer_to_a_question_of_before_a_restart_does_nothing(desk: Desk, wrong: Payment) -> None:
    desk.did(Overview.load)
    assert decide(desk) == "Nothing was done"
    assert len(quarantine.listed()) == 1
    assert wrong.status == "REVIEW"


def test_a_database_that_goes_away_in_the_middle_promises_nothing(
    desk: Desk, wrong: Payment, draft: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.did(Overview.load)
    choose(desk, "accept", wrong.id)
    with monkeypatch.context() as away:
        for name in ("accept", "overview"):
            away.setattr(service, name, _away)
        assert decide(desk) == "We don’t know yet whether that worked"
        assert (desk.overview.phase, desk.overview.result["tone"]) == ("failed", "danger")
    desk.did(Overview.load)
    choose(desk, "accept", wrong.id)
    assert decide(desk).endswith("is in the queue")
    assert consultation(draft).status == Status.PENDING


def test_a_reload_asks_nothing(desk: Desk, wrong: Payment) -> None:
    desk.did(Overview.load)
    choose(desk, "accept", wrong.id)
    desk.did(Overview.load)
    assert desk.overview.questions == 0
    assert decide(desk).endswith("is in the queue"), "a connection that was lost for a moment takes no answer away"


# ── The promises ───────────────────────────────────────────────────────────────────────────────────


def test_the_promises_are_checked_and_the_figures_follow(desk: Desk, wrong: Payment) -> None:
    desk.did(Overview.load)
    assert desk.overview.tiles[0]["value"] == "–"
    desk.did(Overview.check)
    page = desk.overview
    assert (page.proof["fine"], page.tiles[0]["value"], page.broken, page.checking) == (True, "0", [], False)
    with transaction() as tx:
        tx.get_one(Payment, wrong.id).review_reason = ""
    desk.did(Overview.check)
    (found,) = desk.overview.broken
    assert (found["code"], found["ids"], desk.overview.proof["fine"]) == ("I12", [str(wrong.id)], False)


def test_a_check_without_database_leaves_the_last_one(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.did(Overview.load)
    desk.did(Overview.check)
    before = desk.overview.proof
    monkeypatch.setattr(service, "proof", _away)
    desk.did(Overview.check)
    assert (desk.overview.proof, desk.overview.checking) == (before, False)


# ── Following the database ─────────────────────────────────────────────────────────────────────────


class Watch:
    """Looks as often as there are acts, each done in a pause between two looks; then the page is left."""

    def __init__(self, desk: Desk, monkeypatch: pytest.MonkeyPatch, *acts: Callable[[], object]) -> None:
        self.desk, self.acts, self.pauses = desk, list(acts), 0
        monkeypatch.setattr(following.asyncio, "sleep", self._pause)
        monkeypatch.setattr(sessions, "alive", lambda _: True)

    async def _pause(self, _seconds: float) -> None:
        self.pauses += 1
        if not self.acts:
            self.desk.go("/settings")
            return
        await asyncio.to_thread(self.acts.pop(0))

    def follow(self) -> list[str]:
        return self.desk.did(Overview.watch, self.desk.overview._visit)


def test_what_others_do_appears_by_itself(desk: Desk, wrong: Payment, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.did(Overview.load)
    seen = []

    def note() -> None:
        seen.append(len(desk.root.get_substate(Overview.get_full_name().split(".")).waiting))

    def another() -> None:
        deliver(event(session(attempt(full_draft(person("joe@example.com"))), amount_total=1)))

    def decided() -> None:
        quarantine.refund(desk.user or uuid.uuid4(), wrong.id)

    watch = Watch(desk, monkeypatch, another, note, decided, note)
    assert watch.follow() == []
    assert seen == [2, 1]
    assert watch.pauses == 5


def test_looking_ends_when_the_page_is_opened_anew_or_left(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.did(Overview.load)
    first = desk.overview._visit
    desk.did(Overview.load)
    watch = Watch(desk, monkeypatch, lambda: None)
    assert desk.did(Overview.watch, first) == []
    assert watch.pauses == 1
    assert Watch(desk, monkeypatch).follow() == []


def test_looking_ends_with_the_session_and_asks_to_sign_in(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.did(Overview.load)
    watch = Watch(desk, monkeypatch, lambda: None, lambda: None)
    monkeypatch.setattr(sessions, "alive", lambda _: False)
    assert watch.follow() == ["Overview.load"]  # which the guard answers with the sign-in page
    assert watch.pauses == 1


def test_looking_goes_on_through_an_outage(desk: Desk, wrong: Payment, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.did(Overview.load)
    phases, read = [], service.overview

    def note() -> None:
        phases.append(desk.root.get_substate(Overview.get_full_name().split(".")).phase)

    def gone() -> None:
        monkeypatch.setattr(sessions, "alive", _away)
        monkeypatch.setattr(service, "overview", _away)

    watch = Watch(desk, monkeypatch, gone, note, lambda: monkeypatch.setattr(service, "overview", read), note)
    watch.follow()
    assert phases == ["failed", "ready"]
    assert wrong.status == "REVIEW"


def test_the_promises_are_checked_on_arrival_and_not_at_every_look(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    checks: list[uuid.UUID] = []
    monkeypatch.setattr(service, "proof", lambda who: checks.append(who) or ())
    desk.did(Overview.load)
    Watch(desk, monkeypatch, lambda: None, lambda: None).follow()
    assert checks == [desk.user]
    desk.go("/operations")
    desk.overview._proved -= overview_state.PROOF_LASTS + timedelta(seconds=1)
    Watch(desk, monkeypatch, lambda: None).follow()
    assert len(checks) == 2


def test_an_unchanged_list_sends_nothing_of_it(desk: Desk, wrong: Payment) -> None:
    desk.did(Overview.load)
    desk.root._clean()
    desk.overview._show(service.overview(desk.user or uuid.uuid4()), "Europe/Berlin")
    sent = run(desk.root._get_resolved_delta()).get(Overview.get_full_name(), {})
    assert not {"waiting", "troubles", "question", "proof"} & {name.removesuffix("_rx_state_") for name in sent}
    assert wrong.status == "REVIEW"


def _away(*_: object) -> None:
    raise Unavailable
