"""Our corner of the Stripe account: product, price, portal and webhook endpoint. For operators' commands only.

Every call goes through the gateway and comes back as a model of ours. What we made carries our marks, so that other
software in the same account is never touched.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from pydantic import BaseModel

from teleconsult.billing.gateway import gateway
from teleconsult.billing.objects import API_VERSION, Endpoint, PortalConfiguration, Price, Product
from teleconsult.billing.rules import APP, ITEM
from teleconsult.settings import get_settings

WEBHOOK_PATH = "/api/billing/webhook"
FEATURES = {"invoice_history": {"enabled": True}, "payment_method_update": {"enabled": True}}
"""What the portal offers: receipts and the card. Nothing is sold by subscription."""

M = TypeVar("M", bound=BaseModel)


def marks() -> dict[str, str]:
    """How we know our own objects again. Environments that share an account have their own."""
    return {"app": APP, "env": get_settings().environment}


def ours(metadata: Mapping[str, str]) -> bool:
    """Whether an object is this environment's."""
    return marks().items() <= metadata.items()


def lookup_key() -> str:
    """The name our price is found by, whatever its id."""
    return f"{APP}_consultation_{get_settings().environment}"


def webhook_url() -> str:
    """Where Stripe must send events."""
    return get_settings().public_url + WEBHOOK_PATH


def clock_skew() -> int:
    """Seconds our clock is ahead of Stripe's, from the Date header of an answer. Also shows that our key is accepted.

    Raises:
        GatewayDown, GatewayRefused: no answer; the key is not accepted.
    """
    page = gateway().ask(lambda v1: v1.events.list({"limit": 1}))
    return round(time.time() - parsedate_to_datetime(page.last_response.headers["Date"]).timestamp())


# ── Product and price ──────────────────────────────────────────────────────────────────────────────


def find_price() -> Price | None:
    """The active price with our lookup key."""
    params = {"lookup_keys": [lookup_key()], "active": True, "limit": 1}
    return next(iter(_all(Price, gateway().ask(lambda v1: v1.prices.list(params)))), None)


def retrieve_price(price_id: str) -> Price:
    """One price by its id."""
    return _one(Price, gateway().ask(lambda v1: v1.prices.retrieve(price_id)))


def create_price(product_id: str, amount_minor: int, currency: str) -> Price:
    """A price that takes our lookup key over from an earlier one."""
    params = {
        "product": product_id,
        "unit_amount": amount_minor,
        "currency": currency,
        "tax_behavior": "inclusive",
        "lookup_key": lookup_key(),
        "transfer_lookup_key": True,
        "metadata": marks(),
    }
    return _one(Price, gateway().ask(lambda v1: v1.prices.create(params)))


def retire_price(price_id: str) -> None:
    """Sell nothing new at this price. Payment pages that are open keep it."""
    gateway().ask(lambda v1: v1.prices.update(price_id, {"active": False}))


def retrieve_product(product_id: str) -> Product:
    """One product by its id."""
    return _one(Product, gateway().ask(lambda v1: v1.products.retrieve(product_id)))


def find_product() -> Product | None:
    """Our product, by its marks. Needed while no price leads to it."""
    page = gateway().ask(lambda v1: v1.products.list({"limit": 100}))
    return next((product for product in _every(Product, page) if ours(product.metadata)), None)


def create_product() -> Product:
    """The one thing we sell, under the neutral name that card statements and receipts may show."""
    params = {"name": ITEM, "metadata": marks()}
    return _one(Product, gateway().ask(lambda v1: v1.products.create(params)))


def mend_product(product_id: str) -> None:
    """Give it back its neutral name, and sell it again."""
    params = {"name": ITEM, "active": True, "metadata": marks()}
    gateway().ask(lambda v1: v1.products.update(product_id, params))


# ── The customer portal ────────────────────────────────────────────────────────────────────────────


def portal_configurations() -> list[PortalConfiguration]:
    """All that are active, the dashboard's default among them."""
    page = gateway().ask(lambda v1: v1.billing_portal.configurations.list({"active": True, "limit": 100}))
    return _every(PortalConfiguration, page)


def create_portal_configuration() -> PortalConfiguration:
    """Receipts and the card, with our own addresses of privacy policy and terms."""
    params = {**_portal(), "metadata": marks()}
    return _one(PortalConfiguration, gateway().ask(lambda v1: v1.billing_portal.configurations.create(params)))


def mend_portal_configuration(configuration_id: str) -> None:
    """Offer again what somebody switched off."""
    gateway().ask(lambda v1: v1.billing_portal.configurations.update(configuration_id, _portal()))


def _portal() -> dict[str, Any]:
    site = get_settings().public_url
    pages = {"privacy_policy_url": f"{site}/privacy", "terms_of_service_url": f"{site}/terms"}
    return {
        "features": FEATURES,
        "default_return_url": f"{site}/settings?billing=back",
        # Stripe takes only https addresses here, which a site on this machine doesn't have.
        **({"business_profile": pages} if get_settings().secure else {}),
    }


# ── The webhook endpoint ───────────────────────────────────────────────────────────────────────────


def endpoints() -> list[Endpoint]:
    """Every endpoint of the account, ours and others'."""
    return _every(Endpoint, gateway().ask(lambda v1: v1.webhook_endpoints.list({"limit": 100})))


def create_endpoint(url: str, events: Sequence[str]) -> Endpoint:
    """An endpoint at the API version the SDK is pinned to. Only this answer holds its signing secret."""
    params = {
        "url": url,
        "enabled_events": list(events),
        "api_version": API_VERSION,
        "description": f"{APP} {get_settings().environment}",
        "metadata": marks(),
    }
    return _one(Endpoint, gateway().ask(lambda v1: v1.webhook_endpoints.create(params)))


def mend_endpoint(endpoint_id: str, events: Sequence[str]) -> None:
    """Subscribe it to exactly these events, and switch it on again."""
    params = {"enabled_events": list(events), "disabled": False}
    gateway().ask(lambda v1: v1.webhook_endpoints.update(endpoint_id, params))


def delete_endpoint(endpoint_id: str) -> None:
    """Stripe sends nothing there any more."""
    gateway().ask(lambda v1: v1.webhook_endpoints.delete(endpoint_id))


def _one(model: type[M], made: Any) -> M:
    return model.model_validate(made.to_dict())


def _all(model: type[M], page: Any) -> list[M]:
    return [_one(model, item) for item in page.data]


def _every(model: type[M], page: Any) -> list[M]:
    """All pages of a list: an account shared with other software may have more than one."""
    return [_one(model, item) for item in gateway().ask(lambda _v1: list(page.auto_paging_iter()))]
