"""Stripe's own list of pages against our rows: what was paid there is one queued case or one way back."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import text

from teleconsult.billing import checkout, invariants, settle, stocktaking, sweep
from teleconsult.billing.gateway import GatewayDown
from teleconsult.db import transaction
from tests.billing.deliveries import payments
from tests.sandbox_process import KEY, Sandbox
from tests.support import fresh_settings, full_draft, person

AT_ONCE = timedelta(0)


class Shop:
    """One patient in the sandbox who has paid for one case and opened the page of another."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox, self.patient = sandbox, person()
        self.case = full_draft(self.patient)
        self.session = checkout.start(self.patient, self.case).session_id
        sandbox.pay(self.session, webhook="never")
        settle.confirm(self.patient, self.session)
        self.unpaid = full_draft(self.patient)
        self.page = checkout.start(self.patient, self.unpaid).session_id

    @property
    def payment(self) -> uuid.UUID:
        return payments(self.case)[0].id


@pytest.fixture
def shop(database: str, sandbox: Sandbox) -> Shop:
    assert database
    return Shop(sandbox)


def found(**options: timedelta) -> list[tuple[str, str]]:
    """Code and the first id of each violation."""
    seen = invariants.check(with_stripe=True, **{"grace": AT_ONCE, **options})
    assert all(v.count == 1 for v in seen)
    return [(v.code, v.ids[0]) for v in seen]


def change(statement: str, **values: object) -> None:
    """At the database, past every guard."""
    with transaction() as tx:
        tx.connection().execute(text("set local session_replication_role = replica"))
        assert tx.connection().execute(text(statement), values).rowcount == 1


def test_books_agree(shop: Shop) -> None:
    assert found() == []
    assert len(stocktaking.take(payments(shop.case)[0].created_at, AT_ONCE).sessions) == 2


def test_paid_page_nobody_noticed(shop: Shop) -> None:
    shop.sandbox.pay(shop.page, webhook="never")
    assert found(grace=timedelta(minutes=30)) == []  # the webhook and the sweep still have their time
    assert found() == [("I10", str(payments(shop.unpaid)[0].id))]
    sweep.run(older_than=AT_ONCE)
    assert found() == []


def test_paid_page_that_ended_without_its_money_here(shop: Shop) -> None:
    shop.sandbox.pay(shop.page, webhook="never")
    change("update payment set status = 'EXPIRED' where stripe_session_id = :s", s=shop.page)
    assert found() == [("I1", shop.page)]


def test_paid_page_whose_row_is_gone(shop: Shop) -> None:
    shop.sandbox.pay(shop.page, webhook="never")
    change("delete from payment where stripe_session_id = :s", s=shop.page)
    assert found() == [("I1", shop.page)]


def test_paid_page_in_quarantine_waits_and_is_no_fault(shop: Shop) -> None:
    shop.sandbox.pay(shop.page, webhook="never")
    change("delete from payment where stripe_session_id = :s", s=shop.page)
    sweep.run()
    assert found() == []
    assert len(invariants.waiting()) == 1


def test_page_of_somebody_elses_software_does_not_concern_us(shop: Shop) -> None:
    """Many may share one Stripe account."""
    request = {**payments(shop.unpaid)[0].request, "metadata": {"shop": "hats"}}
    hats = settle.gateway().create_session(request, "hats").id
    shop.sandbox.pay(hats, webhook="never")
    assert found() == []


def test_money_that_went_back_is_accounted_for(shop: Shop) -> None:
    shop.sandbox.pay(shop.page, webhook="never")
    change("delete from payment where stripe_session_id = :s", s=shop.page)
    paid = settle.gateway().retrieve_session(shop.page).payment_intent
    form = f"payment_intent={paid}"
    _post(shop.sandbox, "/v1/refunds", form)
    assert found() == []


def test_attempt_that_counts_as_paid_and_is_not(shop: Shop) -> None:
    [attempt] = payments(shop.unpaid)
    change(
        "update payment set status = 'REVIEW', review_reason = 'x', paid_at = created_at where id = :i",
        i=attempt.id,
    )
    change(
        "insert into audit_log (at, actor_role, action, object_type, object_id, detail)"
        " values (now(), 'system', 'payment_review', 'payment', :i, '{}')",
        i=attempt.id,
    )
    assert found() == [("I2", str(attempt.id))]


def test_two_payments_kept_for_one_consultation(shop: Shop) -> None:
    request = payments(shop.case)[0].request
    second = settle.gateway().create_session(request, "second").id
    shop.sandbox.pay(second, webhook="never")
    assert found() == [("I1", second), ("I6", str(shop.case))]


def test_other_amount_than_agreed_counts_as_paid(shop: Shop) -> None:
    change("update payment set amount_minor = 4901, received_minor = 4901 where id = :i", i=shop.payment)
    change("update consultation set price_minor = 4901 where id = :i", i=shop.case)
    assert found() == [("I7", str(shop.payment))]


def test_two_open_pages_for_one_consultation(shop: Shop) -> None:
    request = payments(shop.unpaid)[0].request
    settle.gateway().create_session(request, "second")
    assert found() == [("I8", str(shop.unpaid))]


def test_refund_nobody_heard_of(shop: Shop) -> None:
    _post(shop.sandbox, "/v1/refunds", f"payment_intent={payments(shop.case)[0].stripe_payment_intent_id}&amount=100")
    assert found(grace=timedelta(minutes=30)) == []
    assert found() == [("I9", str(shop.payment))]


def test_what_is_older_than_the_window_is_not_read(shop: Shop) -> None:
    change("delete from payment where stripe_session_id = :s", s=shop.page)
    shop.sandbox.pay(shop.page, webhook="never")
    assert found() == [("I1", shop.page)]
    assert found(window=timedelta(hours=-1)) == []


def test_list_longer_than_a_page_is_read_to_its_end(shop: Shop) -> None:
    request = payments(shop.unpaid)[0].request
    for number in range(101):
        settle.gateway().create_session(request, f"more-{number}")
    [broken] = invariants.check(with_stripe=True, grace=AT_ONCE)
    assert broken.code == "I8"
    assert len(stocktaking.take(payments(shop.case)[0].created_at, AT_ONCE).sessions) == 103


def test_stripe_out_of_reach_is_said_and_not_taken_for_an_answer(shop: Shop) -> None:
    shop.sandbox.call("POST", "/_sandbox/faults", {"operation": "*", "kind": "500", "times": 9})
    with pytest.raises(GatewayDown):
        invariants.check(with_stripe=True)
    shop.sandbox.call("POST", "/_sandbox/faults", {"clear": True})
    fresh_settings(STRIPE_SECRET_KEY="", STRIPE_WEBHOOK_SECRET="")
    settle.gateway.cache_clear()
    with pytest.raises(GatewayDown):
        invariants.check(with_stripe=True)


def _post(sandbox: Sandbox, path: str, form: str) -> None:
    """What a person does in Stripe's dashboard."""
    import urllib.request

    request = urllib.request.Request(sandbox.base + path, form.encode(), {"authorization": f"Bearer {KEY}"})  # noqa: S310 - loopback
    urllib.request.urlopen(request, timeout=10).close()  # noqa: S310
