"""All HTTP routes in one Starlette app. It runs on its own (`teleconsult api`) or in front of the pages."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route

from teleconsult.api import answers, auth, billing, health, metrics, photos

ANY_METHOD = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

routes: list[BaseRoute] = [
    *auth.routes,
    *billing.routes,
    *health.routes,
    *metrics.routes,
    *photos.routes,
    Route("/api", answers.not_found, methods=ANY_METHOD),
    Route("/api/{rest:path}", answers.not_found, methods=ANY_METHOD),
]
"""Every address that isn't a page. The last two keep unknown ones from falling through to the pages' 404."""


def create_api() -> Starlette:
    """The app without its gate; `gate.Gate` goes around it, or around it and the pages together."""
    return Starlette(routes=routes, exception_handlers=dict(answers.HANDLERS))
