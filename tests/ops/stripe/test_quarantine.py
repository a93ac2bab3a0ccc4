"""`teleconsult stripe quarantine`: what waits, and the one step that ends the wait, in an operator's name."""

from __future__ import annotations

import uuid

import pytest
from sqlmodel import col, select

from teleconsult.accounts.models import Role
from teleconsult.audit import AuditLog
from teleconsult.billing.rules import PaymentStatus
from teleconsult.consultations.rules import Status
from teleconsult.db import transaction
from tests.billing.deliveries import attempt, consultation, deliver, event, ledger, payments, session
from tests.ops.stripe.conftest import Command
from tests.sandbox_process import SECRET, Sandbox
from tests.support import person

OPERATOR = "ops@clinic.example"


@pytest.fixture
def review(draft: uuid.UUID) -> str:
    """A payment of another amount than agreed: its id."""
    tried = attempt(draft)
    deliver(event(session(tried, amount_total=4800)), secret=SECRET)
    return str(tried.id)


@pytest.fixture
def operator(shop: Sandbox) -> uuid.UUID:
    """Somebody who may decide."""
    assert shop
    return person(OPERATOR, Role.OPERATOR)


def test_an_empty_one_is_fine(command: Command, shop: Sandbox) -> None:
    assert shop
    ran = command("stripe", "quarantine")
    assert (ran.code, ran.out) == (0, "Nothing waits.\n")


def test_what_waits_is_listed_with_what_can_be_done(command: Command, review: str) -> None:
    ran = command("stripe", "quarantine")
    assert ran.code == 1
    assert "€48.00" in ran.out
    assert f"{review}  --accept or --refund" in ran.out
    [item] = command("stripe", "quarantine", "--json").facts["items"]
    assert (item["id"], item["acts"]) == (review, ["accept", "refund"])
    assert "@" not in ran.out


def test_accepted_in_somebodys_name(command: Command, review: str, draft: uuid.UUID, operator: uuid.UUID) -> None:
    ran = command("stripe", "quarantine", "--accept", review, "--operator", OPERATOR, "--json")
    assert (ran.code, ran.facts["outcome"]) == (0, "queued")
    assert consultation(draft).status == Status.PENDING
    with transaction() as tx:
        acts = tx.exec(select(AuditLog).where(col(AuditLog.action) == "payment_accepted")).all()
    assert [act.actor_id for act in acts] == [operator]
    assert command("stripe", "quarantine").code == 0


def test_returned(command: Command, review: str, draft: uuid.UUID, operator: uuid.UUID) -> None:
    assert operator
    ran = command("stripe", "quarantine", "--refund", review, "--operator", OPERATOR)
    assert (ran.code, ran.out) == (0, "The money goes back; the patient is told.\n")
    assert payments(draft)[0].status == PaymentStatus.RETURNED
    assert command("stripe", "quarantine", "--accept", review, "--operator", OPERATOR).code == 2


def test_an_event_put_aside(command: Command, shop: Sandbox, operator: uuid.UUID) -> None:
    assert shop
    assert operator
    odd = event({"id": "cus_1"}, "customer.deleted", livemode=True)
    deliver(odd, secret=SECRET)
    refused = command("stripe", "quarantine", "--dismiss", odd["id"], "--operator", OPERATOR)
    assert (refused.code, "--reason" in refused.err) == (2, True)
    ran = command("stripe", "quarantine", "--dismiss", odd["id"], "--reason", "test", "--operator", OPERATOR)
    assert (ran.code, ran.out) == (0, "Put aside.\n")
    assert ledger()[odd["id"]] == "quarantined"
    assert command("stripe", "quarantine").code == 0


@pytest.mark.parametrize("who", ["", "nobody@clinic.example", "jane@example.com"])
def test_only_an_operator_decides(command: Command, review: str, draft: uuid.UUID, who: str) -> None:
    ran = command("stripe", "quarantine", "--accept", review, *(["--operator", who] if who else []))
    assert (ran.code, ran.out) == (2, "")
    assert "--operator" in ran.err
    assert payments(draft)[0].status == PaymentStatus.REVIEW


def test_one_step_at_a_time(command: Command, review: str) -> None:
    assert command("stripe", "quarantine", "--accept", review, "--refund", review).code == 2
