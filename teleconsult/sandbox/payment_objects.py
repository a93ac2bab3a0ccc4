"""Shapes of a payment: the intent, the tries to charge it, the money sent back.

Amounts are integers in minor units, currencies lower case.
"""

from __future__ import annotations

from typing import Any

from teleconsult.sandbox.cards import Decline
from teleconsult.sandbox.ids import new_id, random_text
from teleconsult.sandbox.method_objects import Source, charged_with
from teleconsult.sandbox.objects import merged_metadata

EMPTY_INTENT = (
    "application", "application_fee_amount", "automatic_payment_methods", "canceled_at", "cancellation_reason",
    "excluded_payment_method_types", "last_payment_error", "latest_charge", "next_action", "on_behalf_of",
    "payment_method", "payment_method_configuration_details", "processing", "review", "shipping",
    "transfer_data", "transfer_group",
)  # fmt: skip
EMPTY_CHARGE = (
    "application", "application_fee", "application_fee_amount", "balance_transaction",
    "failure_balance_transaction", "on_behalf_of", "receipt_number", "review", "shipping", "source_transfer",
    "transfer_data", "transfer_group",
)  # fmt: skip
OPTIONS = {"card": {"request_three_d_secure": "automatic"}}
APPROVED = {
    "advice_code": None,
    "network_advice_code": None,
    "network_decline_code": None,
    "network_status": "approved_by_network",
    "reason": None,
    "risk_level": "normal",
    "risk_score": 12,
    "seller_message": "Payment complete.",
    "type": "authorized",
}
DECLINED = APPROVED | {
    "advice_code": "try_again_later",
    "network_status": "declined_by_network",
    "seller_message": "The bank did not return any further details with this decline.",
    "type": "issuer_declined",
}


def payment_intent(paid: dict[str, Any], data: dict[str, Any], now: int) -> dict[str, Any]:
    """The payment of a session, made when the customer first tries to pay. Session metadata is not copied to it."""
    wanted = new_id("pi_3")
    return dict.fromkeys(EMPTY_INTENT) | {
        "id": wanted,
        "object": "payment_intent",
        "amount": paid["amount_total"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "capture_method": "automatic_async",
        "client_secret": f"{wanted}_secret_{random_text(25)}",
        "confirmation_method": "automatic",
        "created": now,
        "currency": paid["currency"],
        "customer": paid["customer"],
        "description": data.get("description"),
        "livemode": False,
        "metadata": merged_metadata({}, data.get("metadata")),
        "payment_method_options": {kind: OPTIONS.get(kind, {}) for kind in paid["payment_method_types"]},
        "payment_method_types": paid["payment_method_types"],
        "receipt_email": data.get("receipt_email"),
        "setup_future_usage": data.get("setup_future_usage"),
        "statement_descriptor": data.get("statement_descriptor"),
        "statement_descriptor_suffix": data.get("statement_descriptor_suffix"),
        "status": "requires_payment_method",
    }


def charge(intent: dict[str, Any], method: dict[str, Any], source: Source, base: str, now: int) -> dict[str, Any]:
    """One try to move the money of a payment intent, without the bank's word: pending."""
    wanted = new_id("ch_3")
    return dict.fromkeys(EMPTY_CHARGE) | {
        "id": wanted,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": intent["statement_descriptor"] or "SANDBOX",
        "captured": False,
        "created": now,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "outcome": dict(APPROVED),
        "paid": False,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": charged_with(intent, source),
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "receipt_url": f"{base}/receipts/{wanted}",
        "refunded": False,
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": "pending",
    }


def succeeded(amount: int) -> dict[str, Any]:
    """What changes in a charge when the bank says yes."""
    return {"status": "succeeded", "paid": True, "captured": True, "amount_captured": amount}


def failed(why: Decline) -> dict[str, Any]:
    """What changes in a charge when the bank says no."""
    words = {"failure_code": why.code, "failure_message": why.message}
    outcome = DECLINED | {"reason": why.decline_code or why.code}
    return words | {"status": "failed", "receipt_url": None, "outcome": outcome}
