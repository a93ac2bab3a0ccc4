"""The control page: what the sandbox holds and what it sent, with a button for each thing that can happen.

What is shown is decided by the address alone, so a reload, a bookmark and the way back lose nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from teleconsult.sandbox import clockwork
from teleconsult.sandbox.console.events import events_view
from teleconsult.sandbox.console.frame import View, framed
from teleconsult.sandbox.console.orders import orders_view
from teleconsult.sandbox.console.payments import payments_view
from teleconsult.sandbox.context import Sandbox


@dataclass
class Console:
    """The pages of one sandbox."""

    sandbox: Sandbox

    def routes(self) -> list[Route]:
        """Their addresses."""
        return [Route("/", self.payments), Route("/events", self.events), Route("/orders", self.orders)]

    async def payments(self, request: Request) -> Response:
        """Sessions with what became of their money."""
        view = self._view(request)
        return framed(view, "Payments", *payments_view(view))

    async def events(self, request: Request) -> Response:
        """Events with their deliveries."""
        view = self._view(request)
        return framed(view, "Events", *events_view(view))

    async def orders(self, request: Request) -> Response:
        """Standing orders, endpoints, customers, and forgetting everything."""
        view = self._view(request)
        return framed(view, "Orders", *orders_view(view))

    def _view(self, request: Request) -> View:
        clockwork.run_due(self.sandbox)
        return View(self.sandbox, request.url.path, dict(request.query_params))
