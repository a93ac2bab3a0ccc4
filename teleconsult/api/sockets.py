"""Which sockets may open, and whose state they reach.

A page's socket names a client token, made in the browser and carried in the address. Whoever knows it would receive
that tab's state. So the token that Reflex gets to see is derived from the client's and the session cookie together:
another session, or none, leads to another state, whatever token it names.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import uuid
from urllib.parse import parse_qs, urlencode

from starlette.datastructures import Headers
from starlette.types import Scope

from teleconsult.accounts import sessions
from teleconsult.settings import Settings

PATH = "/_event"
_TOKEN = re.compile(r"[A-Za-z0-9-]{8,64}")


def admit(scope: Scope, settings: Settings) -> Scope | None:
    """The scope to hand on, or None to refuse.

    Only websockets from our own pages. Programs send no Origin: they come in, but without the authority of a cookie.
    """
    query = parse_qs(scope["query_string"].decode("latin-1"))
    token = query.get("token", [""])[-1]
    if scope["path"].rstrip("/") != PATH or query.get("transport") != ["websocket"] or not _TOKEN.fullmatch(token):
        return None
    headers = Headers(scope=scope)
    origins = headers.getlist("origin")
    if origins and origins != [settings.public_url]:
        return None
    session = sessions.token_in(headers.get("cookie", ""), settings) if origins else ""
    derived = derive(token, session)
    kept = [(name, value) for name, value in scope["headers"] if origins or name != b"cookie"]
    flat = {**{key: values[-1] for key, values in query.items()}, "token": derived}
    return {**scope, "headers": kept, "query_string": urlencode(flat).encode()}


def derive(client_token: str, session_token: str) -> str:
    """The token of one tab in one session. Nobody can compute it without the session cookie."""
    digest = hmac.new(session_token.encode(), client_token.encode(), hashlib.sha256).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))
