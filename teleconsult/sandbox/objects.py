"""Shapes of the things that aren't money: customers, the catalogue, endpoints, events, the portal."""

from __future__ import annotations

import copy
from typing import Any

from teleconsult.sandbox.ids import event_id, new_id, random_text

ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")
TAX_EXEMPT = "none"


def merged_metadata(old: dict[str, str], new: Any) -> dict[str, str]:
    """Stripe's rule for updates: keys are added or replaced, an empty value removes one, an empty string all."""
    if new == "":
        return {}
    both = old | (new or {})
    return {key: value for key, value in both.items() if value != ""}


def full_address(given: Any) -> dict[str, Any] | None:
    """All six lines, null where nothing was given."""
    return {line: given.get(line) or None for line in ADDRESS} if given else None


def customer(params: dict[str, Any], now: int) -> dict[str, Any]:
    """A new customer."""
    return {
        "id": new_id("cus_"),
        "object": "customer",
        "address": full_address(params.get("address")),
        "balance": params.get("balance", 0),
        "created": now,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": params.get("description") or None,
        "discount": None,
        "email": params.get("email") or None,
        "invoice_prefix": params.get("invoice_prefix") or random_text(8).upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": merged_metadata({}, params.get("metadata")),
        "name": params.get("name") or None,
        "next_invoice_sequence": params.get("next_invoice_sequence", 1),
        "phone": params.get("phone") or None,
        "preferred_locales": params.get("preferred_locales") or [],
        "shipping": None,
        "tax_exempt": params.get("tax_exempt") or TAX_EXEMPT,
        "test_clock": None,
    }


def product(params: dict[str, Any], now: int, *, active: bool = True) -> dict[str, Any]:
    """A new product."""
    return {
        "id": params.get("id") or new_id("prod_"),
        "object": "product",
        "active": params.get("active", active),
        "created": now,
        "default_price": None,
        "description": params.get("description") or None,
        "images": params.get("images") or [],
        "livemode": False,
        "marketing_features": params.get("marketing_features") or [],
        "metadata": merged_metadata({}, params.get("metadata")),
        "name": params["name"],
        "package_dimensions": None,
        "shippable": params.get("shippable"),
        "statement_descriptor": params.get("statement_descriptor") or None,
        "tax_code": params.get("tax_code") or None,
        "unit_label": params.get("unit_label") or None,
        "updated": now,
        "url": params.get("url") or None,
    }


def price(params: dict[str, Any], product_id: str, now: int, *, active: bool = True) -> dict[str, Any]:
    """A new one-time price, in minor units."""
    return {
        "id": new_id("price_"),
        "object": "price",
        "active": params.get("active", active),
        "billing_scheme": "per_unit",
        "created": now,
        "currency": params["currency"].lower(),
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": params.get("lookup_key") or None,
        "metadata": merged_metadata({}, params.get("metadata")),
        "nickname": params.get("nickname") or None,
        "product": product_id,
        "recurring": None,
        "tax_behavior": params.get("tax_behavior") or "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "one_time",
        "unit_amount": params["unit_amount"],
        "unit_amount_decimal": str(params["unit_amount"]),
    }


def webhook_endpoint(params: dict[str, Any], now: int) -> dict[str, Any]:
    """A new endpoint. Its secret is shown once, by the create answer, and kept apart."""
    return {
        "id": new_id("we_"),
        "object": "webhook_endpoint",
        "api_version": params.get("api_version") or None,
        "application": None,
        "created": now,
        "description": params.get("description") or None,
        "enabled_events": params["enabled_events"],
        "livemode": False,
        "metadata": merged_metadata({}, params.get("metadata")),
        "status": "enabled",
        "url": params["url"],
    }


def event(kind: str, item: dict[str, Any], now: int, version: str, request: dict[str, Any]) -> dict[str, Any]:
    """An event with a copy of its object, frozen as it is now. `request` tells the call it came from."""
    return {
        "id": event_id(item["object"]),
        "object": "event",
        "api_version": version,
        "created": now,
        "data": {"object": copy.deepcopy(item)},
        "livemode": False,
        "pending_webhooks": 0,
        "request": request,
        "type": kind,
    }


def portal_configuration(params: dict[str, Any], now: int, *, default: bool = False) -> dict[str, Any]:
    """A new portal configuration, with every feature spelt out."""
    profile = params.get("business_profile") or {}
    return {
        "id": new_id("bpc_"),
        "object": "billing_portal.configuration",
        "active": True,
        "application": None,
        "business_profile": {
            name: profile.get(name) or None for name in ("headline", "privacy_policy_url", "terms_of_service_url")
        },
        "created": now,
        "default_return_url": params.get("default_return_url") or None,
        "features": portal_features(params.get("features") or {}),
        "is_default": default,
        "livemode": False,
        "login_page": {"enabled": False, "url": None},
        "metadata": merged_metadata({}, params.get("metadata")),
        "name": params.get("name") or None,
        "updated": now,
    }


def portal_features(given: dict[str, Any]) -> dict[str, Any]:
    """The features asked for; subscriptions are off, because nothing here is sold by subscription."""
    update = given.get("customer_update") or {}
    return {
        "customer_update": {
            "allowed_updates": update.get("allowed_updates") or [],
            "enabled": update.get("enabled", False),
        },
        "invoice_history": {"enabled": (given.get("invoice_history") or {}).get("enabled", False)},
        "payment_method_update": {
            "enabled": (given.get("payment_method_update") or {}).get("enabled", False),
            "payment_method_configuration": None,
        },
        "subscription_cancel": {
            "cancellation_reason": {"enabled": False, "options": []},
            "enabled": False,
            "mode": "at_period_end",
            "proration_behavior": "none",
        },
        "subscription_pause": {"duration": {"interval_options": [], "type": "indefinite"}, "enabled": False},
        "subscription_update": {
            "billing_cycle_anchor": None,
            "default_allowed_updates": [],
            "enabled": False,
            "proration_behavior": "none",
            "schedule_at_period_end": {"conditions": []},
            "trial_update_behavior": "end_trial",
        },
    }


def portal_session(params: dict[str, Any], configuration: dict[str, Any], base: str, now: int) -> dict[str, Any]:
    """A short-lived link to the portal of one customer."""
    wanted = new_id("bps_")
    return {
        "id": wanted,
        "object": "billing_portal.session",
        "configuration": configuration["id"],
        "created": now,
        "customer": params["customer"],
        "customer_account": None,
        "flow": None,
        "livemode": False,
        "locale": params.get("locale"),
        "on_behalf_of": None,
        "return_url": params.get("return_url") or configuration["default_return_url"],
        "url": f"{base}/p/session/{wanted}",
    }


def account() -> dict[str, Any]:
    """The one account."""
    return {"id": "acct_1Sandbox00000000", "object": "account"}
