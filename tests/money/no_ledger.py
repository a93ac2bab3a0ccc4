"""The product without its first safeguard: what an earlier delivery of an event wrote into the ledger is forgotten."""

from __future__ import annotations

from typing import Any

from sqlmodel import col, delete

from teleconsult.billing import webhook
from teleconsult.billing.models import ProcessedWebhook
from teleconsult.billing.objects import Event
from teleconsult.db import transaction


def open_gate() -> None:
    """Take it away in this process."""
    row = webhook._ledger_row

    def forgetful(event: Event) -> Any:
        with transaction() as tx:
            tx.connection().execute(delete(ProcessedWebhook).where(col(ProcessedWebhook.id) == event.id))
        return row(event)

    webhook._ledger_row = forgetful
