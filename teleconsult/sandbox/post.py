"""One HTTP POST over asyncio streams: cancellable at once, and no HTTP library needed."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from urllib.parse import SplitResult, urlsplit

LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
STATUS_PARTS = 2
DRAIN_SECONDS = 1.0


class PostFailed(Exception):
    """No answer: refused, cut off, or too slow."""


def is_local(url: str) -> bool:
    """Whether the address is on this machine; the sandbox talks to no other."""
    return urlsplit(url).hostname in LOCAL


async def post(url: str, body: bytes, headers: dict[str, str], seconds: float) -> int:
    """The status of the answer; its body is not looked at, and redirects aren't followed.

    Raises:
        PostFailed: with a sentence for the delivery log.
    """
    try:
        return await asyncio.wait_for(_exchange(urlsplit(url), body, headers), seconds)
    except TimeoutError:
        raise PostFailed(f"no answer within {seconds:g} s") from None
    except OSError as error:
        raise PostFailed(f"no connection: {error.strerror or type(error).__name__}") from None


async def _exchange(url: SplitResult, body: bytes, headers: dict[str, str]) -> int:
    secure = url.scheme == "https"
    port = url.port or (443 if secure else 80)
    tls = ssl.create_default_context() if secure else None
    reader, writer = await asyncio.open_connection(url.hostname, port, ssl=tls)
    try:
        writer.write(_head(url, headers, len(body)) + body)
        await writer.drain()
        status = _status(await reader.readline())
        with suppress(TimeoutError):  # the status is known; reading on only spares the other side a broken pipe
            await asyncio.wait_for(reader.read(), DRAIN_SECONDS)
        return status
    finally:
        writer.close()


def _head(url: SplitResult, headers: dict[str, str], length: int) -> bytes:
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    lines = [f"POST {target} HTTP/1.1", f"Host: {url.netloc}", f"Content-Length: {length}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _status(line: bytes) -> int:
    parts = line.split()
    if len(parts) < STATUS_PARTS or not parts[1].isdigit():
        raise PostFailed("the connection was closed without an answer")
    return int(parts[1])
