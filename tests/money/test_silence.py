"""No webhook ever comes, and every paid consultation is queued all the same."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from teleconsult.billing import checkout, invariants, sweep
from teleconsult.consultations.rules import Status
from teleconsult.db import utcnow
from tests.billing.deliveries import consultation
from tests.money.quiet import NOW
from tests.money.test_storm import ONE, effects
from tests.sandbox_process import Sandbox
from tests.support import full_draft, person


def test_all_webhooks_are_lost(database: str, sandbox: Sandbox, time_machine: Any) -> None:
    """One period of the sweep later every paid consultation is queued."""
    assert database
    drafts = []
    for _ in range(25):
        owner = person(f"{uuid.uuid4().hex}@example.com")
        drafts.append(full_draft(owner))
        sandbox.pay(checkout.start(owner, drafts[-1]).session_id, webhook="never")
    monday = utcnow()
    assert {consultation(draft).status for draft in drafts} == {Status.DRAFT}
    time_machine.move_to(monday + timedelta(minutes=10))
    sweep.sweep.func(0)
    assert {consultation(draft).status for draft in drafts} == {Status.PENDING}
    assert all(effects(draft) == ONE for draft in drafts)
    assert invariants.check(with_stripe=True, grace=NOW) == []
