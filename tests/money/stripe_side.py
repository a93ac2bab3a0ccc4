"""Stripe's side of a test: what payers, banks and Stripe's dashboard do there, over one connection to the sandbox."""

from __future__ import annotations

import json
from typing import Any

import httpx

from teleconsult.billing import webhook
from teleconsult.billing.webhook import Reply
from tests.billing.deliveries import sign
from tests.sandbox_process import KEY, SECRET, Sandbox

OURS = [("types[]", kind) for kind in sorted(webhook.OURS)]


class StripeSide:
    """A sandbox, and the hands of everybody outside of our software."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._http = httpx.Client(base_url=sandbox.base, auth=(KEY, ""), timeout=20)

    def control(self, path: str, **body: object) -> Any:
        """One of the sandbox's own controls. What Stripe would refuse changes nothing, and None is the answer."""
        answer = self._http.post(f"/_sandbox/{path}", json=body)
        return answer.json() if answer.is_success else None

    def listed(self, kind: str, *filters: tuple[str, str]) -> list[dict[str, Any]]:
        """All objects of a kind, oldest first."""
        found: list[dict[str, Any]] = []
        more = True
        while more:
            after = [("starting_after", found[-1]["id"])] if found else []
            answer = self._http.get(f"/v1/{kind}", params=[("limit", "100"), *filters, *after])
            answer.raise_for_status()
            found += answer.json()["data"]
            more = answer.json()["has_more"]
        return found[::-1]

    def events(self) -> list[dict[str, Any]]:
        """The events our endpoint is subscribed to, oldest first."""
        return self.listed("events", *OURS)

    def sessions(self, *filters: tuple[str, str]) -> list[dict[str, Any]]:
        """All payment pages, oldest first."""
        return self.listed("checkout/sessions", *filters)

    def fault(self, operation: str, kind: str) -> None:
        """Let the next call of an operation fail."""
        self.control("faults", operation=operation, kind=kind, times=1, seconds=0)

    def close(self) -> None:
        """Hang up."""
        self._http.close()


def deliver(event: dict[str, Any]) -> Reply:
    """Bring an event to our door, signed."""
    body = json.dumps(event).encode()
    return webhook.receive(body, sign(body, secret=SECRET))
