"""Payment intents and charges to read, refunds to make, disputes to answer."""

from __future__ import annotations

from typing import Any

from teleconsult.sandbox import disputes, refunds
from teleconsult.sandbox.context import Call
from teleconsult.sandbox.errors import invalid, unsupported
from teleconsult.sandbox.lists import listed
from teleconsult.sandbox.objects import merged_metadata

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
    """Send back a charge, whole or in part."""
    for name in NOT_SIMULATED:
        if name in call.params:
            raise invalid(f"The sandbox does not simulate `{name}` on refunds.", param=name)
    charged, amount = refunds.checked(call.sandbox, _charge(call), call.params.get("amount"))
    return refunds.create(call.sandbox, charged, amount, call.params, request=call.request)


def update_refund(call: Call) -> dict[str, Any]:
    """Change its metadata, all that can be changed."""
    made = retrieve_refund(call)
    if "metadata" in call.params:
        previous = {"metadata": made["metadata"]}
        made["metadata"] = merged_metadata(made["metadata"], call.params["metadata"])
        call.emit("refund.updated", made, previous)
    return made


def cancel_refund(call: Call) -> dict[str, Any]:
    """Stop one that is still pending."""
    made = retrieve_refund(call)
    refunds.move(call.sandbox, made, refunds.CANCELED, request=call.request)
    return made


def _charge(call: Call) -> dict[str, Any] | None:
    if "charge" in call.params:
        return call.store.get("charge", call.params["charge"], "charge")
    if "payment_intent" in call.params:
        intent = call.store.get("payment_intent", call.params["payment_intent"], "payment_intent")
        return call.store.find("charge", intent["latest_charge"])
    raise invalid("One of the following params should be provided for this request: payment_intent or charge.")


def retrieve_dispute(call: Call) -> dict[str, Any]:
    """A dispute."""
    return call.store.get("dispute", call.ids[0], "dispute")


def list_disputes(call: Call) -> dict[str, Any]:
    """Disputes, also of one charge or payment intent."""
    return listed(call, "dispute", ("charge", "payment_intent"))


def update_dispute(call: Call) -> dict[str, Any]:
    """Answer with evidence, or change the metadata."""
    made = retrieve_dispute(call)
    if "metadata" in call.params:
        made["metadata"] = merged_metadata(made["metadata"], call.params["metadata"])
    if (call.params.get("evidence") or {}).get("enhanced_evidence"):
        raise unsupported("enhanced evidence", "evidence[enhanced_evidence]")
    if "evidence" in call.params:
        disputes.add_evidence(call.sandbox, made, call.params, call.request)
    return made


def close_dispute(call: Call) -> dict[str, Any]:
    """Accept that it is lost."""
    made = retrieve_dispute(call)
    lost = "warning_closed" if made["status"].startswith("warning_") else "lost"
    disputes.move(call.sandbox, made, lost, request=call.request)
    return made


OPERATIONS = {
    "GET /v1/payment_intents": list_intents,
    "GET /v1/payment_intents/{intent}": retrieve_intent,
    "GET /v1/charges": list_charges,
    "GET /v1/charges/{charge}": retrieve_charge,
    "POST /v1/refunds": create_refund,
    "GET /v1/refunds": list_refunds,
    "GET /v1/refunds/{refund}": retrieve_refund,
    "POST /v1/refunds/{refund}": update_refund,
    "POST /v1/refunds/{refund}/cancel": cancel_refund,
    "GET /v1/disputes": list_disputes,
    "GET /v1/disputes/{dispute}": retrieve_dispute,
    "POST /v1/disputes/{dispute}": update_dispute,
    "POST /v1/disputes/{dispute}/close": close_dispute,
}
