"""Who is at the other end: the session in the cookie, and the network address behind our own proxies."""

from __future__ import annotations

import asyncio

from starlette.requests import HTTPConnection

from teleconsult.accounts import sessions
from teleconsult.accounts.sessions import SignedIn
from teleconsult.errors import SignInNeeded
from teleconsult.settings import get_settings


def session_token(connection: HTTPConnection) -> str:
    """The session token the browser sent, or an empty string."""
    return sessions.token_in(connection.headers.get("cookie", ""), get_settings())


async def signed_in(connection: HTTPConnection) -> SignedIn:
    """Who is asking, looked up in the database for every request.

    Raises:
        SignInNeeded: no session, or it has ended.
    """
    who = await asyncio.to_thread(sessions.lookup, session_token(connection))
    if who is None:
        raise SignInNeeded("Please sign in first.")
    return who


def address(connection: HTTPConnection) -> str:
    """The client's network address.

    `X-Forwarded-For` is the client's own claim, except for what our proxies appended: with TRUSTED_PROXY_HOPS=n the
    n-th entry from the right counts, otherwise the peer of the connection.
    """
    hops = get_settings().trusted_proxy_hops
    chain = [part.strip() for part in connection.headers.get("x-forwarded-for", "").split(",") if part.strip()]
    if hops and len(chain) >= hops:
        return chain[-hops]
    return connection.client.host if connection.client else ""
