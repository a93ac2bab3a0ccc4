"""Every class of delivery on the route: what is answered, what it leaves in the database, and who is called.

The route is the one in production (gate and API), the database PostgreSQL, and Sentry a server on loopback.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import sentry_sdk
import structlog
from sqlalchemy import text

from teleconsult import db, privacy
from teleconsult.api import deliveries
from teleconsult.api.app import create_api
from teleconsult.api.gate import Gate
from teleconsult.billing import webhook
from teleconsult.billing.models import Payment
from teleconsult.billing.objects import API_VERSION
from teleconsult.settings import SettingsError, get_settings
from tests.api.browser import URL, Browser
from tests.billing.deliveries import SECRET, attempt, consultation, event, ledger, mails, payments, session, sign
from tests.sentry_process import FakeSentry, fake_sentry
from tests.support import fresh_settings, person

ROUTE = "/api/billing/webhook"
PAID, UNPAID = {}, {"payment_status": "unpaid"}
OVER = {"status": "expired", "payment_status": "unpaid", "payment_intent": None}
COMPLETED = "checkout.session.completed"
SUCCEEDED, FAILED = "checkout.session.async_payment_succeeded", "checkout.session.async_payment_failed"
EXPIRED = "checkout.session.expired"


@dataclass
class World:
    """A draft whose payment page is open, the way in, and the two that watch."""

    draft: uuid.UUID
    page: Payment
    door: Browser
    sentry: FakeSentry
    pulled: int = 0
    """Bytes that were read of a body without a length."""

    def send(self, payload: object, **signing: Any) -> httpx.Response:
        """One delivery, signed as Stripe does unless told otherwise."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        header = signing.pop("header", None)
        return self.post(body, sign(body, **signing) if header is None else header)

    def post(self, body: Any, header: str | bytes = "") -> httpx.Response:
        return self.door.post(ROUTE, content=body, headers={"Stripe-Signature": header})

    def tell(self, kind: str = COMPLETED, changes: dict[str, Any] | None = None, **envelope: Any) -> httpx.Response:
        """News about the page."""
        return self.send(event(session(self.page, **(changes or {})), kind, **envelope))

    def marked(self, **marks: str | None) -> dict[str, Any]:
        """The page with other metadata; None takes a key away."""
        whole = session(self.page)["metadata"] | marks
        return {"metadata": {name: value for name, value in whole.items() if value is not None}}

    def about(self, kind: str, what: str, **facts: Any) -> httpx.Response:
        """News about its payment intent."""
        return self.send(
            event({"object": what, "id": "x_1", "payment_intent": f"pi_{self.page.id.hex}", **facts}, kind)
        )

    def called(self) -> list[tuple[str, str]]:
        """What arrived at Sentry: the code or the exception, and the level."""
        return [(e.get("message") or e["exception"]["values"][-1]["type"], e["level"]) for e in self.sentry.events]


@pytest.fixture(scope="module")
def listening() -> Generator[FakeSentry]:
    """One Sentry for all rows; and short log lines, because drawing each stack takes seconds."""
    structlog.configure(processors=[structlog.processors.JSONRenderer()])
    with fake_sentry() as sentry:
        privacy.init_sentry(sentry.dsn, environment="test", release="teleconsult@1.2.3")
        yield sentry
    structlog.reset_defaults()


@pytest.fixture
def world(draft: uuid.UUID, listening: FakeSentry) -> World:
    fresh_settings(PUBLIC_URL=URL)
    sentry_sdk.flush(5)
    listening.raw.clear()
    deliveries._ONE_A_MINUTE.clear()
    return World(draft, attempt(draft), Browser(Gate(create_api())), listening)


@dataclass(frozen=True)
class Row:
    """One line of the table. The first three are the delivery; then what must come of it."""

    number: int
    what: str
    send: Callable[[World], httpx.Response]
    status: int
    answer: dict[str, Any] | None = None
    """The body; None: not looked at."""
    ledger: tuple[str, ...] = ()
    """Outcomes written there."""
    payment: str = "OPEN"
    case: str = "DRAFT"
    called: tuple[tuple[str, str], ...] = ()
    mails: tuple[str, ...] = field(default=())


def outcome(word: str) -> dict[str, Any]:
    return {"outcome": word}


def settled(world: World, then: Callable[[], httpx.Response]) -> httpx.Response:
    """Paid first, and then that."""
    assert world.tell().status_code == 200
    return then()


def twice(world: World) -> httpx.Response:
    sent = event(session(world.page))
    assert world.send(sent).json() == outcome("processed")
    return world.send(sent)


def second_page(world: World) -> httpx.Response:
    """The patient pays on an old page and on a new one."""
    assert world.tell().status_code == 200
    world.page = attempt(world.draft, attempt=2, status="EXPIRED")
    return world.tell()


def cancelled(world: World) -> httpx.Response:
    with db.transaction() as tx:
        tx.connection().execute(text("update consultation set status = 'CANCELLED'"))
    return world.tell()


def endless(world: World) -> httpx.Response:
    async def chunks() -> AsyncIterator[bytes]:
        while True:
            world.pulled += 16_384
            yield b"x" * 16_384

    answer = world.post(chunks())
    assert webhook.MAX_BYTES < world.pulled <= webhook.MAX_BYTES + 2 * 16_384
    return answer


def without_secret(world: World) -> httpx.Response:
    fresh_settings(STRIPE_SECRET_KEY="", STRIPE_WEBHOOK_SECRET="")
    return world.tell()


@contextmanager
def failing(code: str) -> Iterator[None]:
    """Every change of a payment fails in the database with this error code."""
    with db.transaction() as tx:
        tx.connection().exec_driver_sql(
            "create function fail() returns trigger language plpgsql as "
            f"$$ begin raise exception 'x' using errcode = '{code}'; end $$;"
            "create trigger fail before update on payment for each row execute function fail()"
        )
    try:
        yield
    finally:
        with db.transaction() as tx:
            tx.connection().exec_driver_sql("drop function fail cascade")


def while_failing(code: str) -> Callable[[World], httpx.Response]:
    def send(world: World) -> httpx.Response:
        with failing(code):
            return world.tell()

    return send


def while_locked(world: World) -> httpx.Response:
    with db.engine().connect() as other, other.begin():
        other.execute(text("select 1 from payment for update"))
        return world.tell()


def while_down(world: World) -> httpx.Response:
    url = get_settings().database_url
    _point_at("postgresql://nobody@127.0.0.1:9/none")
    try:
        return world.tell()
    finally:
        _point_at(url)


def _point_at(url: str) -> None:
    db.engine().dispose()
    db.engine.cache_clear()
    fresh_settings(DATABASE_URL=url)


RINGS = [("webhook_refused", "error")]
"""Every no rings besides, once a minute: Stripe tries for three days and gives the endpoint up in the end."""

FORGED = (("webhook_signature", "warning"),)
UNREADABLE = (("webhook_unreadable", "error"),)
UNKNOWN = (("payment_unknown", "fatal"),)
MISMATCH = (("payment_mismatch", "fatal"),)
BUSY, BROKEN = (("OperationalError", "error"),), (("InternalError", "error"),)
VERSION = ("webhook_api_version", "warning")
QUEUED = {"payment": "PAID", "case": "PENDING", "mails": ("payment_received",)}
STRANGER = str(uuid.uuid4())

TABLE = [
    Row(1, "not a POST", lambda w: w.door.get(ROUTE), 405),
    Row(1, "a PUT", lambda w: w.door.request("PUT", ROUTE), 405),
    Row(2, "a body over the cap that says so", lambda w: w.post(b"x" * (webhook.MAX_BYTES + 1)), 413),
    Row(2, "a body over the cap in chunks, which is not read to its end", endless, 413),
    Row(3, "no secret is configured", without_secret, 503, called=(("webhook_no_secret", "fatal"),)),
    Row(4, "no signature", lambda w: w.post(b"{}"), 400, called=FORGED),
    Row(4, "a malformed one", lambda w: w.post(b"{}", "t=,v1"), 400, called=FORGED),
    Row(4, "one that is not ASCII", lambda w: w.post(b"{}", "t=1700000000,v1=é".encode()), 400, called=FORGED),
    Row(4, "one of 10,000 parts", lambda w: w.post(b"{}", "t=1" + ",v1=00" * 10_000), 400, called=FORGED),
    Row(4, "another secret", lambda w: w.send(event(session(w.page)), secret="whsec_x"), 400, called=FORGED),
    Row(4, "more than 300 s old", lambda w: w.send(event(session(w.page)), age=301), 400, called=FORGED),
    Row(4, "more than 300 s ahead", lambda w: w.send(event(session(w.page)), age=-302), 400, called=FORGED),
    Row(5, "not UTF-8", lambda w: w.post(b"\xff", sign(b"x")), 400, called=FORGED),
    Row(5, "signed, and no JSON", lambda w: w.send(b"{"), 400, called=UNREADABLE),
    Row(5, "signed []", lambda w: w.send([]), 400, called=UNREADABLE),
    Row(5, "signed null", lambda w: w.send(None), 400, called=UNREADABLE),
    Row(5, "signed {}", lambda w: w.send({}), 400, called=UNREADABLE),
    Row(5, "no data.object", lambda w: w.send({**event({}), "data": {}}), 400, called=UNREADABLE),
    Row(5, "a thin event", lambda w: w.send({"id": "evt_1", "object": "v2.core.event", "type": "v1.x",
        "livemode": False, "created": "2026-01-01T00:00:00Z", "related_object": {}}), 400, called=UNREADABLE),
    Row(6, "an event that was processed", twice, 200, outcome("duplicate"), ("processed",), **QUEUED),
    Row(7, "the other mode", lambda w: w.tell(livemode=True), 200, outcome("quarantined"), ("quarantined",),
        called=(("webhook_livemode", "error"),)),
    Row(8, "a type we don't handle", lambda w: w.tell("invoice.paid"), 200, outcome("ignored")),
    Row(9, "another app", lambda w: w.tell(changes=w.marked(app="shop")), 200, outcome("ignored")),
    Row(9, "another environment", lambda w: w.tell(changes=w.marked(env="staging")), 200, outcome("ignored")),
    Row(10, "no userId", lambda w: w.tell(changes=w.marked(userId=None)), 400,
        {"error": "metadata", "missing": ["userId"]}, called=(("webhook_metadata_missing", "fatal"),)),
    Row(10, "an empty consultationId", lambda w: w.tell(changes=w.marked(consultationId="")), 400,
        {"error": "metadata", "missing": ["consultationId"]}, called=(("webhook_metadata_missing", "fatal"),)),
    Row(10, "neither is a UUID", lambda w: w.tell(changes=w.marked(userId="7", consultationId="x")), 400,
        {"error": "metadata", "missing": ["userId", "consultationId"]},
        called=(("webhook_metadata_missing", "fatal"),)),
    Row(10, "no metadata", lambda w: w.tell(changes={"metadata": {}}), 400, None,
        called=(("webhook_metadata_missing", "fatal"),)),
    Row(11, "no such consultation", lambda w: w.tell(changes=w.marked(consultationId=STRANGER)), 200,
        outcome("quarantined"), ("quarantined",), payment="RETURNED", called=UNKNOWN),
    Row(11, "no such user", lambda w: w.tell(changes=w.marked(userId=STRANGER)), 200,
        outcome("quarantined"), ("quarantined",), payment="RETURNED", called=UNKNOWN),
    Row(11, "not its owner", lambda w: w.tell(changes=w.marked(userId=str(person("b@example.com")))), 200,
        outcome("quarantined"), ("quarantined",), payment="RETURNED", called=UNKNOWN),
    Row(11, "a page that is none of ours", lambda w: w.tell(changes={"id": "cs_test_1"} | w.marked(paymentId=STRANGER)),
        200, outcome("quarantined"), ("quarantined",), called=UNKNOWN),
    Row(11, "a page we have not made, for a payment of ours", lambda w: w.tell(changes={"id": "cs_test_1"}),
        200, outcome("quarantined"), ("quarantined",), called=UNKNOWN),
    Row(11, "not its owner, and nothing was paid", lambda w: w.tell(changes=UNPAID | w.marked(userId=STRANGER)), 200,
        outcome("quarantined"), ("quarantined",), payment="PROCESSING", called=UNKNOWN),
    Row(12, "completed and paid", lambda w: w.tell(), 200, outcome("processed"), ("processed",), **QUEUED),
    Row(13, "completed and unpaid", lambda w: w.tell(changes=UNPAID), 200, outcome("processing"), ("processing",),
        payment="PROCESSING"),
    Row(14, "paid days later", lambda w: w.tell(SUCCEEDED), 200, outcome("processed"), ("processed",), **QUEUED),
    Row(14, "failed days later", lambda w: w.tell(FAILED, UNPAID), 200, outcome("failed"), ("failed",),
        payment="FAILED", mails=("payment_failed",), called=(("payment_failed", "info"),)),
    Row(15, "expired", lambda w: w.tell(EXPIRED, OVER), 200, outcome("expired"), ("expired",), payment="EXPIRED"),
    Row(16, "another event for it", lambda w: settled(w, lambda: w.tell(SUCCEEDED)), 200, outcome("noop"),
        ("processed", "noop"), **QUEUED),
    Row(16, "expired after it was paid", lambda w: settled(w, lambda: w.tell(EXPIRED, OVER)), 200, outcome("noop"),
        ("processed", "noop"), **QUEUED),
    Row(17, "a second page is paid", second_page, 200, outcome("duplicate_payment"),
        ("processed", "duplicate_payment"), payment="DUPLICATE", case="PENDING",
        mails=("payment_received", "payment_returned"), called=(("payment_duplicate", "error"),)),
    Row(17, "paid after it was cancelled", cancelled, 200, outcome("duplicate_payment"), ("duplicate_payment",),
        payment="DUPLICATE", case="CANCELLED", mails=("payment_too_late",), called=(("payment_duplicate", "error"),)),
    *[
        Row(18, f"another {name}", lambda w, change=change: w.tell(changes=change), 200, outcome("quarantined"),
            ("quarantined",), payment="REVIEW", called=MISMATCH)
        for name, change in {
            "amount": {"amount_total": 4899},
            "amount, nothing": {"amount_total": 0, "payment_status": "no_payment_required"},
            "currency": {"currency": "usd"},
            "currency without a minor unit": {"currency": "jpy"},
            "mode": {"mode": "subscription"},
            "livemode of its session": {"livemode": True},
            "consultation as its reference": {"client_reference_id": STRANGER},
        }.items()
    ],
    Row(19, "refunded", lambda w: settled(w, lambda: w.about("charge.refunded", "charge", amount_refunded=4900)), 200,
        outcome("processed"), ("processed", "processed"), payment="PAID", case="CANCELLED",
        mails=("payment_received",)),
    Row(19, "a refund that succeeded", lambda w: settled(
        w, lambda: w.about("refund.updated", "refund", amount=900, status="succeeded")), 200,
        outcome("processed"), ("processed", "processed"), payment="PAID", case="PENDING",
        mails=("payment_received", "refund_sent")),
    Row(19, "a refund that failed", lambda w: settled(
        w, lambda: w.about("refund.failed", "refund", amount=900, status="failed")), 200,
        outcome("processed"), ("processed", "processed"), payment="PAID", case="PENDING",
        mails=("payment_received", "refund_failed"), called=(("refund_failed", "error"),)),
    Row(19, "a dispute", lambda w: settled(
        w, lambda: w.about("charge.dispute.created", "dispute", status="needs_response")), 200,
        outcome("processed"), ("processed", "processed"), payment="PAID", case="PENDING",
        mails=("payment_received",), called=(("dispute_opened", "error"),)),
    Row(19, "about a payment nobody knows yet", lambda w: w.about("charge.refunded", "charge", amount_refunded=1), 200,
        outcome("unmatched"), ("unmatched",)),
    Row(20, "a customer was deleted", lambda w: w.send(event({"object": "customer", "id": "cus_1"},
        "customer.deleted")), 200, outcome("processed"), ("processed",)),
    Row(21, "another API version that fits", lambda w: w.tell(api_version="2027-01-01.next"), 200,
        outcome("processed"), ("processed",), **QUEUED, called=(VERSION,)),
    Row(21, "another API version that doesn't", lambda w: w.tell(changes={"amount_total": "49.00"},
        api_version="2027-01-01.next"), 200, outcome("quarantined"), ("quarantined",),
        called=(VERSION, ("webhook_object_unfit", "error"))),
    Row(22, "a lock that isn't given up", while_locked, 503, called=BUSY),
    Row(22, "a lock timeout", while_failing("55P03"), 503, called=BUSY),
    Row(22, "a deadlock", while_failing("40P01"), 503, called=BUSY),
    Row(22, "a serialization failure", while_failing("40001"), 503, called=BUSY),
    Row(22, "a statement that takes too long", while_failing("57014"), 503, called=BUSY),
    Row(22, "the database is down", while_down, 503, called=BUSY),
    Row(23, "anything else", while_failing("XX000"), 500, called=BROKEN),
]  # fmt: skip


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.number} {row.what}")
def test_class(world: World, row: Row) -> None:
    answer = row.send(world)
    assert answer.status_code == row.status
    if row.answer is not None:
        assert answer.json() == row.answer
    assert sorted(ledger().values()) == sorted(row.ledger)
    assert payments(world.draft)[-1].status == row.payment
    assert consultation(world.draft).status == row.case
    assert [mail.kind for mail in mails()] == list(row.mails)
    assert world.called() == [*row.called, *RINGS * (row.status != 200)]
    assert ("retry-after" in answer.headers) == (row.status == 503)


def test_the_table_has_every_class() -> None:
    assert {row.number for row in TABLE} == set(range(1, 24))


def test_an_answer_echoes_neither_body_nor_signature_nor_stack(world: World) -> None:
    for row in TABLE:
        if row.number in (4, 5, 10):
            assert row.send(world).content in (
                b'{"error":"signature"}', b'{"error":"event"}',
                *(json.dumps({"error": "metadata", "missing": names}, separators=(",", ":")).encode()
                  for names in (["userId"], ["consultationId"], ["userId", "consultationId"])),
            )  # fmt: skip
    with failing("XX000"):
        assert "Error" not in world.tell().text


def test_4_more_than_twenty_in_ten_minutes_are_an_error_told_once(world: World) -> None:
    for _ in range(30):
        assert world.post(b"{}").status_code == 400
    called = [one for one in world.called() if one not in RINGS]
    assert called == [("webhook_signature", "warning")] * 20 + [("webhook_signatures", "error")]
    assert len({str(e["fingerprint"]) for e in world.sentry.events}) == 2 + len(RINGS)


def test_3_production_refuses_to_start_without_a_secret() -> None:
    fresh_settings(ENVIRONMENT="production", STRIPE_SECRET_KEY="sk_live_x", STRIPE_WEBHOOK_SECRET="")
    with pytest.raises(SettingsError, match="STRIPE_WEBHOOK_SECRET must be set in production"):
        get_settings()


def test_10_a_redelivery_after_the_repair_counts(world: World) -> None:
    sent = event(session(world.page, **world.marked(userId=None)))
    assert world.send(sent).status_code == 400
    assert world.send({**sent, "data": {"object": session(world.page)}}).json() == outcome("processed")


def test_10_each_event_is_a_group_of_its_own(world: World) -> None:
    for _ in range(2):
        world.tell(changes=world.marked(userId=None))
    missing = [e for e in world.sentry.events if e["message"] == "webhook_metadata_missing"]
    assert len({str(e["fingerprint"]) for e in missing}) == 2


def test_11_the_money_goes_back_by_itself(world: World) -> None:
    world.tell(changes=world.marked(userId=STRANGER))
    [returned] = payments(world.draft)
    assert (returned.refund_status, returned.review_reason, returned.received_minor) == ("requested", "ids", 4900)


def test_12_and_13_late_money_wins_over_every_end(world: World) -> None:
    for kind, changes in ((EXPIRED, OVER), (FAILED, UNPAID), (COMPLETED, UNPAID)):
        world.tell(kind, changes)
    assert payments(world.draft)[0].status == "FAILED"
    assert world.tell(SUCCEEDED).json() == outcome("processed")


def test_21_a_version_is_told_once(world: World) -> None:
    for kind in (COMPLETED, SUCCEEDED):
        world.tell(kind, UNPAID, api_version="2027-01-01.next")
    world.tell(EXPIRED, OVER, api_version="2028-01-01.next")
    world.tell(api_version=API_VERSION)
    assert world.called() == [VERSION, VERSION]


def test_8_either_secret_while_one_is_rolled_and_which_one_is_kept(world: World) -> None:
    fresh_settings(STRIPE_WEBHOOK_SECRET=f"whsec_new, {SECRET}")
    world.tell()
    world.send(event(session(world.page)), secret="whsec_new")
    with db.transaction() as tx:
        used = tx.connection().execute(text("select secret from processed_webhook order by received_at")).scalars()
        assert list(used) == [1, 0]


def test_a_deadlock_is_answered_503_and_the_next_delivery_counts(world: World) -> None:
    """A real one: somebody holds the payment and wants the consultation, against the order of everybody else."""

    async def both() -> int:
        with db.engine().connect() as other, other.begin():
            other.execute(text("set local deadlock_timeout = '30s'"))  # so that the webhook is the one to give up
            other.execute(text("select 1 from payment for update"))
            delivery = asyncio.create_task(asyncio.to_thread(world.tell))
            await asyncio.sleep(0.5)
            await asyncio.to_thread(other.execute, text("select 1 from consultation for update"))
            return (await delivery).status_code

    assert asyncio.run(both()) == 503
    assert world.called() == [("OperationalError", "error"), *RINGS]
    assert ledger() == {}
    assert world.tell().json() == outcome("processed")
