"""The pages Stripe would host: checkout, the bank's page, the portal, receipts."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from teleconsult.sandbox import checkout, objects, payment_objects, payments
from teleconsult.sandbox.cards import Card, typed
from teleconsult.sandbox.checkout_page import EXAMPLE, authenticate_page, checkout_page, ended_page, success_url
from teleconsult.sandbox.context import Sandbox
from teleconsult.sandbox.delivery import LATE, NEVER, NORMAL, TWICE, Manner
from teleconsult.sandbox.errors import StripeError
from teleconsult.sandbox.pages import notice
from teleconsult.sandbox.portal_page import CARDS, charge_of, portal_page, receipt_page

MANNERS = {"normal": NORMAL, "late": LATE, "twice": TWICE, "never": NEVER}
REDIRECT_SECONDS = 10.0
LINK_SECONDS, VISIT_SECONDS = 5 * 60, 60 * 60
GONE = "The link is old, or was never made here."


@dataclass
class Hosted:
    """The handlers of one sandbox."""

    sandbox: Sandbox

    def routes(self) -> list[Route]:
        """Their addresses."""
        return [
            Route("/c/pay/{session}", self.show, methods=["GET"]),
            Route("/c/pay/{session}", self.pay, methods=["POST"]),
            Route("/c/pay/{session}/authenticate", self.ask, methods=["GET"]),
            Route("/c/pay/{session}/authenticate", self.answer, methods=["POST"]),
            Route("/p/session/{link}", self.portal, methods=["GET"]),
            Route("/p/session/{link}/card", self.change_card, methods=["POST"]),
            Route("/p/session/{link}/address", self.change_address, methods=["POST"]),
            Route("/receipts/{paid}", self.receipt, methods=["GET"]),
        ]

    async def show(self, request: Request) -> Response:
        """The payment page of a session."""
        session = self._session(request)
        if session is None or session["status"] != "open":
            return ended_page(session) if session else _unknown()
        card = request.query_params.get("card", "")
        fields = {"number": card, **EXAMPLE} if card.isdigit() else {}
        return checkout_page(self.sandbox, session, fields, self._last_error(session))

    async def pay(self, request: Request) -> Response:
        """The card was sent."""
        session, form = self._session(request), await _form(request)
        if session is None or session["status"] != "open":
            return ended_page(session) if session else _unknown()
        today = time.gmtime(self.sandbox.store.now())
        try:
            card = typed(form, (today.tm_year, today.tm_mon))
        except StripeError as error:
            return checkout_page(self.sandbox, session, form, str(error))
        manner = MANNERS.get(form.get("delivery", ""), NORMAL)
        outcome = checkout.pay(self.sandbox, session, card, manner, form.get("email", ""))
        return await self._after(session, outcome, manner)

    async def ask(self, request: Request) -> Response:
        """The bank's question."""
        session = self._session(request)
        if session is None or session["status"] != "open":
            return ended_page(session) if session else _unknown()
        waiting = self.sandbox.store.note(session["id"]).get("authenticating")
        if waiting is None:
            return _to(f"/c/pay/{session['id']}")
        return authenticate_page(session, Card(**waiting["card"]).last4)

    async def answer(self, request: Request) -> Response:
        """The answer to the bank."""
        session, form = self._session(request), await _form(request)
        if session is None or session["status"] != "open":
            return ended_page(session) if session else _unknown()
        waiting = self.sandbox.store.note(session["id"]).get("authenticating")
        if waiting is None:
            return _to(f"/c/pay/{session['id']}")
        outcome = checkout.authenticate(self.sandbox, session, agreed=form.get("answer") == "complete")
        return await self._after(session, outcome, Manner(**waiting["manner"]))

    async def _after(self, session: dict[str, Any], outcome: checkout.Outcome, manner: Manner) -> Response:
        """Where the customer goes next. As at Stripe, a paid one waits up to 10 s for the webhook's answer."""
        self.sandbox.store.save()
        if outcome.result == checkout.AUTHENTICATE:
            return _to(f"/c/pay/{session['id']}/authenticate")
        if outcome.result == checkout.DECLINED:
            return _to(f"/c/pay/{session['id']}")
        await wait_for_answer(self.sandbox, outcome, manner)
        return _to(success_url(session))

    async def portal(self, request: Request) -> Response:
        """The portal of one customer, while the link lives."""
        link = self._link(request)
        if link is None:
            return notice("This link has expired", "Go back and open billing again for a new one.", status=404)
        return portal_page(self.sandbox, link, self._features(link), request.query_params.get("saved", ""))

    async def change_card(self, request: Request) -> Response:
        """Keep another test card in place of the old one."""
        link, form = self._link(request), await _form(request)
        if (
            link is None
            or not self._features(link)["payment_method_update"]["enabled"]
            or form.get("card") not in dict(CARDS)
        ):
            return _unknown()
        customer = self.sandbox.store.get("customer", link["customer"])
        change_card(self.sandbox, customer, Card(form["card"], 12, 2034, customer["name"] or ""))
        return self._saved(link, "card")

    async def change_address(self, request: Request) -> Response:
        """Keep name and address."""
        link, form = self._link(request), await _form(request)
        if link is None or not self._features(link)["customer_update"]["enabled"]:
            return _unknown()
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
        return receipt_page(invoice, charge) if invoice or charge else _unknown()

    def _features(self, link: dict[str, Any]) -> dict[str, Any]:
        return self.sandbox.store.get("billing_portal.configuration", link["configuration"])["features"]

    def _saved(self, link: dict[str, Any], what: str) -> Response:
        self.sandbox.store.save()
        return _to(f"/p/session/{link['id']}?saved={what}")

    def _session(self, request: Request) -> dict[str, Any] | None:
        checkout.expire_due(self.sandbox)
        return self.sandbox.store.find("checkout.session", request.path_params["session"])

    def _last_error(self, session: dict[str, Any]) -> str:
        intent = self.sandbox.store.find("payment_intent", self.sandbox.store.note(session["id"]).get("intent"))
        return intent["last_payment_error"]["message"] if intent and intent["last_payment_error"] else ""

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


async def wait_for_answer(sandbox: Sandbox, outcome: checkout.Outcome, manner: Manner) -> None:
    """Wait for the first answer to `checkout.session.completed`; not for one that is held back on purpose."""
    if manner.delay or not manner.times:
        return
    wanted = {event["id"] for event in outcome.events if event["type"] == "checkout.session.completed"}
    rows = [row for row in sandbox.store.deliveries if row["event"] in wanted]
    await sandbox.deliverer.settled(rows, REDIRECT_SECONDS)


def change_card(sandbox: Sandbox, customer: dict[str, Any], card: Card) -> None:
    """Attach the card as the default and let the others go."""
    store = sandbox.store
    billing = {"address": customer["address"], "email": customer["email"], "name": customer["name"]}
    billing |= {"phone": None, "tax_id": None}
    old = [m for m in store.all("payment_method").values() if m["customer"] == customer["id"]]
    method = store.put(payment_objects.payment_method(card, billing, store.now()))
    payments.attach(sandbox, method, customer["id"])
    before = customer["invoice_settings"]
    customer["invoice_settings"] = before | {"default_payment_method": method["id"]}
    sandbox.emit("customer.updated", customer, previous={"invoice_settings": before})
    for gone in old:
        gone["customer"] = None
        sandbox.emit("payment_method.detached", gone, previous={"customer": customer["id"]})


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))


def _to(url: str) -> Response:
    return RedirectResponse(url, status_code=303)


def _unknown() -> Response:
    return notice("There is nothing here", GONE, status=404)
