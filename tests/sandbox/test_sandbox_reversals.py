"""Money that goes back: refunds that come late, fail or wait, and disputes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
import stripe

from tests.sandbox.conftest import SessionMaker
from tests.sandbox.process import Endpoint, Running

WAITS, FAILS_LATER, DISPUTED, INQUIRY = "4000000000007726", "4000000000005126", "4000000000000259", "4000000000001976"
Payer = Callable[..., str]


@pytest.fixture
def paid(local: Running, new_session: SessionMaker) -> Payer:
    """Pays a session and gives back its payment intent."""

    def pay(card: str = "4242424242424242") -> str:
        answer = local.control(f"sessions/{new_session().id}/pay", card=card)
        return answer["session"]["payment_intent"]

    return pay


def charge(local: Running) -> dict[str, Any]:
    return local.state()["objects"]["charge"][-1]


def kinds(local: Running, about: str = "") -> list[str]:
    """Types of events so far, without the one that comes by itself a moment after each payment."""
    seen = [event["type"] for event in local.state()["events"]]
    return [kind for kind in seen if kind != "charge.updated" and kind.startswith(about)]


def test_a_refund_from_the_dashboard(local: Running, paid: Payer, endpoint: Endpoint) -> None:
    intent = paid()
    part = local.control(f"payments/{intent}/refund", amount=900)["refund"]
    assert (part["status"], part["amount"], part["reason"]) == ("succeeded", 900, "requested_by_customer")
    (_, event) = endpoint.wait_for("charge.refunded")[0]
    assert (event["data"]["object"]["amount_refunded"], event["data"]["object"]["refunded"]) == (900, False)
    assert event["request"] == {"id": None, "idempotency_key": None}, "nobody asked over the API"
    assert local.control(f"payments/{intent}/refund", amount=4001)["http_status"] == 400
    assert local.control(f"payments/{intent}/refund")["refund"]["amount"] == 4000
    assert charge(local)["refunded"]
    again = local.control(f"payments/{intent}/refund")
    assert again["error"]["code"] == "charge_already_refunded"


def test_a_refund_that_waits_is_not_counted_yet(local: Running, sdk: stripe.StripeClient, paid: Payer) -> None:
    intent = paid(WAITS)
    made = sdk.v1.refunds.create({"payment_intent": intent, "amount": 4000})
    assert made.status == "pending"
    assert (charge(local)["amount_refunded"], kinds(local)[-1]) == (0, "refund.created")
    with pytest.raises(stripe.InvalidRequestError, match=r"unrefunded amount on charge \(€9.00\)"):
        sdk.v1.refunds.create({"payment_intent": intent, "amount": 901})
    local.control("clock", advance=61)
    assert sdk.v1.refunds.retrieve(made.id).status == "succeeded"
    assert charge(local)["amount_refunded"] == 4000
    assert kinds(local)[-3:] == ["charge.refunded", "refund.updated", "charge.refund.updated"]


def test_a_refund_that_fails_later_gives_the_money_back(local: Running, sdk: stripe.StripeClient, paid: Payer) -> None:
    made = sdk.v1.refunds.create({"payment_intent": paid(FAILS_LATER)})
    assert (made.status, charge(local)["refunded"]) == ("succeeded", True)
    local.control("clock", advance=61)
    failed = sdk.v1.refunds.retrieve(made.id)
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    assert kinds(local)[-3:] == ["refund.updated", "charge.refund.updated", "refund.failed"]
    assert (charge(local)["amount_refunded"], charge(local)["refunded"]) == (0, False)


def test_the_bank_moves_a_refund_by_hand(local: Running, sdk: stripe.StripeClient, paid: Payer) -> None:
    intent = paid()
    first = sdk.v1.refunds.create({"payment_intent": intent, "amount": 1000}).id
    local.control(f"refunds/{first}", status="failed", failure_reason="lost_or_stolen_card")
    assert charge(local)["amount_refunded"] == 0
    assert local.control(f"refunds/{first}", status="succeeded")["http_status"] == 400, "what failed has failed"
    waiting = local.control(f"payments/{intent}/refund", amount=500, status="pending")["refund"]["id"]
    assert sdk.v1.refunds.cancel(waiting).status == "canceled"
    assert charge(local)["amount_refunded"] == 0
    assert [r.id for r in sdk.v1.refunds.list({"payment_intent": intent}).data] == [waiting, first]
    assert local.control(f"refunds/{first}", status="failed", failure_reason="bored")["http_status"] == 400
    assert local.control("refunds/re_unknown", status="failed")["http_status"] == 404


def test_a_dispute_is_opened_and_lost(local: Running, sdk: stripe.StripeClient, paid: Payer) -> None:
    intent = paid()
    made = local.control(f"payments/{intent}/dispute", reason="product_not_received")["dispute"]
    assert (made["status"], made["amount"], made["payment_intent"]) == ("needs_response", 4900, intent)
    assert kinds(local)[-2:] == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]
    assert charge(local)["disputed"]
    assert [d.id for d in sdk.v1.disputes.list({"payment_intent": intent}).data] == [made["id"]]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.refunds.create({"payment_intent": intent})
    assert refused.value.code == "charge_disputed"
    local.control(f"disputes/{made['id']}", status="under_review")
    local.control(f"disputes/{made['id']}", status="lost")
    assert kinds(local)[-2:] == ["charge.dispute.updated", "charge.dispute.closed"]
    assert local.control(f"disputes/{made['id']}", status="won")["http_status"] == 400, "closed stays closed"
    assert local.control(f"payments/{intent}/dispute")["http_status"] == 400


def test_a_dispute_is_won_with_the_winning_evidence(local: Running, sdk: stripe.StripeClient, paid: Payer) -> None:
    made = local.control(f"payments/{paid()}/dispute")["dispute"]["id"]
    after = sdk.v1.disputes.update(made, {"evidence": {"uncategorized_text": "winning_evidence"}})
    assert after.status == "won"
    assert kinds(local)[-3:] == [
        "charge.dispute.updated", "charge.dispute.funds_reinstated", "charge.dispute.closed"
    ]  # fmt: skip
    assert sum(row["amount"] for row in local.state()["objects"]["dispute"][0]["balance_transactions"]) == 0


def test_a_dispute_is_given_up(sdk: stripe.StripeClient, local: Running, paid: Payer) -> None:
    made = local.control(f"payments/{paid()}/dispute")["dispute"]["id"]
    assert sdk.v1.disputes.close(made).status == "lost"
    assert sdk.v1.disputes.retrieve(made).status == "lost"


def test_cards_that_are_disputed_by_themselves(local: Running, paid: Payer, sdk: stripe.StripeClient) -> None:
    """The dispute comes before the payment is known to have succeeded, as seen from Stripe."""
    paid(DISPUTED)
    seen = kinds(local)
    at = seen.index("charge.succeeded")
    assert seen[at + 1 : at + 4] == [
        "charge.dispute.created", "charge.dispute.funds_withdrawn", "payment_intent.succeeded"
    ]  # fmt: skip
    intent = paid(INQUIRY)
    inquiry = local.state()["objects"]["dispute"][-1]
    assert (inquiry["status"], inquiry["balance_transactions"]) == ("warning_needs_response", [])
    assert sdk.v1.refunds.create({"payment_intent": intent, "amount": 100}).status == "succeeded", "no money moved yet"
    sdk.v1.disputes.update(inquiry["id"], {"evidence": {"uncategorized_text": "escalate_inquiry_evidence"}})
    assert kinds(local, "charge.dispute")[-2:] == ["charge.dispute.updated", "charge.dispute.funds_withdrawn"]
    assert local.state()["objects"]["dispute"][-1]["status"] == "needs_response"


def test_requests_that_make_no_sense(local: Running, http: httpx.Client, paid: Payer) -> None:
    intent = paid()
    assert local.control(f"payments/{intent}/dispute", reason="boredom")["http_status"] == 400
    assert local.control(f"payments/{intent}/dispute", amount=4901)["http_status"] == 400
    assert local.control(f"payments/{intent}/refund", amount="much")["http_status"] == 400
    assert local.control(f"payments/{intent}/refund", status="lost")["http_status"] == 400
    assert local.control("payments/pi_unknown/refund")["http_status"] == 404
    assert http.get("/v1/disputes/du_unknown").status_code == 404
