"""A Sentry that is a loopback HTTP server: it keeps every byte of every envelope it receives."""

from __future__ import annotations

import contextlib
import gzip
import json
import threading
import zlib
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import sentry_sdk


class FakeSentry:
    """Where `dsn` leads. `received` is everything that arrived, headers included; `events` what was meant as one."""

    def __init__(self, port: int) -> None:
        self.dsn = f"http://key@127.0.0.1:{port}/1"
        self.raw: list[bytes] = []
        self.headers: list[str] = []

    @property
    def received(self) -> str:
        return "\n".join([*self.headers, *(body.decode("utf-8", "replace") for body in self.raw)])

    @property
    def events(self) -> list[dict[str, Any]]:
        """The error events, in the order they came."""
        sentry_sdk.flush(5)
        found = []
        for body in self.raw:
            lines = body.decode().split("\n")
            for kind, payload in zip(lines[1::2], lines[2::2], strict=False):
                if json.loads(kind)["type"] == "event":
                    found.append(json.loads(payload))
        return found


@contextlib.contextmanager
def fake_sentry() -> Generator[FakeSentry]:
    """Run one, and afterwards leave the SDK switched off."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            unpack = {"gzip": gzip.decompress, "deflate": zlib.decompress}.get(self.headers["content-encoding"], bytes)
            fake.raw.append(unpack(body))
            fake.headers.append(f"{self.path}\n{self.headers}")
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_args: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake = FakeSentry(server.server_port)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        sentry_sdk.get_client().close(timeout=2)
        for scope in (sentry_sdk.get_isolation_scope(), sentry_sdk.get_current_scope(), sentry_sdk.get_global_scope()):
            scope.clear()
        sentry_sdk.get_global_scope().set_client(None)
        server.shutdown()
        thread.join(5)
