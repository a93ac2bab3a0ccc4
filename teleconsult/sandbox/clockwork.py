"""The acts that happen by themselves, by name, and the hand that lets them happen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from teleconsult.sandbox import checkout, delayed, endpoints, payments, refunds
from teleconsult.sandbox.context import Sandbox

ACTS: dict[str, Callable[[Sandbox, dict[str, Any]], None]] = {
    "expire": checkout.run_out,
    "settle": delayed.come_true,
    "book": payments.book,
    "reference": refunds.refer,
    "refund": refunds.come_true,
    "forget_secret": lambda sandbox, facts: endpoints.forget_old_secret(sandbox.store, facts["endpoint"]),
}


def run_due(sandbox: Sandbox) -> bool:
    """Do everything whose time has come. Returns whether there was anything."""
    acted = False
    while (entry := sandbox.agenda.take()) is not None:
        act, facts = entry
        ACTS[act](sandbox, facts)
        acted = True
    return acted
