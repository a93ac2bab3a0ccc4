"""Payment intents and charges to read, refunds to make."""

from __future__ import annotations

from typing import Any

from teleconsult.sandbox import payments
from teleconsult.sandbox.context import Call
from teleconsult.sandbox.currencies import shown
from teleconsult.sandbox.errors import StripeError, invalid, refused
from teleconsult.sandbox.lists import listed

NOT_SIMULATED = ("customer", "currency", "origin", "refund_application_fee", "reverse_transfer", "instructions_email")


def retrieve_intent(call: Call) -> dict[str, Any]:
    """A payment intent."""
    return call.store.get("payment_intent", call.ids[0], "intent")


def retrieve_charge(call: Call) -> dict[str, Any]:
    """A charge."""
    return call.store.get("charge", call.ids[0], "charge")


def retrieve_refund(call: Call) -> dict[str, Any]:
    """A refund."""
    return call.store.get("refund", call.ids[0], "refund")


def list_intents(call: Call) -> dict[str, Any]:
    """Payment intents, also of one customer."""
    return listed(call, "payment_intent", ("customer",))


def list_charges(call: Call) -> dict[str, Any]:
    """Charges, also of one customer or payment intent."""
    return listed(call, "charge", ("customer", "payment_intent"))


def list_refunds(call: Call) -> dict[str, Any]:
    """Refunds, also of one charge or payment intent."""
    return listed(call, "refund", ("charge", "payment_intent"))


def create_refund(call: Call) -> dict[str, Any]:
    """Send back a charge, whole or in part.

    Raises:
        StripeError: when nothing, or not so much, is left to send back.
    """
    for name in NOT_SIMULATED:
        if name in call.params:
            raise invalid(f"The sandbox does not simulate `{name}` on refunds.", param=name)
    charged = _charge(call)
    left = charged["amount"] - charged["amount_refunded"]
    if charged["refunded"]:
        raise refused(f"Charge {charged['id']} has already been refunded.", code="charge_already_refunded")
    amount = call.params.get("amount", left)
    if amount < 1:
        raise invalid("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if amount > left:
        raise _too_much(amount, left, charged["currency"])
    return payments.refund(call.sandbox, charged, amount, call.params, call.request)


def _charge(call: Call) -> dict[str, Any]:
    if "charge" in call.params:
        charged = call.store.get("charge", call.params["charge"], "charge")
    elif "payment_intent" in call.params:
        intent = call.store.get("payment_intent", call.params["payment_intent"], "payment_intent")
        charged = call.store.find("charge", intent["latest_charge"])
    else:
        raise invalid("One of the following params should be provided for this request: payment_intent or charge.")
    if charged is None or charged["status"] != "succeeded":
        raise refused("This PaymentIntent does not have a successful charge to refund.", param="payment_intent")
    return charged


def _too_much(amount: int, left: int, currency: str) -> StripeError:
    text = (
        f"Refund amount ({shown(amount, currency)}) is greater than unrefunded amount on charge "
        f"({shown(left, currency)})"
    )
    return refused(text, param="amount")


OPERATIONS = {
    "GET /v1/payment_intents": list_intents,
    "GET /v1/payment_intents/{intent}": retrieve_intent,
    "GET /v1/charges": list_charges,
    "GET /v1/charges/{charge}": retrieve_charge,
    "POST /v1/refunds": create_refund,
    "GET /v1/refunds": list_refunds,
    "GET /v1/refunds/{refund}": retrieve_refund,
}
