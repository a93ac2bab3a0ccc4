"""The API: who asks, for what, has it been answered before, and is a fault on order."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from teleconsult.sandbox import clockwork
from teleconsult.sandbox.context import Call, Sandbox
from teleconsult.sandbox.dropped import Dropped
from teleconsult.sandbox.errors import StripeError, bad_key, invalid, no_key
from teleconsult.sandbox.faults import ANSWERS, Fault, failure
from teleconsult.sandbox.forms import decode
from teleconsult.sandbox.idempotency import Keys
from teleconsult.sandbox.ids import new_id
from teleconsult.sandbox.lists import expanded
from teleconsult.sandbox.operations import catalogue, customers, payments, portal, sessions, webhooks
from teleconsult.sandbox.parameters import api_version, check

Handler = Callable[[Call], dict[str, Any]]
OPERATIONS: dict[str, Handler] = {
    **customers.OPERATIONS,
    **catalogue.OPERATIONS,
    **sessions.OPERATIONS,
    **portal.OPERATIONS,
    **payments.OPERATIONS,
    **webhooks.OPERATIONS,
}
KEY_BEGINNINGS = ("sk_test_", "rk_test_")
VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z]+)?")
LARGEST_BODY = 1 << 20


def _pattern(operation: str) -> tuple[str, re.Pattern[str]]:
    method, path = operation.split()
    return method, re.compile(re.sub(r"\{\w+\}", "([^/]+)", path))


ROUTES = {operation: _pattern(operation) for operation in OPERATIONS}


@dataclass
class Answer:
    """What goes back, before it is bytes."""

    status: int
    text: str
    replayed: bool = False


@dataclass
class Asked:
    """One request, read and recognised."""

    operation: str
    ids: tuple[str, ...]
    path: str
    tree: dict[str, Any]
    request_id: str
    key: str | None


@dataclass
class Api:
    """Everything under `/v1`."""

    sandbox: Sandbox
    keys: Keys = field(init=False)

    def __post_init__(self) -> None:
        self.keys = Keys(self.sandbox.store)

    async def handle(self, request: Request) -> Response:
        """One request, recorded with its answer."""
        request_id, body = new_id("req_"), (await request.body()).decode("utf-8", "replace")
        row = _record(self.sandbox, request, body, request_id)
        try:
            response = await self._respond(request, body, request_id)
        except StripeError as error:
            response = _json(request, request_id, Answer(error.status, _text(error.body)))
        row["status"] = None if isinstance(response, Dropped) else response.status_code
        response.headers["Date"] = formatdate(self.sandbox.store.now(), usegmt=True)
        return response

    async def _respond(self, request: Request, body: str, request_id: str) -> Response:
        _check_caller(request)
        if len(body) > LARGEST_BODY:
            raise invalid("The request is too large.", status=413)
        asked = _recognise(request, body, request_id)
        fault = self.sandbox.faults.take(asked.operation)
        if fault and fault.kind in ANSWERS:
            raise failure(fault.kind)
        params = check(asked.operation, asked.tree)
        if asked.key is None:
            return await self._run(request, asked, params, fault)
        kept = self.keys.begin(asked.key, asked.path, asked.tree)
        if kept:
            return _json(request, request_id, Answer(kept["status"], kept["text"], replayed=True))
        try:
            return await self._run(request, asked, params, fault)
        finally:
            self.keys.release(asked.key)

    async def _run(self, request: Request, asked: Asked, params: dict[str, Any], fault: Fault | None) -> Response:
        """Act, unless the fault on order prevents it; then answer, unless it prevents that."""
        kind = fault.kind if fault else ""
        if fault and kind in ("slow", "timeout_before"):
            await asyncio.sleep(fault.seconds)
        if kind.endswith("_before"):
            return Dropped()
        answer = self._act(asked, params)
        if fault and fault.answers_after:
            return self._fail_after(request, asked, fault)
        if fault and kind == "timeout_after":
            await asyncio.sleep(fault.seconds)
        return Dropped() if kind.endswith("_after") else _json(request, asked.request_id, answer)

    def _fail_after(self, request: Request, asked: Asked, fault: Fault) -> Response:
        """It was done, and the answer says that it failed. `500_stored` says so again to the same key, for a day."""
        error = failure(fault.kind)
        answer = Answer(error.status, _text(error.body))
        if fault.kind == "500_stored" and asked.key:
            self.keys.keep(asked.key, asked.path, asked.tree, answer.status, answer.text)
            self.sandbox.store.save()
        return _json(request, asked.request_id, answer)

    def _act(self, asked: Asked, params: dict[str, Any]) -> Answer:
        """Without a pause: the change, its events, the key and the file belong together."""
        sandbox = self.sandbox
        clockwork.run_due(sandbox)
        origin = {"id": asked.request_id, "idempotency_key": asked.key}
        expand = params.pop("expand", [])
        try:
            result = OPERATIONS[asked.operation](Call(sandbox, params, asked.ids, asked.path, origin))
            answer = Answer(200, _text(expanded(sandbox.store, result, expand)))
        except StripeError as error:
            if not error.stored:
                raise
            answer = Answer(error.status, _text(error.body))
        if asked.key:
            self.keys.keep(asked.key, asked.path, asked.tree, answer.status, answer.text)
        if not asked.operation.startswith("GET"):
            sandbox.store.save()
        return answer


def _check_caller(request: Request) -> None:
    """Only secret and restricted test keys, as Bearer or as the user name of Basic."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    key = _basic(value) if scheme.lower() == "basic" else value.strip()
    if scheme.lower() not in ("bearer", "basic") or not key:
        raise no_key()
    if not key.startswith(KEY_BEGINNINGS):
        raise bad_key(key)
    version = request.headers.get("stripe-version")
    if version and not VERSION.fullmatch(version):
        raise invalid(f"Invalid Stripe API version: {version}")


def _basic(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _recognise(request: Request, body: str, request_id: str) -> Asked:
    method, path = request.method, request.url.path
    for operation, (wanted, pattern) in ROUTES.items():
        match = pattern.fullmatch(path)
        if match and wanted == method:
            tree = decode(body if method == "POST" else request.url.query)
            key = request.headers.get("idempotency-key") if method == "POST" else None
            return Asked(operation, match.groups(), path, tree, request_id, key)
    raise invalid(f"Unrecognized request URL ({method}: {path}).", status=404)


def _record(sandbox: Sandbox, request: Request, body: str, request_id: str) -> dict[str, Any]:
    """What came in, for tests that search it. The key in `Authorization` is left out."""
    row = {
        "id": request_id,
        "at": time.time(),
        "method": request.method,
        "path": request.url.path,
        "query": request.url.query,
        "body": body,
        "headers": {name: value for name, value in request.headers.items() if name != "authorization"},
        "status": None,
    }
    sandbox.store.requests.append(row)
    return row


def _text(result: dict[str, Any]) -> str:
    return json.dumps(result, indent=2)


def _json(request: Request, request_id: str, answer: Answer) -> Response:
    headers = {
        "Request-Id": request_id,
        "Stripe-Version": request.headers.get("stripe-version") or api_version(),
        "Cache-Control": "no-cache, no-store",
    }
    key = request.headers.get("idempotency-key")
    headers |= {"Idempotency-Key": key} if key and key.isascii() and key.isprintable() else {}
    headers |= {"Idempotent-Replayed": "true"} if answer.replayed else {}
    return Response(answer.text, answer.status, headers, media_type="application/json")
