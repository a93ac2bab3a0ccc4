"""Shapes of money that goes back: refunds, and disputes opened by the customer's bank.

Amounts are integers in minor units, currencies lower case.
"""

from __future__ import annotations

from typing import Any

from teleconsult.sandbox.banks import ACH, SEPA
from teleconsult.sandbox.ids import new_id, random_text
from teleconsult.sandbox.objects import merged_metadata

DISPUTE_FEE = 1500
DAYS_TO_ANSWER = 10 * 86_400
TRANSFER_OF = {SEPA: "eu_bank_transfer", ACH: "us_bank_transfer"}
WRITTEN_EVIDENCE = (
    "access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure",
    "cancellation_rebuttal", "customer_communication", "customer_email_address", "customer_name",
    "customer_purchase_ip", "customer_signature", "duplicate_charge_documentation", "duplicate_charge_explanation",
    "duplicate_charge_id", "product_description", "receipt", "refund_policy", "refund_policy_disclosure",
    "refund_refusal_explanation", "service_date", "service_documentation", "shipping_address", "shipping_carrier",
    "shipping_date", "shipping_documentation", "shipping_tracking_number", "uncategorized_file", "uncategorized_text",
)  # fmt: skip


def refund(charged: dict[str, Any], amount: int, params: dict[str, Any], status: str, now: int) -> dict[str, Any]:
    """Money on its way back to where it came from."""
    kind = charged["payment_method_details"]["type"]
    made = {
        "id": new_id("re_3"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": new_id("txn_3"),
        "charge": charged["id"],
        "created": now,
        "currency": charged["currency"],
        "destination_details": _destination(kind, {"reference_status": "pending"}),
        "metadata": merged_metadata({}, params.get("metadata")),
        "payment_intent": charged["payment_intent"],
        "reason": params.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": status,
        "transfer_reversal": None,
    }
    return made | ({"pending_reason": "processing"} if status == "pending" else {})


def referenced(made: dict[str, Any]) -> dict[str, Any]:
    """Where a refund went, once the bank's reference is known."""
    kind = made["destination_details"]["type"]
    reference = {"reference": random_text(12).upper(), "reference_status": "available"}
    if kind == "card":
        reference |= {"reference_type": "acquirer_reference_number"}
    return _destination(kind, reference)


def _destination(kind: str, reference: dict[str, Any]) -> dict[str, Any]:
    kind = TRANSFER_OF.get(kind, kind)
    return {kind: reference | ({"type": "refund"} if kind == "card" else {}), "type": kind}


def dispute(charged: dict[str, Any], amount: int, reason: str, status: str, now: int) -> dict[str, Any]:
    """A payment the customer's bank takes back, or asks about (`warning_…`: an inquiry, without money moving)."""
    inquiry = status.startswith("warning_")
    return {
        "id": new_id("du_1"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [] if inquiry else [movement(-amount, DISPUTE_FEE, charged["currency"], now)],
        "charge": charged["id"],
        "created": now,
        "currency": charged["currency"],
        "enhanced_eligibility_types": [],
        "evidence": dict.fromkeys(WRITTEN_EVIDENCE) | {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": now + DAYS_TO_ANSWER,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": inquiry,
        "livemode": False,
        "metadata": {},
        "payment_intent": charged["payment_intent"],
        "reason": reason,
        "status": status,
    } | _disputed_with(charged["payment_method_details"], inquiry=inquiry)


def _disputed_with(details: dict[str, Any], *, inquiry: bool) -> dict[str, Any]:
    """Only of cards: Stripe tells nothing more about a disputed debit."""
    if details["type"] != "card":
        return {}
    card = {"brand": details["card"]["brand"], "case_type": "inquiry" if inquiry else "chargeback"}
    card |= {"network": details["card"]["network"], "network_reason_code": "10"}
    return {"payment_method_details": {"card": card, "type": "card"}}


def movement(amount: int, fee: int, currency: str, now: int) -> dict[str, Any]:
    """A line of the account's balance: what a dispute took, or gave back."""
    return {
        "id": new_id("txn_1"),
        "object": "balance_transaction",
        "amount": amount,
        "created": now,
        "currency": currency,
        "fee": fee,
        "net": amount - fee,
        "reporting_category": "dispute" if amount < 0 else "dispute_reversal",
        "type": "adjustment",
    }
