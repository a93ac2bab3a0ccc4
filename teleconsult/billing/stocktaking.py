"""Stripe's books held against ours: every page that was paid there, found here as one queued case or one way back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, text

from teleconsult.billing.gateway import gateway
from teleconsult.billing.objects import CheckoutSession, HeldSession
from teleconsult.billing.promises import Promise
from teleconsult.billing.rules import APP
from teleconsult.db import utcnow
from teleconsult.settings import get_settings


@dataclass(frozen=True)
class Stock:
    """What Stripe holds of ours, read at one time."""

    since: datetime
    settled: datetime
    """What was paid later is left to webhook and sweep."""
    sessions: tuple[HeldSession, ...]
    moving: frozenset[str]
    """Payment intents with a refund so young that its news may be on the way."""

    def lay_out(self, tx: Session) -> None:
        """Put it beside our tables as `held`, for the length of the transaction, so that one question sees both."""
        columns = {
            "session": [held.session.id for held in self.sessions],
            "consultation": [held.session.client_reference_id for held in self.sessions],
            "open": [held.session.status == "open" for held in self.sessions],
            "paid": [held.session.paid for held in self.sessions],
            "paid_at": [held.paid_at for held in self.sessions],
            "amount": [held.session.amount_total for held in self.sessions],
            "currency": [held.session.currency for held in self.sessions],
            "refunded": [held.refunded_minor for held in self.sessions],
            "moving": [held.session.payment_intent in self.moving for held in self.sessions],
            "marked": [_ours(held.session) for held in self.sessions],
        }
        tx.connection().execute(text(_TABLE))
        tx.connection().execute(text(_ROWS), columns)
        tx.connection().execute(text(_QUARANTINED))
        tx.connection().execute(text("analyze held"))

    @property
    def facts(self) -> dict[str, Any]:
        """The moments the questions ask for."""
        # Our row is made shortly before Stripe's page.
        return {"since": self.since + timedelta(minutes=5), "settled": self.settled}


def take(since: datetime, grace: timedelta) -> Stock:
    """Read Stripe's list of pages made since then, and of refunds that are younger than `grace`.

    Raises:
        GatewayDown, GatewayRefused: it can't be read.
    """
    settled = utcnow() - grace
    held = gateway().held_sessions(since)
    refunds = gateway().refunds_since(settled) if grace else []
    moving = frozenset(refund.payment_intent for refund in refunds if refund.payment_intent)
    return Stock(since, settled, tuple(held), moving)


def _ours(session: CheckoutSession) -> bool:
    """Whether it bears our marks. Without them, in an account that others share, only a row of ours makes it ours."""
    return {"app": APP, "env": get_settings().environment}.items() <= session.metadata.items()


_TABLE = """
    create temporary table held (
        session text primary key, consultation text, open bool, paid bool, paid_at timestamptz, amount bigint,
        currency text, refunded bigint, moving bool, marked bool, quarantined bool not null default false
    ) on commit drop
"""
_ROWS = """
    insert into held (
        session, consultation, open, paid, paid_at, amount, currency, refunded, moving, marked
    ) select * from unnest(
        cast(:session as text[]), cast(:consultation as text[]), cast(:open as bool[]), cast(:paid as bool[]),
        cast(:paid_at as timestamptz[]), cast(:amount as bigint[]), cast(:currency as text[]),
        cast(:refunded as bigint[]), cast(:moving as bool[]), cast(:marked as bool[])
    ) on conflict do nothing
"""
"""A page that is paid while the list is read appears as open and as complete: the first of them stays."""

_QUARANTINED = """
    update held set quarantined = true from processed_webhook w
    where w.object_id = held.session and w.outcome = 'quarantined'
"""
"""Pages that no row of ours knows, and whose events an operator sees or has decided about."""

PROMISES = (
    Promise(
        "I1",
        "Stripe holds money for a page that is neither a queued case, nor going back, nor in quarantine.",
        """
        select h.session from held h left join payment p on p.stripe_session_id = h.session
        where h.paid and h.refunded < h.amount and h.paid_at <= :settled
            and (p.id is null and h.marked and not h.quarantined or p.status in ('EXPIRED', 'FAILED', 'CANCELLED'))
        """,
    ),
    Promise(
        "I2",
        "An attempt counts as paid and Stripe has no paid page for it.",
        """
        select p.id from payment p left join held h on h.session = p.stripe_session_id and h.paid
        where p.paid_at <= :settled and p.created_at > :since and h.session is null
        """,
    ),
    Promise(
        "I6",
        "Stripe keeps more than one payment for a consultation.",
        """
        select h.consultation from held h left join payment p on p.stripe_session_id = h.session
        where h.paid and h.refunded < h.amount and h.paid_at <= :settled
            and (p.status = 'PAID' or p.id is null and h.marked and not h.quarantined)
        group by h.consultation having count(*) > 1
        """,
    ),
    Promise(
        "I7",
        "Stripe charged another amount than is written here.",
        """
        select p.id from held h join payment p on p.stripe_session_id = h.session
        where h.paid and p.paid_at is not null
            and (h.amount, h.currency) is distinct from (p.received_minor, p.received_currency)
        """,
    ),
    Promise(
        "I8",
        "A consultation has more than one open page at Stripe.",
        """
        select consultation from held
        where open and marked and consultation is not null group by consultation having count(*) > 1
        """,
    ),
    Promise(
        "I9",
        "Stripe has returned another amount than is written here.",
        """
        select p.id from held h join payment p on p.stripe_session_id = h.session
        where h.paid and p.paid_at is not null and h.refunded <> p.refunded_minor and not h.moving
            and coalesce(p.refund_status, '') not in ('requested', 'pending')
        """,
    ),
    Promise(
        "I10",
        "A paid page has not been noticed for longer than a sweep takes.",
        """
        select p.id from held h join payment p on p.stripe_session_id = h.session
        where p.status in ('CREATING', 'OPEN', 'PROCESSING') and h.paid and h.paid_at <= :settled
        """,
    ),
)
