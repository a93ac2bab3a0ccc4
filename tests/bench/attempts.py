"""Open payment pages by the thousand, and the signed deliveries that say each was paid."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from teleconsult.billing.objects import API_VERSION
from tests.billing.deliveries import SECRET

PATH = "/api/billing/webhook"
PADDING = "x" * 1800
"""An event of Stripe's has about 3 KB; most of it is of no interest to anybody."""

PEOPLE = """
    insert into "user" (id, email, name, password_hash, role, timezone, created_at, stripe_customer_generation, title,
        registration_no)
    select gen_random_uuid(), 'bench-' || gen_random_uuid() || '@example.com', 'Bench', 'none', 'patient', 'UTC', now(),
        0, '', ''
    from generate_series(1, %s) returning id
"""


def open_pages(connection: Connection[Any], count: int) -> list[dict[str, str]]:
    """Make `count` people with a draft and an open payment page each; the answer is the metadata of the sessions."""
    people = [row[0] for row in connection.execute(PEOPLE, (count,)).fetchall()]
    rows = [
        {"userId": str(user), "consultationId": str(uuid.uuid4()), "paymentId": str(uuid.uuid4())} for user in people
    ]
    with connection.cursor() as cursor:
        _copy(cursor, "consultation", [_consultation(ids) for ids in rows])
        _copy(cursor, "payment", [_payment(ids) for ids in rows])
    connection.commit()
    return rows


def _consultation(ids: dict[str, str]) -> dict[str, Any]:
    ref = f"TC-{uuid.uuid4().hex[:8].upper()}"
    return {"id": ids["consultationId"], "user_id": ids["userId"], "status": "DRAFT", "ref": ref}


def _payment(ids: dict[str, str]) -> dict[str, Any]:
    return {
        "id": ids["paymentId"], "consultation_id": ids["consultationId"], "user_id": ids["userId"], "attempt": 1,
        "status": "OPEN", "amount_minor": 4900, "currency": "eur", "livemode": False, "request": "{}",
        "stripe_session_id": session_id(ids),
    }  # fmt: skip


def session_id(ids: dict[str, str]) -> str:
    """The Checkout Session of one page."""
    return f"cs_test_{uuid.UUID(ids['paymentId']).hex}"


def _copy(cursor: Any, table: str, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows, with something harmless in every column that has to have a value."""
    needed = cursor.execute(
        "select column_name, data_type from information_schema.columns where table_name = %s and is_nullable = 'NO'"
        " and column_default is null and is_identity = 'NO'",
        (table,),
    ).fetchall()
    plain = {
        "timestamp with time zone": "now", "jsonb": "{}", "json": "{}", "integer": 0, "boolean": False,
    }  # fmt: skip
    columns = {name: plain.get(kind, "") for name, kind in needed} | dict.fromkeys(rows[0])
    with cursor.copy(f"copy {table} ({', '.join(columns)}) from stdin") as copy:
        for row in rows:
            copy.write_row([{**columns, **row}[name] for name in columns])


def deliveries(pages: Sequence[dict[str, str]], port: int, *, times: int = 1) -> list[bytes]:
    """One signed request for each page, as bytes for the wire; with `times` each is repeated one after the other."""
    return [request for ids in pages for request in [_request(event(ids), port)] * times]


def event(ids: dict[str, str]) -> bytes:
    """The body that says this page was paid."""
    session = {
        "id": session_id(ids), "object": "checkout.session", "mode": "payment", "status": "complete",
        "payment_status": "paid", "amount_total": 4900, "currency": "eur", "livemode": False,
        "client_reference_id": ids["consultationId"], "payment_intent": f"pi_{uuid.UUID(ids['paymentId']).hex}",
        "metadata": {**ids, "app": "teleconsult", "env": "test"}, "after_expiration": PADDING,
    }  # fmt: skip
    told = {
        "id": f"evt_{uuid.uuid4().hex}", "object": "event", "type": "checkout.session.completed",
        "api_version": API_VERSION, "livemode": False, "created": int(time.time()), "data": {"object": session},
    }  # fmt: skip
    return json.dumps(told).encode()


def _request(body: bytes, port: int) -> bytes:
    stamp = str(int(time.time()))
    made = hmac.new(SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: application/json\r\n"
        f"Stripe-Signature: t={stamp},v1={made}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
