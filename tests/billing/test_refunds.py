"""Money that goes back: promised once, carried out once, counted exactly, and said in words."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from teleconsult.accounts.models import Role
from teleconsult.billing import gateway as gateways
from teleconsult.billing import refunds, reversals, story, sweep
from teleconsult.billing.gateway import GatewayDown, GatewayRefused
from teleconsult.billing.models import Payment, Refund
from teleconsult.billing.rules import PaymentStatus, RefundReason
from teleconsult.clinic import queue
from teleconsult.consultations.rules import Status
from teleconsult.db import transaction
from teleconsult.errors import Conflict, Forbidden, Invalid, NotFound, Refusal
from tests.billing.conftest import Alert
from tests.billing.deliveries import attempt, consultation, deliver, event, mails, payments, session
from tests.billing.shop import bought, fail, made, now, rows
from tests.sandbox_process import SECRET, Sandbox
from tests.support import full_draft, person


def run(refund_id: uuid.UUID) -> None:
    """Do the job of one refund."""
    refunds.refund.func(str(refund_id))


def tell(shop: Sandbox, kind: str, **changes: Any) -> None:
    """Stripe's news about its latest refund."""
    refund = shop.state()["objects"]["refund"][-1]
    deliver(event({**refund, **changes}, kind), secret=SECRET)


# ── An operator's refund ───────────────────────────────────────────────────────────────────────────


def test_full_refund_closes_the_waiting_case_at_once_and_reaches_stripe_once(
    shop: Sandbox, draft: uuid.UUID, operator: uuid.UUID
) -> None:
    paid = bought(shop, draft)
    promised = refunds.request(operator, paid.id, None, RefundReason.REQUESTED)
    assert promised.amount_minor == 4900
    assert consultation(draft).status == Status.CANCELLED, "nobody starts on it any more"
    assert now(paid).refund_status == "requested"
    run(promised.refund_id)
    run(promised.refund_id)
    assert [r["amount"] for r in made(shop)] == [4900]
    assert (now(paid).refunded_minor, now(paid).refund_status, now(paid).status) == (4900, "succeeded", "PAID")
    [row] = rows(paid)
    assert (row.status, row.requested_by, row.operator_id, row.reason) == (
        "succeeded", "operator", operator, "requested",
    )  # fmt: skip
    assert row.stripe_refund_id == made(shop)[0]["id"]
    assert [m.kind for m in mails()] == ["payment_received", "refund_sent"]


def test_partial_refunds_add_up_and_never_exceed_what_was_received(
    shop: Sandbox, draft: uuid.UUID, operator: uuid.UUID
) -> None:
    paid = bought(shop, draft)
    run(refunds.request(operator, paid.id, 1000, RefundReason.GOODWILL).refund_id)
    assert consultation(draft).status == Status.PENDING, "part of the price changes nothing about the case"
    assert (now(paid).refunded_minor, now(paid).refund_status) == (1000, "succeeded")
    for amount in (3901, 0, -1):
        with pytest.raises(Invalid, match=r"€39\.00 can be returned"):
            refunds.request(operator, paid.id, amount, RefundReason.GOODWILL)
    run(refunds.request(operator, paid.id, None, RefundReason.LATE).refund_id)
    assert [r["amount"] for r in made(shop)] == [1000, 3900]
    assert now(paid).refunded_minor == 4900
    assert consultation(draft).status == Status.CANCELLED
    with pytest.raises(Invalid):
        refunds.request(operator, paid.id, 1, RefundReason.GOODWILL)
    assert [m.facts["amount"] for m in mails() if m.kind == "refund_sent"] == ["€10.00", "€39.00"]


def test_ten_operators_at_once_return_the_money_once(shop: Sandbox, draft: uuid.UUID, operator: uuid.UUID) -> None:
    paid = bought(shop, draft)

    def one(_: int) -> str:
        try:
            refunds.request(operator, paid.id, 3000, RefundReason.GOODWILL)
        except Refusal as refusal:
            return refusal.code
        return "promised"

    with ThreadPoolExecutor(10) as pool:
        answers = sorted(pool.map(one, range(10)))
    assert answers == ["conflict"] * 9 + ["promised"]
    assert [row.amount_minor for row in rows(paid)] == [3000]


def test_who_may_and_what_can_be_returned(shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID) -> None:
    paid = bought(shop, draft)
    doctor = person("amara@clinic.example", Role.DERMATOLOGIST)
    off = person("olga@clinic.example", Role.OPERATOR)
    with transaction() as tx:
        tx.connection().execute(text("update \"user\" set disabled_at = now() where email like 'olga%'"))
    for somebody in (patient, doctor, off, uuid.uuid4()):
        with pytest.raises(Forbidden):
            refunds.request(somebody, paid.id, None, RefundReason.REQUESTED)
    assert rows(paid) == []


def test_what_an_operator_cannot_return(draft: uuid.UUID, operator: uuid.UUID, patient: uuid.UUID) -> None:
    with pytest.raises(NotFound):
        refunds.request(operator, uuid.uuid4(), None, RefundReason.REQUESTED)
    page = attempt(draft)
    with pytest.raises(Conflict, match="No money has arrived"):
        refunds.request(operator, page.id, None, RefundReason.REQUESTED)
    deliver(event(session(page, amount_total=1)))
    with pytest.raises(Conflict, match="quarantine"):
        refunds.request(operator, page.id, None, RefundReason.REQUESTED)
    other = attempt(full_draft(patient), status=PaymentStatus.PAID, received_minor=4900)
    with pytest.raises(Invalid, match="can be returned"):
        refunds.request(operator, other.id, None, RefundReason.REQUESTED)  # nobody knows by which charge it came
    with pytest.raises(Invalid, match="Choose one of"):
        refunds.request(operator, other.id, None, "because")


def test_full_refund_of_a_case_in_review_holds_it(shop: Sandbox, draft: uuid.UUID, operator: uuid.UUID) -> None:
    paid = bought(shop, draft)
    queue.claim(person("amara@clinic.example", Role.DERMATOLOGIST), draft)
    refunds.request(operator, paid.id, None, RefundReason.REQUESTED)
    assert (consultation(draft).status, consultation(draft).hold_reason) == (Status.IN_REVIEW, "refunded")


# ── Carrying it out ────────────────────────────────────────────────────────────────────────────────


def promised(paid: Payment, reason: RefundReason = RefundReason.REQUESTED) -> Refund:
    """An automatic refund, not yet carried out."""
    with transaction() as tx:
        refunds.refund_later(tx, tx.get_one(Payment, paid.id, with_for_update=True), reason)
    return rows(paid)[-1]


def test_answer_that_was_lost_is_the_same_refund_when_it_is_asked_for_again(
    shop: Sandbox, draft: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid = bought(shop, draft)
    row = promised(paid)
    monkeypatch.setattr(gateways, "RETRIES", 0)
    gateways.gateway.cache_clear()
    fail(shop, "POST /v1/refunds", "drop_after")
    with pytest.raises(GatewayDown):
        run(row.id)
    assert rows(paid)[0].status == "requested"
    run(row.id)
    gateways.gateway.cache_clear()
    assert len(made(shop)) == 1
    asked = [r for r in shop.state()["requests"] if (r["method"], r["path"]) == ("POST", "/v1/refunds")]
    assert len({r["headers"]["idempotency-key"] for r in asked}) == len({r["body"] for r in asked}) == 1
    assert now(paid).refunded_minor == 4900


def test_answer_that_was_lost_longer_than_stripe_keeps_keys_is_found_by_its_mark(
    shop: Sandbox, draft: uuid.UUID
) -> None:
    """A partial refund, which Stripe would carry out a second time under a key it has forgotten."""
    paid = bought(shop, draft)
    with transaction() as tx:
        locked = tx.get_one(Payment, paid.id, with_for_update=True)
        row = refunds.promise(tx, locked, 1000, RefundReason.GOODWILL)
    refunds._at_stripe(row)  # and then the process died
    with transaction() as tx:
        statement = "update refund set created_at = now() - interval '24 hours', key = 'refund:forgotten'"
        tx.connection().execute(text(statement))
    run(row.id)
    assert [r["amount"] for r in made(shop)] == [1000]
    assert rows(paid)[0].stripe_refund_id == made(shop)[0]["id"]


def test_job_that_comes_late_makes_the_refund_after_all(shop: Sandbox, draft: uuid.UUID) -> None:
    paid = bought(shop, draft)
    row = promised(paid)
    with transaction() as tx:
        tx.connection().execute(text("update refund set created_at = now() - interval '24 hours'"))
    run(row.id)
    assert [r["amount"] for r in made(shop)] == [4900]


def test_charge_already_refunded_is_success(shop: Sandbox, draft: uuid.UUID, alerts: list[Alert]) -> None:
    """Somebody was faster in Stripe's dashboard, and its news hasn't come."""
    paid = bought(shop, draft)
    row = promised(paid)
    _in_dashboard(paid, 4900)
    run(row.id)
    assert (now(paid).refunded_minor, now(paid).refund_status) == (4900, "succeeded")
    assert rows(paid)[0].status == "superseded"
    reversals.recount.func(str(paid.id))
    assert sorted((r.requested_by, r.status) for r in rows(paid)) == [("stripe", "succeeded"), ("system", "superseded")]
    assert (now(paid).refunded_minor, now(paid).refund_status) == (4900, "succeeded")
    assert alerts == []


def _in_dashboard(paid: Payment, amount: int) -> None:
    intent = now(paid).stripe_payment_intent_id or ""
    gateways.gateway().refund(intent, amount, reason="requested_by_customer", metadata={}, key=f"dashboard-{amount}")


def test_refund_in_the_dashboard_counts(shop: Sandbox, draft: uuid.UUID, operator: uuid.UUID) -> None:
    paid = bought(shop, draft)
    _in_dashboard(paid, 1500)
    tell(shop, "refund.created")
    assert (now(paid).refunded_minor, now(paid).refund_status) == (1500, "succeeded")
    assert [(r.requested_by, r.amount_minor, r.reason, r.key) for r in rows(paid)] == [
        ("stripe", 1500, "outside", None)
    ]
    assert [m.facts["amount"] for m in mails() if m.kind == "refund_sent"] == ["€15.00"]
    with pytest.raises(Invalid, match=r"€34\.00"):
        refunds.request(operator, paid.id, 3401, RefundReason.REQUESTED)
    run(refunds.request(operator, paid.id, None, RefundReason.REQUESTED).refund_id)
    assert now(paid).refunded_minor == 4900


def test_refusal_by_stripe_is_said_to_operators_and_can_be_tried_again(
    shop: Sandbox, draft: uuid.UUID, operator: uuid.UUID, alerts: list[Alert]
) -> None:
    """More is asked than is left: a dashboard refund we have not heard of."""
    paid = bought(shop, draft)
    first = refunds.request(operator, paid.id, 4000, RefundReason.GOODWILL)
    _in_dashboard(paid, 1500)
    run(first.refund_id)
    assert (rows(paid)[0].status, now(paid).refund_status) == ("failed", "failed")
    assert alerts == [("refund_failed", "error")]
    assert "refund_failed" not in [m.kind for m in mails()], "nobody had been told that money is coming"
    reversals.recount.func(str(paid.id))
    assert now(paid).refunded_minor == 1500
    run(refunds.request(operator, paid.id, None, RefundReason.GOODWILL).refund_id)
    assert now(paid).refunded_minor == 4900
    assert now(paid).refund_status == "succeeded"


def test_key_that_stripe_refuses_fails_no_refund(
    shop: Sandbox, draft: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid = bought(shop, draft)
    row = promised(paid)

    def refused(*_args: object, **_more: object) -> None:
        raise GatewayRefused("api_key_expired", "", "req_1", 401)

    with monkeypatch.context() as patched:
        patched.setattr(gateways.Gateway, "refund", refused)
        with pytest.raises(GatewayRefused):
            run(row.id)
        with transaction() as tx:
            tx.connection().execute(text("update refund set updated_at = now() - interval '1 hour'"))
        assert sweep.run().unreachable
    assert rows(paid)[0].status == "requested"
    run(row.id)
    assert now(paid).refunded_minor == 4900


# ── What comes later ───────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def returned(shop: Sandbox, draft: uuid.UUID, operator: uuid.UUID) -> Payment:
    """A payment that was returned in full."""
    paid = bought(shop, draft)
    run(refunds.request(operator, paid.id, None, RefundReason.REQUESTED).refund_id)
    return paid


def test_refund_that_comes_back_weeks_later(
    shop: Sandbox, returned: Payment, operator: uuid.UUID, alerts: list[Alert], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bank has sent it back: counted anew, the patient is told, an operator tries again with a new row."""
    tell(shop, "refund.failed", status="failed", failure_reason="lost_or_stolen_card")
    row = rows(returned)[0]
    assert (row.status, row.failure, now(returned).refund_status) == ("failed", "lost_or_stolen_card", "failed")
    assert alerts == [("refund_failed", "error")]
    assert [m.kind for m in mails()] == ["payment_received", "refund_sent", "refund_failed"]
    _nothing_returned(monkeypatch, shop)
    reversals.recount.func(str(returned.id))
    assert now(returned).refunded_minor == 0
    tell(shop, "refund.updated")  # late and old: it was a success once
    assert now(returned).refund_status == "failed"
    again = refunds.request(operator, returned.id, None, RefundReason.REQUESTED)
    assert again.amount_minor == 4900
    assert [r.status for r in rows(returned)] == ["failed", "requested"]


def _nothing_returned(monkeypatch: pytest.MonkeyPatch, shop: Sandbox) -> None:
    """From now on Stripe's list says that its refund failed."""
    kept = gateways.Gateway.retrieve_refunds

    def failed(self: gateways.Gateway, intent: str) -> list[Any]:
        return [refund.model_copy(update={"status": "failed"}) for refund in kept(self, intent)]

    assert made(shop)
    monkeypatch.setattr(gateways.Gateway, "retrieve_refunds", failed)


def test_running_total_after_a_failed_refund_is_counted_at_stripe(
    shop: Sandbox, returned: Payment, alerts: list[Alert], monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(shop, "refund.updated", status="canceled")  # by its other name
    _nothing_returned(monkeypatch, shop)
    reversals.recount.func(str(returned.id))
    charge = shop.state()["objects"]["charge"][0]
    deliver(event(charge, "charge.refunded"), secret=SECRET)  # delivered late: it says 4900
    assert now(returned).refunded_minor == 0
    reversals.recount.func(str(returned.id))
    assert now(returned).refunded_minor == 0
    assert alerts == [("refund_failed", "error")]


def test_refund_that_is_pending_is_finished_by_the_sweep(
    shop: Sandbox, draft: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its webhook never comes."""
    paid = bought(shop, draft)
    row = promised(paid)
    real = gateways.Gateway.refund

    def slow(self: gateways.Gateway, *args: Any, **more: Any) -> Any:
        return real(self, *args, **more).model_copy(update={"status": "pending"})

    with monkeypatch.context() as patched:
        patched.setattr(gateways.Gateway, "refund", slow)
        run(row.id)
    assert (rows(paid)[0].status, now(paid).refund_status) == ("pending", "pending")
    assert refunds.chase(10) == 0, "young ones are left alone"
    with transaction() as tx:
        tx.connection().execute(text("update refund set updated_at = now() - interval '1 hour'"))
    assert sweep.run().refunds == 1
    assert (rows(paid)[0].status, now(paid).refunded_minor) == ("succeeded", 4900)


def test_sweep_finds_a_promise_whose_job_was_lost_and_leaves_it_when_stripe_is_silent(
    shop: Sandbox, draft: uuid.UUID
) -> None:
    paid = bought(shop, draft)
    promised(paid)
    with transaction() as tx:
        tx.connection().execute(text("update refund set updated_at = now() - interval '1 hour'"))
    fail(shop, "POST /v1/refunds", "500", times=3)
    assert sweep.run().unreachable
    assert sweep.run().refunds == 1
    assert now(paid).refunded_minor == 4900


def test_refund_that_stays_pending_waits_its_turn(
    shop: Sandbox, draft: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid = bought(shop, draft)
    row = promised(paid)
    for name in ("refund", "retrieve_refund"):
        real = getattr(gateways.Gateway, name)
        slow = lambda self, *args, real=real, **more: real(self, *args, **more).model_copy(update={"status": "pending"})  # noqa: E731
        monkeypatch.setattr(gateways.Gateway, name, slow)
    run(row.id)
    with transaction() as tx:
        tx.connection().execute(text("update refund set updated_at = now() - interval '1 hour'"))
    assert sweep.run().refunds == 0
    assert refunds.chase(10) == 0
    with transaction() as tx:
        [seen] = tx.exec(select(Refund).where(col(Refund.payment_id) == paid.id)).all()
    assert seen.updated_at > row.updated_at


def test_duplicate_payment_is_returned_by_itself(shop: Sandbox, draft: uuid.UUID, alerts: list[Alert]) -> None:
    bought(shop, draft)
    second = attempt(draft, attempt=2)
    deliver(event(session(second)), secret=SECRET)
    [row] = rows(second)
    assert (row.reason, row.requested_by, row.amount_minor, row.status) == ("duplicate", "system", 4900, "requested")
    assert row.key == f"refund:{row.id}"
    assert [m.kind for m in mails()] == ["payment_received", "payment_returned"]
    assert alerts == [("payment_duplicate", "error")]
    assert payments(draft)[1].refund_status == "requested"


def test_the_story_for_operators_tells_of_the_refund(returned: Payment) -> None:
    told = [moment.text for moment in story.tell(str(returned.id)).moments if moment.kind == "refund"]
    assert told[0] == "€49.00 asked for by operator: requested"
    assert told[1].startswith("€49.00 succeeded re_")


def test_what_has_gone_back_already_is_not_promised_again(shop: Sandbox, returned: Payment) -> None:
    assert [r["amount"] for r in made(shop)] == [4900]
    with transaction() as tx:
        refunds.refund_later(tx, tx.get_one(Payment, returned.id, with_for_update=True))
    assert [row.status for row in rows(returned)] == ["succeeded"]


def test_database_refuses_to_return_more_than_it_received(draft: uuid.UUID) -> None:
    deliver(event(session(attempt(draft))))
    with pytest.raises(Exception, match="ck_payment_refunded"), transaction() as tx:
        tx.connection().execute(text("update payment set refunded_minor = 4901"))
