"""The sandbox's own buttons, for people (`GET /`) and for tests (`/_sandbox/...`, JSON in and out)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from teleconsult.sandbox import checkout, objects
from teleconsult.sandbox.cards import Card
from teleconsult.sandbox.checkout_page import success_url
from teleconsult.sandbox.context import Sandbox
from teleconsult.sandbox.control_page import control_page
from teleconsult.sandbox.delivery import Manner
from teleconsult.sandbox.errors import StripeError, invalid
from teleconsult.sandbox.faults import Fault
from teleconsult.sandbox.hosted import MANNERS, wait_for_answer

MOST_TIMES = 100
DEFAULT_FEATURES = {
    "customer_update": {"allowed_updates": ["address", "name"], "enabled": True},
    "invoice_history": {"enabled": True},
    "payment_method_update": {"enabled": True},
}


def seed(sandbox: Sandbox) -> None:
    """The portal's default configuration, as if its dashboard page had been saved once."""
    known = sandbox.store.all("billing_portal.configuration").values()
    if not any(configuration["is_default"] for configuration in known):
        made = objects.portal_configuration({"features": DEFAULT_FEATURES}, sandbox.store.now(), default=True)
        sandbox.store.put(made)
        sandbox.store.save()


@dataclass
class Controls:
    """The handlers of one sandbox."""

    sandbox: Sandbox

    def routes(self) -> list[Route]:
        """Their addresses."""
        return [
            Route("/", self.page, methods=["GET"]),
            Route("/_sandbox/state", self.state, methods=["GET"]),
            Route("/_sandbox/reset", self.reset, methods=["POST"]),
            Route("/_sandbox/clock", self.clock, methods=["POST"]),
            Route("/_sandbox/faults", self.faults, methods=["POST"]),
            Route("/_sandbox/deliver/{event}", self.deliver, methods=["POST"]),
            Route("/_sandbox/sessions/{session}/pay", self.pay, methods=["POST"]),
            Route("/_sandbox/sessions/{session}/expire", self.expire, methods=["POST"]),
        ]

    async def page(self, _request: Request) -> Response:
        """Sessions, events and deliveries, newest first."""
        return control_page(self.sandbox)

    async def state(self, _request: Request) -> Response:
        """Everything: objects by kind, events, deliveries, what came in over the API, and the faults on order."""
        store = self.sandbox.store
        kinds = {kind: list(items.values()) for kind, items in store.objects.items() if kind != "event"}
        body = {
            "now": store.now(),
            "objects": kinds,
            "events": list(store.all("event").values()),
            "deliveries": store.deliveries,
            "requests": list(store.requests),
            "faults": self.sandbox.faults.shown(),
        }
        return JSONResponse(body)

    async def reset(self, request: Request) -> Response:
        """Forget everything. `{"portal_default": false}` leaves the portal without its default configuration."""
        options = await _json(request)
        self.sandbox.deliverer.stop()
        self.sandbox.store.clear()
        self.sandbox.faults.orders.clear()
        if options.get("portal_default", True):
            seed(self.sandbox)
        self.sandbox.store.save()
        return _done(request, {"reset": True})

    async def clock(self, request: Request) -> Response:
        """Move the clock by `{"advance": seconds}`; sessions whose time is then up expire."""
        self.sandbox.store.clock_offset += int((await _json(request)).get("advance", 0))
        checkout.expire_due(self.sandbox)
        self.sandbox.store.save()
        return _done(request, {"now": self.sandbox.store.now()})

    async def faults(self, request: Request) -> Response:
        """Order a fault: `{"operation": "POST /v1/checkout/sessions", "kind": "500", "times": 1, "seconds": 30}`."""
        asked = await _json(request)
        if asked.get("clear"):
            self.sandbox.faults.orders.clear()
            return _done(request, {"faults": []})
        try:
            order = Fault(
                str(asked.get("operation", "*")),
                str(asked.get("kind")),
                int(asked.get("times", 1)),
                float(asked.get("seconds", 30)),
            )
        except (StripeError, TypeError, ValueError) as error:
            return JSONResponse({"error": str(error)}, 400)
        self.sandbox.faults.orders.append(order)
        return _done(request, {"faults": self.sandbox.faults.shown()})

    async def deliver(self, request: Request) -> Response:
        """Send an event again, `?times=2` at once, and tell how that went."""
        event = self.sandbox.store.find("event", request.path_params["event"])
        times = request.query_params.get("times", "1")
        if event is None or not times.isdigit() or not 1 <= int(times) <= MOST_TIMES:
            return JSONResponse(
                {"error": f"no such event, or `times` outside 1-{MOST_TIMES}"}, 404 if event is None else 400
            )
        rows = self.sandbox.deliverer.send(event, Manner(times=int(times)))
        await self.sandbox.deliverer.settled(rows, 10.0)
        self.sandbox.store.save()
        return _done(request, {"deliveries": rows})

    async def pay(self, request: Request) -> Response:
        """Pay without a browser: `{"card": "4242…", "webhook": "normal|late|twice|never", "authenticate": true}`.

        `delay` (seconds) says how late `late` is; `name` and `email` are the payer's. Answers when the page would have
        sent the customer on.
        """
        asked = await _json(request)
        try:
            return JSONResponse(await self._pay(request.path_params["session"], asked))
        except StripeError as error:
            return JSONResponse(error.body, error.status)

    async def _pay(self, wanted: str, asked: dict[str, Any]) -> dict[str, Any]:
        checkout.expire_due(self.sandbox)
        session = self.sandbox.store.get("checkout.session", wanted, "session")
        manner = _manner(asked)
        card = Card(asked.get("card", "4242424242424242"), 12, 2034, asked.get("name", "Test Person"))
        outcome = checkout.pay(self.sandbox, session, card, manner, asked.get("email", ""))
        if outcome.result == checkout.AUTHENTICATE:
            agreed = bool(asked.get("authenticate", True))
            answer = checkout.authenticate(self.sandbox, session, agreed=agreed)
            outcome = checkout.Outcome(answer.result, answer.message, [*outcome.events, *answer.events])
        self.sandbox.store.save()
        await wait_for_answer(self.sandbox, outcome, manner)
        return {
            "result": outcome.result,
            "message": outcome.message,
            "session": session,
            "events": [event["id"] for event in outcome.events],
            "redirect_url": success_url(session) if outcome.result == checkout.PAID else None,
        }

    async def expire(self, request: Request) -> Response:
        """End an open session's time now."""
        session = self.sandbox.store.find("checkout.session", request.path_params["session"])
        if session is None:
            return JSONResponse({"error": "no such session"}, 404)
        try:
            checkout.expire(self.sandbox, session)
        except StripeError as error:
            return JSONResponse(error.body, error.status)
        self.sandbox.store.save()
        return _done(request, {"session": session})


def _manner(asked: dict[str, Any]) -> Manner:
    wanted = asked.get("webhook", "normal")
    if wanted not in MANNERS:
        raise invalid(f"Invalid webhook: must be one of {', '.join(MANNERS)}", param="webhook")
    manner = MANNERS[wanted]
    return Manner(manner.times, float(asked["delay"])) if wanted == "late" and "delay" in asked else manner


async def _json(request: Request) -> dict[str, Any]:
    """The body, if it is a JSON hash; a form from the control page has none."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        return {}
    try:
        found = json.loads(await request.body() or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _done(request: Request, body: dict[str, Any]) -> Response:
    """JSON for a program, the control page for a person who pressed a button."""
    if "text/html" in request.headers.get("accept", ""):
        return RedirectResponse("/", status_code=303)
    return JSONResponse(body)
