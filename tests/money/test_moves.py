"""The database refuses every move of a status that no state table allows, whoever asks."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Generator

import pytest
from sqlalchemy import Connection, column, text, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel

from teleconsult import db
from teleconsult.billing.models import Payment
from teleconsult.billing.rules import SETTLED, PaymentStatus
from teleconsult.consultations import rules
from teleconsult.consultations.models import Consultation
from teleconsult.consultations.rules import Status
from teleconsult.db import utcnow
from tests.billing.deliveries import attempt
from tests.support import full_draft, pending_case, person

PAIRS = [(now, then) for now, then in itertools.product(Status, Status) if now != then]
ATTEMPTS = [(now, then) for now, then in itertools.product(PaymentStatus, PaymentStatus) if now != then]
FINAL = SETTLED - {PaymentStatus.REVIEW}


@pytest.fixture
def connection(database: str) -> Generator[Connection]:
    """A connection whose changes are forgotten."""
    assert database
    with db.engine().connect() as opened:
        yield opened


TABLES: dict[str, type[SQLModel]] = {"consultation": Consultation, "payment": Payment}


def move(connection: Connection, table: str, row: uuid.UUID, then: str) -> None:
    connection.execute(update(TABLES[table]).where(column("id") == row).values(status=then))


def put(connection: Connection, table: str, row: uuid.UUID, status: str) -> None:
    """Place a row in a state without asking the trigger how it got there."""
    connection.execute(text(f"alter table {table} disable trigger {table}_move"))
    move(connection, table, row, status)
    connection.execute(text(f"alter table {table} enable trigger {table}_move"))


def refused(connection: Connection, table: str, row: uuid.UUID, then: str) -> bool:
    try:
        move(connection, table, row, then)
    except IntegrityError as error:
        return f"may not become {then}" in str(error.orig)
    return False


def test_consultations_move_only_as_the_rules_say(connection: Connection) -> None:
    case = pending_case(person())
    connection.execute(text("update consultation set claimed_by = user_id"))  # so that no other constraint speaks
    wrong = []
    for now, then in PAIRS:
        with connection.begin_nested() as undone:
            put(connection, "consultation", case, now)
            if refused(connection, "consultation", case, then) == rules.may_move(now, then):
                wrong.append((now, then))
            undone.rollback()
    assert wrong == []
    assert sum(rules.may_move(now, then) for now, then in PAIRS) == 10


def test_a_consultation_begins_as_a_draft(connection: Connection) -> None:
    case = pending_case(person())
    copy = text(
        "insert into consultation (id, ref, user_id, status, intake, user_notes, created_at, updated_at, due_at)"
        " select gen_random_uuid(), 'TC-TWICE', user_id, :s, intake, user_notes, created_at, updated_at, due_at"
        " from consultation where id = :i"
    )
    connection.execute(copy, {"s": "DRAFT", "i": case})
    with pytest.raises(IntegrityError, match="begins as a DRAFT"):
        connection.execute(copy, {"s": "CANCELLED", "i": case})


def allowed(now: PaymentStatus, then: PaymentStatus) -> bool:
    """The table of attempts: money that has arrived stays, a page that ended stays ended, late money counts."""
    if now in FINAL or then is PaymentStatus.CREATING:
        return False
    if now is PaymentStatus.REVIEW:
        return then in FINAL
    return then is not PaymentStatus.OPEN or now is PaymentStatus.CREATING


def test_attempts_move_only_forward(connection: Connection) -> None:
    page = attempt(full_draft(person()))
    wrong = []
    for now, then in ATTEMPTS:
        with connection.begin_nested() as undone:
            put(connection, "payment", page.id, now)
            if refused(connection, "payment", page.id, then) == allowed(now, then):
                wrong.append((now, then))
            undone.rollback()
    assert wrong == []


@pytest.mark.parametrize("table", ["consultation", "payment"])
def test_a_row_that_stays_where_it_is_may_change(connection: Connection, table: str) -> None:
    pending_case(person())
    same = update(TABLES[table]).values(status=column("status"), updated_at=utcnow())
    assert connection.execute(same).rowcount == 1


def test_without_the_trigger_a_paid_case_could_become_a_draft(connection: Connection) -> None:
    """Negative control: it is the trigger that refuses."""
    case = pending_case(person())
    connection.execute(text("alter table consultation disable trigger consultation_move"))
    assert not refused(connection, "consultation", case, "DRAFT")
