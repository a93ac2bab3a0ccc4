"""Server-side sessions: a random token in a cookie, only its SHA-256 in the database.

The cookie is read at every request and at every event of an open page, so ending a session here ends it everywhere.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.cookies import CookieError, SimpleCookie

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from teleconsult import audit
from teleconsult.accounts.models import Role, User, UserSession
from teleconsult.db import changed, reachable, transaction, utcnow
from teleconsult.settings import Settings

TOKEN_LENGTH = 43
"""Characters of 256 random bits in URL-safe base 64."""

TOUCH_AFTER = timedelta(minutes=1)
"""How stale `last_seen_at` may get: one write a minute for an active person, not one for each event."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When a session ends by itself: after this long without any act, and after this long in any case."""

    idle: timedelta
    absolute: timedelta


LIMITS = {role: Limits(idle=timedelta(hours=12), absolute=timedelta(hours=12)) for role in Role}
"""The one place for session lengths. Shorter idle times need a warning in the page before they end."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody who is signed in, as every page and route sees them. `session_id` is the token's SHA-256 in hex."""

    session_id: str
    user_id: uuid.UUID
    role: Role
    name: str = field(repr=False)
    email: str = field(repr=False)
    timezone: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A new session: the token goes into the cookie and nowhere else."""

    token: str = field(repr=False)
    who: SignedIn


def cookie_name(settings: Settings) -> str:
    """`__Host-session` where cookies may demand https, so that no other host or path can plant one."""
    return "__Host-session" if settings.secure else "session"


def token_in(cookie_header: str, settings: Settings) -> str:
    """The session token in a raw `Cookie` header, or an empty string."""
    try:
        jar = SimpleCookie(cookie_header)
    except CookieError:
        return ""
    morsel = jar.get(cookie_name(settings))
    return morsel.value if morsel else ""


def open_session(tx: Session, user: User) -> Opened:
    """Begin a session for a person who has just proved who they are."""
    token, now = secrets.token_urlsafe(32), utcnow()
    row = UserSession(
        id=fingerprint(token),
        user_id=user.id,
        created_at=now,
        last_seen_at=now,
        expires_at=now + LIMITS[Role(user.role)].absolute,
    )
    tx.add(row)
    return Opened(token, _view(row, user))


def lookup(token: str) -> SignedIn | None:
    """Who holds this token, or None when it is unknown, has ended, or its account is disabled.

    One query by primary key. A session found to have ended is deleted, so that a clock set back can't revive it.
    """
    if len(token) != TOKEN_LENGTH:
        return None
    with transaction() as tx:
        found = tx.exec(
            select(UserSession, User)
            .join(User, col(User.id) == col(UserSession.user_id))
            .where(UserSession.id == fingerprint(token))
        ).first()
        if found is None:
            return None
        row, user = found
        now = utcnow()
        if _ended(row, user, now):
            tx.exec(delete(UserSession).where(col(UserSession.id) == row.id))
            return None
        if now - row.last_seen_at >= TOUCH_AFTER:
            tx.exec(update(UserSession).where(col(UserSession.id) == row.id).values(last_seen_at=now))
        return _view(row, user)


def confirm(token: str) -> SignedIn | None:
    """The same for pages, which go on when the database comes back.

    Raises:
        Unavailable: the database is away, so nobody can say.
    """
    with reachable():
        return lookup(token)


@reachable()
def alive(session_id: str) -> bool:
    """Whether a session has not ended. Unlike `lookup` it counts as no act: for pages that look by themselves.

    Raises:
        Unavailable: the database is away, so nobody knows.
    """
    with transaction() as tx:
        found = tx.exec(
            select(UserSession, User)
            .join(User, col(User.id) == col(UserSession.user_id))
            .where(UserSession.id == session_id)
        ).first()
        return found is not None and not _ended(*found, utcnow())


def revoke(session_id: str) -> None:
    """End one session, at once and also in pages that are open. Ending it twice is no fault."""
    with transaction() as tx:
        owner = tx.exec(
            select(User).join(UserSession, col(User.id) == col(UserSession.user_id)).where(UserSession.id == session_id)
        ).first()
        if owner is not None and changed(tx, delete(UserSession).where(col(UserSession.id) == session_id)):
            audit.record(tx, "signed_out", "user", owner.id, actor_id=owner.id, actor_role=owner.role)


def fingerprint(token: str) -> str:
    """What the database keeps of a token. 256 random bits need no salt."""
    return hashlib.sha256(token.encode()).hexdigest()


def _ended(row: UserSession, user: User, now: datetime) -> bool:
    limits = LIMITS[Role(user.role)]
    return user.disabled_at is not None or now >= row.expires_at or now - row.last_seen_at >= limits.idle


def _view(row: UserSession, user: User) -> SignedIn:
    return SignedIn(row.id, user.id, Role(user.role), user.name, user.email, user.timezone)
