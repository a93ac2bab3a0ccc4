"""What settling touches: this attempt and no other, and the audit log says what came of it, by whom and why."""

from __future__ import annotations

import contextlib
import uuid
from typing import Any
from urllib.error import HTTPError

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from teleconsult.audit import AuditLog
from teleconsult.billing import checkout, quarantine, settle
from teleconsult.billing.models import Payment
from teleconsult.billing.settle import Source
from teleconsult.db import transaction
from tests.billing.deliveries import attempt, deliver, event, payments, session
from tests.billing.shop import fail, now, rows
from tests.sandbox_process import SECRET, Sandbox
from tests.support import full_draft, person

pytestmark = pytest.mark.usefixtures("alerts")


def acts(payment: Payment) -> list[tuple[str, str, uuid.UUID | None, dict[str, Any]]]:
    """What the log says of a payment's money, without the refunds that follow from it."""
    about, promised = col(AuditLog.object_id) == payment.id, col(AuditLog.action) == "refund_requested"
    with transaction() as tx:
        query = select(AuditLog).where(about, ~promised)
        found = tx.exec(query.order_by(col(AuditLog.id))).all()
        return [(act.action, act.actor_role, act.actor_id, act.detail) for act in found]


def test_who_comes_back_hears_how_stripe_has_the_page_as_long_as_it_is_asked(
    shop: Sandbox, draft: uuid.UUID, patient: uuid.UUID
) -> None:
    page = checkout.start(patient, draft).session_id
    assert settle.confirm(person("bob@example.com"), page) == "", "not his page"
    assert settle.confirm(patient, page) == "open"
    fail(shop, "GET /v1/checkout/sessions/{session}", "500", times=3)
    assert settle.confirm(patient, page) == "", "no answer"
    shop.pay(page, webhook="never")
    assert settle.confirm(patient, page) == "complete"
    assert settle.confirm(patient, page) == "", "nothing left to ask"


def test_a_declined_card_leaves_the_page_open_for_another(shop: Sandbox, draft: uuid.UUID, patient: uuid.UUID) -> None:
    page = checkout.start(patient, draft).session_id
    with contextlib.suppress(HTTPError):
        shop.pay(page, card="4000000000000002", webhook="never")
    assert settle.confirm(patient, page) == "open"
    assert [row.status for row in payments(draft)] == ["OPEN"]


@pytest.mark.usefixtures("shop")
def test_a_page_stripe_never_had_ends_its_own_attempt_and_no_other(draft: uuid.UUID) -> None:
    lost, other = attempt(draft), attempt(full_draft(person("bob@example.com")))
    assert settle.look(lost, Source.SWEEP) is None
    assert (now(lost).status, now(other).status) == ("CANCELLED", "OPEN")
    assert now(lost).updated_at > lost.updated_at


def test_money_that_came_while_stripe_was_asked_stays(shop: Sandbox, draft: uuid.UUID) -> None:
    assert shop.state()["objects"].get("checkout.session", []) == []
    before = attempt(draft)
    deliver(event(session(before)), secret=SECRET)
    assert settle.look(before, Source.LANDING) is None
    assert now(before).status == "PAID"


def test_a_second_payment_is_in_the_log_with_who_told(draft: uuid.UUID) -> None:
    first = attempt(draft, status="EXPIRED")
    second = attempt(draft, attempt=2)
    for page in (first, second):
        deliver(event(session(page)))
    assert acts(first) == [("payment_paid", "system", None, {"source": "webhook"})]
    assert acts(second) == [("payment_duplicate", "system", None, {"source": "webhook"})]
    assert [row.reason for row in rows(second)] == ["duplicate"]


def test_an_operator_who_finds_nothing_waiting_is_in_the_log(draft: uuid.UUID, operator: uuid.UUID) -> None:
    page = attempt(draft)
    deliver(event(session(page, amount_total=5400)))
    assert acts(page) == [("payment_review", "system", None, {"reason": "amount"})]
    with transaction() as tx:
        tx.connection().execute(text("update consultation set status = 'CANCELLED'"))
    quarantine.accept(operator, page.id)
    assert acts(page)[1:] == [
        ("payment_accepted", "operator", operator, {}),
        ("payment_duplicate", "operator", operator, {"source": "operator"}),
    ]


def test_money_nobody_can_assign_goes_back_as_that(draft: uuid.UUID) -> None:
    page = session(attempt(draft))
    page["metadata"]["userId"] = str(person("bob@example.com"))
    deliver(event(page))
    [payment] = payments(draft)
    assert (payment.status, payment.review_reason, payment.settled_by) == ("RETURNED", "ids", "webhook")
    assert [(row.reason, row.amount_minor) for row in rows(payment)] == [("unassigned", 4900)]
    assert acts(payment) == [("payment_unassigned", "system", None, {"source": "webhook"})]
