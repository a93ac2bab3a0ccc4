"""The webhook, class by class: status, database effect and alert of each."""

from __future__ import annotations

import json
import threading
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from teleconsult.billing import webhook
from teleconsult.billing.models import Payment
from teleconsult.billing.rules import PaymentStatus
from teleconsult.consultations.rules import Status
from teleconsult.db import engine, transaction
from tests.billing.conftest import Alert
from tests.billing.deliveries import (
    SECRET,
    attempt,
    consultation,
    deliver,
    event,
    ledger,
    mails,
    payments,
    session,
    sign,
)
from tests.support import fresh_settings, full_draft, person


def untouched(draft: uuid.UUID) -> bool:
    """Nothing at all happened."""
    return consultation(draft).status == Status.DRAFT and not ledger() and not mails()


def test_paid_session_queues_the_consultation_once_with_everything_in_one_commit(
    draft: uuid.UUID, alerts: list[Alert]
) -> None:
    paid = attempt(draft)
    sent = event(session(paid))
    assert deliver(sent).body == {"outcome": "processed"}
    case = consultation(draft)
    assert (case.status, case.paid_payment_id) == (Status.PENDING, paid.id)
    assert case.stripe_payment_id == f"pi_{paid.id.hex}"
    assert case.due_at is not None
    assert case.submitted_at is not None
    assert (case.due_at - case.submitted_at).total_seconds() == 48 * 3600
    assert [(p.status, p.settled_by) for p in payments(draft)] == [("PAID", "webhook")]
    assert ledger() == {sent["id"]: "processed"}
    assert [m.kind for m in mails()] == ["payment_received"]
    assert alerts == []


def test_duplicate_answers_200_and_changes_nothing(draft: uuid.UUID) -> None:
    sent = event(session(attempt(draft)))
    deliver(sent)
    before = consultation(draft)
    again = deliver(sent)
    assert (again.status, again.body) == (200, {"outcome": "duplicate"})
    assert consultation(draft) == before
    assert len(mails()) == 1


def test_another_event_for_a_settled_session_only_reaches_the_ledger(draft: uuid.UUID) -> None:
    paid = attempt(draft)
    deliver(event(session(paid)))
    other = event(session(paid), "checkout.session.async_payment_succeeded")
    assert deliver(other).body == {"outcome": "noop"}
    assert ledger()[other["id"]] == "noop"
    assert len(mails()) == 1


def storm(payloads: list[dict[str, Any]]) -> Counter[str]:
    """Deliver all at the same moment and count the outcomes."""
    gate = threading.Barrier(len(payloads))

    def one(payload: dict[str, Any]) -> str:
        gate.wait()
        return str(deliver(payload).body.get("outcome"))

    with ThreadPoolExecutor(len(payloads)) as pool:
        return Counter(pool.map(one, payloads))


def test_sixteen_at_once_have_one_effect(draft: uuid.UUID) -> None:
    sent = event(session(attempt(draft)))
    assert storm([sent] * 16) == {"processed": 1, "duplicate": 15}
    assert len(mails()) == 1


def test_without_the_ledger_the_same_storm_is_not_recognised(draft: uuid.UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: the storm test above notices when the gate is gone."""
    real = webhook._ledger_row
    monkeypatch.setattr(webhook, "_ledger_row", lambda e: real(e.model_copy(update={"id": f"evt_{uuid.uuid4().hex}"})))
    outcomes = storm([event(session(attempt(draft)))] * 8)
    assert outcomes["duplicate"] == 0


def test_two_event_ids_for_one_session_have_one_effect(draft: uuid.UUID) -> None:
    paid = attempt(draft)
    outcomes = storm([event(session(paid)) for _ in range(8)])
    assert outcomes == {"processed": 1, "noop": 7}
    assert len(mails()) == 1


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=",
        "v1=abc",
        "t=1,v1=é",
        "t=99999999999999999999,v1=00",
        ",".join(f"v1={n}" for n in range(10_000)),
        "t=1700000000,v0=" + "0" * 64,
    ],
)
def test_malformed_signature_is_400(draft: uuid.UUID, alerts: list[Alert], header: str) -> None:
    body = json.dumps(event(session(attempt(draft)))).encode()
    assert webhook.receive(body, header).status == 400
    assert untouched(draft)
    assert alerts == [("webhook_signature", "warning")]


@pytest.mark.parametrize("age", [301, -301, 86_400, -315_360_000])
def test_stale_and_future_deliveries_are_400(draft: uuid.UUID, alerts: list[Alert], age: int) -> None:
    assert deliver(event(session(attempt(draft))), age=age).status == 400
    assert untouched(draft)
    assert alerts


def test_wrong_secret_and_tampered_body_are_400(draft: uuid.UUID, alerts: list[Alert]) -> None:
    body = json.dumps(event(session(attempt(draft)))).encode()
    assert webhook.receive(body, sign(body, secret="whsec_other")).status == 400
    assert webhook.receive(body.replace(b"4900", b"4901"), sign(body)).status == 400
    assert untouched(draft)
    assert len(alerts) == 2


def test_either_secret_is_accepted_while_one_is_rolled(draft: uuid.UUID) -> None:
    fresh_settings(STRIPE_WEBHOOK_SECRET=f"whsec_new, {SECRET}")
    assert deliver(event(session(attempt(draft)))).status == 200


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"null",
        b"{}",
        b"\xff\xfe",
        b"not json",
        b"[" * 200_000,
        b'{"id":"evt_1"}',
        json.dumps({"id": "evt_1", "type": "x", "livemode": False, "created": 1, "data": {"object": []}}).encode(),
        json.dumps({"id": "ev/1", "type": "x", "livemode": False, "created": 1, "data": {"object": {}}}).encode(),
    ],
)
def test_signed_body_that_is_no_event_is_400(draft: uuid.UUID, alerts: list[Alert], body: bytes) -> None:
    header = sign(body) if body != b"\xff\xfe" else sign(b"x")
    assert webhook.receive(body, header).status == 400
    assert untouched(draft)
    assert alerts


def test_without_a_secret_it_is_503(draft: uuid.UUID, alerts: list[Alert]) -> None:
    sent = event(session(attempt(draft)))
    fresh_settings(STRIPE_SECRET_KEY="", STRIPE_WEBHOOK_SECRET="")
    assert deliver(sent).status == 503
    assert untouched(draft)
    assert alerts == [("webhook_no_secret", "fatal")]


def test_other_livemode_is_quarantined(draft: uuid.UUID, alerts: list[Alert]) -> None:
    sent = event(session(attempt(draft)), livemode=True)
    assert deliver(sent).body == {"outcome": "quarantined"}
    assert consultation(draft).status == Status.DRAFT
    assert ledger() == {sent["id"]: "quarantined"}
    assert alerts == [("webhook_livemode", "error")]


@pytest.mark.parametrize("kind", ["invoice.paid", "charge.succeeded", "checkout.session.unheard_of"])
def test_event_types_we_do_not_handle_are_ignored(draft: uuid.UUID, kind: str) -> None:
    reply = deliver(event(session(attempt(draft)), kind))
    assert (reply.status, reply.body) == (200, {"outcome": "ignored"})
    assert untouched(draft)


@pytest.mark.parametrize("marks", [{"app": "another-shop"}, {"app": "teleconsult", "env": "production"}])
def test_other_software_on_the_same_account_is_ignored(
    draft: uuid.UUID, alerts: list[Alert], marks: dict[str, str]
) -> None:
    assert deliver(event(session(attempt(draft), metadata=marks))).body == {"outcome": "ignored"}
    assert untouched(draft)
    assert alerts == []


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"userId": None}, ["userId"]),
        ({"consultationId": None}, ["consultationId"]),
        ({"userId": "", "consultationId": "17"}, ["userId", "consultationId"]),
        ({"consultationId": "../../etc/passwd"}, ["consultationId"]),
    ],
)
def test_missing_metadata_is_400_and_forgotten_so_that_a_redelivery_counts(
    draft: uuid.UUID, alerts: list[Alert], change: dict[str, str | None], missing: list[str]
) -> None:
    whole = session(attempt(draft))
    marks = {k: v for k, v in {**whole["metadata"], **change}.items() if v is not None}
    sent = event({**whole, "metadata": marks})
    reply = deliver(sent)
    assert (reply.status, reply.body["missing"]) == (400, missing)
    assert untouched(draft)
    assert alerts == [("webhook_metadata_missing", "fatal")]
    assert deliver({**sent, "data": {"object": whole}}).body == {"outcome": "processed"}


@pytest.mark.parametrize("metadata", [None, [], "x", {}])
def test_metadata_of_any_shape_is_400(draft: uuid.UUID, alerts: list[Alert], metadata: object) -> None:
    assert deliver(event(session(attempt(draft), metadata=metadata))).status == 400
    assert untouched(draft)
    assert alerts


@pytest.mark.parametrize("foreign", ["userId", "consultationId", "paymentId"])
def test_well_formed_ids_of_nobody_are_quarantined(draft: uuid.UUID, alerts: list[Alert], foreign: str) -> None:
    payment = attempt(draft, stripe_session_id=None)
    whole = session(payment)
    whole["metadata"][foreign] = str(uuid.uuid4())
    sent = event(whole)
    assert deliver(sent).body == {"outcome": "quarantined"}
    assert consultation(draft).status == Status.DRAFT
    assert ledger() == {sent["id"]: "quarantined"}
    assert alerts == [("payment_unknown", "fatal")]


def test_somebody_elses_consultation_is_quarantined(draft: uuid.UUID, alerts: list[Alert]) -> None:
    whole = session(attempt(draft))
    whole["metadata"]["userId"] = str(person("bob@example.com"))
    assert deliver(event(whole)).body == {"outcome": "quarantined"}
    assert consultation(draft).status == Status.DRAFT
    assert alerts == [("payment_unknown", "fatal")]


def test_session_of_another_consultation_is_quarantined(patient: uuid.UUID, draft: uuid.UUID) -> None:
    other = full_draft(patient)
    paid = attempt(draft)
    whole = session(paid)
    whole["metadata"]["consultationId"] = whole["client_reference_id"] = str(other)
    assert deliver(event(whole)).body == {"outcome": "quarantined"}
    assert {consultation(draft).status, consultation(other).status} == {Status.DRAFT}


def test_session_whose_id_was_never_saved_is_adopted(draft: uuid.UUID) -> None:
    lost = attempt(draft, stripe_session_id=None, status=PaymentStatus.CREATING)
    assert deliver(event(session(lost))).body == {"outcome": "processed"}
    assert payments(draft)[0].stripe_session_id == f"cs_test_{lost.id.hex}"


@pytest.mark.parametrize(
    "change",
    [
        {"amount_total": 4899},
        {"amount_total": 4901},
        {"amount_total": 0, "payment_status": "no_payment_required"},
        {"amount_total": None},
        {"currency": "usd"},
        {"mode": "setup"},
        {"livemode": True},
        {"client_reference_id": "someone-else"},
    ],
)
def test_money_that_is_not_as_agreed_waits_for_a_person(
    draft: uuid.UUID, alerts: list[Alert], change: dict[str, Any]
) -> None:
    assert deliver(event(session(attempt(draft), **change))).body == {"outcome": "quarantined"}
    assert consultation(draft).status == Status.DRAFT
    assert payments(draft)[0].status == PaymentStatus.REVIEW
    assert alerts == [("payment_mismatch", "fatal")]
    assert mails() == []


def test_delayed_method_waits_then_pays(draft: uuid.UUID) -> None:
    slow = attempt(draft)
    assert deliver(event(session(slow, payment_status="unpaid"))).body == {"outcome": "processing"}
    assert consultation(draft).status == Status.DRAFT
    assert deliver(event(session(slow), "checkout.session.async_payment_succeeded")).body == {"outcome": "processed"}
    assert consultation(draft).status == Status.PENDING


def test_delayed_method_that_fails_leaves_a_draft_to_pay_again(draft: uuid.UUID) -> None:
    slow = attempt(draft)
    unpaid = session(slow, payment_status="unpaid")
    deliver(event(unpaid))
    assert deliver(event(unpaid, "checkout.session.async_payment_failed")).body == {"outcome": "failed"}
    assert payments(draft)[0].status == PaymentStatus.FAILED
    assert deliver(event(unpaid)).body == {"outcome": "noop"}
    assert consultation(draft).status == Status.DRAFT


def test_expired_page_keeps_the_draft_and_late_money_still_wins(draft: uuid.UUID) -> None:
    page = attempt(draft)
    gone = session(page, status="expired", payment_status="unpaid", payment_intent=None)
    assert deliver(event(gone, "checkout.session.expired")).body == {"outcome": "expired"}
    assert consultation(draft).status == Status.DRAFT
    assert deliver(event(session(page))).body == {"outcome": "processed"}
    assert deliver(event(gone, "checkout.session.expired")).body == {"outcome": "noop"}
    assert consultation(draft).status == Status.PENDING


def test_second_payment_is_returned_and_the_patient_is_told(draft: uuid.UUID, alerts: list[Alert]) -> None:
    first = attempt(draft, status=PaymentStatus.EXPIRED)
    second = attempt(draft, attempt=2)
    deliver(event(session(first)))
    assert deliver(event(session(second))).body == {"outcome": "duplicate_payment"}
    assert [p.status for p in payments(draft)] == ["PAID", "DUPLICATE"]
    assert payments(draft)[1].refund_status == "requested"
    assert [m.kind for m in mails()] == ["payment_received", "payment_returned"]
    assert alerts == [("payment_duplicate", "error")]


def test_money_for_a_cancelled_draft_is_returned(draft: uuid.UUID) -> None:
    page = attempt(draft)
    with transaction() as tx:
        tx.connection().execute(text("update consultation set status = 'CANCELLED'"))
    assert deliver(event(session(page))).body == {"outcome": "duplicate_payment"}
    assert consultation(draft).status == Status.CANCELLED


def test_another_api_version_is_read_as_far_as_it_fits(draft: uuid.UUID, alerts: list[Alert]) -> None:
    paid = attempt(draft)
    assert deliver(event({**session(paid), "livemode": "no"}, api_version="2027-01-01.next")).body == {
        "outcome": "quarantined"
    }
    assert deliver(event(session(paid), api_version="2027-01-01.next")).body == {"outcome": "processed"}
    assert [a.code for a in alerts] == ["webhook_api_version", "webhook_object_unfit"]


def test_locked_row_is_503_and_nothing_is_kept(draft: uuid.UUID, alerts: list[Alert]) -> None:
    sent = event(session(attempt(draft)))
    with engine().connect() as other, other.begin():
        other.execute(text("select 1 from consultation for update"))
        reply = deliver(sent)
    assert (reply.status, reply.headers["Retry-After"]) == (503, "5")
    assert untouched(draft)
    assert alerts == [("OperationalError", "error")]
    assert deliver(sent).body == {"outcome": "processed"}


def test_customer_deleted_at_stripe_is_forgotten(patient: uuid.UUID) -> None:
    with transaction() as tx:
        tx.connection().execute(text("update \"user\" set stripe_customer_id = 'cus_1'"))
    assert deliver(event({"id": "cus_1", "object": "customer"}, "customer.deleted")).status == 200
    with transaction() as tx:
        row = tx.connection().execute(text('select stripe_customer_id, stripe_customer_generation from "user"')).one()
    assert tuple(row) == (None, 1)
    assert patient


def test_database_refuses_a_queued_consultation_without_its_own_payment(draft: uuid.UUID) -> None:
    statement = "update consultation set status = 'PENDING', due_at = now()"
    with pytest.raises(Exception, match="ck_consultation_paid"), transaction() as tx:
        tx.connection().execute(text(statement))
    with pytest.raises(Exception, match="fk_consultation_paid_payment"), transaction() as tx:
        tx.connection().execute(text(f"{statement}, paid_payment_id = '{uuid.uuid4()}'"))
    assert untouched(draft)


def test_database_allows_one_live_attempt(draft: uuid.UUID) -> None:
    attempt(draft)
    with pytest.raises(Exception, match="uq_payment_live"):
        attempt(draft, attempt=2)
    assert isinstance(payments(draft)[0], Payment)
