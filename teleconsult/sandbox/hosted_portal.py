"""The portal Stripe would host, and the receipts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from teleconsult.sandbox import method_objects, objects, payments
from teleconsult.sandbox.cards import Card
from teleconsult.sandbox.context import Sandbox
from teleconsult.sandbox.hosted import form_of, to, unknown
from teleconsult.sandbox.pages import notice
from teleconsult.sandbox.portal_page import CARDS, charge_of, portal_page, receipt_page

LINK_SECONDS, VISIT_SECONDS = 5 * 60, 60 * 60


@dataclass
class Portal:
    """The handlers of one sandbox."""

    sandbox: Sandbox

    def routes(self) -> list[Route]:
        """Their addresses."""
        return [
            Route("/p/session/{link}", self.portal, methods=["GET"]),
            Route("/p/session/{link}/card", self.change_card, methods=["POST"]),
            Route("/p/session/{link}/address", self.change_address, methods=["POST"]),
            Route("/receipts/{paid}", self.receipt, methods=["GET"]),
        ]

    async def portal(self, request: Request) -> Response:
        """The portal of one customer, while the link lives."""
        link = self._link(request)
        if link is None:
            return notice("This link has expired", "Go back and open billing again for a new one.", status=404)
        return portal_page(self.sandbox, link, self._features(link), request.query_params.get("saved", ""))

    async def change_card(self, request: Request) -> Response:
        """Keep another test card in place of the old one."""
        form, link = await form_of(request), self._link(request)
        if (
            link is None
            or not self._features(link)["payment_method_update"]["enabled"]
            or form.get("card") not in dict(CARDS)
        ):
            return unknown()
        customer = self.sandbox.store.get("customer", link["customer"])
        change_card(self.sandbox, customer, Card(form["card"], 12, 2034, customer["name"] or ""))
        return self._saved(link, "card")

    async def change_address(self, request: Request) -> Response:
        """Keep name and address."""
        form, link = await form_of(request), self._link(request)
        if link is None or not self._features(link)["customer_update"]["enabled"]:
            return unknown()
        customer = self.sandbox.store.get("customer", link["customer"])
        lines = {name: form.get(name, "").strip() for name in objects.ADDRESS}
        changes = {"address": objects.full_address(lines), "name": form.get("name", "").strip() or None}
        previous = {name: customer[name] for name, value in changes.items() if customer[name] != value}
        customer.update(changes)
        if previous:
            self.sandbox.emit("customer.updated", customer, previous=previous)
        return self._saved(link, "address")

    async def receipt(self, request: Request) -> Response:
        """The receipt of an invoice or a charge."""
        wanted, store = request.path_params["paid"], self.sandbox.store
        invoice = store.find("invoice", wanted)
        charge = charge_of(self.sandbox, invoice) if invoice else store.find("charge", wanted)
        return receipt_page(invoice, charge) if invoice or charge else unknown()

    def _features(self, link: dict[str, Any]) -> dict[str, Any]:
        return self.sandbox.store.get("billing_portal.configuration", link["configuration"])["features"]

    def _saved(self, link: dict[str, Any], what: str) -> Response:
        self.sandbox.store.save()
        return to(f"/p/session/{link['id']}?saved={what}")

    def _link(self, request: Request) -> dict[str, Any] | None:
        """The portal link, if it was opened within five minutes of its making and an hour hasn't passed since."""
        store = self.sandbox.store
        link = store.find("billing_portal.session", request.path_params["link"])
        if link is None or link["customer"] not in store.all("customer"):
            return None
        note, now = store.note(link["id"]), store.now()
        if "opened" not in note and now <= link["created"] + LINK_SECONDS:
            note["opened"] = now
        return link if now <= note.get("opened", 0) + VISIT_SECONDS else None


def change_card(sandbox: Sandbox, customer: dict[str, Any], card: Card) -> None:
    """Attach the card as the default and let the others go."""
    store = sandbox.store
    billing = {"address": customer["address"], "email": customer["email"], "name": customer["name"]}
    billing |= {"phone": None, "tax_id": None}
    old = [m for m in store.all("payment_method").values() if m["customer"] == customer["id"]]
    method = store.put(method_objects.payment_method(card, billing, store.now()))
    payments.attach(sandbox, method, customer["id"])
    before = customer["invoice_settings"]
    customer["invoice_settings"] = before | {"default_payment_method": method["id"]}
    sandbox.emit("customer.updated", customer, previous={"invoice_settings": before})
    for gone in old:
        gone["customer"] = None
        sandbox.emit("payment_method.detached", gone, previous={"customer": customer["id"]})
