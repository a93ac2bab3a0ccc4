"""The least a webhook can be: a bare ASGI handler with the standard library's HMAC and JSON and the same durable work.

It runs the statements that the product's webhook runs for a payment, in one transaction on the same tables, with the
same driver, and nothing else: no cap, no checks of its own, no other class of event.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb
from psycopg_pool import ConnectionPool

SECRET = os.environ["STRIPE_WEBHOOK_SECRET"].encode()
POOL = 20

LEDGER = """
    insert into processed_webhook (id, type, api_version, livemode, created, received_at, outcome, detail, object_id,
        stripe_payment_intent_id, amount_minor, currency)
    values (%s, %s, %s, %s, %s, %s, '', '', %s, %s, %s, %s) on conflict (id) do nothing
"""
PAYMENT = "select consultation_id from payment where stripe_session_id = %s"
LOCK_CONSULTATION = "select status, ref from consultation where id = %s and user_id = %s for update"
LOCK_PAYMENT = "select id, status, amount_minor, currency from payment where stripe_session_id = %s for update"
PAID = """
    update payment set status = 'PAID', stripe_payment_intent_id = %s, settled_by = 'webhook', received_minor = %s,
        received_currency = %s, paid_at = %s, updated_at = %s where id = %s and status = 'OPEN'
"""
AUDIT = """
    insert into audit_log (at, actor_role, action, object_type, object_id, detail)
    values (%s, 'system', 'submitted', 'consultation', %s, %s), (%s, 'system', 'payment_paid', 'payment', %s, %s)
"""
PENDING = """
    update consultation set status = 'PENDING', paid_payment_id = %s, stripe_payment_id = %s, price_minor = %s,
        currency = %s, submitted_at = %s, updated_at = %s, due_at = %s where id = %s and status = 'DRAFT'
"""
OWNER = 'select email, timezone from "user" where id = %s'
NOTICE = """
    insert into notice (id, kind, recipient, facts, created_at) values (%s, 'payment_received', %s, %s, %s)
"""
JOB = """
    select procrastinate_defer_jobs_v1(array[
        row('mail', 'notices.send', 0, null, null, %s, null)::procrastinate_job_to_defer_v1])
"""
OUTCOME = "update processed_webhook set outcome = 'processed', payment_id = %s, secret = 0 where id = %s"

pool: ConnectionPool | None = None


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The whole handler."""
    if scope["type"] != "http":
        return
    if scope["method"] == "GET":  # is it up?
        await _answer(send, 200, {})
        return
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    signature = dict(scope["headers"]).get(b"stripe-signature", b"")
    await _answer(send, *await asyncio.to_thread(_handle, body, signature))


async def _answer(send: Any, status: int, answer: dict[str, str]) -> None:
    content = json.dumps(answer).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


def _handle(body: bytes, signature: bytes) -> tuple[int, dict[str, str]]:
    parts = dict(part.split(b"=", 1) for part in signature.split(b","))
    made = hmac.new(SECRET, parts[b"t"] + b"." + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(made.encode(), parts[b"v1"]):
        return 400, {"error": "signature"}
    event = json.loads(body)
    with _pool().connection() as connection, connection.transaction():
        return 200, {"outcome": _apply(connection, event)}


def _apply(c: Connection[Any], event: dict[str, Any]) -> str:
    session, now = event["data"]["object"], datetime.now(UTC)
    amount, currency, intent = session["amount_total"], session["currency"], session["payment_intent"]
    created = datetime.fromtimestamp(event["created"], UTC)
    row = (event["id"], event["type"], event["api_version"], event["livemode"], created, now)
    if not c.execute(LEDGER, (*row, session["id"], intent, amount, currency)).rowcount:
        return "duplicate"
    ids = session["metadata"]
    c.execute(PAYMENT, (session["id"],)).fetchone()
    c.execute(LOCK_CONSULTATION, (ids["consultationId"], ids["userId"])).fetchone()
    payment, _, expected, in_currency = c.execute(LOCK_PAYMENT, (session["id"],)).fetchone()  # type: ignore[misc]
    if (expected, in_currency) != (amount, currency):
        return "quarantined"
    if not c.execute(PAID, (intent, amount, currency, now, now, payment)).rowcount:
        return "noop"
    case, due = ids["consultationId"], now + timedelta(hours=48)
    detail = Jsonb({"source": "webhook"})
    c.execute(AUDIT, (now, case, Jsonb({"payment_id": str(payment), "source": "webhook"}), now, payment, detail))
    c.execute(PENDING, (payment, intent, amount, currency, now, now, due, case))
    email, _ = c.execute(OWNER, (ids["userId"],)).fetchone()  # type: ignore[misc]
    notice = uuid.uuid4()
    c.execute(NOTICE, (notice, email, Jsonb({"ref": "TC-00000", "amount": "€49.00", "due": due.isoformat()}), now))
    c.execute(JOB, (Jsonb({"notice_id": str(notice)}),))
    c.execute(OUTCOME, (payment, event["id"]))
    return "processed"


def _pool() -> ConnectionPool:
    global pool  # noqa: PLW0603 - made in the process that serves
    if pool is None:
        pool = ConnectionPool(os.environ["DATABASE_URL"], min_size=POOL, max_size=POOL, open=True)
        pool.wait()
    return pool
