"""A case, its attempts and all that happened, in plain words."""

from __future__ import annotations

import importlib
import re
import uuid
from pathlib import Path
from typing import Any

import pytest

from teleconsult import jobs
from teleconsult.billing import disputes, quarantine, refunds, story
from teleconsult.billing.models import Payment
from teleconsult.billing.rules import LIVE, PaymentStatus, RefundReason, RefundStatus
from teleconsult.billing.settle import Source
from teleconsult.billing.story import Attempt, Moment, Story
from teleconsult.billing.webhook import OURS
from teleconsult.clinic import queue
from teleconsult.consultations.rules import Status
from teleconsult.db import utcnow
from teleconsult.notices.templates import LETTERS
from teleconsult.ui.operations import casefile, happenings
from teleconsult.ui.operations.casefile import CaseFile, case_file
from teleconsult.ui.operations.happenings import Happening
from tests.billing.deliveries import attempt, consultation, deliver, event, payments, session
from tests.support import ROOT
from tests.ui.clinic.desk import doctor

ID = uuid.uuid4()


def an_attempt(**changes: Any) -> Attempt:
    return Attempt(**{
        "id": ID, "number": 1, "status": "PAID", "amount": "€49.00", "refunded": "", "session_id": "cs_1",
        "payment_intent": "pi_1", "settled_by": "webhook", "refund_status": None, "dispute_status": None,
        "review_reason": None, "expires_at": utcnow(), "currency": "eur", "received_minor": 4900, "refunded_minor": 0,
        "left_minor": 4900, **changes,
    })  # fmt: skip


def a_story(*moments: Moment, attempts: tuple[Attempt, ...] = (), **changes: Any) -> Story:
    told = {"ref": "TC-7Q4M", "consultation_id": uuid.uuid4(), "status": "PENDING", "hold_reason": None, "due_at": None}
    return Story(**{**told, **changes}, attempts=attempts or (an_attempt(),), moments=moments)


def moment(kind: str, **facts: Any) -> Moment:
    return Moment(utcnow(), kind, "", facts)


def act(action: str, **facts: Any) -> Moment:
    return moment("payment", action=action, by="system", object=str(ID), **facts)


def told(*moments: Moment, attempts: tuple[Attempt, ...] = ()) -> list[Happening]:
    return happenings.happenings(a_story(*moments, attempts=attempts), "Europe/Berlin")


def file_of(*attempts: Attempt, **changes: Any) -> CaseFile:
    return case_file(a_story(attempts=attempts, **changes), "Europe/Berlin")


def facts(file: CaseFile) -> dict[str, str]:
    (one,) = file["tries"]
    return {fact["term"]: fact["value"] for fact in [*one["sums"], *one["facts"]]}


# ── What happened ──────────────────────────────────────────────────────────────────────────────────


def test_everything_that_is_recorded_has_its_words() -> None:
    recorded = set()
    for part in ("billing", "clinic", "consultations"):
        for file in Path(ROOT / "teleconsult" / part).glob("*.py"):
            source = file.read_text()
            recorded |= set(re.findall(r'(?:audit\.record|_audit)\(\s*tx,\s*"(\w+)"', source))
    for state in ("processing", "failed", "expired"):
        recorded.add(f"payment_{state}")
    recorded |= {f"refund_{state}" for state in RefundStatus} | {f"dispute_{word}" for word in disputes.OVER}
    elsewhere = {"photo_viewed", "event_dismissed"}  # of a photo, and of an event without a payment
    assert recorded > {"drafted", "submitted", "claimed", "payment_paid", "refund_requested"}
    assert recorded - elsewhere - set(happenings.ACTS) == set()


def test_every_letter_event_reason_and_source_has_its_words() -> None:
    assert set(happenings.MAILS) >= set(LETTERS)
    assert set(happenings.EVENTS) >= OURS - {"customer.deleted"}  # which is about no payment
    assert set(happenings.REASONS) >= set(RefundReason)
    assert set(happenings.SOURCES) == set(Source)
    for home in jobs.HOMES_OF_TASKS:
        importlib.import_module(home)
    assert set(happenings.JOBS) <= set(jobs.app.tasks)


@pytest.mark.parametrize(("happened", "title", "note"), [
    (act("payment_started"), "The patient went to pay €49.00", ""),
    (act("payment_paid", source="sweep"), "€49.00 arrived and counts", "Found by the sweep"),
    (act("refund_succeeded", amount_minor=1000, refund_id="1"), "€10.00 went back", ""),
    (act("payment_refunded", total_minor=2000), "€20.00 has gone back in all", ""),
    (moment("payment", action="refund_requested", by="operator", object=str(ID), amount_minor=1, reason="goodwill",
            refund_id="1"), "A refund of €0.01 was promised", "Goodwill · by an operator"),
    (moment("case", action="held", by="system", object="x", reason="dispute"), "The case was put on hold",
     "The patient’s bank looks into the payment"),
    (moment("case", action="something_new", by="system", object="x"), "Something new", ""),
    (moment("event", type="checkout.session.completed", event="evt_1", outcome="processed"),
     "Stripe: the payment page was completed", "evt_1"),
    (moment("event", type="charge.refunded", event="evt_1", outcome="noop"), "Stripe: money went back",
     "Changed nothing · evt_1"),
    (moment("event", type="new.thing", event="evt_1", outcome="odd"), "Stripe: new.thing", "Odd · evt_1"),
    (moment("mail", mail="refund_sent", notice="n", sent=True), "E-mail “Your refund is on its way” was sent", ""),
    (moment("mail", mail="refund_sent", notice="n", sent=False), "E-mail “Your refund is on its way” waits to be sent",
     ""),
    (moment("job", task="billing.refund", status="todo", attempts=0, job=1), "Next: the refund is sent to Stripe", ""),
    (moment("job", task="notices.send", status="doing", attempts=1, job=1), "Next: an e-mail is sent", "Tried once"),
    (moment("job", task="other", status="failed", attempts=3, job=1), "Given up: other", "Tried 3 times"),
    (moment("refund", refund="r", stripe_refund="re_1", reason="outside", amount="€9.00", status="pending"),
     "Stripe took the refund of €9.00", "Made in Stripe’s dashboard · re_1"),
    (moment("refund", refund="r", stripe_refund=None, reason="requested", amount="€9.00"),
     "A refund of €9.00 was promised", "The patient asked for it"),
])  # fmt: skip
def test_what_happened_is_told_in_plain_words(happened: Moment, title: str, note: str) -> None:
    (one,) = told(happened)
    assert (one["title"], one["note"]) == (title, note)


def test_what_is_still_to_come_looks_different() -> None:
    mail = {"mail": "refund_sent", "notice": "n"}
    states = [
        told(moment("mail", **mail, sent=False))[0]["state"],
        told(moment("mail", **mail, sent=True))[0]["state"],
        told(moment("job", task="x", status="todo", attempts=0, job=1))[0]["state"],
        told(moment("job", task="x", status="failed", attempts=9, job=1))[0]["state"],
    ]
    assert states == ["next", "done", "next", "done"]
    both = told(moment("job", task="x", status="todo", attempts=0, job=1), act("payment_paid"))
    assert [one["state"] for one in both] == ["done", "next"], "and comes last"


def test_nothing_is_told_twice() -> None:
    mail = {"mail": "refund_sent", "notice": "n"}
    refund = {"refund": "r", "stripe_refund": "re_1", "reason": "goodwill", "amount": "€10.00"}
    both = told(moment("mail", **mail, sent=False), moment("mail", **mail, sent=True))
    assert [one["title"] for one in both] == ["E-mail “Your refund is on its way” was sent"]
    once = told(act("refund_requested", amount_minor=1000, refund_id="r"), moment("refund", **refund))
    assert [one["title"] for one in once] == ["A refund of €10.00 was promised"]


def test_of_several_attempts_each_is_named() -> None:
    second = an_attempt(id=uuid.uuid4(), number=2)
    assert told(act("payment_expired"), attempts=(an_attempt(), second))[0]["note"] == "Attempt 1"


def test_times_are_the_readers_own_to_the_second() -> None:
    moment_ = utcnow().replace(month=7, day=1, hour=11, minute=42, second=7)
    assert happenings.clock(moment_, "Europe/Berlin").endswith("1 Jul, 13:42:07")


# ── The case and its attempts ──────────────────────────────────────────────────────────────────────


def test_every_state_has_its_look() -> None:
    assert set(casefile.CASES) == set(Status)
    assert set(casefile.TRIES) == set(PaymentStatus)
    assert {*casefile.REFUNDS, RefundStatus.SUPERSEDED} == set(RefundStatus)
    assert set(casefile.DISPUTES) == disputes.OVER
    assert set(casefile.SEEN) == set(Source)


def test_amounts_of_several_currencies_are_not_added_up() -> None:
    file = file_of(an_attempt(refunded_minor=900, refunded="€9.00"), an_attempt(currency="usd", received_minor=100))
    assert [(s["term"], s["value"]) for s in file["sums"]] == [
        ("Received", "€49.00 and $1.00"), ("Returned", "€9.00"),
    ]  # fmt: skip
    assert [s["value"] for s in file_of(an_attempt(received_minor=0))["sums"]] == ["Nothing", "Nothing"]


def test_the_newest_attempt_comes_first() -> None:
    file = file_of(an_attempt(status="EXPIRED"), an_attempt(number=2))
    assert [one["title"] for one in file["tries"]] == ["Attempt 2", "Attempt 1"]


@pytest.mark.parametrize("status", PaymentStatus)
def test_the_end_of_a_page_is_told_only_while_it_lives(status: PaymentStatus) -> None:
    assert ("Open until" in facts(file_of(an_attempt(status=status)))) == (status in LIVE)


@pytest.mark.parametrize(("changes", "returnable", "decide", "note"), [
    ({}, True, False, ""),
    ({"left_minor": 0}, False, False, ""),
    ({"refund_status": "pending", "left_minor": 3900}, True, False, ""),
    ({"refund_status": "requested", "left_minor": 3900}, False, False, "A refund is being sent to Stripe."),
    ({"refund_status": "requested", "left_minor": 0}, False, False, ""),
    ({"refund_status": "failed"}, True, True, "Its last refund failed"),
    ({"status": "REVIEW", "left_minor": 0}, False, True, "This payment waits for a decision."),
])  # fmt: skip
def test_money_is_offered_to_be_returned_when_it_can_be(
    changes: dict[str, Any], returnable: bool, decide: bool, note: str
) -> None:
    (one,) = file_of(an_attempt(**changes))["tries"]
    assert (one["returnable"], one["decide"]) == (returnable, decide)
    assert one["note"].startswith(note)
    assert bool(one["note"]) == bool(note)


def test_a_hold_and_a_dispute_are_explained() -> None:
    file = file_of(an_attempt(dispute_status="needs_response"), hold_reason="dispute")
    assert file["hold"].startswith("The patient’s bank looks into the payment.")
    assert facts(file)["Dispute"] == "The patient’s bank looks into it"
    assert file_of(an_attempt(), hold_reason="new")["hold"] == "It is on hold."
    assert file_of(an_attempt())["hold"] == ""


@pytest.mark.parametrize(("status", "shown"), [("PENDING", True), ("IN_REVIEW", True), ("ANSWERED", False)])
def test_when_an_answer_is_due_is_told_while_it_is_awaited(status: str, shown: bool) -> None:
    file = file_of(an_attempt(), status=status, due_at=utcnow())
    assert ("Answer due" in [s["term"] for s in file["sums"]]) == shown


# ── The real thing ─────────────────────────────────────────────────────────────────────────────────


def test_a_whole_life_has_no_raw_word_in_it(draft: uuid.UUID, operator: uuid.UUID) -> None:
    deliver(event(session(attempt(draft), amount_total=5400)))
    paid: Payment = payments(draft)[0]
    quarantine.accept(operator, paid.id)
    refunds.request(operator, paid.id, 1000, RefundReason.GOODWILL)
    amara = doctor()
    queue.claim(amara, draft)
    queue.release(amara, draft)
    dispute = {"object": "dispute", "id": "du_1", "payment_intent": f"pi_{paid.id.hex}", "status": "needs_response"}
    deliver(event(dispute, "charge.dispute.created"))
    file = case_file(story.tell(consultation(draft).ref), "Europe/Berlin")
    titles = [one["title"] for one in file["history"]]
    assert titles[0] == "The patient began a draft"
    for title in ("€54.00 arrived and waits for a decision", "An operator accepted the payment",
                  "A refund of €10.00 was promised", "A dermatologist took the case",
                  "The patient’s bank began to look into the payment"):  # fmt: skip
        assert title in titles
    assert not [title for title in titles if "_" in title]
    assert facts(file)["Can be returned"] == "€44.00"
    for secret in ("Jane", "jane@", "amara", "rash", "cheek", "Penicillin"):
        assert secret not in str(file)
