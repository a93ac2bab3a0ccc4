"""Standing orders for deliveries: the next ones are dropped, late, doubled, reversed, unanswered or not what they seem.

What an order changes is the delivery. The event itself stays as it is, and so does what the API tells about it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from teleconsult.sandbox.errors import invalid

DROP, DELAY, DUPLICATE, REORDER, LOSE_ANSWER = "drop", "delay", "duplicate", "reorder", "lose_answer"
API_VERSION, LIVEMODE, THIN = "api_version", "livemode", "thin"
KINDS = (DROP, DELAY, DUPLICATE, REORDER, LOSE_ANSWER, API_VERSION, LIVEMODE, THIN)
OLD_VERSION, MOST_COPIES = "2024-06-20", 100


@dataclass
class Order:
    """One order for the next `times` deliveries of a type (`checkout.session.*`).

    `seconds` is how late `delay` is, and how long `reorder` collects at most; `copies` is how often `duplicate` sends.
    """

    kind: str
    type: str = "*"
    times: int = 1
    seconds: float = 10.0
    copies: int = 2
    version: str = OLD_VERSION
    held: list[str] = field(default_factory=list)
    until: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise invalid(f"Invalid kind: must be one of {', '.join(KINDS)}", param="kind")
        if self.times < 1 or not 1 <= self.copies <= MOST_COPIES:
            raise invalid(f"`times` must be 1 or more, `copies` 1-{MOST_COPIES}")

    @property
    def changes(self) -> dict[str, Any]:
        """What it changes in what is sent."""
        if self.kind == API_VERSION:
            return {API_VERSION: self.version}
        return {self.kind: True} if self.kind in (LIVEMODE, THIN, LOSE_ANSWER) else {}

    @property
    def shown(self) -> dict[str, Any]:
        """For the state that tests read."""
        fields = ("kind", "type", "times", "seconds", "copies", "version")
        return {name: getattr(self, name) for name in fields} | {"held": len(self.held)}


@dataclass
class Orders:
    """The orders still open, oldest first."""

    open: list[Order] = field(default_factory=list)

    def take(self, kind: str) -> Order | None:
        """The order for a delivery of this type, one of its times used up."""
        order = next((o for o in self.open if o.times and fnmatchcase(kind, o.type)), None)
        if order:
            order.times -= 1
            if not order.times and order.kind != REORDER:
                self.open.remove(order)
        return order

    def ripe(self, moment: float) -> list[Order]:
        """Collections that are complete, or have waited long enough: off the list."""
        found = [o for o in self.open if o.held and (not o.times or (o.until or 0) <= moment)]
        for order in found:
            self.open.remove(order)
        return found


def changed(event: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The event as it is sent."""
    sent = event | {name: value for name, value in changes.items() if name == API_VERSION}
    if changes.get(LIVEMODE):
        sent["livemode"] = not event["livemode"]
        item = event["data"]["object"]
        sent["data"] = event["data"] | {"object": item | {"livemode": sent["livemode"]}}
    return _thin(sent) if changes.get(THIN) else sent


def _thin(event: dict[str, Any]) -> dict[str, Any]:
    """The notification an event destination of the newer kind gets: ids only."""
    item = event["data"]["object"]
    plural = item["object"].replace(".", "/") + "s"
    return {
        "id": event["id"],
        "object": "v2.core.event",
        "context": None,
        "created": event["created"],
        "livemode": event["livemode"],
        "reason": None,
        "related_object": {"id": item["id"], "type": item["object"], "url": f"/v1/{plural}/{item['id']}"},
        "type": f"v1.{event['type']}",
    }
