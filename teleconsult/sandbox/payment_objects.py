"""Shapes of a payment: the intent, the card, the tries to charge it, the money sent back.

Amounts are integers in minor units, currencies lower case.
"""

from __future__ import annotations

from typing import Any

from teleconsult.sandbox.cards import Card
from teleconsult.sandbox.ids import new_id, random_text
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
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": paid["payment_method_types"],
        "receipt_email": data.get("receipt_email"),
        "setup_future_usage": data.get("setup_future_usage"),
        "statement_descriptor": data.get("statement_descriptor"),
        "statement_descriptor_suffix": data.get("statement_descriptor_suffix"),
        "status": "requires_payment_method",
    }


def payment_method(card: Card, billing: dict[str, Any], now: int, customer: str | None = None) -> dict[str, Any]:
    """A card. It belongs to a customer only once it is attached."""
    return {
        "id": new_id("pm_1"),
        "object": "payment_method",
        "allow_redisplay": "limited",
        "billing_details": billing,
        "card": {
            "brand": card.brand,
            "checks": card.checks,
            "country": "US",
            "display_brand": card.brand,
            "exp_month": card.exp_month,
            "exp_year": card.exp_year,
            "fingerprint": card.fingerprint,
            "funding": "credit",
            "generated_from": None,
            "last4": card.last4,
            "networks": {"available": [card.brand], "preferred": None},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        },
        "created": now,
        "customer": customer,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
    }


def charge(intent: dict[str, Any], method: dict[str, Any], card: Card, base: str, now: int) -> dict[str, Any]:
    """One try to move the money of a payment intent: succeeded, or failed with the card's decline."""
    ok, wanted = card.decline is None, new_id("ch_3")
    return dict.fromkeys(EMPTY_CHARGE) | {
        "id": wanted,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"] if ok else 0,
        "amount_refunded": 0,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": intent["statement_descriptor"] or "SANDBOX",
        "captured": ok,
        "created": now,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_code": card.decline.code if card.decline else None,
        "failure_message": card.decline.message if card.decline else None,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "outcome": _outcome(card),
        "paid": ok,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {"card": _charged_card(intent, card), "type": "card"},
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "receipt_url": f"{base}/receipts/{wanted}" if ok else None,
        "refunded": False,
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": "succeeded" if ok else "failed",
    }


def _outcome(card: Card) -> dict[str, Any]:
    if card.decline is None:
        return {
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
    return {
        "advice_code": "try_again_later",
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "declined_by_network",
        "reason": card.decline.decline_code or card.decline.code,
        "risk_level": "normal",
        "risk_score": 12,
        "seller_message": "The bank did not return any further details with this decline.",
        "type": "issuer_declined",
    }


def _charged_card(intent: dict[str, Any], card: Card) -> dict[str, Any]:
    secure = {"authentication_flow": "challenge", "result": "authenticated", "result_reason": None, "version": "2.2.0"}
    return {
        "amount_authorized": intent["amount"] if card.decline is None else None,
        "brand": card.brand,
        "checks": card.checks,
        "country": "US",
        "exp_month": card.exp_month,
        "exp_year": card.exp_year,
        "fingerprint": card.fingerprint,
        "funding": "credit",
        "installments": None,
        "last4": card.last4,
        "mandate": None,
        "network": card.brand,
        "network_token": {"used": False},
        "network_transaction_id": str(card.exp_year) + card.last4 * 2,
        "regulated_status": "unregulated",
        "three_d_secure": secure if card.authenticates else None,
        "wallet": None,
    }


def refund(charged: dict[str, Any], amount: int, params: dict[str, Any], now: int) -> dict[str, Any]:
    """Money on its way back to the card."""
    return {
        "id": new_id("re_3"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": new_id("txn_3"),
        "charge": charged["id"],
        "created": now,
        "currency": charged["currency"],
        "destination_details": {"card": {"reference_status": "pending", "type": "refund"}, "type": "card"},
        "metadata": merged_metadata({}, params.get("metadata")),
        "payment_intent": charged["payment_intent"],
        "reason": params.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }
