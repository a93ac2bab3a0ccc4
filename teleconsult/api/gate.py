"""The gate: the outermost ASGI layer, through which every request and every socket comes before anything else sees it.

In this order: our own host name, a known method, a clean path that isn't one of the framework's own, the body's
announced size, the origin of anything that changes something, and who may see a page. What it lets in, it bounds;
what goes out, it dresses with security headers. It holds no business rule: routes and handlers check again.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from teleconsult import addresses, privacy
from teleconsult.accounts import sessions, throttle
from teleconsult.accounts.models import Role
from teleconsult.accounts.sessions import SignedIn
from teleconsult.api import answers, client, csp, deliveries, limits, sockets
from teleconsult.api.documents import Folders
from teleconsult.errors import Forbidden, TooLarge, Unavailable
from teleconsult.settings import get_settings

SAFE = ("GET", "HEAD")
METHODS = (*SAFE, "POST", "DELETE")
MONITORED = frozenset({"/health/live", "/health/ready", "/health/deep", "/metrics"})
"""What monitors and orchestrators ask for under whatever name they know this machine by."""

CSRF_EXEMPT = frozenset({"/api/billing/webhook"})
"""Exactly one: Stripe signs what it sends."""

PAGES_FOR: dict[str, tuple[Role, ...]] = {
    "/consultations": (Role.PATIENT,),
    "/clinic": (Role.DERMATOLOGIST,),
    "/operations": (Role.OPERATOR,),
    "/settings": tuple(Role),
}
"""Who may load the pages under an address. The pages hold no data; this spares strangers the empty shell."""

FRAMEWORK_OWN = ("/_", "/ping", "/auth-codespace")
"""Reflex's routes (uploads, health, route list). Nothing uses them over HTTP; `/_event` is a socket only."""

FOREVER, WEEK = "public, max-age=31536000, immutable", "public, max-age=604800"
AT_ONCE_THEN_FRESH = "public, max-age=0, stale-while-revalidate=604800"
STATIC = {"/assets/": FOREVER, "/fonts/": WEEK, "/icons.svg": AT_ONCE_THEN_FRESH}
"""Hashed file names never change their content; fonts change with a release. The browser asks for the icons again
whenever one appears: asked anew each time, what appears while the connection is away would have none."""

log = structlog.get_logger(__name__)


class Gate:
    """Goes around the API, or around the API and the pages together. `pages` is the folder of compiled pages."""

    def __init__(self, inner: ASGIApp, *, pages: Path | None = None) -> None:
        self.inner = inner
        self.settings = get_settings()
        self.page_policy = csp.page_policy(pages)
        self.folders = Folders(pages)
        self.sockets = limits.Sockets()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http":
            with deliveries.watched(scope, self._dressed(scope, send)) as answer:
                await self._http(scope, receive, answer)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self.inner(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self._refusal(scope) or await self._page(scope)
        if answer is not None:
            await answer(scope, receive, send)
            return
        if scope["method"] in SAFE and (folder := self.folders.of(scope["path"])):
            # Without the slash the file server redirects to an absolute address built from the Host header.
            scope = {**scope, "path": f"{folder}/", "raw_path": f"{folder}/".encode()}
        try:
            await self.inner(scope, limits.capped(scope, receive), send)
        except ClientDisconnect:
            log.info("client_gone")
        except Exception as error:  # noqa: BLE001 - the outermost edge: beyond it the server prints the error's text
            endpoint = scope.get("endpoint")
            privacy.capture(error, handler=getattr(endpoint, "__qualname__", ""))

    def _refusal(self, scope: Scope) -> Response | None:
        """What is wrong with the request by itself, if anything."""
        path, method = scope["path"], scope["method"]
        if not (self._our_host(scope) or path in MONITORED):
            return self._no("host", PlainTextResponse(f"This site answers at {self.settings.public_url} only.\n", 400))
        if method not in METHODS:
            headers = {"Allow": ", ".join(METHODS)}
            return self._no("method", PlainTextResponse("Method Not Allowed\n", 405, headers))
        if not _clean(path) or path.startswith(FRAMEWORK_OWN):
            return self._no("path", PlainTextResponse("Not Found\n", 404))
        if limits.announced_too_large(scope):
            answer = answers.refused(TooLarge("That is more than we can take."))
            answer.headers["connection"] = "close"
            return self._no("size", answer)
        if method not in SAFE and path not in CSRF_EXEMPT and not self._same_origin(scope):
            return self._no("origin", answers.refused(Forbidden("This request didn’t come from our own pages.")))
        return None

    def _our_host(self, scope: Scope) -> bool:
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        return hosts == [self.settings.host.encode()]

    def _same_origin(self, scope: Scope) -> bool:
        """The browser says that our own page sent it. Silence isn't enough: a request must show one of the two."""
        headers = HTTPConnection(scope).headers
        origins, site = headers.getlist("origin"), headers.get("sec-fetch-site")
        if site not in (None, "same-origin", "none"):
            return False
        return origins == [self.settings.public_url] if origins else site is not None

    async def _page(self, scope: Scope) -> Response | None:
        """Where to send a person who may not load this page, or may not need it."""
        path = scope["path"].rstrip("/") or "/"
        roles = _roles_for(path)
        if scope["method"] not in SAFE or (roles is None and path not in (addresses.SIGN_IN, addresses.SIGN_UP)):
            return None
        try:
            who = await asyncio.to_thread(sessions.lookup, client.session_token(HTTPConnection(scope)))
        except (OperationalError, PoolTimeout) as error:
            return _database_down(error)
        if roles is None:
            return _see_other(addresses.home(who.role)) if who else None
        return self._elsewhere(scope, who, roles)

    @staticmethod
    def _elsewhere(scope: Scope, who: SignedIn | None, roles: tuple[Role, ...]) -> Response | None:
        if who is None:
            path = scope["path"]
            new = path == "/consultations/new" or path.startswith("/consultations/new/")
            query = scope["query_string"].decode("latin-1")
            back = f"{path}?{query}" if query else path
            return _see_other(addresses.with_next(addresses.SIGN_UP if new else addresses.SIGN_IN, back))
        return None if who.role in roles else _see_other(addresses.home(who.role))

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        admitted = sockets.admit(scope, self.settings) if self._our_host(scope) else None
        if admitted is None:
            log.info("socket_refused", reason="request")
            await send({"type": "websocket.close", "code": 4403})
            return
        net = throttle.network(client.address(HTTPConnection(scope)))
        if not self.sockets.admit(net):
            log.warning("socket_refused", reason="too_many")
            await send({"type": "websocket.close", "code": 1013})
            return
        try:
            await self.inner(admitted, self.sockets.bounded(receive, send), send)
        finally:
            self.sockets.leave(net)

    def _dressed(self, scope: Scope, send: Send) -> Send:
        """`send`, adding the security and caching headers that the answer hasn't set itself."""

        async def dress(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=list(message.get("headers", ())))
                html = headers.get("content-type", "").startswith("text/html")
                for name, value in csp.STRANGERS_OUT.items():
                    headers.setdefault(name, value)
                # Browsers put a 304's headers over those of the page it confirms, and it doesn't say that it is one.
                if message["status"] != HTTPStatus.NOT_MODIFIED:
                    headers.setdefault("content-security-policy", self.page_policy if html else csp.NOT_A_PAGE)
                headers.setdefault("cache-control", _caching(scope["path"], message["status"]))
                if self.settings.secure:
                    headers.setdefault("strict-transport-security", csp.HSTS)
                message = {**message, "headers": headers.raw}
            await send(message)

        return dress

    @staticmethod
    def _no(reason: str, answer: Response) -> Response:
        log.info("request_refused", reason=reason)
        return answer


def _clean(path: str) -> bool:
    """Whether the path means the same to every layer that reads it."""
    plain = unquote(path)
    return (
        path.startswith("/")
        and not any(odd in plain for odd in ("//", "\\", "/../", "/./"))
        and not plain.endswith(("/..", "/."))
        and all(char.isprintable() for char in plain)
    )


def _roles_for(path: str) -> tuple[Role, ...] | None:
    return next((roles for page, roles in PAGES_FOR.items() if path == page or path.startswith(f"{page}/")), None)


def _caching(path: str, status: int) -> str:
    if path.startswith("/api/") or _roles_for(path) is not None:
        return "private, no-store"
    if status in (200, 304):
        return next((rule for folder, rule in STATIC.items() if path.startswith(folder)), "no-cache")
    return "no-cache"


def _see_other(target: str) -> Response:
    return RedirectResponse(target, 303, answers.PRIVATE)


def _database_down(error: Exception) -> Response:
    log.error("database_unavailable", error=type(error).__name__)
    text = "We can’t open this page right now. Nothing is lost. Please try again in a moment.\n"
    return PlainTextResponse(text, Unavailable.status, {**answers.PRIVATE, "Retry-After": "30"})
