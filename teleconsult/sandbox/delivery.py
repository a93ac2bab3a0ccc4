"""Signed delivery of events, with retries: what an endpoint of ours really receives from Stripe.

Each try has a new timestamp and signature and the same event id. Any 2xx is success; a redirect is not. The order of
events isn't guaranteed: they leave together, as Stripe's do.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from teleconsult.sandbox.ids import new_id
from teleconsult.sandbox.post import PostFailed, is_local, post
from teleconsult.sandbox.store import Store

ANSWER_SECONDS = 10.0
PENDING, DELIVERED, FAILED, WITHHELD = "pending", "delivered", "failed", "withheld"
COMMAND_LINE = "we_command_line"
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


@dataclass(frozen=True)
class Target:
    """An address, the secrets it is signed with (two while one is rolled), and the types it asked for."""

    name: str
    url: str
    secrets: tuple[str, ...]
    types: tuple[str, ...] = ("*",)

    def wants(self, kind: str) -> bool:
        """Whether events of this type go there."""
        return "*" in self.types or kind in self.types


def signature(body: bytes, secrets: tuple[str, ...], now: int) -> str:
    """The `Stripe-Signature` header: one `v1` for each secret."""
    signed = [hmac.new(key.encode(), b"%d." % now + body, hashlib.sha256).hexdigest() for key in secrets]
    return ",".join([f"t={now}", *(f"v1={code}" for code in signed)])


@dataclass
class Deliverer:
    """Sends events to the endpoint of the command line and to those registered through the API.

    `pauses` are the seconds between tries, so their number bounds the tries.
    """

    store: Store
    fixed: tuple[Target, ...] = ()
    pauses: tuple[float, ...] = ()
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _answered: dict[str, asyncio.Event] = field(default_factory=dict)

    def targets(self) -> list[Target]:
        """Every endpoint in force."""
        registered = [
            Target(e["id"], e["url"], (self.store.note(e["id"])["secret"],), tuple(e["enabled_events"]))
            for e in self.store.all("webhook_endpoint").values()
            if e["status"] == "enabled"
        ]
        return [*self.fixed, *registered]

    def send(self, event: dict[str, Any], manner: Manner = NORMAL) -> list[dict[str, Any]]:
        """Begin delivery to every endpoint that wants the type. Returns the deliveries, which go on by themselves."""
        made = []
        for target in self.targets():
            if target.wants(event["type"]):
                made += [self._record(event, target, manner) for _ in range(max(1, manner.times))]
        event["pending_webhooks"] = len({row["endpoint"] for row in made})
        for row in made:
            if row["status"] == PENDING:
                self._start(row)
        return made

    def resume(self) -> None:
        """Go on with what was under way when the process ended."""
        for row in self.store.deliveries:
            if row["status"] == PENDING:
                self._start(row)

    async def settled(self, rows: list[dict[str, Any]], seconds: float) -> None:
        """Wait until each of these deliveries has had a first answer, good or bad, or the time is up."""
        waits = [self._answered[row["id"]].wait() for row in rows if row["id"] in self._answered]
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*waits), seconds)

    def stop(self) -> None:
        """Drop everything under way: after a reset, and when the process ends."""
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()
        self._answered.clear()

    def _record(self, event: dict[str, Any], target: Target, manner: Manner) -> dict[str, Any]:
        row = {
            "id": new_id("wd_"),
            "event": event["id"],
            "type": event["type"],
            "endpoint": target.name,
            "url": target.url,
            "status": PENDING if manner.times else WITHHELD,
            "due": time.time() + manner.delay,
            "tries": [],
        }
        self.store.deliveries.append(row)
        return row

    def _start(self, row: dict[str, Any]) -> None:
        self._answered[row["id"]] = asyncio.Event()
        task = asyncio.get_running_loop().create_task(self._deliver(row))
        self._tasks[row["id"]] = task
        task.add_done_callback(lambda _: self._tasks.pop(row["id"], None))

    async def _deliver(self, row: dict[str, Any]) -> None:
        while row["status"] == PENDING:
            await asyncio.sleep(max(0.0, row["due"] - time.time()))
            await self._try(row)
            self._answered[row["id"]].set()
            self.store.save()
        self._answered.pop(row["id"], None)

    async def _try(self, row: dict[str, Any]) -> None:
        """One request. The event is read afresh, so a delivery after a restart sends what was stored."""
        target = next((t for t in self.targets() if t.name == row["endpoint"]), None)
        event = self.store.find("event", row["event"])
        if target is None or event is None:
            row["status"] = FAILED
            return
        began = time.time()
        outcome = await self._answer(target, event)
        row["tries"].append({"at": began, "seconds": round(time.time() - began, 3)} | outcome)
        self._judge(row, event, ok=200 <= outcome.get("status", 0) < 300)  # noqa: PLR2004 - 2xx

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

    def _judge(self, row: dict[str, Any], event: dict[str, Any], *, ok: bool) -> None:
        if ok:
            row["status"] = DELIVERED
            same = [d for d in self.store.deliveries if d["event"] == event["id"] and d["status"] != DELIVERED]
            event["pending_webhooks"] = len({d["endpoint"] for d in same if d["status"] == PENDING})
        elif len(row["tries"]) > len(self.pauses):
            row["status"] = FAILED
        else:
            row["due"] = time.time() + self.pauses[len(row["tries"]) - 1]
