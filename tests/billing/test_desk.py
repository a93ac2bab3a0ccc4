"""The operators' desk as use cases: what it shows, what it does, and that it is only for operators."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from teleconsult.billing import desk, refunds
from teleconsult.billing.models import Payment
from teleconsult.consultations.rules import Status
from teleconsult.errors import Forbidden
from tests.billing.deliveries import attempt, consultation, deliver, event, payments, session
from tests.billing.shop import bought, rows
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.usefixtures("alerts")


@pytest.fixture
def wrong(draft: uuid.UUID) -> Payment:
    """Five euros too much were paid."""
    deliver(event(session(attempt(draft), amount_total=5400)))
    return payments(draft)[0]


def test_the_overview_shows_what_waits_and_how_money_stands(wrong: Payment, operator: uuid.UUID) -> None:
    seen = desk.overview(operator)
    assert [item.id for item in seen.waiting] == [str(wrong.id)]
    assert seen.under_way.get("OPEN", 0) == 0


def test_the_proof_finds_nothing_in_books_that_are_right(wrong: Payment, operator: uuid.UUID) -> None:
    assert wrong.received_minor == 5400
    assert desk.proof(operator) == ()


def test_an_accepted_payment_queues_its_case(wrong: Payment, draft: uuid.UUID, operator: uuid.UUID) -> None:
    assert desk.accept(operator, str(wrong.id)).outcome == "queued"
    assert consultation(draft).status == Status.PENDING


def test_money_given_back_waits_no_more(wrong: Payment, operator: uuid.UUID) -> None:
    assert desk.give_back(operator, str(wrong.id)).outcome == "returned"
    assert desk.overview(operator).waiting == ()


def test_an_event_without_money_is_put_aside(draft: uuid.UUID, operator: uuid.UUID) -> None:
    stray = event(session(attempt(draft)), livemode=True)
    deliver(stray)
    assert [item.id for item in desk.overview(operator).waiting] == [stray["id"]]
    assert desk.put_aside(operator, stray["id"], "test").outcome == "dismissed"
    assert desk.overview(operator).waiting == ()


def test_a_payment_is_found_by_its_name_and_a_part_of_it_returned(draft: uuid.UUID, operator: uuid.UUID) -> None:
    deliver(event(session(attempt(draft))))
    [payment] = payments(draft)
    assert str(payment.id) in repr(desk.story(operator, str(payment.stripe_session_id)))
    promised = desk.refund(operator, payment.id, 1000, "goodwill")
    assert (promised.amount_minor, promised.currency) == (1000, "eur")
    assert [(row.id, row.amount_minor) for row in rows(payment)] == [(promised.refund_id, 1000)]


def test_the_story_tells_how_a_refund_ended(shop: Sandbox, draft: uuid.UUID, operator: uuid.UUID) -> None:
    payment = bought(shop, draft)
    refunds.refund.func(str(desk.refund(operator, payment.id, 1000, "goodwill").refund_id))
    told = [moment for moment in desk.story(operator, str(payment.id)).moments if "succeeded" in repr(moment)]
    assert any("€10.00" in repr(moment) for moment in told)


@pytest.mark.parametrize(
    "act",
    [
        lambda who, _: desk.overview(who),
        lambda who, _: desk.proof(who),
        desk.accept,
        desk.give_back,
        lambda who, item: desk.put_aside(who, item, "handled"),
        desk.story,
        lambda who, item: desk.refund(who, uuid.UUID(item), 1000, "goodwill"),
    ],
    ids=["overview", "proof", "accept", "give_back", "put_aside", "story", "refund"],
)
def test_a_patient_has_no_desk(act: Callable[[uuid.UUID, str], object], wrong: Payment, patient: uuid.UUID) -> None:
    with pytest.raises(Forbidden):
        act(patient, str(wrong.id))
