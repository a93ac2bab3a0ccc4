"""Customers and the cards they keep."""

from __future__ import annotations

import re
from typing import Any

from teleconsult.sandbox import objects
from teleconsult.sandbox.context import Call
from teleconsult.sandbox.errors import invalid, missing
from teleconsult.sandbox.lists import listed, page

PLAIN = ("description", "email", "name", "phone")


def create(call: Call) -> dict[str, Any]:
    """A new customer."""
    _check_email(call.params)
    made = call.store.put(objects.customer(call.params, call.store.now()))
    call.emit("customer.created", made)
    return made


def retrieve(call: Call) -> dict[str, Any]:
    """A customer; of a deleted one, only that it was deleted."""
    wanted = call.ids[0]
    if call.store.deleted.get(wanted) == "customer":
        return {"id": wanted, "object": "customer", "deleted": True}
    return call.store.get("customer", wanted)


def update(call: Call) -> dict[str, Any]:
    """Change what was given; the event tells what it was before."""
    _check_email(call.params)
    customer = call.store.get("customer", call.ids[0])
    change(call, customer, _changes(customer, call.params))
    return customer


def change(call: Call, customer: dict[str, Any], changes: dict[str, Any]) -> None:
    """Apply and announce what differs."""
    previous = {name: customer[name] for name, value in changes.items() if customer[name] != value}
    customer.update(changes)
    if previous:
        call.emit("customer.updated", customer, previous)


def _changes(customer: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {name: params[name] or None for name in PLAIN if name in params}
    if "metadata" in params:
        found["metadata"] = objects.merged_metadata(customer["metadata"], params["metadata"])
    if "address" in params:
        found["address"] = objects.full_address(params["address"])
    if "preferred_locales" in params:
        found["preferred_locales"] = params["preferred_locales"]
    default = (params.get("invoice_settings") or {}).get("default_payment_method")
    if default is not None:
        found["invoice_settings"] = customer["invoice_settings"] | {"default_payment_method": default or None}
    return found


def delete(call: Call) -> dict[str, Any]:
    """Remove for good. The event carries the full object, without `deleted`; the answer carries only the mark."""
    customer = call.store.get("customer", call.ids[0])
    answer = call.store.remove(customer)
    call.emit("customer.deleted", customer)
    return answer


def list_all(call: Call) -> dict[str, Any]:
    """Customers, also by exact e-mail."""
    return listed(call, "customer", ("email",))


def payment_methods(call: Call) -> dict[str, Any]:
    """The cards attached to one customer."""
    if call.ids[0] not in call.store.all("customer"):
        raise missing("customer", call.ids[0], "customer")
    kept = [m for m in call.store.all("payment_method").values() if m["customer"] == call.ids[0]]
    wanted = call.params.get("type")
    return page(call, [m for m in kept if wanted in (None, m["type"])], "payment_method")


def _check_email(params: dict[str, Any]) -> None:
    email = params.get("email")
    if email and not re.fullmatch(r"[^@\s]+@[^@\s]+\.?[^@\s]+", email):
        raise invalid(f"Invalid email address: {email}", code="email_invalid", param="email")


OPERATIONS = {
    "POST /v1/customers": create,
    "GET /v1/customers": list_all,
    "GET /v1/customers/{customer}": retrieve,
    "POST /v1/customers/{customer}": update,
    "DELETE /v1/customers/{customer}": delete,
    "GET /v1/customers/{customer}/payment_methods": payment_methods,
}
