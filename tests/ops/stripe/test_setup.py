"""`teleconsult stripe setup`: makes what is missing, mends what drifted, leaves what is right and what is others'."""

from __future__ import annotations

from typing import Any

import pytest

from teleconsult.billing import account, webhook
from teleconsult.billing.gateway import gateway
from teleconsult.billing.objects import API_VERSION
from tests.ops.stripe.conftest import SITE, Command, Ran
from tests.sandbox_process import SECRET, Sandbox
from tests.support import fresh_settings

URL = f"{SITE}/api/billing/webhook"


def states(ran: Ran) -> dict[str, str]:
    return {step["name"]: step["state"] for step in ran.facts["steps"]}


def objects(shop: Sandbox, kind: str) -> list[dict[str, Any]]:
    """What was made there. The sandbox has one endpoint of its own, which no account lists."""
    return [made for made in shop.state()["objects"].get(kind, []) if "CommandLine" not in made["id"]]


def test_makes_everything_at_the_pinned_version_with_exactly_our_events(command: Command, shop: Sandbox) -> None:
    ran = command("stripe", "setup", "--json")
    assert ran.code == 0
    assert states(ran) == {"price": "made", "portal": "made", "endpoint": "made"}
    [endpoint] = objects(shop, "webhook_endpoint")
    assert (endpoint["url"], endpoint["api_version"]) == (URL, API_VERSION)
    assert set(endpoint["enabled_events"]) == webhook.OURS
    [price] = objects(shop, "price")
    assert (price["unit_amount"], price["currency"], price["tax_behavior"]) == (4900, "eur", "inclusive")
    [product] = objects(shop, "product")
    assert product["name"] == "Online consultation"
    wanted = ran.facts["settings"]
    assert wanted["STRIPE_PRICE_ID"] == price["id"]
    assert wanted["STRIPE_WEBHOOK_SECRET"].startswith(f"{SECRET},whsec_")


def test_a_repeat_changes_nothing(command: Command, shop: Sandbox) -> None:
    fresh_settings(**command("stripe", "setup", "--json").facts["settings"])
    before = shop.state()["objects"]
    again = command("stripe", "setup", "--json")
    assert (again.code, states(again)) == (0, {"price": "kept", "portal": "kept", "endpoint": "kept"})
    assert again.facts["settings"] == {}
    assert shop.state()["objects"] == before


def test_the_secret_is_shown_once_and_stored_nowhere(command: Command, shop: Sandbox) -> None:
    first = command("stripe", "setup")
    secret = first.out.rsplit(",whsec_", 1)[1].split()[0]
    assert len(secret) > 10
    assert secret not in command("stripe", "setup").out + command("stripe", "setup", "--json").out
    assert secret not in first.err
    assert secret not in str(shop.state()["objects"])


def test_a_rehearsal_makes_nothing(command: Command, shop: Sandbox) -> None:
    ran = command("stripe", "setup", "--dry-run")
    assert (ran.code, ran.out.count("would be made")) == (0, 3)
    assert {kind: objects(shop, kind) for kind in ("price", "product", "webhook_endpoint")} == {
        "price": [], "product": [], "webhook_endpoint": [],
    }  # fmt: skip
    assert {request["method"] for request in shop.state()["requests"]} == {"GET"}


def test_another_price_replaces_the_old_one(command: Command, shop: Sandbox) -> None:
    command("stripe", "setup")
    fresh_settings(PRICE_MINOR="5900")
    ran = command("stripe", "setup", "--json")
    assert states(ran) == {"price": "mended", "portal": "kept", "endpoint": "kept"}
    old, new = sorted(objects(shop, "price"), key=lambda price: price["unit_amount"])
    assert (old["active"], old["lookup_key"]) == (False, None)
    assert (new["active"], new["lookup_key"]) == (True, "teleconsult_consultation_test")
    assert old["product"] == new["product"]


def test_a_telling_product_name_is_made_neutral_again(command: Command, shop: Sandbox) -> None:
    command("stripe", "setup")
    [product] = objects(shop, "product")
    gateway().ask(lambda v1: v1.products.update(product["id"], {"name": "Dermatology", "active": False}))
    assert states(command("stripe", "setup", "--json"))["price"] == "mended"
    [product] = objects(shop, "product")
    assert (product["name"], product["active"]) == ("Online consultation", True)


@pytest.mark.parametrize(
    "drift",
    [{"enabled_events": ["charge.refunded", "invoice.paid"]}, {"disabled": True}, {"enabled_events": ["*"]}],
)
def test_a_drifted_endpoint_is_mended_in_place(command: Command, shop: Sandbox, drift: dict[str, Any]) -> None:
    command("stripe", "setup")
    [made] = objects(shop, "webhook_endpoint")
    gateway().ask(lambda v1: v1.webhook_endpoints.update(made["id"], drift))
    assert states(command("stripe", "setup", "--json"))["endpoint"] == "mended"
    [endpoint] = objects(shop, "webhook_endpoint")
    assert (endpoint["id"], endpoint["status"]) == (made["id"], "enabled")
    assert set(endpoint["enabled_events"]) == webhook.OURS


def old_endpoint(url: str = URL) -> str:
    """One that a dashboard made long ago."""
    params = {"url": url, "enabled_events": ["*"], "api_version": "2024-06-20"}
    return gateway().ask(lambda v1: v1.webhook_endpoints.create(params)).id


def test_an_endpoint_of_another_version_stays_until_the_new_secret_is_in_use(command: Command, shop: Sandbox) -> None:
    old = old_endpoint()
    ran = command("stripe", "setup")
    assert "--remove-old" in ran.out
    assert len(objects(shop, "webhook_endpoint")) == 2
    command("stripe", "setup", "--remove-old", "--dry-run")
    assert len(objects(shop, "webhook_endpoint")) == 2
    command("stripe", "setup", "--remove-old")
    [endpoint] = objects(shop, "webhook_endpoint")
    assert endpoint["id"] != old


def test_what_others_made_is_left_alone(command: Command, shop: Sandbox) -> None:
    theirs = old_endpoint("https://shop.example/hook")
    gateway().ask(lambda v1: v1.products.create({"name": "A book"}))
    command("stripe", "setup")
    command("stripe", "setup", "--remove-old")
    assert theirs in {endpoint["id"] for endpoint in objects(shop, "webhook_endpoint")}
    assert "A book" in {product["name"] for product in objects(shop, "product")}


def test_on_this_machine_there_is_no_endpoint_to_make(command: Command, shop: Sandbox) -> None:
    fresh_settings(PUBLIC_URL="http://localhost:8000")
    ran = command("stripe", "setup", "--json")
    assert states(ran)["endpoint"] == "skipped"
    assert "STRIPE_WEBHOOK_SECRET" not in ran.facts["settings"]
    assert objects(shop, "webhook_endpoint") == []


def test_the_portal_opens_with_the_configuration_that_setup_made(command: Command, shop: Sandbox) -> None:
    shop.call("POST", "/_sandbox/reset", {"portal_default": False})
    made = command("stripe", "setup", "--json").facts["settings"]
    fresh_settings(**made)
    customer = gateway().create_customer("jane@example.com", {}, "key")
    assert gateway().create_portal(customer, f"{SITE}/settings").url
    [session] = objects(shop, "billing_portal.session")
    assert session["configuration"] == made["STRIPE_PORTAL_CONFIGURATION"]


def test_a_portal_that_lost_its_receipts_gets_them_back(command: Command, shop: Sandbox) -> None:
    command("stripe", "setup")
    mine = next(p for p in account.portal_configurations() if account.ours(p.metadata))
    off = {"features": {"invoice_history": {"enabled": False}}}
    gateway().ask(lambda v1: v1.billing_portal.configurations.update(mine.id, off))
    assert states(command("stripe", "setup", "--json"))["portal"] == "mended"
    again = next(p for p in account.portal_configurations() if p.id == mine.id)
    assert again.features.invoice_history.enabled
    assert shop


def test_without_a_key_it_refuses_with_a_sentence(command: Command, database: str) -> None:
    assert database
    fresh_settings(STRIPE_SECRET_KEY="", STRIPE_WEBHOOK_SECRET="", STRIPE_API_BASE="")
    gateway.cache_clear()
    ran = command("stripe", "setup")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("STRIPE_SECRET_KEY is not set")
