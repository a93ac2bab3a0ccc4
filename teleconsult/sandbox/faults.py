"""Faults on order: the next calls of an operation fail in a chosen way, before or after they have acted."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from teleconsult.sandbox.errors import StripeError, invalid

ANSWERS = ("429", "409", "500")
KINDS = (
    *ANSWERS, *(f"{status}_after" for status in ANSWERS), "500_stored", "slow", "timeout_before", "timeout_after",
    "drop_before", "drop_after",
)  # fmt: skip
LONGEST = 600.0


@dataclass
class Fault:
    """One order: `operation` is `POST /v1/refunds`, or `*` for all. `seconds` is how long it hangs."""

    operation: str
    kind: str
    times: int = 1
    seconds: float = 30.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise invalid(f"Invalid kind: must be one of {', '.join(KINDS)}", param="kind")
        self.seconds = min(self.seconds, LONGEST)

    @property
    def answers_after(self) -> bool:
        """Whether it acts and then says that it failed."""
        return self.kind.endswith(("_after", "_stored")) and self.kind[0].isdigit()


@dataclass
class Faults:
    """The orders still open, oldest first."""

    orders: list[Fault] = field(default_factory=list)

    def take(self, operation: str) -> Fault | None:
        """The fault for this call, used up by it."""
        order = next((o for o in self.orders if o.operation in (operation, "*")), None)
        if order is None:
            return None
        order.times -= 1
        if order.times <= 0:
            self.orders.remove(order)
        return order

    def shown(self) -> list[dict[str, Any]]:
        """For the state that tests read."""
        return [asdict(order) for order in self.orders]


def failure(kind: str) -> StripeError:
    """The answer of a fault that answers; no key remembers it, so a retry with the same key goes on."""
    if kind.startswith("429"):
        text = "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits."
        return StripeError(429, "invalid_request_error", text, stored=False, code="rate_limit")
    if kind.startswith("409"):
        text = "This object cannot be accessed right now because another API request is currently accessing it."
        return StripeError(409, "invalid_request_error", text, stored=False, code="lock_timeout")
    text = "An error occurred internally while handling this request, and has been logged for us to examine."
    return StripeError(500, "api_error", text, stored=False)
