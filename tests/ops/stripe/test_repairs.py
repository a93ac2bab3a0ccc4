"""`reconcile`, `replay` and `explain`: what they do, and that a rehearsal does none of it."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel

from teleconsult import db
from teleconsult.billing import checkout, customers
from teleconsult.billing.gateway import gateway
from teleconsult.billing.rules import PaymentStatus
from teleconsult.consultations.rules import Status
from teleconsult.db import transaction
from teleconsult.jobs import drain
from tests.billing.deliveries import attempt, consultation, deliver, event, payments, session
from tests.ops.stripe.conftest import SITE, Command
from tests.sandbox_process import SECRET, Sandbox
from tests.support import ANSWERS, person


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, jobs included."""
    with transaction() as tx:
        names = [*SQLModel.metadata.tables, "procrastinate_jobs", "procrastinate_events"]
        query = 'select * from "{}" order by 1'
        found = {name: tx.connection().execute(text(query.format(name))).all() for name in names}
        return {name: [tuple(map(str, row)) for row in rows] for name, rows in found.items()}


@pytest.fixture
def paid(shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID) -> str:
    """Paid at Stripe, and no event arrived: the id of the event that says so."""
    link = checkout.start(patient, draft)
    shop.pay(link.session_id, webhook="never")
    return completed_event(shop)


def completed_event(shop: Sandbox) -> str:
    """The id of the one event that says so."""
    [completed] = [e for e in shop.state()["events"] if e["type"] == "checkout.session.completed"]
    return completed["id"]


@pytest.mark.usefixtures("paid")
def test_reconcile_tells_first_then_does(command: Command, draft: uuid.UUID) -> None:
    before = everything()
    told = command("stripe", "reconcile", "--older-than", "0", "--dry-run", "--json")
    assert everything() == before
    assert (told.code, told.facts["attempts"], told.facts["moved"], told.facts["events"]) == (0, 1, 1, 1)
    done = command("stripe", "reconcile", "--older-than", "0", "--json")
    assert (done.facts["attempts"], done.facts["moved"], done.facts["dry_run"]) == (1, 1, False)
    assert consultation(draft).status == Status.PENDING
    again = command("stripe", "reconcile", "--older-than", "0")
    assert again.out.split()[0] == "0"


def test_a_rehearsal_asks_stripe_to_make_nothing(command: Command, shop: Sandbox, draft: uuid.UUID) -> None:
    attempt(draft, status=PaymentStatus.CREATING, stripe_session_id=None)  # as after an answer that was lost
    told = command("stripe", "reconcile", "--older-than", "0", "--dry-run", "--json")
    assert told.facts["moved"] == 1
    assert {request["method"] for request in shop.state()["requests"]} == {"GET"}
    assert payments(draft)[0].status == PaymentStatus.CREATING


def test_replay_tells_first_then_does_and_only_once(command: Command, paid: str, draft: uuid.UUID) -> None:
    before = everything()
    told = command("stripe", "replay", paid, "--dry-run", "--json")
    assert everything() == before
    assert (told.code, told.facts["outcome"], told.facts["dry_run"]) == (0, "processed", True)
    done = command("stripe", "replay", paid, "--json")
    assert (done.code, done.facts["outcome"]) == (0, "processed")
    assert everything() != before, "the comparison can see a change"
    assert consultation(draft).status == Status.PENDING
    again = command("stripe", "replay", paid)
    assert (again.code, "Applied before" in again.out) == (0, True)


def test_replay_of_what_must_be_refused_says_why(command: Command, shop: Sandbox, patient: uuid.UUID) -> None:
    customer = customers.ensure(patient)
    line = {"price_data": {"currency": "eur", "unit_amount": 4900, "product_data": {"name": "x"}}, "quantity": 1}
    request = {"mode": "payment", "customer": customer, "line_items": [line], "success_url": SITE, "metadata": {}}
    foreign = gateway().create_session(request, "key")
    shop.pay(foreign.id, webhook="never")
    ran = command("stripe", "replay", completed_event(shop))
    assert ran.code == 1
    assert "Refused (400): its metadata lacks userId, consultationId." in ran.out


@pytest.mark.parametrize(
    ("name", "sentence"), [("pi_1", "is no event id"), ("evt_gone", "Stripe has no event evt_gone")]
)
def test_replay_of_nothing_is_refused(command: Command, shop: Sandbox, name: str, sentence: str) -> None:
    assert shop
    ran = command("stripe", "replay", name)
    assert (ran.code, ran.out) == (2, "")
    assert sentence in ran.err


def two_ghosts() -> None:
    """One too many."""
    person("ghost@example.com")
    person("ghost@example.com")


def test_a_rehearsal_gives_way_when_something_fails(database: str) -> None:
    assert database
    before = everything()
    with pytest.raises(IntegrityError), db.rehearsal():
        two_ghosts()
    assert everything() == before
    with transaction() as tx:  # and transactions commit again
        tx.connection().execute(text("select 1"))


def test_explain_finds_it_by_any_name_and_tells_in_order(
    command: Command, shop: Sandbox, paid: str, draft: uuid.UUID
) -> None:
    assert shop
    command("stripe", "replay", paid)
    asyncio.run(drain())
    [tried] = payments(draft)
    names = [
        consultation(draft).ref, consultation(draft).ref.lower(), str(draft), str(tried.id), paid,
        str(tried.stripe_session_id), str(tried.stripe_payment_intent_id),
    ]  # fmt: skip
    stories = [command("stripe", "explain", name, "--json").facts for name in names]
    assert all(story == stories[0] for story in stories)
    times = [moment["at"] for moment in stories[0]["moments"]]
    assert times == sorted(times)
    kinds = [moment["kind"] for moment in stories[0]["moments"]]
    assert {"case", "payment", "event", "mail"} <= set(kinds)
    actions = [moment["facts"].get("action") for moment in stories[0]["moments"]]
    assert actions.index("payment_started") < actions.index("payment_paid")
    assert stories[0]["attempts"][0]["status"] == "PAID"
    assert [m["text"] for m in stories[0]["moments"] if m["kind"] == "mail"] == [
        "payment_received promised", "payment_received sent",
    ]  # fmt: skip


def test_explain_shows_what_is_still_to_come(command: Command, paid: str, draft: uuid.UUID) -> None:
    command("stripe", "replay", paid)
    told = command("stripe", "explain", str(draft))
    assert "notices.send todo after 0 tries" in told.out
    assert "payment_received promised, not sent yet" in told.out


def test_explain_says_nothing_of_body_or_person(command: Command, paid: str, draft: uuid.UUID) -> None:
    command("stripe", "replay", paid)
    told = command("stripe", "explain", str(draft)).out + command("stripe", "explain", str(draft), "--json").out
    private = [str(answer) for answer in ANSWERS.values() if isinstance(answer, str) and len(answer) > 3]
    assert [word for word in [*private, "jane", "@", "Jane"] if word in told] == []


def test_explain_of_two_attempts(command: Command, shop: Sandbox, patient: uuid.UUID, draft: uuid.UUID) -> None:
    link = checkout.start(patient, draft)
    shop.call("POST", f"/_sandbox/sessions/{link.session_id}/expire", {})
    second = checkout.start(patient, draft)
    told = command("stripe", "explain", second.session_id).out
    assert told.index("attempt 1  EXPIRED") < told.index("attempt 2  OPEN")


@pytest.mark.parametrize("name", ["TC-NOPE1", "cs_test_none", "evt_none", "x", str(uuid.uuid4())])
def test_explain_of_nothing_is_refused(command: Command, shop: Sandbox, name: str) -> None:
    assert shop
    ran = command("stripe", "explain", name, "--json")
    assert (ran.code, ran.out) == (2, "")
    assert "Nothing here has that name" in ran.err


def test_a_quarantined_event_is_explained_when_it_has_a_payment(
    command: Command, patient: uuid.UUID, draft: uuid.UUID
) -> None:
    checkout.start(patient, draft)
    [tried] = payments(draft)
    wrong = event(session(tried, amount_total=1))
    deliver(wrong, secret=SECRET)
    told = command("stripe", "explain", wrong["id"])
    assert "REVIEW" in told.out
    assert json.loads(command("stripe", "explain", wrong["id"], "--json").out)["attempts"][0]["review_reason"]


def test_explain_tells_of_money_that_goes_back(command: Command, draft: uuid.UUID) -> None:
    deliver(event(session(attempt(draft))), secret=SECRET)
    deliver(event(session(attempt(draft, attempt=2))), secret=SECRET)
    told = command("stripe", "explain", str(draft)).out
    assert "refund  €49.00 asked for by system: duplicate" in told
    assert "billing.refund todo" in told
