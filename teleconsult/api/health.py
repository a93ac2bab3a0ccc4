"""Two questions of whoever runs us: is the process alive, and can it serve? Words only, no versions, no names."""

from __future__ import annotations

import asyncio

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from teleconsult.db import transaction

PATIENCE = 3.0
"""Seconds the database may take before we say that we aren't ready."""

NO_STORE = {"Cache-Control": "no-store"}


async def live(_request: Request) -> JSONResponse:
    """The process answers. When it doesn't: start it again."""
    return JSONResponse({"status": "ok"}, headers=NO_STORE)


async def ready(_request: Request) -> JSONResponse:
    """The database answers and has been migrated. When not: send people elsewhere for now."""
    try:
        migrated = await asyncio.wait_for(asyncio.to_thread(_migrated), PATIENCE)
    except (SQLAlchemyError, TimeoutError, RuntimeError):
        checks = {"database": False, "migrations": False}
    else:
        checks = {"database": True, "migrations": migrated}
    fine = all(checks.values())
    return JSONResponse({"status": "ok" if fine else "unavailable", **checks}, 200 if fine else 503, NO_STORE)


def _migrated() -> bool:
    with transaction() as tx:
        if tx.scalar(text("SELECT to_regclass('alembic_version')")) is None:
            return False
        return tx.scalar(text("SELECT version_num FROM alembic_version")) is not None


routes = [
    Route("/health/live", live, methods=["GET"]),
    Route("/health/ready", ready, methods=["GET"]),
]
