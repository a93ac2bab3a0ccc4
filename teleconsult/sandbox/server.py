"""The application: Stripe's API, the hosted pages, and the sandbox's own controls, on one loopback port."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from teleconsult.sandbox import clockwork, controls
from teleconsult.sandbox.api import Api
from teleconsult.sandbox.console import Console
from teleconsult.sandbox.context import Sandbox
from teleconsult.sandbox.hosted import Hosted
from teleconsult.sandbox.hosted_portal import Portal
from teleconsult.sandbox.pages import HERE, SECURITY

METHODS = ["GET", "POST", "DELETE", "PUT", "PATCH"]
HOSTS = ["localhost", "127.0.0.1"]
TICK_SECONDS = 0.1
ASSETS = ("sandbox.css", "sandbox.js", "console.css", "console.js")


def build(sandbox: Sandbox) -> Starlette:
    """The application around one sandbox."""
    api, hosted, portal = Api(sandbox), Hosted(sandbox), Portal(sandbox)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None, None]:
        sandbox.deliverer.resume()
        clock = asyncio.get_running_loop().create_task(_tick(sandbox))
        yield
        clock.cancel()
        sandbox.deliverer.stop()

    return Starlette(
        routes=[
            Route("/v1/{rest:path}", api.handle, methods=METHODS),
            *hosted.routes(),
            *portal.routes(),
            *controls.routes(sandbox),
            *Console(sandbox).routes(),
            *(Route(f"/{name}", _asset) for name in ASSETS),
            Route("/favicon.ico", _no_icon),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS)],
        lifespan=lifespan,
    )


async def _tick(sandbox: Sandbox) -> None:
    """Let happen what is due even when nobody asks."""
    while True:
        await asyncio.sleep(TICK_SECONDS)
        sandbox.deliverer.run_due()
        if clockwork.run_due(sandbox):
            sandbox.store.save()


def _asset(request: Request) -> Response:
    return FileResponse(HERE / request.url.path.lstrip("/"), headers=SECURITY)


def _no_icon(_request: Request) -> Response:
    return Response(status_code=204)
