"""Stories in which a promise of money was once broken, as the machine or the killing found them, in short."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta

import pytest

from teleconsult.billing import invariants, quarantine
from teleconsult.billing.objects import CheckoutSession
from teleconsult.billing.settle import Source, settle
from teleconsult.db import transaction
from tests.billing.deliveries import SECRET, attempt, consultation, deliver, event, payments, session
from tests.money.machine import CARD, Trade
from tests.support import fresh_settings, full_draft, person


def test_part_of_a_second_payment_had_gone_back_before_its_refund_was_made(trade: type[Trade]) -> None:
    """The refund of all of it was refused as too much, and the small one that had succeeded hid the failure."""
    state = trade()
    state.first(card=None)
    state.buy_twice(which=0)
    state.deliver_backwards()
    for which in (0, 1):
        state.refund(which=which, amount=1)
    state.deliver_backwards()
    state.work()
    state.teardown()
    assert trade.seen["refund superseded"] == 1


@pytest.mark.parametrize("burden", ["dispute", "refund"])
def test_money_in_quarantine_was_disputed_or_returned_and_then_accepted(trade: type[Trade], burden: str) -> None:
    """The operator's word queued the case as if nothing weighed on it."""
    state = trade()
    state.first(card=None)
    state.buy(which=0, card=CARD, amount=4800, heard=True)
    getattr(state, burden)(which=0, **({"end": None} if burden == "dispute" else {"amount": None}))
    state.deliver_backwards()
    state.decide(which=0, act=quarantine.accept)
    state.teardown()
    assert trade.seen["case PENDING" if burden == "dispute" else "case CANCELLED"] == 1


def test_money_went_back_during_a_silence_of_four_days(trade: type[Trade]) -> None:
    """The sweep found the payment by its own row, and asked for events of the last three days only."""
    state = trade()
    state.first(card=CARD)
    state.refund(which=0, amount=None)
    state.wait(time=timedelta(days=4))
    state.teardown()
    assert trade.seen["refund succeeded"] == 1


DISPUTE = {"object": "dispute", "id": "du_1", "status": "needs_response"}
REFUND = {"object": "charge", "id": "ch_1", "amount_refunded": 4900}


@pytest.mark.parametrize(
    ("news", "kind"), [(DISPUTE, "charge.dispute.created"), (REFUND, "charge.refunded")], ids=["dispute", "refund"]
)
def test_money_and_its_return_arrive_at_the_same_moment(database: str, news: dict[str, object], kind: str) -> None:
    """Each looked past the other: the return was kept for later, and later never came."""
    assert database
    fresh_settings(STRIPE_SECRET_KEY="sk_test_none", STRIPE_WEBHOOK_SECRET=SECRET)
    page = attempt(full_draft(person()))
    money = session(page)
    written, answered = threading.Event(), threading.Event()

    def arrive() -> None:
        with transaction() as tx:
            settle(tx, CheckoutSession.model_validate(money), Source.WEBHOOK)
            written.set()
            answered.wait(1)  # nothing is committed while the other one looks

    def go_back() -> dict[str, object]:
        written.wait(5)
        body = deliver(event({**news, "payment_intent": money["payment_intent"]}, kind)).body
        answered.set()
        return dict(body)

    with ThreadPoolExecutor(2) as both:
        first, second = both.submit(arrive), both.submit(go_back)
        wait([first, second])
        first.result()
    assert second.result() == {"outcome": "processed"}
    [payment], case = payments(page.consultation_id), consultation(page.consultation_id)
    assert (payment.refunded_minor, case.hold_reason, case.status) in (
        (0, "dispute", "PENDING"),
        (4900, None, "CANCELLED"),
    )
    assert invariants.check(with_stripe=False) == []
