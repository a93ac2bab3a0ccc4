"""Making an account and signing in. Every refusal names its `problem`, the word pages turn into a sentence."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from functools import cache
from zoneinfo import available_timezones

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from teleconsult import audit
from teleconsult.accounts import passwords, throttle
from teleconsult.accounts.models import Role, User
from teleconsult.accounts.sessions import Opened, open_session
from teleconsult.db import transaction
from teleconsult.errors import Conflict, Invalid, SignInNeeded

LONGEST_EMAIL, LONGEST_LOCAL, LONGEST_NAME = 254, 64, 120
NOBODY = uuid.UUID(int=0)
"""Stands in the audit log for an account that doesn't exist, so that a wrong address costs the same write."""

# An address mail servers deliver to (RFC 5321 dot-atom at a host name with a dot), in ASCII: browsers send the domain
# of a type=email field that way. Quoted local parts exist on paper only.
_EMAIL = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])"
)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A sign-up that passed every check which needs no database."""

    email: str = field(repr=False)
    password: str = field(repr=False)
    name: str = field(repr=False)
    timezone: str


def sign_up(
    email: str, password: str, name: str = "", adult: bool = False, timezone: str = "UTC", *, address: str = ""
) -> Opened:
    """Make a patient's account and sign its owner in. `address` is the network address the request came from.

    Raises:
        Invalid: a field must be mended; problem `email`, `password_short`, `password_common`, `name` or `adult`.
        Conflict: there is an account with this e-mail; problem `taken`.
        TooMany: problem `too_many`.
        Unavailable: problem `busy`.
    """
    newcomer = _checked(email, password, name, adult, timezone)
    throttle.before_sign_up(address)
    hashed = passwords.hash_password(newcomer.password)
    try:
        with transaction() as tx:
            user = User(email=newcomer.email, name=newcomer.name, password_hash=hashed, timezone=newcomer.timezone)
            tx.add(user)
            tx.flush()
            audit.record(tx, "signed_up", "user", user.id, actor_id=user.id, actor_role=Role.PATIENT)
            return open_session(tx, user)
    except IntegrityError:
        raise Conflict("There is already an account with this e-mail. Sign in instead.", problem="taken") from None


def sign_in(email: str, password: str, *, address: str = "") -> Opened:
    """Begin a session. An unknown e-mail and a wrong password get the same answer in the same time.

    Raises:
        SignInNeeded: they don't match, or the account is disabled; problem `mismatch`.
        TooMany: problem `too_many`.
        Unavailable: problem `busy`.
    """
    email = normal_email(email) or ""
    throttle.before_sign_in(email, address)
    with transaction() as tx:
        user = tx.exec(select(User).where(User.email == email, col(User.disabled_at).is_(None))).first()
    if not passwords.verify(user.password_hash if user else None, password) or user is None:
        with transaction() as tx:
            audit.record(tx, "sign_in_failed", "user", user.id if user else NOBODY, actor_role="anonymous")
        raise SignInNeeded("That e-mail and password don’t match.", problem="mismatch")
    renewed = passwords.hash_password(password) if passwords.outdated(user.password_hash) else None
    with transaction() as tx:
        if renewed:
            tx.exec(update(User).where(col(User.id) == user.id).values(password_hash=renewed))
        audit.record(tx, "signed_in", "user", user.id, actor_id=user.id, actor_role=user.role)
        opened = open_session(tx, user)
    throttle.after_sign_in(email, address)
    return opened


def operator(email: str) -> uuid.UUID | None:
    """The operator with this address, for commands that act in somebody's name."""
    query = select(User.id).where(col(User.email) == normal_email(email), col(User.role) == Role.OPERATOR)
    with transaction() as tx:
        return tx.exec(query).one_or_none()


def normal_email(raw: str) -> str | None:
    """The address in its one stored form, or None when nothing could be delivered to it."""
    email = raw.strip().lower()
    fine = len(email) <= LONGEST_EMAIL and len(email.partition("@")[0]) <= LONGEST_LOCAL and _EMAIL.fullmatch(email)
    return email if fine else None


def _checked(email: str, password: str, name: str, adult: bool, timezone: str) -> Newcomer:
    normal, name = normal_email(email), " ".join(name.split())
    if normal is None:
        raise Invalid({"email": "Enter an e-mail address, like name@example.com."}, problem="email")
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise Invalid({"name": f"Enter a name of up to {LONGEST_NAME} characters."}, problem="name")
    if len(password) < passwords.SHORTEST:
        raise Invalid({"password": f"Use at least {passwords.SHORTEST} characters."}, problem="password_short")
    if passwords.is_common(password, normal, name):
        raise Invalid(
            {"password": "That password is among the first people guess. Choose another."}, problem="password_common"
        )
    if not adult:
        raise Invalid({"adult": "You need to be 18 or older to use Teleconsult."}, problem="adult")
    return Newcomer(normal, password, name, timezone if timezone in _timezones() else "UTC")


@cache
def _timezones() -> set[str]:
    return available_timezones()
