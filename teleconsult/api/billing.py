"""The billing routes: JSON in, JSON out. The webhook alone is open to strangers, who must sign what they send."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Mapping
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from teleconsult.accounts.models import Role
from teleconsult.api import deliveries
from teleconsult.api.answers import PRIVATE
from teleconsult.api.client import signed_in
from teleconsult.billing import checkout, portal, webhook
from teleconsult.errors import Forbidden, Invalid

PHOTO_PREFIX = "/api/photos/"


async def start_checkout(request: Request) -> Response:
    """`{"consultationId"}` pays a draft; a form (`userNotes`, `imageUrls`, `intake`, `consents`) is saved first."""
    who = await signed_in(request)
    if who.role is not Role.PATIENT:
        raise Forbidden("Only patients can pay for a consultation.")
    form = await _object(request)
    link = await asyncio.to_thread(_start, who.user_id, form)
    body = {"url": link.url, "consultationId": str(link.consultation_id), "sessionId": link.session_id}
    return JSONResponse(body, headers=PRIVATE)


async def open_portal(request: Request) -> Response:
    """A link to Stripe's customer portal for the signed-in person. Nothing in the body can name another customer."""
    who = await signed_in(request)
    return JSONResponse({"url": await asyncio.to_thread(portal.open_portal, who.user_id)}, headers=PRIVATE)


async def receive_webhook(request: Request) -> Response:
    """Stripe's deliveries, read up to the cap and no further."""
    body = await _capped(request)
    if body is None:
        return JSONResponse({"error": "too large"}, 413, {"Connection": "close"})
    signature = request.headers.get("stripe-signature", "")
    reply = await asyncio.to_thread(webhook.receive, body, signature)
    deliveries.keep(request.scope, reply)
    return JSONResponse(dict(reply.body), reply.status, dict(reply.headers))


async def _capped(request: Request) -> bytes | None:
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > webhook.MAX_BYTES:
                return None
    except ClientDisconnect:
        return b""
    return bytes(body)


async def _object(request: Request) -> Mapping[str, Any]:
    try:
        found = json.loads(await request.body())
    except ValueError:
        raise Invalid({"body": "Send a JSON object."}) from None
    if not isinstance(found, dict):
        raise Invalid({"body": "Send a JSON object."})
    return found


def _start(user_id: uuid.UUID, form: Mapping[str, Any]) -> checkout.CheckoutLink:
    consultation_id = _id(form.get("consultationId"))
    if consultation_id is not None and not form.keys() & {"userNotes", "imageUrls", "intake", "consents"}:
        return checkout.start(user_id, consultation_id)
    answers = _mapping(form, "intake")
    if "userNotes" in form:
        answers = {**answers, "story": form["userNotes"]}
    consents = {kind: given is True for kind, given in _mapping(form, "consents").items()}
    return checkout.start_with(user_id, consultation_id, answers, consents, _photo_ids(form.get("imageUrls", [])))


def _mapping(form: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = form.get(name, {})
    if not isinstance(found, dict):
        raise Invalid({name: "Send an object."})
    return found


def _id(raw: object) -> uuid.UUID | None:
    if raw is None:
        return None
    try:
        return uuid.UUID(str(raw))
    except ValueError:
        raise Invalid({"consultationId": "Send the id of one of your drafts."}) from None


def _photo_ids(urls: object) -> list[uuid.UUID]:
    """Only our own photo addresses name a photo; anybody else's address is refused, never fetched."""
    wrong = Invalid({"imageUrls": f"Send addresses of photos you uploaded, like {PHOTO_PREFIX}<id>."})
    if not isinstance(urls, list):
        raise wrong
    try:
        return [uuid.UUID(str(url).removeprefix(PHOTO_PREFIX)) for url in urls]
    except ValueError:
        raise wrong from None


routes = [
    Route("/api/billing/checkout", start_checkout, methods=["POST"]),
    Route("/api/billing/portal", open_portal, methods=["POST"]),
    Route("/api/billing/webhook", receive_webhook, methods=["POST"]),
]
