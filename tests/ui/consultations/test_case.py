"""One consultation on the screen: whose it is, how it stands, and that nothing stays behind."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import select

from teleconsult import audit
from teleconsult.accounts.models import Role
from teleconsult.billing import moments
from teleconsult.billing.models import Payment
from teleconsult.clinic import queue, service
from teleconsult.consultations import service as consultations
from teleconsult.consultations.models import Consultation
from teleconsult.consultations.rules import Status
from teleconsult.db import transaction
from teleconsult.ui import payments
from teleconsult.ui.consultations.case_state import CasePage
from teleconsult.ui.consultations.sheet import read
from tests.billing.deliveries import attempt
from tests.support import full_draft, pending_case, person
from tests.ui.consultation.driving import Tab

pytestmark = pytest.mark.usefixtures("database")

ANSWER = {
    "impression": "Irritant contact dermatitis",
    "explanation": "It fits.\n\nIt is not contagious.",
    "plan": "Emollient after every wash.\nGloves for wet work.",
    "medicine": "Hydrocortisone 1 % ointment",
    "medicine_use": "Thin layer, twice a day, 7 days.",
    "safety_net": "It spreads.",
}


def shown(user: uuid.UUID, case: object) -> tuple[CasePage, list[str]]:
    """The page at the case's address, and where it sends people instead."""
    tab = Tab(user, f"/consultations/{case}", "Europe/Berlin")
    sent = asyncio.run(tab.call(CasePage.load))
    return asyncio.run(tab.state(CasePage)), sent


def visible(page: CasePage) -> dict[str, Any]:
    return page.dict()[page.get_full_name()]


def doctor() -> uuid.UUID:
    return person(
        "amara@clinic.example", Role.DERMATOLOGIST, title="Consultant dermatologist", registration_no="7412036"
    )


@pytest.fixture
def jane(database: str) -> uuid.UUID:
    assert database
    return person()


def test_waiting_shows_when_the_answer_is_due_and_what_comes_next(jane: uuid.UUID) -> None:
    page, _ = shown(jane, pending_case(jane))
    assert (page.phase, page.status, page.late) == ("ready", "pending", False)
    assert page.due
    assert [(m["title"], m["state"]) for m in page.moments][1:] == [
        ("Payment received", "done"),
        ("Waiting for a dermatologist", "now"),
        ("A dermatologist looks at your case", "next"),
        ("You get an e-mail: there is an update", "next"),
    ]
    assert page.payment[0] == {"term": "Paid", "value": "€49.00"}


def test_everything_that_was_sent_can_be_read_again(jane: uuid.UUID) -> None:
    page, _ = shown(jane, pending_case(jane))
    told = {row["term"]: row["value"] for section in page.sections for row in section["rows"]}
    assert told["Where"] == "Right cheek"
    assert told["Allergic to"] == "Penicillin: rash all over"
    assert "Takes" not in told, "what was not asked is not listed"
    assert [picture["text"] for picture in page.photos] == ["Photo 1 of 2: Overview", "Photo 2 of 2: Close-up"]


def test_in_review_says_who_looks_at_it(jane: uuid.UUID) -> None:
    case = pending_case(jane)
    queue.claim(doctor(), case)
    page, _ = shown(jane, case)
    assert (page.status, page.doctor, page.since) == ("in_review", "Amara", "just now")
    assert page.credentials == "Consultant dermatologist, registration 7412036"
    assert [m["title"] for m in page.moments if m["state"] == "now"] == ["Amara started"]


def test_a_claim_that_was_given_back_leaves_no_trace(jane: uuid.UUID) -> None:
    case, amara = pending_case(jane), doctor()
    queue.claim(amara, case)
    queue.release(amara, case)
    page, _ = shown(jane, case)
    assert (page.status, page.doctor) == ("pending", "")
    assert "Amara started" not in [m["title"] for m in page.moments]


def test_nothing_of_an_answer_shows_before_it_is_signed(jane: uuid.UUID) -> None:
    case, amara = pending_case(jane), doctor()
    queue.claim(amara, case)
    service.save_answer(amara, case, ANSWER)
    page, _ = shown(jane, case)
    assert "dermatitis" not in str(visible(page))


def test_the_answer_is_shown_as_it_was_signed_and_counts_as_read(jane: uuid.UUID) -> None:
    case, amara = pending_case(jane), doctor()
    queue.claim(amara, case)
    service.publish(amara, case, seen=service.save_answer(amara, case, ANSWER))
    page, _ = shown(jane, case)
    words = page.words
    assert (words["signer"], words["credentials"]) == ("Amara", "Consultant dermatologist, registration 7412036")
    assert words["answered"].endswith("in 1 min")
    assert words["impression"] == "Likely irritant contact dermatitis"
    assert words["explanation"] == ["It fits.", "It is not contagious."]
    assert words["plan"] == ["Emollient after every wash.", "Gloves for wet work."]
    assert page.patient == "born 27 Mar 1991"
    assert page.moments[0] | {"time": ""} == {
        "title": "Answer ready", "time": "", "icon": "circle-check", "state": "now",
    }  # fmt: skip
    with transaction() as tx:
        assert tx.get_one(Consultation, case).answer_read_at is not None


def test_the_printed_answer_says_whose_it_is(jane: uuid.UUID) -> None:
    assert read(jane, pending_case(jane), "Jane Doe", "UTC").patient == "Jane Doe, born 27 Mar 1991"


@pytest.mark.parametrize(
    ("refunded", "status", "said"),
    [
        (4900, "succeeded", "€49.00 went back to you, the way you paid."),
        (0, "requested", "€49.00 is on its way back to you"),
        (0, "pending", "€49.00 is on its way back to you"),
        (0, "failed", "Your bank didn’t take the money we returned. It is safe with us"),
        (0, None, ""),
    ],
)
def test_closed_without_an_answer_says_where_the_money_is(
    jane: uuid.UUID, refunded: int, status: str | None, said: str
) -> None:
    case = pending_case(jane)
    with transaction() as tx:
        tx.get_one(Consultation, case).status = Status.CANCELLED
        payment = tx.exec(select(Payment).where(Payment.consultation_id == case)).one()
        payment.refunded_minor, payment.refund_status = refunded, status
        audit.record(tx, "cancelled", "consultation", case)
    page, _ = shown(jane, case)
    assert page.status == "refunded"
    assert page.closing.startswith(said)
    assert page.moments[-1]["title"] == "Closed and refunded"


def test_a_case_on_hold_says_why(jane: uuid.UUID) -> None:
    case = pending_case(jane)
    with transaction() as tx:
        tx.get_one(Consultation, case).hold_reason = "dispute"
    page, _ = shown(jane, case)
    assert page.notice_title == "On hold while your bank looks into the payment"
    assert [m["title"] for m in page.moments if m["state"] == "now"] == [page.notice_title]
    assert shown(jane, pending_case(jane))[0].notice_title == ""


def test_a_case_whose_payment_the_bank_took_back_says_so(jane: uuid.UUID) -> None:
    case = pending_case(jane)
    with transaction() as tx:
        tx.get_one(Consultation, case).status = Status.CANCELLED
        tx.exec(select(Payment).where(Payment.consultation_id == case)).one().dispute_status = "lost"
    page, _ = shown(jane, case)
    assert page.closing == "Your bank returned your payment of €49.00 to you."


@pytest.mark.parametrize(
    ("status", "title"),
    [("PROCESSING", "Your bank is confirming your payment"), ("REVIEW", "We’re checking your payment")],
)
def test_a_payment_that_takes_days_has_a_page_that_says_so(jane: uuid.UUID, status: str, title: str) -> None:
    draft = full_draft(jane)
    attempt(draft, status=status)
    page, sent = shown(jane, draft)
    assert (sent, page.phase, page.status, page.notice_title) == ([], "ready", "confirming", title)
    assert "pay again" in page.notice
    assert page.sections, "what was written can be read"


def test_the_payment_tells_its_story_in_order(jane: uuid.UUID) -> None:
    case = pending_case(jane)
    with transaction() as tx:
        paid = tx.exec(select(Payment).where(Payment.consultation_id == case)).one()
        for action, facts in [
            ("payment_started", {}),
            ("payment_paid", {}),
            ("refund_requested", {"refund_id": "1", "amount_minor": 1000}),
            ("refund_requested", {"refund_id": "2", "amount_minor": 500}),
            ("dispute_opened", {}),
            ("dispute_won", {}),
            ("refund_failed", {"refund_id": "2", "amount_minor": 500}),
            ("refund_succeeded", {"refund_id": "1", "amount_minor": 1000}),
            ("refund_requested", {"refund_id": "3", "amount_minor": 900}),
            ("refund_superseded", {"refund_id": "3", "amount_minor": 900}),
        ]:
            audit.record(tx, action, "payment", paid.id, **facts)
    page, _ = shown(jane, case)
    assert [moment["title"] for moment in page.money] == [
        "You paid €49.00",
        "Your bank began to look into the payment",
        "Your bank has finished: the payment stands",
        "Your bank didn’t take €5.00 back. We’re looking into it",
        "€10.00 returned the way you paid",
    ]


def test_every_moment_has_its_words() -> None:
    for what in set(moments.TOLD.values()):
        [told] = payments.timeline([moments.Moment(what, datetime.now(UTC), "€49.00")], "UTC", datetime.now(UTC))
        assert told["title"]
        assert "{" not in told["title"]


def test_a_draft_is_resumed_where_it_stands(jane: uuid.UUID) -> None:
    draft = consultations.save_answers(jane, None, {"site": "scalp"}).consultation_id
    page, sent = shown(jane, draft)
    assert sent == [f"/consultations/{draft}/skin"]
    assert (page.phase, page.site) == ("loading", "")
    full = full_draft(jane)
    assert shown(jane, full)[1] == [f"/consultations/{full}/review"]


def test_new_begins_the_form(jane: uuid.UUID) -> None:
    assert shown(jane, "new")[1] == ["/consultations/new/skin"]


def test_absent_and_somebody_elses_cannot_be_told_apart(jane: uuid.UUID) -> None:
    mallory, theirs = person("mallory@example.com"), pending_case(jane)
    discarded = full_draft(mallory)
    with transaction() as tx:
        tx.get_one(Consultation, discarded).status = Status.CANCELLED
    answers = [shown(mallory, case) for case in (theirs, full_draft(jane), uuid.uuid4(), "nonsense", discarded)]
    assert [sent for _, sent in answers] == [[]] * 5
    first, *others = [visible(page) for page, _ in answers]
    assert [name for name, value in first.items() if value == "gone"], "the page says that nothing is there"
    assert all(other == first for other in others)


def test_leaving_empties_the_page(jane: uuid.UUID) -> None:
    case = pending_case(jane)
    tab = Tab(jane, f"/consultations/{case}")
    fresh = visible(asyncio.run(tab.state(CasePage)))
    asyncio.run(tab.call(CasePage.load))
    assert visible(asyncio.run(tab.state(CasePage))) != fresh
    asyncio.run(tab.call(CasePage.leave))
    assert visible(asyncio.run(tab.state(CasePage))) == fresh


def test_going_from_one_to_an_absent_one_shows_nothing_of_the_first(jane: uuid.UUID) -> None:
    tab = Tab(jane, f"/consultations/{pending_case(jane)}")
    asyncio.run(tab.call(CasePage.load))
    tab.go(f"/consultations/{uuid.uuid4()}")
    asyncio.run(tab.call(CasePage.load))
    page = asyncio.run(tab.state(CasePage))
    assert (page.phase, page.site, page.photos, page.sections) == ("gone", "", [], [])
