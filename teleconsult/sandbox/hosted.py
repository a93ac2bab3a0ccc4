"""The pages Stripe would host for paying: checkout and the bank's page."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from teleconsult.sandbox import banks, cards, checkout, clockwork
from teleconsult.sandbox.cards import Card
from teleconsult.sandbox.checkout_page import authenticate_page, checkout_page, ended_page, success_url
from teleconsult.sandbox.context import Sandbox
from teleconsult.sandbox.delivery import MANNERS, NORMAL, Manner
from teleconsult.sandbox.errors import StripeError
from teleconsult.sandbox.method_fields import example
from teleconsult.sandbox.method_objects import Source
from teleconsult.sandbox.pages import notice

REDIRECT_SECONDS = 10.0
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
        ]

    async def show(self, request: Request) -> Response:
        """The payment page of a session."""
        session = self._session(request)
        if session is None or session["status"] != "open":
            return ended_page(session) if session else unknown()
        return checkout_page(self.sandbox, session, example(request.query_params), self._last_error(session))

    async def pay(self, request: Request) -> Response:
        """The form was sent."""
        form, session = await form_of(request), self._session(request)
        if session is None or session["status"] != "open":
            return ended_page(session) if session else unknown()
        try:
            source = _source(session, form, self.sandbox.store.now())
        except StripeError as error:
            return checkout_page(self.sandbox, session, form, str(error))
        manner = MANNERS.get(form.get("delivery", ""), NORMAL)
        outcome = checkout.pay(self.sandbox, session, source, manner, form.get("email", ""))
        return await self._after(session, outcome, manner)

    async def ask(self, request: Request) -> Response:
        """The bank's question."""
        session = self._session(request)
        if session is None or session["status"] != "open":
            return ended_page(session) if session else unknown()
        waiting = self.sandbox.store.note(session["id"]).get("authenticating")
        if waiting is None:
            return to(f"/c/pay/{session['id']}")
        return authenticate_page(session, Card(**waiting["card"]).last4)

    async def answer(self, request: Request) -> Response:
        """The answer to the bank."""
        form, session = await form_of(request), self._session(request)
        if session is None or session["status"] != "open":
            return ended_page(session) if session else unknown()
        waiting = self.sandbox.store.note(session["id"]).get("authenticating")
        if waiting is None:
            return to(f"/c/pay/{session['id']}")
        outcome = checkout.authenticate(self.sandbox, session, agreed=form.get("answer") == "complete")
        return await self._after(session, outcome, Manner(**waiting["manner"]))

    async def _after(self, session: dict[str, Any], outcome: checkout.Outcome, manner: Manner) -> Response:
        """Where the customer goes next. As at Stripe, a paid one waits up to 10 s for the webhook's answer."""
        self.sandbox.store.save()
        if outcome.result == checkout.AUTHENTICATE:
            return to(f"/c/pay/{session['id']}/authenticate")
        if outcome.result == checkout.DECLINED:
            return to(f"/c/pay/{session['id']}")
        await wait_for_answer(self.sandbox, outcome.events, manner)
        return to(success_url(session))

    def _session(self, request: Request) -> dict[str, Any] | None:
        clockwork.run_due(self.sandbox)
        return self.sandbox.store.find("checkout.session", request.path_params["session"])

    def _last_error(self, session: dict[str, Any]) -> str:
        intent = self.sandbox.store.find("payment_intent", self.sandbox.store.note(session["id"]).get("intent"))
        return intent["last_payment_error"]["message"] if intent and intent["last_payment_error"] else ""


async def wait_for_answer(sandbox: Sandbox, events: list[dict[str, Any]], manner: Manner) -> None:
    """Wait for the first answer to what happened to the session; not for one that is held back on purpose."""
    if manner.delay or not manner.times:
        return
    wanted = {event["id"] for event in events if event["type"].startswith("checkout.session.")}
    rows = [row for event in wanted for row in sandbox.store.deliveries_of(event)]
    await sandbox.deliverer.settled(rows, REDIRECT_SECONDS)


def _source(session: dict[str, Any], form: dict[str, str], now: int) -> Source:
    """What was typed, of the method that was chosen.

    Raises:
        StripeError: with the sentence to be shown.
    """
    allowed = session["payment_method_types"]
    kind = form.get("method", "")
    kind = kind if kind in allowed else allowed[0]
    if kind != "card":
        return banks.typed(kind, form)
    today = time.gmtime(now)
    return cards.typed(form, (today.tm_year, today.tm_mon))


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form."""
    return dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))


def to(url: str) -> Response:
    """On to another page."""
    return RedirectResponse(url, status_code=303)


def unknown() -> Response:
    """404."""
    return notice("There is nothing here", GONE, status=404)
