"""Locks of money: consultation first, then payment, everywhere."""

from __future__ import annotations

import threading
import time
import uuid

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from teleconsult.billing import rows
from teleconsult.db import transaction
from tests.billing.deliveries import attempt
from tests.support import full_draft, person, somebody_waits


def lock(table: str, row: uuid.UUID) -> None:
    with transaction() as tx:
        tx.connection().execute(text(f"select 1 from {table} where id = :id for update nowait"), {"id": row})  # noqa: S608


@pytest.mark.usefixtures("database")
def test_who_waits_for_the_consultation_does_not_hold_the_payment() -> None:
    case = full_draft(person())
    payment = attempt(case).id

    def wait_for_both() -> None:
        with transaction() as tx:
            rows.by_id(tx, payment)

    other = threading.Thread(target=wait_for_both)
    with transaction() as tx:
        tx.connection().execute(text("select 1 from consultation where id = :id for update"), {"id": case})
        other.start()
        while not somebody_waits():
            assert other.is_alive(), "it ended without having waited"
            time.sleep(0.01)
        lock("payment", payment)
        with pytest.raises(OperationalError):  # control: what is held can't be locked
            lock("consultation", case)
    other.join()
