"""Controls of deliveries: an event again, another about the same, standing orders, endpoints, other apps' events."""

from __future__ import annotations

import copy
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from teleconsult.sandbox import endpoints, objects, session_objects
from teleconsult.sandbox.cards import Card
from teleconsult.sandbox.checkout import customer_details, pay
from teleconsult.sandbox.controls.common import Asked, Part, manner, number
from teleconsult.sandbox.errors import invalid
from teleconsult.sandbox.ids import event_id
from teleconsult.sandbox.webhook_faults import API_VERSION, LIVEMODE, THIN, Order

MOST_TIMES = 100
ANSWER_SECONDS = 10.0
ANOTHER_APP = {"app": "another-shop", "order": "1234"}


class Webhooks(Part):
    """Controls of the deliveries of one sandbox."""

    def routes(self) -> list[Route]:
        """Their addresses."""
        return [
            self.post("/_sandbox/deliver/{event}", self.deliver),
            self.post("/_sandbox/events/{event}/twin", self.twin),
            self.post("/_sandbox/webhook-faults", self.order),
            self.post("/_sandbox/endpoints/{endpoint}", self.change_endpoint),
            self.post("/_sandbox/foreign", self.foreign),
        ]

    async def deliver(self, request: Request, asked: Asked) -> dict[str, Any]:
        """Send an event again, and tell how that went: `{"times": 2}`, or `?times=2`. Standing orders don't touch it.

        `{"api_version": "2024-06-20", "livemode": true, "thin": true}` change what is sent, this once.
        """
        event = self.sandbox.store.get("event", request.path_params["event"])
        times = number({**asked, **request.query_params}, "times", 1)
        if not 1 <= times <= MOST_TIMES:
            raise invalid(f"`times` must be 1-{MOST_TIMES}", param="times")
        changes = {name: asked[name] for name in (API_VERSION, LIVEMODE, THIN) if asked.get(name)}
        rows = self.sandbox.deliverer.repeat(event, times, changes)
        await self.sandbox.deliverer.settled(rows, ANSWER_SECONDS)
        return {"deliveries": rows}

    async def twin(self, request: Request, asked: Asked) -> dict[str, Any]:
        """Another event about the same: "in some cases, two separate Event objects are generated"."""
        event = copy.deepcopy(self.sandbox.store.get("event", request.path_params["event"]))
        kind = event["data"]["object"]["object"]
        made = self.sandbox.publish(event | {"id": event_id(kind), "created": self.sandbox.store.now()}, manner(asked))
        return {"event": made}

    async def order(self, _request: Request, asked: Asked) -> dict[str, Any]:
        """Order something for the next deliveries: `{"kind": "drop", "type": "checkout.session.*", "times": 3}`."""
        orders = self.sandbox.deliverer.orders
        if asked.get("clear"):
            for open_ in orders.open:
                open_.times = 0
            self.sandbox.deliverer.run_due()
            orders.open.clear()
        else:
            order = Order(
                str(asked.get("kind")),
                str(asked.get("type") or "*"),
                number(asked, "times", 1),
                number(asked, "seconds", 10.0),
                number(asked, "copies", 2),
            )
            order.version = str(asked.get("version") or order.version)
            orders.open.append(order)
        return {"webhook_faults": [order.shown for order in orders.open]}

    async def change_endpoint(self, request: Request, asked: Asked) -> dict[str, Any]:
        """Switch one off or on (`{"disabled": true}`), or roll its secret (`{"roll": true, "secret": "whsec_…"}`).

        `command-line` is the id of the one given there.

        The old secret signs too, for a day or until `{"forget_old": true}`.
        """
        store, wanted = self.sandbox.store, request.path_params["endpoint"]
        found = endpoints.get(store, wanted)
        if "disabled" in asked:
            off = asked["disabled"] in (True, "true")
            found["status"] = endpoints.DISABLED if off else endpoints.ENABLED
        if asked.get("roll"):
            endpoints.roll(store, found, asked.get("secret"))
            self.sandbox.plan(endpoints.DAY, "forget_secret", endpoint=wanted)
        if asked.get("forget_old"):
            endpoints.forget_old_secret(store, wanted)
        return {"endpoint": found, "secrets": store.note(wanted)["secrets"]}

    async def foreign(self, _request: Request, asked: Asked) -> dict[str, Any]:
        """Let another app on the same account sell something: `{"amount": 1500, "metadata": {…}}`, both optional."""
        store, metadata = self.sandbox.store, asked.get("metadata", ANOTHER_APP)
        if not isinstance(metadata, dict):
            raise invalid("Invalid metadata: a hash of texts is needed", param="metadata")
        params = {"metadata": metadata, "success_url": "http://127.0.0.1/another-shop"}
        product = store.put(objects.product({"name": "Something else"}, store.now(), active=False))
        data = {"currency": "eur", "unit_amount": number(asked, "amount", 1500)}
        price = store.put(objects.price(data, product["id"], store.now(), active=False))
        line = session_objects.line_item(price, product["name"], 1, {})
        made = store.put(session_objects.session(params, [line], self.sandbox.base, store.now()))
        made["customer_details"] = customer_details("somebody@example.com", None)
        store.note(made["id"]).update(line_items=[line], payment_intent_data={"metadata": metadata}, customer_update={})
        pay(self.sandbox, made, Card("4242424242424242", 12, 2034, "Somebody Else"), manner(asked))
        return {"session": made}
