"""A page that keeps itself up to date: looks again every few seconds, and not a moment longer than somebody sees it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from teleconsult.accounts import sessions
from teleconsult.accounts.sessions import SignedIn
from teleconsult.errors import SignInNeeded, Unavailable
from teleconsult.ui.session import current

POLL_SECONDS = 5


async def follow(page: Any, visit: str, here: str) -> AsyncGenerator[SignedIn]:
    """Say each time that it is time to look again, and who looks, until the page is left or opened anew.

    For background handlers: `page` is their `self`, with the `_visit` that `visit` was when they began. Reflex cancels
    them when the page changes or its socket closes. The checks here end them too, should that ever change.

    Raises:
        SignInNeeded: the session ended elsewhere.
    """
    while True:
        await asyncio.sleep(POLL_SECONDS)
        async with page:
            if visit != page._visit or page.router.url.path.rstrip("/") != here:  # noqa: SLF001 - the page lends it
                return
            who = await current(page)
        if not await _alive(who):
            raise SignInNeeded("Please sign in again.")
        yield who


async def _alive(who: SignedIn) -> bool:
    """While the database is away nobody is sent out."""
    try:
        return await asyncio.to_thread(sessions.alive, who.session_id)
    except Unavailable:
        return True
