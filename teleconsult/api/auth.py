"""Sign-up, sign-in and sign-out: native form posts answered by a redirect, and the same as JSON.

They are full-page navigations on purpose: an open page's socket keeps the cookie it was opened with, so a new session
needs a new page. For the same reason a session id never changes while it lives.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from teleconsult import addresses
from teleconsult.accounts import service, sessions
from teleconsult.accounts.sessions import Opened
from teleconsult.api import answers, client
from teleconsult.errors import Refusal
from teleconsult.settings import get_settings

TRUE = ("on", "true", "1", "yes")
FORM = ("application/x-www-form-urlencoded", "multipart/form-data")


async def sign_up(request: Request) -> Response:
    """Make a patient's account: `email`, `password`, `name`, `adult`, `timezone`, `next`. Never a role."""
    fields = await _fields(request)
    try:
        opened = await asyncio.to_thread(
            service.sign_up,
            _text(fields, "email"),
            _text(fields, "password"),
            _text(fields, "name"),
            _text(fields, "adult").lower() in TRUE,
            _text(fields, "timezone"),
            address=client.address(request),
        )
    except Refusal as refusal:
        return _refused(request, refusal, addresses.SIGN_UP, fields)
    return await _admitted(request, opened, fields)


async def sign_in(request: Request) -> Response:
    """Begin a session: `email`, `password`, `next`."""
    fields = await _fields(request)
    try:
        opened = await asyncio.to_thread(
            service.sign_in, _text(fields, "email"), _text(fields, "password"), address=client.address(request)
        )
    except Refusal as refusal:
        return _refused(request, refusal, addresses.SIGN_IN, fields)
    return await _admitted(request, opened, fields)


async def sign_out(request: Request) -> Response:
    """End the session here and in every open page, and have the browser forget what it stored for us."""
    await _end(client.session_token(request))
    response = JSONResponse({}) if _is_json(request) else RedirectResponse(addresses.LANDING, 303)
    response.headers.update({**answers.PRIVATE, "Clear-Site-Data": '"storage"'})
    _set_cookie(response, "", 0)
    return response


async def _end(token: str) -> None:
    who = await asyncio.to_thread(sessions.lookup, token)
    if who is not None:
        await asyncio.to_thread(sessions.revoke, who.session_id)


async def _admitted(request: Request, opened: Opened, fields: Mapping[str, object]) -> Response:
    await _end(client.session_token(request))  # whoever was signed in here before is no longer
    target = addresses.safe_next(fields.get("next")) or addresses.home(opened.who.role)
    response: Response
    if _is_json(request):
        response = JSONResponse({"next": target, "role": opened.who.role, "name": opened.who.name})
    else:
        response = RedirectResponse(target, 303)
    response.headers.update(answers.PRIVATE)
    _set_cookie(response, opened.token, int(sessions.LIMITS[opened.who.role].absolute.total_seconds()))
    return response


def _refused(request: Request, refusal: Refusal, page: str, fields: Mapping[str, object]) -> Response:
    if _is_json(request):
        return answers.refused(refusal)
    problem = refusal.facts.get("problem", refusal.code)
    target = addresses.with_next(page, _text(fields, "next"), problem=problem)
    return RedirectResponse(target, 303, answers.PRIVATE)


def _set_cookie(response: Response, token: str, max_age: int) -> None:
    settings = get_settings()
    response.set_cookie(
        sessions.cookie_name(settings),
        token,
        max_age=max_age,
        path="/",
        secure=settings.secure,
        httponly=True,
        samesite="lax",
    )


async def _fields(request: Request) -> Mapping[str, object]:
    if _is_json(request):
        try:
            body = json.loads(await request.body())
        except (ValueError, RecursionError):
            raise HTTPException(400) from None
        if not isinstance(body, dict):
            raise HTTPException(400)
        return body
    if not request.headers.get("content-type", "").startswith(FORM):
        raise HTTPException(415)
    async with request.form(max_files=0, max_fields=20) as form:
        return dict(form)


def _text(fields: Mapping[str, object], name: str) -> str:
    """A field as text. JSON booleans count as the words a form sends; anything else that isn't text is absent."""
    value = fields.get(name)
    if value is True:
        return "true"
    return value.replace("\0", "") if isinstance(value, str) else ""


def _is_json(request: Request) -> bool:
    return request.headers.get("content-type", "").split(";")[0].strip().lower() == "application/json"


routes = [
    Route("/api/auth/sign-up", sign_up, methods=["POST"]),
    Route("/api/auth/sign-in", sign_in, methods=["POST"]),
    Route("/api/auth/sign-out", sign_out, methods=["POST"]),
]
