"""Everything that can happen between a patient, Stripe and us, in any order, as Hypothesis thinks it up.

The services and the database are the real ones, Stripe is the sandbox over HTTP, and all clocks move together. After
each run everything comes to rest, and then all promises of money must hold.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from unittest import mock

import time_machine
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from sqlalchemy import text

from teleconsult.accounts.models import Role
from teleconsult.billing import checkout, discard, invariants, quarantine, refunds, settle, sweep
from teleconsult.billing.gateway import GatewayDown, GatewayRefused
from teleconsult.clinic import queue
from teleconsult.consultations import service as consultations
from teleconsult.db import transaction
from teleconsult.errors import Refusal
from tests.money.oracle import unaccounted
from tests.money.quiet import NOW, rest, run_due_jobs
from tests.money.stripe_side import StripeSide, deliver
from tests.support import full_draft, person

MOST_CASES = 3
WHICH = st.integers(0, 7)
"""Picks one of however many there are."""
DECISIONS = st.sampled_from([quarantine.accept, quarantine.refund])
CARD = "4242424242424242"
DEBIT = "sepa_debit"
CARDS = st.sampled_from([CARD] * 4 + [DEBIT] * 3 + ["4000000000000002", "4000000000007726", "4000000000000259"])
"""Mostly one that pays; one that is declined, one whose refunds take a minute, one that is disputed at
once, and a debit, about which the bank speaks later."""
WAITS = st.sampled_from([timedelta(minutes=1), timedelta(minutes=16), timedelta(hours=13), timedelta(hours=25)])
CALLS = st.sampled_from(
    ["POST /v1/checkout/sessions", "GET /v1/checkout/sessions/{session}", "POST /v1/refunds", "POST /v1/customers"]
)
FAULTS = st.sampled_from(["drop_after", "drop_before", "500"])
CRASHES = st.sampled_from([(checkout, "_keep"), (settle, "transaction"), (refunds, "_told")])
AMOUNTS = st.sampled_from([None, None, None, 4800, 4901])
GIVE_UP = text(
    "update payment set status = 'CANCELLED' where status in ('CREATING', 'OPEN') and consultation_id = :case"
)
LIVE_PAGES = text(
    "select stripe_session_id from payment"
    " where status in ('OPEN', 'PROCESSING') and stripe_session_id is not null order by created_at"
)
MONEY_HERE = text("select id from payment where paid_at is not null order by created_at")
EMPTY = text(
    "set local session_replication_role = replica;"
    "delete from consent; delete from photo; delete from notice; delete from refund; delete from payment;"
    "delete from consultation; delete from processed_webhook; delete from audit_log; delete from answer;"
    'delete from procrastinate_events; delete from procrastinate_jobs; delete from "user"'
)


STATES = text(
    "select 'payment ' || status from payment union all select 'case ' || status from consultation"
    " union all select 'refund ' || status from refund union all select 'event ' || outcome from processed_webhook"
    " union all select 'dispute ' || dispute_status from payment where dispute_status is not null"
    " union all select 'settled by ' || settled_by from payment where settled_by is not null"
)


class Killed(BaseException):
    """Our process ends here and now: nothing after this line happens, and no handler of ours sees it."""


def forgiving(act: Callable[..., Any], *args: object, **more: object) -> Any:
    """Do something a person may be refused. None when they were."""
    with suppress(Refusal):
        return act(*args, **more)
    return None


class Trade(RuleBasedStateMachine):
    """One patient, one dermatologist, one Stripe. `stripe` is set by the test that runs it."""

    stripe: ClassVar[StripeSide]
    seen: ClassVar[Counter[str]]
    """What all runs together came to: states of payments, cases, refunds and disputes, and outcomes of events."""
    wrong: ClassVar[list[str]]
    """What the first judgement that went against us says."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = time_machine.travel(datetime.now(UTC), tick=True)
        self.hands = self.clock.start()
        with transaction() as tx:
            for statement in str(EMPTY).split(";"):
                tx.connection().execute(text(statement))
        self.stripe.control("reset")
        self.patient, self.doctor = person(), person("amara@clinic.example", Role.DERMATOLOGIST)
        self.operator = person("sam@clinic.example", Role.OPERATOR)
        self.cases: list[uuid.UUID] = []
        self.unmarked: set[str] = set()
        self.waited = timedelta()
        self.delivered: set[str] = set()
        self.dropped: set[str] = set()

    # ── The patient ────────────────────────────────────────────────────────────────────────────────

    @initialize(card=st.none() | CARDS)
    def first(self, card: str | None) -> None:
        """There is always something to pay for; often it is paid, and nobody here knows yet."""
        self.new()
        if card and (link := self._start(0)):
            self._pay(link.session_id, card)

    @precondition(lambda self: len(self.cases) < MOST_CASES)
    @rule()
    def new(self) -> None:
        """Another complete draft."""
        self.cases.append(full_draft(self.patient))

    @rule(which=WHICH)
    def proceed(self, which: int) -> None:
        """Proceed to payment in two tabs, and both get the same page."""
        first, second = self._start(which), self._start(which)
        assert first is None or second is None or first.url == second.url

    @rule(which=WHICH, card=CARDS, amount=AMOUNTS, heard=st.booleans())
    def buy(self, which: int, card: str, amount: int | None, *, heard: bool) -> None:
        """Proceed to payment, and pay; sometimes on a page that asks for another amount than we do."""
        if link := self._start(which):
            if amount:
                self.stripe.control(f"sessions/{link.session_id}/tamper", amount_total=amount)
            self._pay(link.session_id, card)
            if heard:
                self.deliver_backwards()

    @rule(which=WHICH)
    def buy_twice(self, which: int) -> None:
        """An attempt is given up here although its page lives on, as after a day without an answer; both are paid."""
        first = self._start(which)
        if first is None or first.session_id in self.unmarked:
            return  # given up and without its marks nobody could tell whose money it brings: that rings, and waits
        with transaction() as tx:
            tx.connection().execute(GIVE_UP, {"case": self._case(which)})
        second = self._start(which)
        for link in (second, first):
            if link:
                self._pay(link.session_id, CARD)

    @rule(which=WHICH, card=CARDS)
    def finish_a_page(self, which: int, card: str) -> None:
        """Some page that is still open somewhere, in a tab nobody thought of, is paid."""
        if pages := self.stripe.sessions(("status", "open")):
            self._pay(pages[which % len(pages)]["id"], card)

    @rule(which=WHICH)
    def come_back(self, which: int) -> None:
        """The patient lands on our page again."""
        if pages := self.stripe.sessions():
            forgiving(settle.confirm, self.patient, pages[which % len(pages)]["id"])

    @rule(which=WHICH, deed=st.sampled_from(["edit", "cancel", "undo"]))
    def change(self, which: int, deed: str) -> None:
        """The draft changes, is thrown away, or brought back. What is sent can't be."""
        if deed == "edit":
            forgiving(consultations.save_answers, self.patient, self._case(which), {"story": f"Now it is {which}"})
        else:
            act = discard.discard if deed == "cancel" else discard.undo
            forgiving(act, self.patient, self._case(which))

    # ── Stripe, the banks, and the way between ─────────────────────────────────────────────────────

    @rule(which=WHICH)
    def deliver(self, which: int) -> None:
        """One of the events that have not come yet, in no order."""
        if waiting := self._waiting():
            self._deliver(waiting[which % len(waiting)])

    @rule()
    def deliver_backwards(self) -> None:
        """All of them, the latest first."""
        for event in reversed(self._waiting()):
            self._deliver(event)

    @rule(which=WHICH)
    def deliver_again(self, which: int) -> None:
        """One that has come already."""
        if known := [e for e in self.stripe.events() if e["id"] in self.delivered]:
            self._deliver(known[which % len(known)])

    @rule(which=WHICH)
    def drop(self, which: int) -> None:
        """One that will never come."""
        if events := self.stripe.events():
            self.dropped.add(events[which % len(events)]["id"])

    @rule(which=WHICH)
    def expire(self, which: int) -> None:
        """A page's time is up."""
        if pages := self.stripe.sessions(("status", "open")):
            self.stripe.control(f"sessions/{pages[which % len(pages)]['id']}/expire")

    @rule(which=WHICH, amount=st.sampled_from([None, 1, 1900]))
    def refund(self, which: int, amount: int | None) -> None:
        """Somebody returns money in Stripe's dashboard."""
        if intent := self._paid(which):
            self.stripe.control(f"payments/{intent}/refund", **({"amount": amount} if amount else {}))

    @rule(which=WHICH, end=st.sampled_from([None, "won", "lost", "under_review"]))
    def dispute(self, which: int, end: str | None) -> None:
        """The cardholder objects, or the bank decides about an objection."""
        found = self.stripe.listed("disputes")
        if end and found:
            self.stripe.control(f"disputes/{found[which % len(found)]['id']}", status=end)
        elif intent := self._paid(which):
            self.stripe.control(f"payments/{intent}/dispute")

    @rule(which=WHICH, key=st.sampled_from(["consultationId", "paymentId"]))
    def lose_metadata(self, which: int, key: str) -> None:
        """A page forgets whose it is; we remember."""
        with transaction() as tx:
            known = tx.connection().execute(LIVE_PAGES).scalars().all()
        if known:
            self.unmarked.add(known[which % len(known)])
            self.stripe.control(f"sessions/{known[which % len(known)]}/tamper", metadata={key: None})

    @rule(which=WHICH, outcome=st.sampled_from(["succeeded", "failed"]))
    def answer_a_debit(self, which: int, outcome: str) -> None:
        """The bank says, days later, whether a debit came to anything."""
        waiting = [s for s in self.stripe.sessions(("status", "complete")) if s["payment_status"] == "unpaid"]
        if waiting:
            self.stripe.control(f"sessions/{waiting[which % len(waiting)]['id']}/async", outcome=outcome)

    # ── Us ─────────────────────────────────────────────────────────────────────────────────────────

    @rule(which=WHICH)
    def claim(self, which: int) -> None:
        """The dermatologist takes a case that waits, or gives one back."""
        found = queue.queue(self.doctor)
        lines = [*found.waiting, *found.mine]
        if lines:
            line = lines[which % len(lines)]
            forgiving(queue.release if line in found.mine else queue.claim, self.doctor, line.id)

    @rule(which=WHICH, act=DECISIONS, after_a_sweep=st.booleans())
    def decide(self, which: int, act: Callable[[uuid.UUID, str], object], *, after_a_sweep: bool = False) -> None:
        """An operator ends the wait of what lies in quarantine, and leaves some of it for later."""
        if after_a_sweep:
            self.reconcile()
        for item in quarantine.listed()[: which + 1]:
            forgiving(act, self.operator, item.id)

    @rule(which=WHICH, amount=st.sampled_from([None, 1900]))
    def return_money(self, which: int, amount: int | None) -> None:
        """An operator returns money."""
        with transaction() as tx:
            paid = tx.connection().execute(MONEY_HERE).scalars().all()
        if paid:
            forgiving(refunds.request, self.operator, paid[which % len(paid)], amount, "goodwill")

    @rule()
    def reconcile(self) -> None:
        """The sweep."""
        sweep.run(older_than=NOW)

    @rule()
    def work(self) -> None:
        """The jobs."""
        run_due_jobs()

    @rule(operation=CALLS, kind=FAULTS)
    def break_the_line(self, operation: str, kind: str) -> None:
        """The next call to Stripe fails, before or after it has acted."""
        self.stripe.fault(operation, kind)

    @rule(point=CRASHES, which=WHICH, deed=st.sampled_from(["proceed", "work", "reconcile", "come_back", "deliver"]))
    def crash(self, point: tuple[object, str], which: int, deed: str) -> None:
        """Our process dies in the middle of something, between two transactions."""
        with mock.patch.object(*point, side_effect=Killed), suppress(Killed):
            act = getattr(self, deed)
            act() if deed in ("work", "reconcile") else act(which)

    @rule(time=WAITS)
    def wait(self, time: timedelta) -> None:
        """Time goes by, here and there. Never more than Stripe keeps its events."""
        self.waited += time
        if self.waited < timedelta(days=20):
            self._pass(time)

    # ── Rest ───────────────────────────────────────────────────────────────────────────────────────

    def teardown(self) -> None:
        """Everything comes to its end, and every promise holds."""
        try:
            self.stripe.control("faults", clear=True)
            rest(self._pass)
            self._judge(unaccounted(self.stripe) + [str(v) for v in invariants.check(with_stripe=True, grace=NOW)])
            with transaction() as tx:
                self.seen.update(row[0] for row in tx.connection().execute(STATES).all())
        finally:
            self.clock.stop()

    def _judge(self, wrong: list[str]) -> None:
        """Keep what is wrong where a negative control finds it: Hypothesis words its errors anew."""
        type(self).wrong = self.wrong or wrong
        assert wrong == []

    def _pass(self, time: timedelta) -> None:
        self.hands.shift(time)
        self.stripe.control("clock", advance=int(time.total_seconds()))

    def _case(self, which: int) -> uuid.UUID:
        return self.cases[which % len(self.cases)]

    def _waiting(self) -> list[dict[str, Any]]:
        """Events that have not come yet, oldest first."""
        return [e for e in self.stripe.events() if e["id"] not in self.delivered | self.dropped]

    def _start(self, which: int) -> checkout.CheckoutLink | None:
        return forgiving(checkout.start, self.patient, self._case(which))

    def _pay(self, session: str, card: str) -> None:
        how = {"method": DEBIT} if card == DEBIT else {"card": card}
        self.stripe.control(f"sessions/{session}/pay", **how, webhook="never")

    def _paid(self, which: int) -> str | None:
        paid = [s for s in self.stripe.sessions(("status", "complete")) if s["payment_intent"]]
        return paid[which % len(paid)]["payment_intent"] if paid else None

    def _deliver(self, event: dict[str, Any]) -> None:
        """At the door: an event that was accepted once is never applied again."""
        try:
            reply = deliver(event)
        except (GatewayDown, GatewayRefused) as error:
            raise AssertionError("the webhook asked Stripe something") from error
        if event["id"] in self.delivered:
            again = reply.body.get("outcome")
            self._judge([] if again in ("duplicate", "ignored") else [f"{event['id']} was {again} a second time"])
        if reply.status == 200:
            self.delivered.add(event["id"])
