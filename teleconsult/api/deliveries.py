"""Every answer to Stripe's webhook, whoever gives it: counted, timed, and when it is a no, told to people at once.

It goes around the gate, so that a delivery refused before it reaches its route (a wrong host name, too many bytes) is
seen as well as one that fails inside.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from starlette.types import Message, Scope, Send

from teleconsult import privacy
from teleconsult.accounts.throttle import Window
from teleconsult.api import metrics
from teleconsult.billing import pulse
from teleconsult.billing.account import WEBHOOK_PATH
from teleconsult.billing.webhook import Reply

KEPT = "teleconsult.delivery"
"""Where the scope carries the delivery to its route, which knows more than the answer's status tells."""

_ONE_A_MINUTE = Window(tries=1, seconds=60)
"""By status and reason: strangers can't drown us in alarms, and none that matters goes unheard."""


@dataclass
class Delivery:
    """One request to the webhook while it is answered."""

    send: Send
    reply: Reply | None = None
    status: int = 0
    began: float = field(default_factory=time.perf_counter)

    async def sent(self, message: Message) -> None:
        """Pass a message on, and note the status."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self.send(message)

    def end(self) -> None:
        """Count it. A client that left before its answer got none: status 0."""
        outcome = _outcome(self.reply)
        metrics.WEBHOOK_ANSWERS.labels(str(self.status), outcome).inc()
        metrics.WEBHOOK_SECONDS.observe(time.perf_counter() - self.began)
        if self.reply is not None and self.reply.secret is not None:
            metrics.WEBHOOK_SECRETS.labels(str(self.reply.secret)).inc()
        if self.status and not 200 <= self.status < 300:  # noqa: PLR2004 - Stripe's own measure of success
            _alarm(self.status, outcome)


@contextmanager
def watched(scope: Scope, send: Send) -> Generator[Send]:
    """`send` for one request, watched if it goes to the webhook."""
    if scope["path"] != WEBHOOK_PATH:
        yield send
        return
    delivery = scope[KEPT] = Delivery(send)
    try:
        yield delivery.sent
    finally:
        delivery.end()


def keep(scope: Scope, reply: Reply) -> None:
    """The route's word on a delivery. Without the gate around it nobody listens."""
    if (delivery := scope.get(KEPT)) is not None:
        delivery.reply = reply


def _outcome(reply: Reply | None) -> str:
    """A word of ours: outcomes and errors are constants, and anything else would be a label without end."""
    if reply is None:
        return "unread"
    return str(reply.body.get("outcome") or reply.body.get("error") or "none").replace(" ", "_")


def _alarm(status: int, outcome: str) -> None:
    """Stripe keeps trying for three days after a no, and gives the endpoint up in the end."""
    if _ONE_A_MINUTE.take(f"{status} {outcome}"):
        code = pulse.WEBHOOK_REFUSED
        facts = {"route": WEBHOOK_PATH, "status": status, "reason": outcome}
        privacy.alert(code, "error", fingerprint=(code, status), **facts)
