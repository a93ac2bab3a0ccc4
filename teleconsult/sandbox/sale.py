"""What a finished session leaves behind: its own last state, a customer if one was asked for, an invoice."""

from __future__ import annotations

from typing import Any

from teleconsult.sandbox import payments, session_objects
from teleconsult.sandbox.context import Sandbox
from teleconsult.sandbox.delivery import Manner
from teleconsult.sandbox.objects import customer


def complete(
    sandbox: Sandbox, session: dict[str, Any], intent: dict[str, Any] | None, manner: Manner, *, paid: bool = True
) -> dict[str, Any]:
    """The session is complete: paid, or with a delayed method not yet (`paid=False`). Returns the event."""
    _make_customer(sandbox, session, intent)
    session |= {"status": "complete", "url": None}
    if intent:
        session |= {"payment_intent": intent["id"]} | ({"payment_status": "paid"} if paid else {})
        payments.keep_card(sandbox, intent, session["customer"])
    if paid:
        write_invoice(sandbox, session, intent)
    return sandbox.emit("checkout.session.completed", session, manner=manner)


def write_invoice(sandbox: Sandbox, session: dict[str, Any], intent: dict[str, Any] | None) -> None:
    """The paid invoice, if the session asked for one."""
    if not session["invoice_creation"]["enabled"]:
        return
    owner = sandbox.store.find("customer", session["customer"])
    paid = intent["id"] if intent else None
    made = sandbox.store.put(session_objects.invoice(session, owner, paid, sandbox.store.now()))
    session["invoice"] = made["id"]
    if owner:
        owner["next_invoice_sequence"] += 1


def _make_customer(sandbox: Sandbox, session: dict[str, Any], intent: dict[str, Any] | None) -> None:
    if session["customer"] is None and session["customer_creation"] == "always":
        made = customer(session["customer_details"], sandbox.store.now())
        session["customer"] = sandbox.store.put(made)["id"]
        if intent:
            intent["customer"] = made["id"]
        sandbox.emit("customer.created", made)
    owner = sandbox.store.find("customer", session["customer"])
    rename = sandbox.store.note(session["id"])["customer_update"].get("name") == "auto"
    name = session["customer_details"]["name"]
    if owner and rename and name and owner["name"] != name:
        previous = {"name": owner["name"]}
        owner["name"] = name
        sandbox.emit("customer.updated", owner, previous=previous)
