"""Controls of a payment page: pay without a browser, let the bank answer, end its time."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from teleconsult.sandbox import banks, checkout, delayed
from teleconsult.sandbox.cards import Card
from teleconsult.sandbox.checkout_page import success_url
from teleconsult.sandbox.controls.common import Asked, Part, manner, number
from teleconsult.sandbox.errors import invalid
from teleconsult.sandbox.hosted import wait_for_answer
from teleconsult.sandbox.method_objects import Source

OUTCOMES = ("succeeded", "failed")
TAMPERED = ("amount_total", "client_reference_id", "currency", "customer", "livemode", "mode", "payment_intent")


class Sessions(Part):
    """Controls of the sessions of one sandbox."""

    def routes(self) -> list[Route]:
        """Their addresses."""
        return [
            self.post("/_sandbox/sessions/{session}/pay", self.pay),
            self.post("/_sandbox/sessions/{session}/async", self.settle),
            self.post("/_sandbox/sessions/{session}/expire", self.expire),
            self.post("/_sandbox/sessions/{session}/tamper", self.tamper),
            self.post("/_sandbox/customers/{customer}/delete", self.delete_customer),
        ]

    async def pay(self, request: Request, asked: Asked) -> dict[str, Any]:
        """Pay without a browser: `{"card": "4242…"}`, or `{"method": "sepa_debit", "iban": "DE89…"}`.

        `webhook` says how the events arrive (`normal|late|twice|never`, `delay` seconds), `authenticate` what the
        customer answers the bank; `name` and `email` are the payer's. Answers when the page would have sent the
        customer on.
        """
        session = self._session(request)
        how, source = manner(asked), _source(asked)
        outcome = checkout.pay(self.sandbox, session, source, how, str(asked.get("email", "")))
        if outcome.result == checkout.AUTHENTICATE:
            agreed = asked.get("authenticate", True) in (True, "true")
            answer = checkout.authenticate(self.sandbox, session, agreed=agreed)
            outcome = checkout.Outcome(answer.result, answer.message, [*outcome.events, *answer.events])
        self.sandbox.store.save()
        await wait_for_answer(self.sandbox, outcome.events, how)
        return {
            "result": outcome.result,
            "message": outcome.message,
            "session": session,
            "events": [event["id"] for event in outcome.events],
            "redirect_url": success_url(session) if outcome.result in checkout.FINISHED else None,
        }

    async def settle(self, request: Request, asked: Asked) -> dict[str, Any]:
        """The bank's answer to a debit: `{"outcome": "succeeded|failed"}`. Answers when the webhooks were answered."""
        session, outcome, how = self._session(request), asked.get("outcome"), manner(asked)
        if outcome not in OUTCOMES:
            raise invalid(f"Invalid outcome: must be one of {', '.join(OUTCOMES)}", param="outcome")
        events = delayed.settle(self.sandbox, session, banks.FAILED if outcome == "failed" else None, how)
        self.sandbox.store.save()
        await wait_for_answer(self.sandbox, events, how)
        return {"session": session, "events": [event["id"] for event in events]}

    async def expire(self, request: Request, _asked: Asked) -> dict[str, Any]:
        """End an open session's time now."""
        session = self._session(request)
        checkout.expire(self.sandbox, session)
        return {"session": session}

    async def tamper(self, request: Request, asked: Asked) -> dict[str, Any]:
        """Change a session behind everybody's back, without an event: `{"amount_total": 1, "currency": "usd", …}`.

        Metadata is merged: `{"metadata": {"userId": null}}` takes a key away, and `{"metadata": null}` all of it.
        """
        session = self._session(request)
        changes = {name: asked[name] for name in TAMPERED if name in asked}
        unknown = [name for name in asked if name not in (*TAMPERED, "metadata", "back")]
        if unknown:
            raise invalid(f"Invalid {unknown[0]}: must be one of metadata, {', '.join(TAMPERED)}", param=unknown[0])
        if "amount_total" in changes:
            changes["amount_total"] = changes["amount_subtotal"] = number(changes, "amount_total", 0)
        if "livemode" in changes:
            changes["livemode"] = changes["livemode"] in (True, "true")
        if "metadata" in asked:
            changes["metadata"] = _merged(session["metadata"], asked["metadata"])
        session.update(changes)
        return {"session": session}

    async def delete_customer(self, request: Request, _asked: Asked) -> dict[str, Any]:
        """Delete a customer as the dashboard does."""
        found = self.sandbox.store.get("customer", request.path_params["customer"])
        answer = self.sandbox.store.remove(found)
        self.sandbox.emit("customer.deleted", found)
        return answer

    def _session(self, request: Request) -> dict[str, Any]:
        return self.sandbox.store.get("checkout.session", request.path_params["session"], "session")


def _source(asked: Asked) -> Source:
    """What is paid with. A card is not checked: the page does that."""
    kind, name = asked.get("method", "card"), str(asked.get("name", "Test Person"))
    if kind == "card":
        return Card(str(asked.get("card", "4242424242424242")), 12, 2034, name)
    if kind not in banks.DELAYED:
        raise invalid(f"Invalid method: must be one of card, {', '.join(banks.DELAYED)}", param="method")
    account = asked.get("iban") or asked.get("account") or banks.CHOICES[kind][0][0]
    return banks.typed(kind, {"account": str(account), "name": name})


def _merged(known: dict[str, str], given: Any) -> dict[str, str]:
    if given in (None, ""):  # a form has no null
        return {}
    if not isinstance(given, dict):
        raise invalid("Invalid metadata: a hash is needed", param="metadata")
    return {key: str(value) for key, value in (known | given).items() if value is not None}
