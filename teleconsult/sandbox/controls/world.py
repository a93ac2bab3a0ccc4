"""Controls of the whole: its state, its clock, faults of the API, and forgetting everything."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from teleconsult.sandbox import clockwork, endpoints, objects
from teleconsult.sandbox.context import Sandbox
from teleconsult.sandbox.controls.common import Asked, Part, number
from teleconsult.sandbox.faults import Fault

DEFAULT_FEATURES = {
    "customer_update": {"allowed_updates": ["address", "name"], "enabled": True},
    "invoice_history": {"enabled": True},
    "payment_method_update": {"enabled": True},
}


def seed(sandbox: Sandbox, *, portal_default: bool = True) -> None:
    """What is there from the beginning: the endpoint of the command line, the portal's default configuration."""
    endpoints.seed(sandbox.store, sandbox.endpoint)
    if not portal_default:
        return
    known = sandbox.store.all("billing_portal.configuration").values()
    if not any(configuration["is_default"] for configuration in known):
        made = objects.portal_configuration({"features": DEFAULT_FEATURES}, sandbox.store.now(), default=True)
        sandbox.store.put(made)


class World(Part):
    """Controls of one sandbox as a whole."""

    def routes(self) -> list[Route]:
        """Their addresses."""
        return [
            Route("/_sandbox/state", self.state, methods=["GET"]),
            self.post("/_sandbox/reset", self.reset),
            self.post("/_sandbox/clock", self.clock),
            self.post("/_sandbox/faults", self.faults),
        ]

    async def state(self, request: Request) -> Response:
        """Everything: objects by kind, events, deliveries, what came in over the API, and the faults on order.

        `?only=events,deliveries` leaves the rest out.
        """
        clockwork.run_due(self.sandbox)
        store, only = self.sandbox.store, request.query_params.get("only", "").split(",")
        parts = {
            "now": store.now,
            "objects": lambda: {kind: list(rows.values()) for kind, rows in store.objects.items() if kind != "event"},
            "events": lambda: list(store.all("event").values()),
            "deliveries": lambda: list(store.deliveries.values()),
            "requests": lambda: list(store.requests),
            "endpoints": lambda: endpoints.everyone(store),
            "faults": self.sandbox.faults.shown,
            "webhook_faults": lambda: [order.shown for order in self.sandbox.deliverer.orders.open],
            "agenda": lambda: sorted(store.plans.values(), key=lambda entry: entry["at"]),
        }
        return JSONResponse({name: make() for name, make in parts.items() if only == [""] or name in only})

    async def reset(self, _request: Request, asked: Asked) -> dict[str, Any]:
        """Forget everything. `{"portal_default": false}` leaves the portal without its default configuration."""
        self.sandbox.forget()
        seed(self.sandbox, portal_default=asked.get("portal_default", True) in (True, "true"))
        return {"reset": True}

    async def clock(self, _request: Request, asked: Asked) -> dict[str, Any]:
        """Move the clock by `{"advance": seconds}`; what is due then happens."""
        self.sandbox.store.advance(number(asked, "advance", 0))
        clockwork.run_due(self.sandbox)
        self.sandbox.deliverer.run_due()
        return {"now": self.sandbox.store.now()}

    async def faults(self, _request: Request, asked: Asked) -> dict[str, Any]:
        """Order a fault: `{"operation": "POST /v1/checkout/sessions", "kind": "500", "times": 1, "seconds": 30}`."""
        if asked.get("clear"):
            self.sandbox.faults.orders.clear()
            return {"faults": []}
        order = Fault(
            str(asked.get("operation", "*")),
            str(asked.get("kind")),
            number(asked, "times", 1),
            number(asked, "seconds", 30.0),
        )
        self.sandbox.faults.orders.append(order)
        return {"faults": self.sandbox.faults.shown()}
