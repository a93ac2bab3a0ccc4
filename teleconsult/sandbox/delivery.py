"""Signed delivery of events, with retries: what an endpoint of ours really receives from Stripe.

Each try has a new timestamp and signature and the same event id. Any 2xx is success; a redirect is not. The order of
events isn't guaranteed: they leave together, as Stripe's do. Retries run by the sandbox's clock.
"""

from __future__ import annotations

import asyncio
import hashlib
import heapq
import hmac
import json
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from teleconsult.sandbox import endpoints
from teleconsult.sandbox.endpoints import Target
from teleconsult.sandbox.ids import new_id
from teleconsult.sandbox.post import PostFailed, is_local, post
from teleconsult.sandbox.store import DELIVERIES, Store
from teleconsult.sandbox.webhook_faults import (
    API_VERSION,
    DELAY,
    DROP,
    DUPLICATE,
    LOSE_ANSWER,
    REORDER,
    Order,
    Orders,
    changed,
)

ANSWER_SECONDS = 10.0
PENDING, DELIVERED, FAILED, WITHHELD = "pending", "delivered", "failed", "withheld"
USER_AGENT = "Stripe/1.0 (+https://stripe.com/docs/webhooks)"


@dataclass(frozen=True)
class Manner:
    """How the events of one payment arrive: after `delay` seconds, `times` over, or not at all (`times=0`)."""

    times: int = 1
    delay: float = 0.0

    @property
    def facts(self) -> dict[str, Any]:
        """For what is kept: `Manner(**facts)` is the same again."""
        return asdict(self)


NORMAL, TWICE, NEVER, LATE = Manner(), Manner(times=2), Manner(times=0), Manner(delay=30.0)
MANNERS = {"normal": NORMAL, "late": LATE, "twice": TWICE, "never": NEVER}


def signature(body: bytes, secrets: tuple[str, ...], now: int) -> str:
    """The `Stripe-Signature` header: one `v1` for each secret."""
    signed = [hmac.new(key.encode(), b"%d." % now + body, hashlib.sha256).hexdigest() for key in secrets]
    return ",".join([f"t={now}", *(f"v1={code}" for code in signed)])


@dataclass
class Deliverer:
    """Sends events to every endpoint in force.

    `pauses` are the seconds between tries, so their number bounds the tries; `patience` is after how many seconds of
    failures only an endpoint is switched off, None for never.
    """

    store: Store
    pauses: tuple[float, ...] = ()
    patience: float | None = None
    orders: Orders = field(default_factory=Orders)
    _waiting: list[tuple[float, str]] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _answered: dict[str, asyncio.Event] = field(default_factory=dict)

    def send(self, event: dict[str, Any], manner: Manner = NORMAL) -> list[dict[str, Any]]:
        """Begin delivery to every endpoint that wants the type. Returns the deliveries, which go on by themselves."""
        made: list[dict[str, Any]] = []
        for target in endpoints.in_force(self.store):
            if target.wants(event["type"]):
                for _ in range(max(1, manner.times)):
                    made += self._ordered(event, target, manner)
        self._count(event)
        self.run_due()
        return made

    def repeat(self, event: dict[str, Any], times: int, changes: dict[str, Any]) -> list[dict[str, Any]]:
        """Send an event again by hand, so many times at once, to every endpoint that wants it. No order touches it."""
        targets = [t for t in endpoints.in_force(self.store) if t.wants(event["type"])]
        made = [self._record(event, target, NORMAL) for target in targets for _ in range(times)]
        for row in made:
            row["changes"] = changes
            self._go(row)
        self._count(event)
        return made

    def resume(self) -> None:
        """Go on with what was under way when the process ended."""
        for row in self.store.deliveries.values():
            if row["status"] == PENDING:
                self._go(row)

    def run_due(self) -> None:
        """Begin every try whose time has come."""
        moment = self.store.moment()
        while self._waiting and self._waiting[0][0] <= moment:
            row = self.store.deliveries.get(heapq.heappop(self._waiting)[1])
            if row and row["status"] == PENDING:
                self._start(self._try(row))
        for order in self.orders.ripe(moment):
            self._start(self._release(order))

    async def settled(self, rows: Iterable[dict[str, Any]], seconds: float) -> None:
        """Wait until each of these deliveries has had a first answer, good or bad, or the time is up."""
        waits = [self._answered[row["id"]].wait() for row in rows if row["id"] in self._answered]
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*waits), seconds)

    def stop(self) -> None:
        """Drop everything under way: after a reset, and when the process ends."""
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()
        self._answered.clear()
        self._waiting.clear()
        self.orders.open.clear()

    def _ordered(self, event: dict[str, Any], target: Target, manner: Manner) -> list[dict[str, Any]]:
        """One delivery, or what a standing order makes of it."""
        order = self.orders.take(event["type"]) if manner.times else None
        copies = order.copies if order and order.kind == DUPLICATE else 1
        made = [self._record(event, target, manner) for _ in range(copies)]
        if order is None or not self._obey(order, made[0]):
            for row in made:
                self._go(row)
        return made

    def _obey(self, order: Order, row: dict[str, Any]) -> bool:
        """Whether the order keeps the delivery from leaving by itself."""
        row["changes"] = order.changes
        if order.kind == DROP:
            row["status"] = WITHHELD
        if order.kind == DELAY:
            row["due"] += order.seconds
        if order.kind == REORDER:
            order.held.append(row["id"])
            order.until = order.until or self.store.moment() + order.seconds
        return order.kind == REORDER

    async def _release(self, order: Order) -> None:
        """Send what was collected, the last first, each after the one before was answered."""
        for wanted in reversed(order.held):
            row = self.store.deliveries.get(wanted)
            if row:
                self._answered[wanted] = asyncio.Event()
                await self._try(row)

    def _record(self, event: dict[str, Any], target: Target, manner: Manner) -> dict[str, Any]:
        row = {
            "id": new_id("wd_"),
            "event": event["id"],
            "type": event["type"],
            "endpoint": target.name,
            "url": target.url,
            "status": PENDING if manner.times else WITHHELD,
            "due": self.store.moment() + manner.delay,
            "changes": {},
            "tries": [],
        }
        self.store.add_delivery(row)
        return row

    def _go(self, row: dict[str, Any]) -> None:
        """Let it leave when it is due: now, if it is."""
        if row["status"] != PENDING:
            return
        if row["due"] <= self.store.moment():
            self._answered[row["id"]] = asyncio.Event()
            self._start(self._try(row))
        else:
            heapq.heappush(self._waiting, (row["due"], row["id"]))

    def _start(self, act: Any) -> None:
        task = asyncio.get_running_loop().create_task(act)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _try(self, row: dict[str, Any]) -> None:
        """One request. The event is read afresh, so a delivery after a restart sends what was stored."""
        target = next((t for t in endpoints.in_force(self.store) if t.name == row["endpoint"]), None)
        event = self.store.find("event", row["event"])
        if target and event:
            began = time.time()
            version = {API_VERSION: target.version} if target.version else {}
            outcome = await self._answer(target, changed(event, version | row["changes"]))
            status = int(outcome.get("status", 0))
            if row["changes"].pop(LOSE_ANSWER, None):
                outcome, status = {"error": f"the answer was lost by order (it was {status or 'none'})"}, 0
            row["tries"].append({"at": began, "seconds": round(time.time() - began, 3)} | outcome)
            self._judge(row, ok=200 <= status < 300)  # noqa: PLR2004 - 2xx
        else:  # switched off or deleted meanwhile: Stripe stops too
            row["status"] = FAILED
        self.store.touch(DELIVERIES, row["id"])
        if answered := self._answered.pop(row["id"], None):
            answered.set()
        if row["status"] == PENDING:
            heapq.heappush(self._waiting, (row["due"], row["id"]))
        self.store.save()

    async def _answer(self, target: Target, event: dict[str, Any]) -> dict[str, Any]:
        if not is_local(target.url):
            return {"error": "not sent: the sandbox only reaches addresses on this machine"}
        body = json.dumps(event, indent=2).encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": USER_AGENT,
            "Stripe-Signature": signature(body, target.secrets, int(time.time())),
        }
        try:
            return {"status": await post(target.url, body, headers, ANSWER_SECONDS)}
        except PostFailed as error:
            return {"error": str(error)}

    def _judge(self, row: dict[str, Any], *, ok: bool) -> None:
        if ok:
            row["status"] = DELIVERED
        elif len(row["tries"]) > len(self.pauses):
            row["status"] = FAILED
        else:
            row["due"] = self.store.moment() + self.pauses[len(row["tries"]) - 1]
        endpoints.heard(self.store, row["endpoint"], ok=ok, patience=self.patience)
        event = self.store.find("event", row["event"])
        if event:
            self._count(event)

    def _count(self, event: dict[str, Any]) -> None:
        """`pending_webhooks`: endpoints the event was for and that have not received it."""
        rows = self.store.deliveries_of(event["id"])
        arrived = {row["endpoint"] for row in rows if row["status"] == DELIVERED}
        event["pending_webhooks"] = len({row["endpoint"] for row in rows} - arrived)
