"""What waits for an operator: it is seen with its reason, and ends as queued, returned or dismissed, once."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from teleconsult.accounts.models import Role
from teleconsult.audit import AuditLog
from teleconsult.billing import quarantine, refunds, webhook
from teleconsult.billing.gateway import Gateway, GatewayRefused
from teleconsult.billing.models import Payment, ProcessedWebhook, Refund
from teleconsult.billing.objects import Event
from teleconsult.billing.quarantine import Dismissal, Kind
from teleconsult.billing.rules import PaymentStatus, RefundReason
from teleconsult.consultations.rules import Status
from teleconsult.db import transaction
from teleconsult.errors import Conflict, Forbidden, Invalid, NotFound, Refusal
from tests.billing.conftest import Alert
from tests.billing.deliveries import attempt, consultation, deliver, event, mails, payments, session
from tests.billing.shop import bought, made, now, rows
from tests.sandbox_process import SECRET, Sandbox
from tests.support import person

pytestmark = pytest.mark.usefixtures("alerts")


@pytest.fixture
def wrong(draft: uuid.UUID) -> Payment:
    """Five euros too much were paid."""
    deliver(event(session(attempt(draft), amount_total=5400)))
    return payments(draft)[0]


def acts_of(action: str) -> list[AuditLog]:
    """What the audit log says of an act."""
    with transaction() as tx:
        return list(tx.exec(select(AuditLog).where(col(AuditLog.action) == action)).all())


def test_payment_in_review_is_listed_with_its_reason_and_amount(wrong: Payment, draft: uuid.UUID) -> None:
    [item] = quarantine.listed()
    assert (item.kind, item.id, item.reason, item.amount) == (Kind.PAYMENT, str(wrong.id), "amount", "€54.00")
    assert item.acts == ("accept", "refund")
    assert item.ref == consultation(draft).ref
    assert item.payment_intent == f"pi_{wrong.id.hex}"
    assert item.since == wrong.paid_at
    assert (item.asked, item.event_type, item.writes) == ("€49.00", "", True)


def test_accepted_it_is_queued_with_what_was_really_paid(wrong: Payment, draft: uuid.UUID, operator: uuid.UUID) -> None:
    assert quarantine.accept(operator, wrong.id) == quarantine.accept(operator, str(wrong.id))
    case = consultation(draft)
    assert (case.status, case.paid_payment_id, case.price_minor) == (Status.PENDING, wrong.id, 5400)
    assert (now(wrong).status, now(wrong).settled_by) == ("PAID", "operator")
    assert [m.facts["amount"] for m in mails() if m.kind == "payment_received"] == ["€54.00"]
    assert [(a.actor_id, a.actor_role) for a in acts_of("payment_accepted")] == [(operator, "operator")]
    assert quarantine.listed() == []
    with pytest.raises(Conflict):
        quarantine.refund(operator, wrong.id)


def test_accepted_when_nothing_waits_for_it_the_money_goes_back(
    wrong: Payment, draft: uuid.UUID, operator: uuid.UUID
) -> None:
    with transaction() as tx:
        tx.connection().execute(text("update consultation set status = 'CANCELLED'"))
    decided = quarantine.accept(operator, wrong.id)
    assert decided.outcome == "duplicate_payment"
    assert [(r.id, r.amount_minor) for r in rows(wrong)] == [(decided.refund_id, 5400)]
    assert now(wrong).status == "DUPLICATE"
    assert [m.kind for m in mails()] == ["payment_too_late"]
    assert quarantine.accept(operator, wrong.id) == decided
    assert consultation(draft).status == Status.CANCELLED


def test_returned_in_one_step_and_in_full_although_it_was_more_than_asked(
    shop: Sandbox, draft: uuid.UUID, operator: uuid.UUID
) -> None:
    paid = _in_review(shop, draft)
    decided = quarantine.refund(operator, paid.id)
    assert quarantine.refund(operator, paid.id) == decided
    assert now(paid).status == "RETURNED"
    refunds.refund.func(str(decided.refund_id))
    assert [r["amount"] for r in made(shop)] == [4900]
    assert (now(paid).refunded_minor, now(paid).refund_status) == (4900, "succeeded")
    assert consultation(draft).status == Status.DRAFT
    assert quarantine.listed() == []
    assert [m.kind for m in mails()] == ["refund_sent"]
    with pytest.raises(Conflict):
        quarantine.accept(operator, paid.id)


def _in_review(shop: Sandbox, draft: uuid.UUID) -> Payment:
    """Paid at the sandbox for what it asked, while our row had expected less."""
    from teleconsult.billing import checkout, settle

    with transaction() as tx:
        owner = tx.connection().execute(text("select user_id from consultation")).scalar_one()
    link = checkout.start(owner, draft)
    with transaction() as tx:
        tx.connection().execute(text("update payment set amount_minor = 100"))
    shop.pay(link.session_id, webhook="never")
    settle.confirm(owner, link.session_id)
    assert payments(draft)[0].status == PaymentStatus.REVIEW
    return payments(draft)[0]


def test_nothing_came_so_nothing_goes_back(draft: uuid.UUID, operator: uuid.UUID) -> None:
    free = session(attempt(draft), amount_total=0, payment_status="no_payment_required", payment_intent=None)
    deliver(event(free))
    decided = quarantine.refund(operator, payments(draft)[0].id)
    assert (decided.outcome, decided.refund_id) == ("returned", None)
    assert quarantine.listed() == []


def test_accept_and_refund_at_the_same_moment_are_one_decision(wrong: Payment, operator: uuid.UUID) -> None:
    def one(act: Any) -> str:
        try:
            return act(operator, wrong.id).outcome
        except Refusal as refusal:
            return refusal.code

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(one, [quarantine.accept, quarantine.refund] * 4))
    assert sorted(answers) in (["conflict"] * 4 + ["queued"] * 4, ["conflict"] * 4 + ["returned"] * 4)
    assert len(rows(wrong)) == (1 if "returned" in answers else 0)


@pytest.mark.parametrize("act", ["accept", "refund", "dismiss"])
def test_only_operators_decide(wrong: Payment, patient: uuid.UUID, operator: uuid.UUID, act: str) -> None:
    more = [Dismissal.HANDLED] if act == "dismiss" else []
    for somebody in (patient, person("amara@clinic.example", Role.DERMATOLOGIST), uuid.uuid4()):
        with pytest.raises(Forbidden):
            getattr(quarantine, act)(somebody, wrong.id, *more)
    assert now(wrong).status == "REVIEW"
    for nothing in (uuid.uuid4(), "nonsense", *([] if act == "accept" else ["evt_of_nobody"])):
        with pytest.raises(NotFound):
            getattr(quarantine, act)(operator, nothing, *more)


# ── Refunds that failed ────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def stuck(shop: Sandbox, draft: uuid.UUID, operator: uuid.UUID, monkeypatch: pytest.MonkeyPatch) -> Payment:
    """Stripe has refused to return ten euros."""
    paid = bought(shop, draft)

    def refused(*_args: object, **_more: object) -> None:
        raise GatewayRefused("charge_disputed", "", "req_1", 400)

    with monkeypatch.context() as patched:
        patched.setattr(Gateway, "refund", refused)
        refunds.refund.func(str(refunds.request(operator, paid.id, 1000, RefundReason.GOODWILL).refund_id))
    return paid


def test_failed_refund_is_listed_and_tried_again(shop: Sandbox, stuck: Payment, operator: uuid.UUID) -> None:
    [item] = quarantine.listed()
    assert (item.kind, item.id, item.reason) == (Kind.REFUND, str(stuck.id), "charge_disputed")
    assert item.acts == ("refund", "dismiss")
    assert (item.amount, item.amount_minor, item.writes) == ("€10.00", 1000, True)
    decided = quarantine.refund(operator, item.id)
    assert quarantine.listed() == []
    with pytest.raises(Conflict):
        quarantine.refund(operator, item.id)
    refunds.refund.func(str(decided.refund_id))
    assert [r["amount"] for r in made(shop)] == [1000]
    assert [(r.amount_minor, r.reason, r.status) for r in rows(stuck)] == [
        (1000, "goodwill", "failed"), (1000, "goodwill", "succeeded"),
    ]  # fmt: skip


def test_failed_refund_that_went_back_in_another_way_is_put_aside(stuck: Payment, operator: uuid.UUID) -> None:
    quarantine.dismiss(operator, stuck.id, Dismissal.HANDLED)
    quarantine.dismiss(operator, stuck.id, Dismissal.HANDLED)
    assert quarantine.listed() == []
    assert [(r.status, r.failure) for r in rows(stuck)] == [("superseded", "handled")]
    assert [a.detail["reason"] for a in acts_of("refund_dismissed")] == ["handled"]
    with pytest.raises(Invalid):
        quarantine.dismiss(operator, stuck.id, "because")


def test_money_in_review_is_not_put_aside(wrong: Payment, operator: uuid.UUID) -> None:
    with pytest.raises(Conflict, match="accept it or return it"):
        quarantine.dismiss(operator, wrong.id, Dismissal.HANDLED)


# ── Events nobody could assign ─────────────────────────────────────────────────────────────────────


def stray(draft: uuid.UUID, **changes: Any) -> dict[str, Any]:
    """A paid page with well-formed ids, of which we know nothing."""
    return session(Payment(consultation_id=draft, user_id=consultation(draft).user_id, attempt=1, amount_minor=4900,
                           currency="eur", livemode=False, expires_at=None), **changes)  # fmt: skip


def test_money_of_nobody_is_kept_with_its_intent_and_returned(
    shop: Sandbox, draft: uuid.UUID, operator: uuid.UUID, alerts: list[Alert]
) -> None:
    intent = _foreign_charge(shop, draft)
    sent = event(stray(draft, payment_intent=intent, customer_details={"email": "CANARY@example.com"}))
    assert deliver(sent, secret=SECRET).body == {"outcome": "quarantined"}
    assert alerts == [("payment_unknown", "fatal")]
    [item] = quarantine.listed()
    assert (item.kind, item.id, item.reason, item.amount) == (Kind.EVENT, sent["id"], "unknown", "€49.00")
    assert (item.payment_intent, item.acts) == (intent, ("refund",))
    assert (item.asked, item.event_type, item.writes) == ("", "checkout.session.completed", False)
    assert "CANARY" not in _ledger_text()
    with pytest.raises(Conflict, match="brought money"):
        quarantine.dismiss(operator, item.id, Dismissal.TEST)
    decided = quarantine.refund(operator, item.id)
    assert quarantine.refund(operator, item.id) == decided
    assert quarantine.listed() == []
    refunds.refund.func(str(decided.refund_id))
    refunds.refund.func(str(decided.refund_id))
    assert [r["amount"] for r in made(shop)] == [4900]
    assert _refund(decided.refund_id).status == "succeeded"


def _foreign_charge(shop: Sandbox, draft: uuid.UUID) -> str:
    """A payment that Stripe has and that we have lost."""
    intent = bought(shop, draft).stripe_payment_intent_id or ""
    with transaction() as tx:
        tx.connection().execute(text("update consultation set status = 'CANCELLED', paid_payment_id = null"))
        tx.connection().execute(text("delete from payment"))
    return intent


def _ledger_text() -> str:
    with transaction() as tx:
        return json.dumps([row.model_dump(mode="json") for row in tx.exec(select(ProcessedWebhook)).all()])


def _refund(refund_id: uuid.UUID | None) -> Refund:
    with transaction() as tx:
        return tx.get_one(Refund, refund_id)


def test_its_refund_that_fails_brings_it_back_into_the_list(
    shop: Sandbox, draft: uuid.UUID, operator: uuid.UUID, alerts: list[Alert]
) -> None:
    sent = event(stray(draft, payment_intent=_foreign_charge(shop, draft)))
    deliver(sent, secret=SECRET)
    first = quarantine.refund(operator, sent["id"]).refund_id
    refunds.refund.func(str(first))
    told = {**made(shop)[-1], "status": "failed", "failure_reason": "expired_or_canceled_card"}
    assert deliver(event(made(shop)[-1], "refund.updated"), secret=SECRET).body == {"outcome": "processed"}
    assert deliver(event(told, "refund.failed"), secret=SECRET).body == {"outcome": "processed"}
    assert ("refund_failed", "error") in alerts
    [item] = quarantine.listed()
    assert (item.id, item.reason) == (sent["id"], "expired_or_canceled_card")
    second = quarantine.refund(operator, sent["id"]).refund_id
    assert second != first
    refunds.refund.func(str(second))  # the sandbox has returned it already
    assert _refund(second).status == "superseded"
    assert quarantine.listed() == []


def test_event_of_the_other_mode_is_dismissed(draft: uuid.UUID, operator: uuid.UUID) -> None:
    sent = event(session(attempt(draft), livemode=True), livemode=True)
    deliver(sent)
    [item] = quarantine.listed()
    assert (item.reason, item.acts) == ("livemode", ("dismiss",))
    with pytest.raises(Conflict, match="no money"):
        quarantine.refund(operator, item.id)
    quarantine.dismiss(operator, item.id, Dismissal.TEST)
    quarantine.dismiss(operator, item.id, Dismissal.TEST)
    assert quarantine.listed() == []
    assert [(a.actor_id, a.detail) for a in acts_of("event_dismissed")] == [
        (operator, {"event_id": sent["id"], "reason": "test"}),
    ]  # fmt: skip
    with pytest.raises(Conflict):
        quarantine.refund(operator, item.id)


def test_settled_event_is_no_matter_of_quarantine(draft: uuid.UUID, operator: uuid.UUID) -> None:
    sent = event(session(attempt(draft)))
    deliver(sent)
    with pytest.raises(NotFound):
        quarantine.dismiss(operator, sent["id"], Dismissal.TEST)


def test_news_that_found_no_payment_is_listed_after_an_hour(draft: uuid.UUID, operator: uuid.UUID) -> None:
    news = {"object": "dispute", "id": "du_1", "payment_intent": "pi_of_nobody", "status": "needs_response"}
    sent = event(news, "charge.dispute.created")
    deliver(sent)
    assert quarantine.listed() == []
    with transaction() as tx:
        tx.connection().execute(text("update processed_webhook set received_at = now() - interval '61 minutes'"))
    [item] = quarantine.listed()
    assert (item.id, item.reason, item.acts) == (sent["id"], "unmatched", ("dismiss",))
    quarantine.dismiss(operator, item.id, Dismissal.OTHER_SOFTWARE)
    assert quarantine.listed() == []
    assert consultation(draft).status == Status.DRAFT


def test_unreadable_event_is_resolved_by_the_payment_that_comes_another_way(
    draft: uuid.UUID, operator: uuid.UUID
) -> None:
    page = attempt(draft)
    sent = event(session(page, amount_total="4900"))
    assert deliver(sent).body == {"outcome": "quarantined"}
    [item] = quarantine.listed()
    assert (item.amount, item.acts) == ("", ("dismiss",))
    deliver(event(session(page)))
    assert quarantine.listed() == []
    with pytest.raises(Conflict):
        quarantine.dismiss(operator, sent["id"], Dismissal.TEST)


def test_event_that_failed_is_tried_once_more_and_one_that_worked_is_not(draft: uuid.UUID) -> None:
    page = attempt(draft)
    sent = event(session(page, amount_total="4900"))
    deliver(sent)
    mended = Event.model_validate(event(session(page), id=sent["id"]))
    assert webhook.apply(mended).body == {"outcome": "duplicate"}
    assert webhook.apply(mended, again=True).body == {"outcome": "processed"}
    assert consultation(draft).status == Status.PENDING
    assert webhook.apply(mended, again=True).body == {"outcome": "duplicate"}
    assert [m.kind for m in mails()] == ["payment_received"]
