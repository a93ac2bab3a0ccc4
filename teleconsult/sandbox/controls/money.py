"""Controls of money that goes back: refunds as from the dashboard, disputes as from a bank."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from teleconsult.sandbox import disputes, refunds
from teleconsult.sandbox.controls.common import Asked, Part, amount, manner
from teleconsult.sandbox.errors import invalid, refused


class Money(Part):
    """Controls of the payments of one sandbox."""

    def routes(self) -> list[Route]:
        """Their addresses."""
        return [
            self.post("/_sandbox/payments/{intent}/refund", self.refund),
            self.post("/_sandbox/payments/{intent}/dispute", self.dispute),
            self.post("/_sandbox/refunds/{refund}", self.move_refund),
            self.post("/_sandbox/disputes/{dispute}", self.move_dispute),
        ]

    async def refund(self, request: Request, asked: Asked) -> dict[str, Any]:
        """Refund as the dashboard does: `{"amount": minor}`, all that is left without it; `"status": "pending"`."""
        status = asked.get("status") or None
        if status not in (None, refunds.SUCCEEDED, refunds.PENDING):
            raise invalid("Invalid status: must be one of succeeded, pending", param="status")
        charged, wanted = refunds.checked(self.sandbox, self._charge(request), amount(asked))
        params = {"reason": asked.get("reason") or "requested_by_customer", "metadata": asked.get("metadata")}
        return {"refund": refunds.create(self.sandbox, charged, wanted, params, status=status)}

    async def move_refund(self, request: Request, asked: Asked) -> dict[str, Any]:
        """The bank's later word: `{"status": "succeeded|failed|canceled", "failure_reason": "…"}`."""
        made = self.sandbox.store.get("refund", request.path_params["refund"])
        why = asked.get("failure_reason", refunds.FAILURES[0])
        if why not in refunds.FAILURES:
            raise invalid(
                f"Invalid failure_reason: must be one of {', '.join(refunds.FAILURES)}", param="failure_reason"
            )
        refunds.move(self.sandbox, made, str(asked.get("status")), why=why, manner=manner(asked))
        return {"refund": made}

    async def dispute(self, request: Request, asked: Asked) -> dict[str, Any]:
        """The customer's bank disputes: `{"reason": "fraudulent", "amount": minor, "inquiry": true}`, all optional."""
        charged = self._charge(request)
        if charged is None:
            raise refused("Nothing was charged.")
        status = disputes.INQUIRY if asked.get("inquiry") in (True, "true") else disputes.OPEN
        reason = str(asked.get("reason") or "fraudulent")
        made = disputes.begin(self.sandbox, charged, reason, status, amount=amount(asked), manner=manner(asked))
        return {"dispute": made}

    async def move_dispute(self, request: Request, asked: Asked) -> dict[str, Any]:
        """The bank's next word: `{"status": "under_review|won|lost|warning_closed|…"}`."""
        made = self.sandbox.store.get("dispute", request.path_params["dispute"])
        disputes.move(self.sandbox, made, str(asked.get("status")), manner(asked))
        return {"dispute": made}

    def _charge(self, request: Request) -> dict[str, Any] | None:
        intent = self.sandbox.store.get("payment_intent", request.path_params["intent"])
        return self.sandbox.store.find("charge", intent["latest_charge"])
