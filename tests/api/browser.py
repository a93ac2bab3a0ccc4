"""A browser for the API tests: it keeps cookies, and says where its requests come from as browsers do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
from starlette.types import ASGIApp

URL = "http://localhost:8000"
FROM_OUR_PAGES = {"Origin": URL, "Sec-Fetch-Site": "same-origin"}
PASSWORD = "three calm herons"


class Browser:
    """Requests against an ASGI app in this process. `headers` replace those of a request from our own pages."""

    def __init__(self, app: ASGIApp, url: str = URL) -> None:
        self.app, self.url = app, url
        self.cookies: dict[str, str] = {}

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.request("GET", path, headers=more.pop("headers", {}), **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self.request("POST", path, **more)

    def request(self, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
        return asyncio.run(self._send(method, path, FROM_OUR_PAGES if headers is None else headers, **more))

    async def _send(self, method: str, path: str, headers: dict[str, str], **more: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, client=(more.pop("peer", "127.0.0.1"), 4711))
        async with httpx.AsyncClient(transport=transport, base_url=self.url) as client:
            request = client.build_request(method, path, headers=headers, **more)
            if self.cookies and "cookie" not in request.headers:
                request.headers["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            answer = await client.send(request)
            for line in answer.headers.get_list("set-cookie"):
                name, value = line.split(";")[0].split("=", 1)
                self.cookies[name] = value
                if "max-age=0" in line.lower():
                    del self.cookies[name]
            return answer

    def sign_up(self, email: str = "jane@example.com", **fields: str) -> httpx.Response:
        form = {"email": email, "password": PASSWORD, "adult": "on", **fields}
        return self.post("/api/auth/sign-up", data=form)


async def endless(size: int = 64 * 1024) -> AsyncIterator[bytes]:
    """A body without a length that never stops by itself."""
    while True:
        yield b"x" * size
