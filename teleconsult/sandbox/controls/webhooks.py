"""Controls of deliveries: an event again, or several times."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from teleconsult.sandbox.controls.common import Asked, Part, number
from teleconsult.sandbox.delivery import Manner
from teleconsult.sandbox.errors import invalid

MOST_TIMES = 100
ANSWER_SECONDS = 10.0


class Webhooks(Part):
    """Controls of the deliveries of one sandbox."""

    def routes(self) -> list[Route]:
        """Their addresses."""
        return [self.post("/_sandbox/deliver/{event}", self.deliver)]

    async def deliver(self, request: Request, asked: Asked) -> dict[str, Any]:
        """Send an event again, `?times=2` at once, and tell how that went."""
        event = self.sandbox.store.get("event", request.path_params["event"])
        times = number({**asked, **request.query_params}, "times", 1)
        if not 1 <= times <= MOST_TIMES:
            raise invalid(f"`times` must be 1-{MOST_TIMES}", param="times")
        rows = self.sandbox.deliverer.send(event, Manner(times=times))
        await self.sandbox.deliverer.settled(rows, ANSWER_SECONDS)
        return {"deliveries": rows}
