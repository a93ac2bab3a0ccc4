"""Back from Stripe: whatever comes first, last or never, the page says what the database says."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from sqlmodel import select

from teleconsult.billing import checkout, gateway, settle
from teleconsult.billing.gateway import GatewayDown
from teleconsult.billing.models import Payment
from teleconsult.billing.rules import PaymentStatus
from teleconsult.consultations.models import Consultation
from teleconsult.db import transaction, utcnow
from tests.sandbox_process import Sandbox
from tests.support import full_draft, person
from tests.ui.consultations.visiting import CANCELLED, SUCCESS, Visit

pytestmark = pytest.mark.usefixtures("database")


class Trip:
    """A patient who has pressed Pay and is on Stripe's page."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox, self.patient = sandbox, person()
        self.draft = full_draft(self.patient)
        self.session = checkout.start(self.patient, self.draft).session_id
        self.visit = Visit(self.patient)

    def pay(self) -> None:
        """The webhook gets lost: nobody serves its address."""
        self.sandbox.pay(self.session)

    def webhook(self) -> None:
        """What the webhook does, by its own way to `settle`."""
        with transaction() as tx:
            payment = tx.exec(select(Payment).where(Payment.stripe_session_id == self.session)).one()
        settle.refresh(payment, settle.Source.WEBHOOK)

    def set_payment(self, status: PaymentStatus) -> None:
        with transaction() as tx:
            tx.exec(select(Payment).where(Payment.stripe_session_id == self.session)).one().status = status

    def settled_by(self) -> str | None:
        with transaction() as tx:
            return tx.exec(select(Payment).where(Payment.stripe_session_id == self.session)).one().settled_by

    def status(self) -> str:
        with transaction() as tx:
            return tx.get_one(Consultation, self.draft).status


@pytest.fixture
def trip(sandbox: Sandbox) -> Trip:
    return Trip(sandbox)


@pytest.fixture
def no_stripe(trip: Trip, monkeypatch: pytest.MonkeyPatch) -> Trip:
    """Stripe is away from the moment the patient comes back."""

    def away(*_: object) -> None:
        raise GatewayDown("away")

    monkeypatch.setattr(gateway.Gateway, "retrieve_session", away)
    return trip


def test_the_webhook_came_first(trip: Trip) -> None:
    trip.pay()
    trip.webhook()
    cases = trip.visit.arrive(SUCCESS + trip.session)
    assert trip.settled_by() == "webhook"
    assert trip.visit.toasts == ["Payment received"]
    assert cases.banner["kind"] == "received"
    assert cases.banner["due"]
    assert [row["status"] for row in cases.in_progress] == ["pending"]


def test_the_page_came_first_and_asked_stripe(trip: Trip) -> None:
    trip.pay()
    trip.visit.arrive(SUCCESS + trip.session)
    assert trip.settled_by() == "landing"
    assert trip.visit.toasts == ["Payment received"]
    assert trip.visit.banner == "received"


def test_the_address_is_cleaned_once(trip: Trip) -> None:
    trip.pay()
    trip.visit.arrive(SUCCESS + trip.session)
    assert trip.visit.redirects == ["/consultations"]


def test_neither_came_yet_and_then_the_webhook(no_stripe: Trip) -> None:
    trip = no_stripe
    cases = trip.visit.arrive(SUCCESS + trip.session)
    assert trip.visit.toasts == ["We’re confirming your payment"]
    assert cases.banner["kind"] == "confirming"
    assert [(row["status"], row["action"]) for row in cases.in_progress] == [("confirming", "")]
    assert not cases.needs_you
    trip.visit.look_again()
    assert trip.visit.banner == "confirming"
    with transaction() as tx:
        payment = tx.exec(select(Payment).where(Payment.stripe_session_id == trip.session)).one()
        payment.status, payment.paid_at = PaymentStatus.PAID, utcnow()
        tx.flush()
        settle.consultations.mark_paid(
            tx, tx.get_one(Consultation, trip.draft), payment_id=payment.id, payment_intent=None,
            amount_minor=4900, currency="eur", source="webhook",
        )  # fmt: skip
    trip.visit.look_again()
    assert trip.visit.banner == "received"
    trip.visit.look_again()
    assert trip.visit.toasts == ["We’re confirming your payment", "Payment received"], "news are told once"


def test_after_two_minutes_it_says_so_with_the_reference(no_stripe: Trip) -> None:
    trip = no_stripe
    trip.visit.arrive(SUCCESS + trip.session)
    with time_machine.travel(utcnow() + timedelta(minutes=2, seconds=1), tick=False):
        cases = trip.visit.look_again()
    assert cases.banner["kind"] == "slow"
    assert cases.banner["ref"].startswith("TC-")


def test_reloading_the_clean_address_keeps_the_banner(no_stripe: Trip) -> None:
    trip = no_stripe
    trip.visit.arrive(SUCCESS + trip.session)
    trip.visit.arrive()
    assert trip.visit.banner == "confirming"
    assert len(trip.visit.toasts) == 1


def test_back_by_the_success_address_without_having_paid(trip: Trip) -> None:
    cases = trip.visit.arrive(SUCCESS + trip.session)
    assert trip.visit.toasts == ["Payment wasn’t finished"], "Stripe says the page is still open"
    assert cases.banner["kind"] == "unfinished"
    assert [row["action"] for row in cases.needs_you] == ["Continue to payment"]


def test_cancelled(trip: Trip) -> None:
    cases = trip.visit.arrive(CANCELLED)
    assert trip.visit.toasts == ["Payment wasn’t finished"]
    assert cases.banner == {
        "kind": "unfinished", "due": "", "ref": cases.needs_you[0]["ref"],
        "href": f"/consultations/{trip.draft}/review",
    }  # fmt: skip
    assert trip.status() == "DRAFT"


def test_cancelled_in_one_tab_and_paid_in_the_other(trip: Trip) -> None:
    trip.pay()
    trip.webhook()
    trip.visit.arrive(CANCELLED)
    assert trip.visit.toasts == ["Payment received"]
    assert trip.visit.banner == "received"


def test_cancelled_while_the_bank_is_confirming(trip: Trip) -> None:
    trip.set_payment(PaymentStatus.PROCESSING)
    cases = trip.visit.arrive(CANCELLED)
    assert trip.visit.banner == "bank"
    assert trip.visit.toasts == ["Your bank is confirming your payment"]
    [row] = cases.in_progress
    assert (row["status"], row["action"], row["href"]) == ("confirming", "View", f"/consultations/{trip.draft}")
    assert row["line"] == "Your bank is confirming your payment. That can take some days."


def test_an_attempt_that_came_to_nothing(trip: Trip) -> None:
    trip.set_payment(PaymentStatus.EXPIRED)
    cases = trip.visit.arrive(SUCCESS + trip.session)
    assert cases.banner["kind"] == "unfinished"
    assert [row["action"] for row in cases.needs_you] == ["Resume draft"]


def test_a_payment_the_bank_did_not_make(trip: Trip) -> None:
    trip.set_payment(PaymentStatus.FAILED)
    cases = trip.visit.arrive(SUCCESS + trip.session)
    assert cases.banner["kind"] == "declined"
    assert trip.visit.toasts == ["Your bank didn’t make the payment"]
    [row] = cases.needs_you
    assert (row["action"], row["line"]) == (
        "Continue to payment", "Your bank didn’t make the payment. Nothing was charged.",
    )  # fmt: skip


def test_a_payment_that_was_sent_back_can_be_made_again(trip: Trip) -> None:
    trip.set_payment(PaymentStatus.REVIEW)
    trip.set_payment(PaymentStatus.RETURNED)
    [row] = trip.visit.arrive().needs_you
    assert (row["action"], row["line"]) == (
        "Continue to payment", "We’re returning your last payment. You can pay again.",
    )  # fmt: skip


def test_a_bank_that_still_confirms_a_paid_case_is_not_news(trip: Trip) -> None:
    """Another attempt has paid for it meanwhile."""
    trip.pay()
    trip.webhook()
    with transaction() as tx:
        paid = tx.exec(select(Payment).where(Payment.stripe_session_id == trip.session)).one()
        slow = Payment(**{**paid.model_dump(exclude={"id"}), "attempt": 2, "status": PaymentStatus.PROCESSING,
                          "stripe_session_id": "cs_test_slow", "stripe_payment_intent_id": None})  # fmt: skip
        tx.add(slow)
    trip.visit.arrive(SUCCESS + "cs_test_slow")
    assert trip.visit.banner == "received"


def test_money_that_somebody_has_to_look_at_is_never_called_unpaid(trip: Trip) -> None:
    trip.set_payment(PaymentStatus.REVIEW)
    cases = trip.visit.arrive()
    assert cases.banner["kind"] == "checking"
    assert [(row["status"], row["action"]) for row in cases.in_progress] == [("confirming", "View")]


def test_paid_twice(trip: Trip) -> None:
    trip.set_payment(PaymentStatus.DUPLICATE)
    trip.visit.arrive(SUCCESS + trip.session)
    assert trip.visit.banner == "twice"


@pytest.mark.parametrize(
    "session", ["{CHECKOUT_SESSION_ID}", "", "cs_test_unknown", "cs_test_%00", "x" * 5000, "cs_' or 1=1 --"]
)
def test_an_id_that_is_none_of_ours_makes_no_call(trip: Trip, session: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway.Gateway, "retrieve_session", lambda *_: pytest.fail("Stripe was asked"))
    trip.visit.arrive(SUCCESS + session)
    assert trip.visit.toasts == ["We’re confirming your payment"]
    assert trip.status() == "DRAFT"
    with time_machine.travel(utcnow() + timedelta(minutes=3), tick=False):
        cases = trip.visit.look_again()
    assert cases.banner["kind"] == "", "an open page of their own is not held back for ever by a broken address"
    assert [row["action"] for row in cases.needs_you] == ["Continue to payment"]


def test_somebody_elses_session_settles_and_shows_nothing(trip: Trip, monkeypatch: pytest.MonkeyPatch) -> None:
    trip.pay()
    monkeypatch.setattr(gateway.Gateway, "retrieve_session", lambda *_: pytest.fail("Stripe was asked"))
    thief = Visit(person("mallory@example.com"))
    cases = thief.arrive(SUCCESS + trip.session)
    assert thief.toasts == ["We’re confirming your payment"]
    assert (cases.phase, cases.banner["kind"]) == ("empty", "")
    assert trip.status() == "DRAFT"


def test_a_page_that_was_left_is_not_followed(no_stripe: Trip) -> None:
    trip = no_stripe
    cases = trip.visit.arrive(SUCCESS + trip.session)
    old = cases._visit
    trip.visit.follow(type(cases).leave)
    assert (cases.phase, cases.in_progress, cases.banner["kind"], cases._back) == ("loading", [], "", None)
    trip.visit.follow(type(cases).look, old)
    assert cases.phase == "loading", "what an earlier visit started comes to an end"


def test_looking_ends_by_itself(no_stripe: Trip, monkeypatch: pytest.MonkeyPatch) -> None:
    trip = no_stripe
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr("teleconsult.ui.consultations.list_state.asyncio.sleep", sleep)
    cases = trip.visit.arrive(SUCCESS + trip.session)
    while True:
        before = len(pauses)
        asked = trip.visit.only(type(cases).wait, cases._visit)
        if len(pauses) == before:
            break
        assert asked, "each pause ends in a look"
    assert pauses[:30] == [1] * 30
    assert set(pauses[30:]) == {10}
    assert timedelta(minutes=5) < timedelta(seconds=sum(pauses)) < timedelta(minutes=15)


def test_it_becomes_paid_only_by_the_owners_own_visit(trip: Trip) -> None:
    trip.pay()
    other = Visit(person("other@example.com"))
    other.arrive(SUCCESS + trip.session)
    assert trip.status() == "DRAFT"
    trip.visit.arrive(SUCCESS + trip.session)
    assert trip.status() == "PENDING"
