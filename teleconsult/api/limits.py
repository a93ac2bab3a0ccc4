"""How much and how long a client may send: request bodies while they stream, and messages of an open page's socket."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import ClassVar

from starlette.types import Message, Receive, Scope, Send

from teleconsult.accounts.throttle import Window
from teleconsult.errors import Refusal, TooLarge

KIB, MIB = 1024, 1024 * 1024
DIGITS = 12
"""Of the longest Content-Length worth reading as a number."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """The most bytes of one request body, and the seconds it may take to arrive."""

    size: int
    seconds: float


ORDINARY = Allowance(128 * KIB, 20)
ALLOWANCES = {
    "/api/billing/webhook": Allowance(256 * KIB, 10),
    "/api/photos": Allowance(15 * MIB + 64 * KIB, 300),  # one photo and the multipart lines around it
}
"""By exact path; everything else is ORDINARY."""


class TooSlow(Refusal):
    """The body dripped in for longer than it may take."""

    status: ClassVar[int] = 408
    code: ClassVar[str] = "too_slow"


def announced_too_large(scope: Scope) -> bool:
    """Whether the request says itself that its body is over the limit, so that nothing of it needs reading."""
    allowance = ALLOWANCES.get(scope["path"], ORDINARY)
    return any(
        not value.isdigit() or len(value) > DIGITS or int(value) > allowance.size
        for name, value in scope["headers"]
        if name == b"content-length"
    )


def capped(scope: Scope, receive: Receive) -> Receive:
    """`receive`, but it stops at the limit of the route instead of buffering whatever comes.

    Raises from the read, and so inside the route: TooLarge, TooSlow.
    """
    allowance = ALLOWANCES.get(scope["path"], ORDINARY)
    deadline = asyncio.get_running_loop().time() + allowance.seconds
    seen, complete = 0, False

    async def read() -> Message:
        nonlocal seen, complete
        if complete:  # what comes now is the end of the connection, whenever that is
            return await receive()
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError:
            raise TooSlow("The upload took too long. Please try again.") from None
        seen += len(message.get("body", b""))
        complete = not message.get("more_body", False)
        if seen > allowance.size:
            raise TooLarge("That is more than we can take.")
        return message

    return read


@dataclass
class Sockets:
    """The open sockets by network, and what each may send. One of these lives in the gate."""

    at_once: int = 200
    """From one network: a clinic behind one address has many tabs."""
    message_size: int = 200_000
    """Characters. The longest answer we take has 5,000."""
    connects: Window = field(default_factory=lambda: Window(tries=240, seconds=120))
    open: Counter[str] = field(default_factory=Counter)

    def admit(self, net: str) -> bool:
        """Count one more socket from this network, if it may have one. Every True needs one `leave`."""
        if self.open[net] >= self.at_once or not self.connects.take(net):
            return False
        self.open[net] += 1
        return True

    def leave(self, net: str) -> None:
        """A socket has closed."""
        self.open[net] -= 1
        if self.open[net] <= 0:
            del self.open[net]

    def bounded(self, receive: Receive, send: Send) -> Receive:
        """`receive` for one socket: one that sends too much or too often is closed, the others don't notice."""
        messages = Window(tries=300, seconds=10)

        async def read() -> Message:
            message = await receive()
            if message["type"] != "websocket.receive":
                return message
            length = len(message.get("text") or message.get("bytes") or "")
            if length <= self.message_size and messages.take("all"):
                return message
            code = 1009 if length > self.message_size else 1008
            await send({"type": "websocket.close", "code": code})
            return {"type": "websocket.disconnect", "code": code}

        return read
