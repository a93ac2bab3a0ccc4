"""An answer that never comes: the connection is cut, and the caller can't know what was done."""

from __future__ import annotations

import os
import socket
import stat

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

MOST_FILES = 1024


class Dropped(Response):
    """Cuts the connection. Where its socket can't be found, it promises more than it sends, which cuts it later."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Nothing that could be taken for an answer."""
        del receive
        host, port = scope["client"]
        cut(host, int(port))
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})


def cut(host: str, port: int) -> bool:
    """Close the connection of this peer, found among the files of the process; ASGI has no word for it."""
    return any(_is_socket(number) and _cut_if(number, (host, port)) for number in range(3, MOST_FILES))


def _is_socket(number: int) -> bool:
    try:
        return stat.S_ISSOCK(os.fstat(number).st_mode)
    except OSError:
        return False


def _cut_if(number: int, peer: tuple[str, int]) -> bool:
    with socket.socket(fileno=os.dup(number)) as copy:
        try:
            if copy.getpeername()[:2] != peer:
                return False
            copy.shutdown(socket.SHUT_RDWR)
        except OSError:
            return False
        return True
