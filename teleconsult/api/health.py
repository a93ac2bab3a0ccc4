"""Questions of whoever runs us: is the process alive, can it serve, do money and jobs flow? No versions, no names."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from teleconsult.api import answers
from teleconsult.api.insiders import insider
from teleconsult.billing import pulse
from teleconsult.db import transaction
from teleconsult.errors import NotFound
from teleconsult.revisions import newest

PATIENCE = 3.0
"""Seconds the database may take before we say that we aren't ready."""

NO_STORE = {"Cache-Control": "no-store"}
NO_DATABASE = "database_down"


async def live(_request: Request) -> JSONResponse:
    """The process answers. When it doesn't: start it again."""
    return JSONResponse({"status": "ok"}, headers=NO_STORE)


async def ready(_request: Request) -> JSONResponse:
    """The database answers and is at our own version. When not: send people elsewhere for now."""
    try:
        migrated = await asyncio.wait_for(asyncio.to_thread(_migrated), PATIENCE)
    except (SQLAlchemyError, TimeoutError, RuntimeError):
        checks = {"database": False, "migrations": False}
    else:
        checks = {"database": True, "migrations": migrated}
    return _told(fine=all(checks.values()), **checks)


async def deep(request: Request) -> JSONResponse:
    """Whether money and jobs flow, for monitors that may know. When not: a person should look, serving goes on."""
    if not insider(request):
        return answers.refused(NotFound())
    try:
        now = await asyncio.wait_for(asyncio.to_thread(pulse.read), PATIENCE)
    except (SQLAlchemyError, TimeoutError, RuntimeError):
        return _told(fine=False, troubles=[NO_DATABASE])
    troubles = pulse.troubles(now)
    return _told(fine=not troubles, troubles=troubles, **asdict(now))


def _told(*, fine: bool, **facts: object) -> JSONResponse:
    return JSONResponse({"status": "ok" if fine else "unavailable", **facts}, 200 if fine else 503, NO_STORE)


def _migrated() -> bool:
    """Whether the database has had every migration this code knows. A newer one is fine: code is replaced after it."""
    with transaction() as tx:
        if tx.scalar(text("SELECT to_regclass('alembic_version')")) is None:
            return False
        found = tx.scalar(text("SELECT version_num FROM alembic_version"))
    return bool(newest()) and found is not None and str(found) >= newest()


routes = [
    Route("/health/live", live, methods=["GET"]),
    Route("/health/ready", ready, methods=["GET"]),
    Route("/health/deep", deep, methods=["GET"]),
]
