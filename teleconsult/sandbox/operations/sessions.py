"""Checkout Sessions over the API: create, read, list, expire."""

from __future__ import annotations

from typing import Any

from teleconsult.sandbox import checkout, objects, session_objects
from teleconsult.sandbox.banks import CURRENCY_OF, DELAYED
from teleconsult.sandbox.context import Call
from teleconsult.sandbox.currencies import checked_currency, shown
from teleconsult.sandbox.errors import invalid, missing, parameter_missing, unsupported
from teleconsult.sandbox.lists import page
from teleconsult.sandbox.operations.catalogue import new_price

SOONEST, LATEST, MOST_LINES = 30 * 60, 24 * 3600, 100
LEAST_AMOUNT = {"eur": 50, "usd": 50, "gbp": 30, "chf": 50, "jpy": 50}
SIMULATED = frozenset({
    "adaptive_pricing", "allow_promotion_codes", "allowed_payment_method_types", "billing_address_collection",
    "cancel_url", "client_reference_id", "currency", "custom_text", "customer", "customer_creation",
    "customer_email", "customer_update", "expires_at", "invoice_creation", "line_items", "locale", "metadata",
    "mode", "payment_intent_data", "submit_type", "success_url", "ui_mode",
})  # fmt: skip
SIMULATED_OF_PAYMENT = frozenset({
    "description", "metadata", "receipt_email", "setup_future_usage", "statement_descriptor",
    "statement_descriptor_suffix",
})  # fmt: skip
PRIVATE = ("payment_intent_data", "customer_update")


def create(call: Call) -> dict[str, Any]:
    """A new open session.

    Raises:
        StripeError: for what Stripe would refuse, and for what isn't simulated here.
    """
    params = call.params
    _check_kind(params)
    _check_customer(call)
    _check_expiry(params.get("expires_at"), call.store.now())
    _check_methods(params.get("allowed_payment_method_types") or [])
    if "success_url" not in params:
        raise parameter_missing("success_url")
    lines = _lines(call)
    made = session_objects.session(params, lines, call.sandbox.base, call.store.now())
    made["customer_details"] = _known_details(call)
    note = call.store.note(call.store.put(made)["id"])
    note["line_items"] = lines
    note |= {name: params.get(name) or {} for name in PRIVATE}
    call.sandbox.plan(made["expires_at"] - call.store.moment(), "expire", session=made["id"])
    return made


def _check_kind(params: dict[str, Any]) -> None:
    if "mode" not in params:
        raise parameter_missing("mode")
    if params["mode"] != "payment":
        if "payment_intent_data" in params:
            text = "You can not pass `payment_intent_data` in `subscription` or `setup` mode."
            raise invalid(text, param="payment_intent_data")
        raise unsupported(f"`mode={params['mode']}`", "mode")
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        raise unsupported(f"`ui_mode={params['ui_mode']}`", "ui_mode")
    for name, value in params.items():
        if name not in SIMULATED and value not in ("", [], {}, {"enabled": False}):
            raise unsupported(f"`{name}`", name)
    for name in params.get("payment_intent_data") or {}:
        if name not in SIMULATED_OF_PAYMENT:
            raise unsupported(f"`payment_intent_data[{name}]`", f"payment_intent_data[{name}]")


def _check_customer(call: Call) -> None:
    params = call.params
    if "customer" in params and "customer_email" in params:
        text = "You may only specify one of these parameters: customer, customer_email."
        raise invalid(text, param="customer_email")
    if "customer" in params and "customer_creation" in params:
        raise invalid("You may only specify one of these parameters: customer, customer_creation.")
    if "customer" in params:
        call.store.get("customer", params["customer"], "customer", status=400)


def _check_methods(allowed: list[str]) -> None:
    for index, kind in enumerate(allowed):
        if kind not in ("card", *DELAYED):
            raise unsupported(f"`{kind}`", f"allowed_payment_method_types[{index}]")


def _check_currency(allowed: list[str], currency: str) -> None:
    """A bank account is debited in its own currency. The refusal's words are the sandbox's own."""
    for kind in allowed:
        if CURRENCY_OF.get(kind, currency) != currency:
            text = f"The payment method `{kind}` only supports the currency `{CURRENCY_OF[kind]}`."
            raise invalid(text, param="allowed_payment_method_types")


def _check_expiry(expires_at: int | None, now: int) -> None:
    """By the sandbox's own clock, as Stripe's is the one that counts there."""
    if expires_at is None:
        return
    if expires_at < now + SOONEST:
        raise invalid("The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.")
    if expires_at > now + LATEST:
        raise invalid("The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.")


def _lines(call: Call) -> list[dict[str, Any]]:
    wanted = call.params.get("line_items")
    if not wanted:
        raise parameter_missing("line_items")
    if len(wanted) > MOST_LINES:
        raise invalid(f"You can specify up to {MOST_LINES} line items.", param="line_items")
    _check_lines(wanted)
    quotes = [_quote(call, row, f"line_items[{index}]") for index, row in enumerate(wanted)]
    _check_total(quotes)
    _check_currency(call.params.get("allowed_payment_method_types") or [], quotes[0][0])
    return [_line(call, row) for row in wanted]


def _check_lines(wanted: list[dict[str, Any]]) -> None:
    """Everything that can be said before a price is made, so that a refusal leaves nothing behind."""
    for index, row in enumerate(wanted):
        name = f"line_items[{index}]"
        if ("price" in row) == ("price_data" in row):
            raise invalid("You must specify either `price` or `price_data` when creating a line item.", param=name)
        if "quantity" not in row:
            raise parameter_missing(f"{name}[quantity]")
        if row["quantity"] < 1:
            raise invalid("This value must be greater than or equal to 1.", param=f"{name}[quantity]")
        if row.get("tax_rates") or (row.get("adjustable_quantity") or {}).get("enabled"):
            raise unsupported("tax rates and adjustable quantities", name)
        if "price_data" in row:
            _check_price_data(row["price_data"], f"{name}[price_data]")


def _check_price_data(data: dict[str, Any], name: str) -> None:
    checked_currency(data["currency"])
    if ("product" in data) == ("product_data" in data):
        raise invalid("You must specify exactly one of `product` or `product_data`.", param=name)
    if "recurring" in data or "unit_amount_decimal" in data:
        raise unsupported("recurring and decimal prices", name)
    if "unit_amount" not in data:
        raise parameter_missing(f"{name}[unit_amount]")
    if data["unit_amount"] < 0:
        raise invalid("Invalid non-negative integer", code="parameter_invalid_integer", param=f"{name}[unit_amount]")


def _quote(call: Call, row: dict[str, Any], name: str) -> tuple[str, int]:
    """Currency and amount of a line, with everything it names found; nothing is made yet."""
    if "price" in row:
        price = call.store.get("price", row["price"], f"{name}[price]", status=400)
        if not price["active"]:
            text = f"The price specified is inactive. This field only accepts active prices. Price: {price['id']}"
            raise invalid(text, param=f"{name}[price]")
        return price["currency"], price["unit_amount"] * row["quantity"]
    data = row["price_data"]
    if "product" in data:
        call.store.get("product", data["product"], f"{name}[price_data][product]", status=400)
    return data["currency"].lower(), data["unit_amount"] * row["quantity"]


def _check_total(quotes: list[tuple[str, int]]) -> None:
    currency, total = quotes[0][0], sum(amount for _, amount in quotes)
    if any(other != currency for other, _ in quotes):
        raise invalid("All line items must have the same currency.", param="line_items")
    least = LEAST_AMOUNT.get(currency, 0)
    if 0 < total < least:
        text = f"The Checkout Session's total amount due must add up to at least {shown(least, currency)} {currency}"
        raise invalid(text, code="amount_too_small")


def _line(call: Call, row: dict[str, Any]) -> dict[str, Any]:
    price = call.store.get("price", row["price"]) if "price" in row else _inline_price(call, row["price_data"])
    product = call.store.get("product", price["product"])
    return session_objects.line_item(price, product["name"], row["quantity"], row.get("metadata") or {})


def _inline_price(call: Call, data: dict[str, Any]) -> dict[str, Any]:
    """A price made for this session alone: Stripe keeps it, inactive."""
    product = data.get("product")
    if product is None:
        made = objects.product(data["product_data"], call.store.now(), active=False)
        product = call.store.put(made)["id"]
    return new_price(call, data, product, active=False)


def _known_details(call: Call) -> dict[str, Any] | None:
    customer = call.store.find("customer", call.params.get("customer"))
    email = customer["email"] if customer else call.params.get("customer_email")
    return checkout.customer_details(email, None) if email else None


def find(call: Call) -> dict[str, Any]:
    """The session of the address."""
    return call.store.get("checkout.session", call.ids[0], "session")


def expire(call: Call) -> dict[str, Any]:
    """Close an open session."""
    session = find(call)
    checkout.expire(call.sandbox, session, call.request)
    return session


def line_items(call: Call) -> dict[str, Any]:
    """The lines of a session, in their order."""
    rows = call.store.note(find(call)["id"])["line_items"]
    return page(call, reversed(rows), "item")


def list_all(call: Call) -> dict[str, Any]:
    """Sessions, also by customer, e-mail, state or payment intent."""
    names = ("customer", "payment_intent", "payment_link", "status", "subscription")
    wanted = {name: call.params[name] for name in names if name in call.params}
    if "customer" in wanted and wanted["customer"] not in call.store.all("customer"):
        raise missing("customer", wanted["customer"], "customer", status=400)
    email = (call.params.get("customer_details") or {}).get("email")
    rows = call.store.all("checkout.session").values()
    rows = [s for s in rows if all(s[name] == value for name, value in wanted.items())]
    return page(
        call, [s for s in rows if email in (None, (s["customer_details"] or {}).get("email"))], "checkout.session"
    )


OPERATIONS = {
    "POST /v1/checkout/sessions": create,
    "GET /v1/checkout/sessions": list_all,
    "GET /v1/checkout/sessions/{session}": find,
    "POST /v1/checkout/sessions/{session}/expire": expire,
    "GET /v1/checkout/sessions/{session}/line_items": line_items,
}
