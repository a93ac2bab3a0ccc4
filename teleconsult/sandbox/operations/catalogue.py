"""Products and their one-time prices."""

from __future__ import annotations

from typing import Any

from teleconsult.sandbox import objects
from teleconsult.sandbox.context import Call
from teleconsult.sandbox.currencies import checked_currency
from teleconsult.sandbox.errors import invalid, missing, parameter_missing, refused, unsupported
from teleconsult.sandbox.lists import page

PRODUCT_FIELDS = ("active", "name", "description", "url", "statement_descriptor", "unit_label", "tax_code", "images")
PRICE_FIELDS = ("active", "nickname", "lookup_key", "tax_behavior")
NOT_SIMULATED = ("recurring", "tiers", "tiers_mode", "transform_quantity", "custom_unit_amount", "currency_options")


def create_product(call: Call) -> dict[str, Any]:
    """A new product, with a first price if asked."""
    if call.params.get("id") in call.store.all("product"):
        raise refused("Product already exists.", code="resource_already_exists", param="id")
    made = call.store.put(objects.product(call.params, call.store.now()))
    if call.params.get("default_price_data"):
        made["default_price"] = new_price(call, call.params["default_price_data"], made["id"])["id"]
    call.emit("product.created", made)
    return made


def update_product(call: Call) -> dict[str, Any]:
    """Change what was given."""
    return _update(call, call.store.get("product", call.ids[0]), PRODUCT_FIELDS)


def list_products(call: Call) -> dict[str, Any]:
    """Products, also by ids or whether they are active."""
    ids, active = call.params.get("ids"), call.params.get("active")
    rows = call.store.all("product").values()
    rows = [p for p in rows if (not ids or p["id"] in ids) and active in (None, p["active"])]
    return page(call, rows, "product")


def create_price(call: Call) -> dict[str, Any]:
    """A new price of a product, or of one made on the spot."""
    params = call.params
    if ("product" in params) == ("product_data" in params):
        raise invalid("You must specify exactly one of `product` or `product_data`.", param="product")
    if "product_data" in params:
        product = call.store.put(objects.product(params["product_data"], call.store.now()))
        call.emit("product.created", product)
    else:
        product = call.store.get("product", params["product"], "product", status=400)
    made = new_price(call, params, product["id"])
    call.emit("price.created", made)
    return made


def new_price(call: Call, params: dict[str, Any], product: str, *, active: bool = True) -> dict[str, Any]:
    """A price from its parameters, kept.

    Raises:
        StripeError: for kinds of prices that aren't simulated, or a lookup key in use.
    """
    for name in NOT_SIMULATED:
        if name in params:
            raise unsupported(f"`{name}` on prices", name)
    if "unit_amount" not in params:
        raise parameter_missing("unit_amount")
    if params["unit_amount"] < 0:
        raise invalid("Invalid non-negative integer", code="parameter_invalid_integer", param="unit_amount")
    checked_currency(params["currency"])
    _claim_lookup_key(call, params)
    return call.store.put(objects.price(params, product, call.store.now(), active=active))


def _claim_lookup_key(call: Call, params: dict[str, Any]) -> None:
    key = params.get("lookup_key")
    holder = next((p for p in call.store.all("price").values() if key and p["lookup_key"] == key), None)
    if holder and not params.get("transfer_lookup_key"):
        text = f"A price (`{holder['id']}`) already uses that lookup key."
        raise refused(text, code="resource_already_exists", param="lookup_key")
    if holder:
        call.store.get("price", holder["id"])["lookup_key"] = None


def update_price(call: Call) -> dict[str, Any]:
    """Change what was given; the amount of a price never changes."""
    price = call.store.get("price", call.ids[0], "price")
    if call.params.get("lookup_key") != price["lookup_key"]:
        _claim_lookup_key(call, call.params)
    return _update(call, price, PRICE_FIELDS)


def list_prices(call: Call) -> dict[str, Any]:
    """Prices, also by product, currency, state or lookup keys."""
    keys = call.params.get("lookup_keys")
    wanted = {name: call.params[name] for name in ("product", "currency", "active", "type") if name in call.params}
    rows = call.store.all("price").values()
    rows = [p for p in rows if not keys or p["lookup_key"] in keys]
    return page(call, [p for p in rows if all(p[name] == value for name, value in wanted.items())], "price")


def retrieve_product(call: Call) -> dict[str, Any]:
    """A product."""
    return call.store.get("product", call.ids[0])


def retrieve_price(call: Call) -> dict[str, Any]:
    """A price."""
    if call.ids[0] not in call.store.all("price"):
        raise missing("price", call.ids[0], "price")
    return call.store.all("price")[call.ids[0]]


def _update(call: Call, item: dict[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
    changes = {name: call.params[name] if call.params[name] != "" else None for name in fields if name in call.params}
    if "metadata" in call.params:
        changes["metadata"] = objects.merged_metadata(item["metadata"], call.params["metadata"])
    previous = {name: item[name] for name, value in changes.items() if item[name] != value}
    item.update(changes)
    if previous:
        call.emit(f"{item['object']}.updated", item, previous)
    return item


OPERATIONS = {
    "POST /v1/products": create_product,
    "GET /v1/products": list_products,
    "GET /v1/products/{id}": retrieve_product,
    "POST /v1/products/{id}": update_product,
    "POST /v1/prices": create_price,
    "GET /v1/prices": list_prices,
    "GET /v1/prices/{price}": retrieve_price,
    "POST /v1/prices/{price}": update_price,
}
