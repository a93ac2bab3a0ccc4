"""The payments page's handlers: finding a payment by any of its names, and returning money of it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from teleconsult.accounts import sessions
from teleconsult.accounts.models import Role
from teleconsult.billing import desk as service
from teleconsult.billing import refunds
from teleconsult.billing.models import Payment
from teleconsult.consultations.rules import Status
from teleconsult.errors import Forbidden, NotFound, Unavailable
from teleconsult.ui.operations import following, refunding
from teleconsult.ui.operations.payments_state import NO_NAME, Payments
from tests.billing.deliveries import attempt, consultation, deliver, event, ledger, payments, session
from tests.billing.shop import now, rows
from tests.support import full_draft, person
from tests.ui.clinic.desk import public
from tests.ui.operations.desk import Desk

HERE = "/operations/payments"


@pytest.fixture
def paid(draft: uuid.UUID) -> Payment:
    """49 euros, for a case that waits."""
    deliver(event(session(attempt(draft))))
    return payments(draft)[0]


@pytest.fixture
def ref(draft: uuid.UUID) -> str:
    return consultation(draft).ref


def open_page(desk: Desk, name: str) -> Payments:
    desk.go(f"{HERE}?ref={name}")
    desk.did(Payments.load)
    return desk.payments


def give_back(desk: Desk, **form: str) -> dict[str, str]:
    """Answer the question of a refund. What is wrong with the form."""
    desk.sent_by_page(Payments.refund, {"amount": "49.00", "reason": "goodwill", "confirm": "", **form})
    return {name: problem for name, problem in desk.payments.problems.items() if problem}


# ── Finding ────────────────────────────────────────────────────────────────────────────────────────


def test_it_is_found_by_any_of_its_names_and_followed(desk: Desk, paid: Payment, draft: uuid.UUID, ref: str) -> None:
    (told,) = ledger()
    for name in (ref, ref.lower(), draft, paid.id, paid.stripe_session_id, paid.stripe_payment_intent_id, told):
        page = open_page(desk, str(name))
        assert (page.phase, page.file["ref"], page.fits) == ("found", ref, True), name
        assert desk.sent == ["Payments.watch"]


@pytest.mark.parametrize("name", ["", "  ", "jane@example.com", "a b", "<script>", "'; drop", "x" * 121])
def test_what_is_no_name_is_asked_for_nothing(desk: Desk, name: str) -> None:
    page = open_page(desk, name)
    assert (page.phase, page.asked, page.fits, desk.sent) == ("idle", "", True, [])


@pytest.mark.parametrize("name", ["TC-NOPE1", "cs_test_none", "evt_none", "pi_none", "x", str(uuid.uuid4())])
def test_what_is_not_here_is_said_calmly(desk: Desk, name: str) -> None:
    page = open_page(desk, name)
    assert (page.phase, page.asked, page.file["ref"]) == ("unknown", name, "")


def test_searching_goes_to_an_address_that_can_be_reloaded(desk: Desk, paid: Payment, ref: str) -> None:
    desk.go(HERE)
    desk.did(Payments.load)
    assert desk.sent_by_page(Payments.search, {"ref": f" {ref} "}) == [f"{HERE}?ref={ref}"]
    assert desk.sent_by_page(Payments.search, {"ref": ""}) == [HERE]
    open_page(desk, ref)
    assert desk.sent_by_page(Payments.search, {"ref": ref}) == ["Payments.load"]
    assert paid.status == "PAID"


def test_what_somebody_types_about_a_person_never_gets_into_an_address(desk: Desk, paid: Payment, ref: str) -> None:
    page = open_page(desk, ref)
    for private in ("jane@example.com", "Jane Doe", "rash on the cheek"):
        assert not any(private in sent for sent in desk.sent_by_page(Payments.search, {"ref": private}))
        assert (desk.payments.problem, page.file["ref"]) == (NO_NAME, ref)
    desk.did(Payments.load)
    assert desk.payments.problem == ""
    assert paid.status == "PAID"


def test_another_address_never_shows_what_stood_there_before(desk: Desk, paid: Payment, ref: str) -> None:
    assert open_page(desk, ref).fits
    desk.go(f"{HERE}?ref=TC-OTHER")
    assert not desk.payments.fits
    assert open_page(desk, "TC-OTHER").file["ref"] == ""
    assert paid.status == "PAID"


def test_nothing_of_the_patient_is_on_the_page(desk: Desk, paid: Payment, draft: uuid.UUID, ref: str) -> None:
    open_page(desk, ref)
    desk.did(Payments.ask, paid.id)
    told = str(public(desk.payments))
    assert ref in told
    owner = str(consultation(draft).user_id)
    for secret in ("Jane", "jane@", "rash", "cheek", "Started three weeks ago", "Penicillin", owner):
        assert secret not in told


def test_nothing_stays_behind_in_a_page_that_is_left(desk: Desk, paid: Payment, ref: str) -> None:
    empty = public(desk.payments)
    open_page(desk, ref)
    desk.did(Payments.ask, paid.id)
    assert public(desk.payments) != empty
    desk.go(HERE)
    desk.did(Payments.leave)
    assert public(desk.payments) == empty
    assert desk.payments._story is None


def test_a_database_that_is_away_leaves_what_was_shown(
    desk: Desk, paid: Payment, ref: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_page(desk, ref)
    with monkeypatch.context() as away:
        away.setattr(service, "story", _away)
        assert open_page(desk, ref).phase == "failed"
    assert open_page(desk, ref).phase == "found"
    assert paid.status == "PAID"


@pytest.mark.parametrize("role", [Role.PATIENT, Role.DERMATOLOGIST])
def test_the_services_refuse_everybody_else(paid: Payment, ref: str, role: Role) -> None:
    somebody = person("somebody@example.com", role)
    with pytest.raises(Forbidden):
        service.story(somebody, ref)
    with pytest.raises(Forbidden):
        service.refund(somebody, paid.id, 1, "goodwill")
    assert rows(paid) == []


# ── Returning money ────────────────────────────────────────────────────────────────────────────────


def test_a_part_goes_back_and_the_rest_can_follow(desk: Desk, paid: Payment, draft: uuid.UUID, ref: str) -> None:
    open_page(desk, ref)
    desk.did(Payments.ask, paid.id)
    page = desk.payments
    assert (page.questions, page.question["start"]) == (1, "49.00")
    assert page.question["left"].startswith("€49.00 can be returned.")
    assert give_back(desk, amount="10", confirm=ref.lower()) == {}
    assert desk.frames[0]["refunding_rx_state_"] is True
    assert (desk.payments.result["title"], desk.payments.refunding) == ("€10.00 is going back", False)
    assert [(r.amount_minor, r.reason, r.operator_id) for r in rows(paid)] == [(1000, "goodwill", desk.user)]
    (one,) = desk.payments.file["tries"]
    assert (one["returnable"], one["note"][:20]) == (False, "A refund is being se")
    assert consultation(draft).status == Status.PENDING


def test_all_of_it_ends_the_case_and_says_so_before(desk: Desk, paid: Payment, draft: uuid.UUID, ref: str) -> None:
    open_page(desk, ref)
    desk.did(Payments.ask, paid.id)
    assert refunding.IF_ALL[Status.PENDING] in desk.payments.question["text"]
    assert give_back(desk, confirm=ref) == {}
    assert [r.amount_minor for r in rows(paid)] == [4900]
    assert (consultation(draft).status, desk.payments.file["word"]) == (Status.CANCELLED, "Cancelled")


@pytest.mark.parametrize(("form", "problems"), [
    ({"amount": "49,00"}, {"amount": "Write an amount like 49.00."}),
    ({"amount": "-5"}, {"amount": "Write an amount like 49.00."}),
    ({"amount": "49.01"}, {"amount": "No more than €49.00 can be returned."}),
    ({"amount": "49.001"}, {"amount": "EUR has at most 2 digits after the point."}),
    ({"amount": "0"}, {"amount": "Write an amount above nothing."}),
    ({"reason": ""}, {"reason": "Choose a reason."}),
    ({"reason": "outside"}, {"reason": "Choose a reason."}),
    ({"reason": "duplicate"}, {"reason": "Choose a reason."}),
    ({"confirm": ""}, {"confirm": "Write {ref} to confirm."}),
    ({"confirm": "TC-OTHER"}, {"confirm": "Write {ref} to confirm."}),
    ({"amount": "", "reason": "", "confirm": "yes"},
     {"amount": "Write an amount like 49.00.", "reason": "Choose a reason.", "confirm": "Write {ref} to confirm."}),
])  # fmt: skip
def test_what_is_wrong_is_said_at_its_field(
    desk: Desk, paid: Payment, ref: str, form: dict[str, str], problems: dict[str, str]
) -> None:
    open_page(desk, ref)
    desk.did(Payments.ask, paid.id)
    told = give_back(desk, **{"confirm": ref, **form})
    assert told == {name: problem.format(ref=ref) for name, problem in problems.items()}
    assert list(told)[:1] == list(problems)[:1]
    assert (rows(paid), desk.payments.refunding, desk.payments.result["title"]) == ([], False, "")
    assert give_back(desk, confirm=ref) == {}, "and can be mended"


def test_a_second_press_of_the_button_returns_nothing_more(desk: Desk, paid: Payment, ref: str) -> None:
    open_page(desk, ref)
    desk.did(Payments.ask, paid.id)
    for _ in range(2):
        give_back(desk, amount="10", confirm=ref)
    assert len(rows(paid)) == 1
    assert desk.payments.results == 1


def test_another_operator_was_faster(desk: Desk, paid: Payment, ref: str) -> None:
    open_page(desk, ref)
    desk.did(Payments.ask, paid.id)
    refunds.request(person("chi@clinic.example", Role.OPERATOR), paid.id, 4000, "late")
    give_back(desk, amount="10", confirm=ref)
    assert (desk.payments.result["title"], desk.payments.result["tone"]) == ("Nothing was returned", "neutral")
    assert "look again in a minute" in desk.payments.result["text"]
    assert len(rows(paid)) == 1


def test_less_is_left_than_the_page_knew(desk: Desk, paid: Payment, ref: str, monkeypatch: pytest.MonkeyPatch) -> None:
    open_page(desk, ref)
    desk.did(Payments.ask, paid.id)
    refunds.request(person("chi@clinic.example", Role.OPERATOR), paid.id, 4000, "late")
    monkeypatch.setattr(refunds, "_refuse", lambda _: None)  # its refund has reached Stripe by now
    assert give_back(desk, amount="10", confirm=ref) == {
        "amount": "Between the smallest coin and €9.00 can be returned.",
    }  # fmt: skip
    assert desk.payments.file["tries"][0]["sums"][-1]["value"] == "€9.00"


def test_without_a_question_nothing_goes_back(desk: Desk, paid: Payment, ref: str) -> None:
    open_page(desk, ref)
    give_back(desk, confirm=ref)
    assert desk.payments.result["title"] == "Nothing was returned"
    assert rows(paid) == []


def test_of_another_case_nothing_can_be_asked_here(desk: Desk, paid: Payment, ref: str) -> None:
    other = full_draft(person("joe@example.com"))
    deliver(event(session(attempt(other))))
    open_page(desk, ref)
    for strange in (payments(other)[0].id, uuid.uuid4()):
        desk.did(Payments.ask, strange)
    assert desk.payments.questions == 0
    assert paid.status == "PAID"


def test_money_in_review_is_decided_on_the_overview(desk: Desk, wrong: Payment, ref: str) -> None:
    page = open_page(desk, ref)
    assert (page.file["tries"][0]["decide"], page.file["tries"][0]["returnable"]) == (True, False)
    desk.did(Payments.ask, wrong.id)
    assert desk.payments.questions == 0


@pytest.mark.parametrize("fault", [Unavailable, NotFound])
def test_a_fault_in_the_middle_is_told_truly(
    desk: Desk, paid: Payment, ref: str, fault: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    open_page(desk, ref)
    desk.did(Payments.ask, paid.id)
    with monkeypatch.context() as away:
        away.setattr(service, "refund", _raise(fault))
        give_back(desk, confirm=ref)
    title = "We don’t know yet whether that worked" if fault is Unavailable else "Nothing was returned"
    assert (desk.payments.result["title"], desk.payments.refunding) == (title, False)
    assert now(paid).refund_status is None


def test_a_reload_asks_nothing(desk: Desk, paid: Payment, ref: str) -> None:
    open_page(desk, ref)
    desk.did(Payments.ask, paid.id)
    assert open_page(desk, ref).questions == 0


# ── Following ──────────────────────────────────────────────────────────────────────────────────────


def test_what_comes_of_a_refund_appears_by_itself(
    desk: Desk, paid: Payment, ref: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_page(desk, ref)
    pauses = []

    async def pause(_: float) -> None:
        pauses.append(1)
        if len(pauses) == 1:
            news = {"object": "charge", "amount_refunded": 900, "payment_intent": paid.stripe_payment_intent_id}
            deliver(event(news, "charge.refunded"))
        else:
            desk.go("/settings")

    monkeypatch.setattr(following.asyncio, "sleep", pause)
    monkeypatch.setattr(sessions, "alive", lambda _: True)
    assert desk.did(Payments.watch, desk.payments._visit) == []
    desk.go(f"{HERE}?ref={ref}")
    assert desk.payments.file["sums"][1]["value"] == "€9.00"
    assert len(pauses) == 2


def test_following_ends_with_the_session(desk: Desk, paid: Payment, ref: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def pause(_: float) -> None:
        return None

    open_page(desk, ref)
    monkeypatch.setattr(following.asyncio, "sleep", pause)
    monkeypatch.setattr(sessions, "alive", lambda _: False)
    assert desk.did(Payments.watch, desk.payments._visit) == ["Payments.load"]
    assert paid.status == "PAID"


def _away(*_: object) -> None:
    raise Unavailable


def _raise(fault: type[Exception]) -> Any:
    def fail(*_: object) -> None:
        raise fault

    return fail
