"""Shapes of a sale: the Checkout Session, its lines, the invoice it leaves.

Amounts are integers in minor units, currencies lower case.
"""

from __future__ import annotations

from typing import Any

from teleconsult.sandbox.ids import new_id, random_text
from teleconsult.sandbox.objects import merged_metadata
from teleconsult.sandbox.payment_objects import OPTIONS


def line_item(price: dict[str, Any], description: str, quantity: int, metadata: dict[str, str]) -> dict[str, Any]:
    """One line of a session."""
    amount = price["unit_amount"] * quantity
    return {
        "id": new_id("li_"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": description,
        "metadata": metadata,
        "price": price,
        "quantity": quantity,
    }


def session(params: dict[str, Any], lines: list[dict[str, Any]], base: str, now: int) -> dict[str, Any]:
    """A new hosted Checkout Session in payment mode: open, unpaid, without a payment intent."""
    wanted = new_id("cs_test_")
    total = sum(line["amount_total"] for line in lines)
    allowed = params.get("allowed_payment_method_types")
    return _session_options(params) | {
        "id": wanted,
        "object": "checkout.session",
        "allowed_payment_method_types": allowed,
        "amount_subtotal": total,
        "amount_total": total,
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "client_secret": None,
        "created": now,
        "currency": lines[0]["currency"],
        "customer": params.get("customer"),
        "customer_account": None,
        "customer_details": None,
        "customer_email": params.get("customer_email"),
        "expires_at": params.get("expires_at", now + 86_400),
        "invoice": None,
        "livemode": False,
        "metadata": merged_metadata({}, params.get("metadata")),
        "mode": "payment",
        "payment_intent": None,
        "payment_link": None,
        "payment_method_options": {kind: OPTIONS.get(kind, {}) for kind in allowed or ["card"]},
        "payment_method_types": allowed or ["card"],
        "payment_status": "unpaid" if total else "no_payment_required",
        "status": "open",
        "success_url": params.get("success_url"),
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": f"{base}/c/pay/{wanted}",
    }


def _session_options(params: dict[str, Any]) -> dict[str, Any]:
    """The part of a session that repeats how it was asked to look and behave."""
    invoice = params.get("invoice_creation") or {}
    return {
        "adaptive_pricing": {"enabled": (params.get("adaptive_pricing") or {}).get("enabled", False)},
        "after_expiration": None,
        "allow_promotion_codes": params.get("allow_promotion_codes"),
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": params.get("billing_address_collection"),
        "collected_information": None,
        "consent": None,
        "consent_collection": None,
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": _custom_text(params.get("custom_text") or {}),
        "customer_creation": None if params.get("customer") else params.get("customer_creation", "if_required"),
        "discounts": [],
        "invoice_creation": {
            "enabled": invoice.get("enabled", False),
            "invoice_data": _invoice_data(invoice.get("invoice_data") or {}),
        },
        "locale": params.get("locale"),
        "origin_context": None,
        "payment_method_collection": "if_required",
        "payment_method_configuration_details": None,
        "permissions": None,
        "phone_number_collection": {"enabled": False},
        "recovered_from": None,
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "submit_type": params.get("submit_type"),
        "subscription": None,
        "wallet_options": None,
    }


def _custom_text(given: dict[str, Any]) -> dict[str, Any]:
    places = ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
    return {place: given.get(place) or None for place in places}


def _invoice_data(given: dict[str, Any]) -> dict[str, Any]:
    return {
        "account_tax_ids": None,
        "custom_fields": None,
        "description": given.get("description") or None,
        "footer": given.get("footer") or None,
        "issuer": None,
        "metadata": merged_metadata({}, given.get("metadata")),
        "rendering_options": None,
    }


def invoice(paid: dict[str, Any], owner: dict[str, Any] | None, intent: str | None, now: int) -> dict[str, Any]:
    """The paid invoice of a session with `invoice_creation`: only what the portal shows of it."""
    prefix = owner["invoice_prefix"] if owner else random_text(8).upper()
    number = owner["next_invoice_sequence"] if owner else 1
    return {
        "id": new_id("in_1"),
        "object": "invoice",
        "number": f"{prefix}-{number:04}",
        "customer": paid["customer"],
        "created": now,
        "currency": paid["currency"],
        "total": paid["amount_total"],
        "status": "paid",
        "payment_intent": intent,
        "checkout_session": paid["id"],
    }
