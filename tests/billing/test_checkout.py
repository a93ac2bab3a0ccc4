"""Proceed to payment, against the sandbox over HTTP: one live page, frozen parameters, nothing lost when Stripe is."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
from sqlalchemy import text

from teleconsult.billing import checkout, customers, discard, portal, settle
from teleconsult.billing import gateway as gateways
from teleconsult.billing.rules import PaymentStatus
from teleconsult.consultations import service
from teleconsult.consultations.rules import Status
from teleconsult.db import transaction
from teleconsult.errors import Conflict, Invalid, NotFound, TooMany, Unavailable
from tests.billing.conftest import Alert
from tests.billing.deliveries import attempt, consultation, deliver, event, mails, payments, session
from tests.sandbox_process import KEY, SECRET, Sandbox
from tests.support import ANSWERS, fresh_settings, full_draft, person


@pytest.fixture
def shop(sandbox: Sandbox, patient: uuid.UUID) -> Sandbox:
    """The sandbox, with somebody to pay in it. Its webhooks go nowhere: the tests settle by hand."""
    assert patient
    return _pointed_at(sandbox)


def _pointed_at(sandbox: Sandbox) -> Sandbox:
    fresh_settings(STRIPE_SECRET_KEY=KEY, STRIPE_WEBHOOK_SECRET=SECRET, STRIPE_API_BASE=sandbox.base)
    return sandbox


def sessions(shop: Sandbox) -> list[dict[str, Any]]:
    """All payment pages Stripe knows."""
    return shop.state()["objects"].get("checkout.session", [])


def fail(shop: Sandbox, operation: str, kind: str, times: int = 1) -> None:
    """Let the next calls of an operation fail; one that hangs does so for 1.2 seconds."""
    shop.call("POST", "/_sandbox/faults", {"operation": operation, "kind": kind, "times": times, "seconds": 1.2})


def test_complete_draft_leads_to_a_payment_page(shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID) -> None:
    link = checkout.start(patient, draft)
    [made] = sessions(shop)
    [attempt] = payments(draft)
    assert (link.url, link.session_id) == (made["url"], made["id"])
    assert (attempt.status, attempt.stripe_session_id) == (PaymentStatus.OPEN, made["id"])
    ids = {"userId": str(patient), "consultationId": str(draft), "paymentId": str(attempt.id)}
    assert made["metadata"] == {**ids, "app": "teleconsult", "env": "test"}
    assert made["amount_total"] == attempt.amount_minor == 4900
    assert made["client_reference_id"] == str(draft)
    assert consultation(draft).status == Status.DRAFT


def test_stripe_receives_nothing_a_patient_wrote(shop: Sandbox, patient: uuid.UUID) -> None:
    canaries = {"story": "CANARY-story, long enough to count", "gp": "CANARY-gp", "allergies_text": "CANARY-allergy"}
    checkout.start(patient, full_draft(patient, **canaries))
    received = str(shop.state()["requests"])
    assert "Online" in received  # the requests are really there
    for word in ("CANARY", "cheek", "rash", "itch", "dermat", "1991", "penicillin"):
        assert word.lower() not in received.lower()


def test_twenty_clicks_in_two_tabs_are_one_page(shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID) -> None:
    with ThreadPoolExecutor(4) as pool:
        links = list(pool.map(lambda _: checkout.start(patient, draft), range(20)))
    assert len({link.url for link in links}) == len(sessions(shop)) == len(payments(draft)) == 1


def test_resumed_after_a_restart_it_is_the_same_page(shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID) -> None:
    first = checkout.start(patient, draft)
    assert checkout.start(patient, draft) == first
    assert len(sessions(shop)) == 1


def test_expired_page_is_replaced(shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID) -> None:
    first = checkout.start(patient, draft)
    shop.call("POST", f"/_sandbox/sessions/{first.session_id}/expire", {})
    second = checkout.start(patient, draft)
    assert second.url != first.url
    assert [p.status for p in payments(draft)] == [PaymentStatus.EXPIRED, PaymentStatus.OPEN]


def test_page_that_is_nearly_over_is_closed_and_replaced(shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID) -> None:
    first = checkout.start(patient, draft)
    with transaction() as tx:
        tx.connection().execute(text("update payment set expires_at = now() + interval '2 minutes'"))
    second = checkout.start(patient, draft)
    assert second.session_id != first.session_id
    states = {s["id"]: s["status"] for s in sessions(shop)}
    assert states == {first.session_id: "expired", second.session_id: "open"}


def test_paid_page_settles_instead_of_opening_again(shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID) -> None:
    link = checkout.start(patient, draft)
    shop.pay(link.session_id, webhook="never")
    with pytest.raises(Conflict, match="already paid"):
        checkout.start(patient, draft)
    assert consultation(draft).status == Status.PENDING


@pytest.mark.parametrize("kind", ["500", "drop_before"])
def test_lost_answer_is_asked_for_again_with_the_same_key_and_parameters(
    shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID, alerts: list[Alert], kind: str
) -> None:
    customers.ensure(patient)
    fail(shop, "POST /v1/checkout/sessions", kind, times=3)
    with pytest.raises(Unavailable, match="draft is saved and nothing was charged") as refused:
        checkout.start(patient, draft)
    assert refused.value.facts["consultationId"] == str(draft)
    assert [p.status for p in payments(draft)] == [PaymentStatus.CREATING]
    assert [a.code for a in alerts] == ["stripe_unreachable"]
    link = checkout.start(patient, draft)
    sent = [r for r in shop.state()["requests"] if r["path"] == "/v1/checkout/sessions" and r["method"] == "POST"]
    assert len({r["body"] for r in sent}) == 1
    assert len({r["headers"]["idempotency-key"] for r in sent}) == 1
    assert [s["id"] for s in sessions(shop)] == [link.session_id]


@pytest.mark.parametrize("kind", ["timeout_after", "timeout_before"])
def test_timeout_heals_by_the_next_try_under_the_same_key(
    shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(gateways, "TIMEOUT_SECONDS", 1)
    gateways.gateway.cache_clear()
    customers.ensure(patient)
    fail(shop, "POST /v1/checkout/sessions", kind)
    link = checkout.start(patient, draft)
    gateways.gateway.cache_clear()
    assert [s["id"] for s in sessions(shop)] == [link.session_id]


def test_price_change_keeps_the_amount_of_a_begun_attempt(
    shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID, alerts: list[Alert]
) -> None:
    customers.ensure(patient)
    fail(shop, "POST /v1/checkout/sessions", "500", times=3)
    with pytest.raises(Unavailable):
        checkout.start(patient, draft)
    fresh_settings(PRICE_MINOR="5900")
    try:
        checkout.start(patient, draft)
        assert [s["amount_total"] for s in sessions(shop)] == [4900]
    finally:
        fresh_settings(PRICE_MINOR="4900")
    assert alerts


def test_customer_deleted_at_stripe_is_made_anew(shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID) -> None:
    gone = customers.ensure(patient)
    shop.call("DELETE", f"/v1/customers/{gone}")
    checkout.start(patient, draft)
    assert customers.ensure(patient) != gone
    assert [p.status for p in payments(draft)] == [PaymentStatus.CANCELLED, PaymentStatus.OPEN]


def test_refusal_by_stripe_is_our_fault_and_said_calmly(
    shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID, alerts: list[Alert]
) -> None:
    fresh_settings(STRIPE_PRICE_ID="price_of_nothing")
    try:
        with pytest.raises(Unavailable, match="draft is saved"):
            checkout.start(patient, draft)
    finally:
        fresh_settings(STRIPE_PRICE_ID="")
    assert alerts == [("stripe_refused", "error")]
    assert [p.status for p in payments(draft)] == [PaymentStatus.CANCELLED]
    assert sessions(shop) == []


def test_price_at_stripe_that_differs_from_ours_is_never_shown(
    shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID, alerts: list[Alert]
) -> None:
    made = gateways.gateway()._client.v1.prices.create(
        {"currency": "eur", "unit_amount": 990, "product_data": {"name": "Online consultation"}}
    )
    fresh_settings(STRIPE_PRICE_ID=made.id)
    try:
        with pytest.raises(Unavailable):
            checkout.start(patient, draft)
    finally:
        fresh_settings(STRIPE_PRICE_ID="")
    assert ("price_differs", "fatal") in alerts
    assert [s["status"] for s in sessions(shop)] == ["expired"]


def test_incomplete_draft_is_refused_with_every_reason_and_kept(shop: Sandbox, patient: uuid.UUID) -> None:
    saved = service.save_answers(patient, None, {"site": "face"})
    with pytest.raises(Invalid) as refused:
        checkout.start(patient, saved.consultation_id)
    assert {"concern", "photos", "dob", "consent-care"} <= set(refused.value.problems)
    assert refused.value.facts == {"consultationId": str(saved.consultation_id)}
    assert sessions(shop) == []


def test_red_flag_stops_before_payment(shop: Sandbox, patient: uuid.UUID) -> None:
    flagged = full_draft(patient, flags=["swelling"])
    with pytest.raises(Invalid, match="get help today"):
        checkout.start(patient, flagged)
    assert sessions(shop) == []


def test_somebody_elses_draft_does_not_exist(shop: Sandbox, draft: uuid.UUID) -> None:
    stranger = person("bob@example.com")
    with pytest.raises(NotFound) as theirs:
        checkout.start(stranger, draft)
    with pytest.raises(NotFound) as nobodys:
        checkout.start(stranger, uuid.uuid4())
    assert theirs.value.body() == nobodys.value.body()
    assert sessions(shop) == []


def test_whole_form_is_saved_as_a_draft_before_anything_else(shop: Sandbox, patient: uuid.UUID) -> None:
    with pytest.raises(Invalid) as refused:
        checkout.start_with(patient, None, {**ANSWERS, "dob": ""}, {"care": True}, [])
    kept = service.draft(patient, uuid.UUID(refused.value.facts["consultationId"]))
    assert kept.answers["story"] == ANSWERS["story"]
    assert kept.consents == {"care"}
    assert sessions(shop) == []


def test_flood_of_payment_pages_is_stopped(shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID) -> None:
    with transaction() as tx:
        tx.connection().execute(
            text(
                "insert into payment (id, consultation_id, user_id, attempt, status, amount_minor, currency, livemode,"
                " request, expires_at, refunded_minor, created_at, updated_at)"
                " select gen_random_uuid(), :c, :u, n, 'EXPIRED', 4900, 'eur', false, '{}', now(), 0, now(), now()"
                " from generate_series(1, 20) n"
            ),
            {"c": draft, "u": patient},
        )
    with pytest.raises(TooMany):
        checkout.start(patient, draft)
    assert sessions(shop) == []


def test_webhook_that_is_faster_than_our_own_answer_stays_the_truth(
    shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID
) -> None:
    """Transaction 2 must not write OPEN over a PAID that came in between."""
    assert sessions(shop) == []
    attempt = checkout._open_attempt(patient, draft, customers.ensure(patient))
    page = settle.gateway().create_session(attempt.request, f"checkout:{attempt.id}")
    deliver(event(session(attempt, id=page.id)), secret=SECRET)
    checkout._keep(attempt, page)
    assert payments(draft)[0].status == PaymentStatus.PAID


def test_nobody_pays_again_while_an_operator_looks_at_the_first_payment(
    shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID, alerts: list[Alert]
) -> None:
    checkout.start(patient, draft)
    deliver(event(session(payments(draft)[0], amount_total=4800)), secret=SECRET)
    with pytest.raises(Conflict, match="checking it"):
        checkout.start(patient, draft)
    assert len(sessions(shop)) == 1
    assert alerts == [("payment_mismatch", "fatal")]


def test_landing_settles_the_owners_own_session_only(shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID) -> None:
    link = checkout.start(patient, draft)
    shop.pay(link.session_id, webhook="never")
    before = len(shop.state()["requests"])
    settle.confirm(person("bob@example.com"), link.session_id)
    settle.confirm(patient, "{CHECKOUT_SESSION_ID}")
    settle.confirm(patient, "cs_test_of_nobody")
    assert len(shop.state()["requests"]) == before
    assert consultation(draft).status == Status.DRAFT
    settle.confirm(patient, link.session_id)
    assert consultation(draft).status == Status.PENDING
    assert payments(draft)[0].settled_by == "landing"
    assert [m.kind for m in mails()] == ["payment_received"]


def test_landing_while_stripe_is_silent_changes_nothing(shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID) -> None:
    link = checkout.start(patient, draft)
    fail(shop, "GET /v1/checkout/sessions/{session}", "500", times=3)
    settle.confirm(patient, link.session_id)
    assert consultation(draft).status == Status.DRAFT


def test_discard_closes_the_open_page_and_can_be_undone(shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID) -> None:
    checkout.start(patient, draft)
    discard.discard(patient, draft)
    assert [s["status"] for s in sessions(shop)] == ["expired"]
    assert service.draft(patient, draft).discarded
    discard.undo(patient, draft)
    assert not service.draft(patient, draft).discarded


def test_discard_after_payment_settles_instead(shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID) -> None:
    link = checkout.start(patient, draft)
    shop.pay(link.session_id, webhook="never")
    with pytest.raises(Conflict, match="paid for meanwhile"):
        discard.discard(patient, draft)
    assert consultation(draft).status == Status.PENDING


def test_discarded_draft_is_emptied_after_a_quarter_of_an_hour(patient: uuid.UUID, draft: uuid.UUID) -> None:
    discard.discard(patient, draft)
    discard.finish.func(str(draft))
    assert consultation(draft).status == Status.DRAFT  # too early
    with transaction() as tx:
        tx.connection().execute(text("update consultation set discarded_at = now() - interval '15 minutes'"))
    discard.finish.func(str(draft))
    gone = consultation(draft)
    assert (gone.status, gone.user_notes, gone.intake) == (Status.CANCELLED, "", {})
    with pytest.raises(Conflict):
        discard.undo(patient, draft)


def test_portal_is_for_the_persons_own_customer(shop: Sandbox, patient: uuid.UUID) -> None:
    with pytest.raises(Conflict, match="haven’t paid"):
        portal.open_portal(patient)
    mine = customers.ensure(patient)
    first, second = portal.open_portal(patient), portal.open_portal(patient)
    assert first != second
    asked = [dict(parse_qsl(r["body"])) for r in shop.state()["requests"] if "billing_portal/sessions" in r["path"]]
    assert {a["customer"] for a in asked} == {mine}
    assert {a["return_url"] for a in asked} == {"http://localhost:8000/settings?billing=back"}


def test_portal_while_stripe_is_down(shop: Sandbox, patient: uuid.UUID, alerts: list[Alert]) -> None:
    customers.ensure(patient)
    fail(shop, "POST /v1/billing_portal/sessions", "500", times=3)
    with pytest.raises(Unavailable, match="isn’t responding"):
        portal.open_portal(patient)
    assert [a.code for a in alerts] == ["portal_unavailable"]


def test_portal_never_makes_a_customer_anew(shop: Sandbox, patient: uuid.UUID, alerts: list[Alert]) -> None:
    gone = customers.ensure(patient)
    shop.call("DELETE", f"/v1/customers/{gone}")
    with pytest.raises(Conflict, match="isn’t available any more"):
        portal.open_portal(patient)
    assert [c["id"] for c in shop.state()["objects"]["customer"] if not c.get("deleted")] == []
    assert customers.ensure(patient) == gone, "only a checkout, which needs one, makes a new one"
    assert alerts == [("portal_unavailable", "warning")]


def test_page_that_stripe_has_never_had_is_replaced(
    shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID, alerts: list[Alert]
) -> None:
    """For example since the keys are of another account now."""
    checkout.start(patient, draft)
    with transaction() as tx:
        tx.connection().execute(text("update payment set stripe_session_id = 'cs_test_elsewhere'"))
    checkout.start(patient, draft)
    assert [p.status for p in payments(draft)] == [PaymentStatus.CANCELLED, PaymentStatus.OPEN]
    assert len(sessions(shop)) == 2
    assert alerts == [("session_gone", "error")]


def test_discarding_a_page_that_is_gone_needs_no_closing(
    shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID, alerts: list[Alert]
) -> None:
    checkout.start(patient, draft)
    shop.call("POST", "/_sandbox/reset", {})
    discard.discard(patient, draft)
    assert service.draft(patient, draft).discarded
    assert alerts == [("session_gone", "error")]


def test_discarding_while_stripe_is_silent_is_refused_and_nothing_is_lost(
    shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID
) -> None:
    checkout.start(patient, draft)
    fail(shop, "*", "500", times=9)
    with pytest.raises(Unavailable, match="can’t close the payment page"):
        discard.discard(patient, draft)
    assert not service.draft(patient, draft).discarded


def test_discarding_an_attempt_nobody_was_shown_asks_nothing_of_stripe(
    shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID
) -> None:
    attempt(draft, status=PaymentStatus.CREATING, stripe_session_id=None)
    discard.discard(patient, draft)
    assert shop.state()["requests"] == []
    assert settle.refresh(payments(draft)[0], settle.Source.LANDING) is None
    assert shop.state()["requests"] == []


def test_clock_at_stripe_that_is_far_ahead_ends_after_three_tries(
    shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every page would be over before it began."""

    def over(*_: object) -> None:
        raise gateways.GatewayRefused("", "expires_at", "req_1", 400)

    monkeypatch.setattr(gateways.Gateway, "create_session", over)
    with pytest.raises(Unavailable, match="draft is saved"):
        checkout.start(patient, draft)
    assert sessions(shop) == []
    assert [p.status for p in payments(draft)] == [PaymentStatus.CANCELLED] * checkout.TRIES


def test_paid_by_another_way_between_two_steps(
    shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, early = customers.ensure, attempt(draft, status=PaymentStatus.EXPIRED)

    def meanwhile(user_id: uuid.UUID) -> str:
        deliver(event(session(early)), secret=SECRET)
        return real(user_id)

    monkeypatch.setattr(customers, "ensure", meanwhile)
    with pytest.raises(Conflict, match="already paid"):
        checkout.start(patient, draft)
    assert sessions(shop) == []


def test_key_that_was_used_with_other_parameters_begins_anew(
    shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID, monkeypatch: pytest.MonkeyPatch, alerts: list[Alert]
) -> None:
    customers.ensure(patient)
    monkeypatch.setattr(gateways, "RETRIES", 0)
    gateways.gateway.cache_clear()
    fail(shop, "POST /v1/checkout/sessions", "drop_after")
    with pytest.raises(Unavailable):
        checkout.start(patient, draft)
    gateways.gateway.cache_clear()
    with transaction() as tx:
        statement = "update payment set request = jsonb_set(request::jsonb, '{locale}', '\"de\"')::json"
        tx.connection().execute(text(statement))
    checkout.start(patient, draft)
    assert [p.status for p in payments(draft)] == [PaymentStatus.CANCELLED, PaymentStatus.OPEN]
    assert [a.code for a in alerts] == ["stripe_unreachable"]


def test_key_of_ours_that_is_refused_gives_up_nothing(
    shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID, monkeypatch: pytest.MonkeyPatch, alerts: list[Alert]
) -> None:
    """It has been rolled, and one process has the old one. The attempt keeps its key, and the next try its page."""

    def refused(*_: object) -> None:
        raise gateways.GatewayRefused("api_key_expired", "", "req_1", 401)

    for operation in ("create_session", "retrieve_session"):
        with monkeypatch.context() as patched:
            patched.setattr(gateways.Gateway, operation, refused)
            with pytest.raises(Unavailable):
                checkout.start(patient, draft)
            settle.confirm(patient, str(payments(draft)[0].stripe_session_id))
        link = checkout.start(patient, draft)
    assert [(p.status, p.stripe_session_id) for p in payments(draft)] == [(PaymentStatus.OPEN, link.session_id)]
    assert len(sessions(shop)) == 1
    assert [a.code for a in alerts] == ["stripe_refused", "stripe_refused"]


def test_answer_that_is_not_as_we_know_it_counts_as_none(
    shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID, alerts: list[Alert]
) -> None:
    link = checkout.start(patient, draft)
    shop.call("POST", f"/_sandbox/sessions/{link.session_id}/tamper", {"amount_total": -1})
    with pytest.raises(Unavailable):
        checkout.start(patient, draft)
    assert payments(draft)[0].status == PaymentStatus.OPEN
    assert [a.code for a in alerts] == ["stripe_unreachable"]


def test_without_a_key_nothing_is_asked(patient: uuid.UUID, draft: uuid.UUID, alerts: list[Alert]) -> None:
    fresh_settings(STRIPE_SECRET_KEY="", STRIPE_WEBHOOK_SECRET="")
    gateways.gateway.cache_clear()
    with pytest.raises(Unavailable):
        checkout.start(patient, draft)
    assert [a.code for a in alerts] == ["stripe_unreachable"]


def test_metadata_that_was_lost_at_stripe_strands_nobody_and_metadata_that_lies_is_not_believed(
    shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID, alerts: list[Alert]
) -> None:
    """Landing and sweep start from our row; they end where the webhook would."""
    for case, change, ends in (
        (draft, None, PaymentStatus.PAID),
        (full_draft(patient), {"userId": str(uuid.uuid4())}, PaymentStatus.RETURNED),
        (full_draft(patient), {"userId": "7", "paymentId": ""}, PaymentStatus.PAID),
    ):
        link = checkout.start(patient, case)
        shop.call("POST", f"/_sandbox/sessions/{link.session_id}/tamper", {"metadata": change})
        shop.pay(link.session_id, webhook="never")
        settle.confirm(patient, link.session_id)
        assert payments(case)[0].status == ends
    assert alerts == [("payment_unknown", "fatal")]


def test_two_tabs_make_one_customer(shop: Sandbox, patient: uuid.UUID) -> None:
    with ThreadPoolExecutor(4) as pool:
        ids = set(pool.map(lambda _: customers.ensure(patient), range(4)))
    assert len(ids) == 1
    assert len(shop.state()["objects"]["customer"]) == 1


def test_outlived_attempt_is_given_up(shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID, alerts: list[Alert]) -> None:
    customers.ensure(patient)
    fail(shop, "POST /v1/checkout/sessions", "500", times=3)
    with pytest.raises(Unavailable):
        checkout.start(patient, draft)
    with transaction() as tx:
        tx.connection().execute(text("update payment set created_at = now() - interval '24 hours'"))
    checkout.start(patient, draft)
    assert [p.status for p in payments(draft)] == [PaymentStatus.CANCELLED, PaymentStatus.OPEN]
    assert alerts
    assert payments(draft)[1].expires_at - payments(draft)[1].created_at > timedelta(minutes=45)
