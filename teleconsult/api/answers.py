"""What every route answers with: JSON, never stored by anybody on the way, and refusals in one shape."""

from __future__ import annotations

from http import HTTPStatus

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Match, Route

from teleconsult.errors import NotFound, Refusal, Unavailable

PRIVATE = {"Cache-Control": "private, no-store"}
RETRY_AFTER = {429: "900", 503: "30"}
"""Seconds a client should wait before it tries again, by status."""

log = structlog.get_logger(__name__)


def refused(refusal: Refusal) -> JSONResponse:
    """A refusal as JSON: `{"error": {"code", "message"}, …}`."""
    headers = dict(PRIVATE)
    if refusal.status in RETRY_AFTER:
        headers["Retry-After"] = RETRY_AFTER[refusal.status]
    return JSONResponse(refusal.body(), refusal.status, headers)


async def on_refusal(_request: Request, error: Exception) -> JSONResponse:
    """An expected no. Nobody is alerted."""
    return refused(error if isinstance(error, Refusal) else Refusal())


async def on_http_error(_request: Request, error: Exception) -> JSONResponse:
    """Starlette's own refusals (404, 405, 413 …) in the same shape."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = {**PRIVATE, **(getattr(error, "headers", None) or {})}
    phrase = HTTPStatus(status).phrase
    body = {"error": {"code": phrase.lower().replace(" ", "_"), "message": f"{phrase}."}}
    return JSONResponse(body, status, headers)


async def on_database_down(_request: Request, error: Exception) -> JSONResponse:
    """The database can't be reached, or a row stayed locked too long: nothing was stored, try again."""
    log.error("database_unavailable", error=type(error).__name__)
    return refused(Unavailable("We can’t save right now. Please try again in a moment."))


async def not_found(request: Request) -> JSONResponse:
    """Every address under /api that isn't one: 404, or 405 when it is one for another method."""
    for route in request.app.routes:
        if isinstance(route, Route) and route.matches(request.scope)[0] is Match.PARTIAL:
            raise HTTPException(405, headers={"Allow": ", ".join(sorted(route.methods or ()))})
    return refused(NotFound())


async def on_unexpected(_request: Request, _error: Exception) -> JSONResponse:
    """A fault of ours. The gate reports it; the client learns nothing about it."""
    body = {"error": {"code": "unexpected", "message": "Something went wrong on our side. We have been told."}}
    return JSONResponse(body, 500, PRIVATE)


HANDLERS = {
    Refusal: on_refusal,
    HTTPException: on_http_error,
    OperationalError: on_database_down,
    PoolTimeout: on_database_down,
    Exception: on_unexpected,
}
