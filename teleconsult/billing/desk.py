"""The operators' desk: each thing they see or do about money as one use case.

That the caller is an operator is checked here again, whoever has asked before.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from teleconsult.billing import invariants, pulse, quarantine, refunds, rows
from teleconsult.billing.invariants import Violation
from teleconsult.billing.pulse import Pulse
from teleconsult.billing.quarantine import Decision, Item
from teleconsult.billing.refunds import Promised
from teleconsult.billing.story import Story, tell
from teleconsult.db import reachable, transaction


@dataclass(frozen=True)
class Overview:
    """How things stand now."""

    pulse: Pulse
    under_way: Mapping[str, int]
    """Attempts that somebody or something still has to end, by state."""
    waiting: tuple[Item, ...]
    """What needs a decision, longest first."""


@reachable()
def overview(operator_id: uuid.UUID) -> Overview:
    """All that the first page shows, cheap enough to be asked for every few seconds.

    Raises:
        Forbidden: not an operator.
        Unavailable: the database is away.
    """
    _require(operator_id)
    return Overview(pulse.read(), pulse.waiting_payments(), tuple(quarantine.listed()))


@reachable()
def proof(operator_id: uuid.UUID) -> tuple[Violation, ...]:
    """The promises of money that our own books break. Reads whole tables: a matter of minutes, not of seconds.

    Raises:
        Forbidden: not an operator.
        Unavailable: the database is away.
    """
    _require(operator_id)
    return tuple(invariants.check(with_stripe=False))


@reachable()
def accept(operator_id: uuid.UUID, item: str) -> Decision:
    """`quarantine.accept`; Unavailable while the database is away."""
    return quarantine.accept(operator_id, item)


@reachable()
def give_back(operator_id: uuid.UUID, item: str) -> Decision:
    """`quarantine.refund`; Unavailable while the database is away."""
    return quarantine.refund(operator_id, item)


@reachable()
def put_aside(operator_id: uuid.UUID, item: str, reason: str) -> Decision:
    """`quarantine.dismiss`; Unavailable while the database is away."""
    return quarantine.dismiss(operator_id, item, reason)


@reachable()
def story(operator_id: uuid.UUID, name: str) -> Story:
    """`story.tell`, with all of the payment that a name leads to.

    Raises:
        Forbidden: not an operator.
        NotFound: nothing here has that name.
        Unavailable: the database is away.
    """
    _require(operator_id)
    return tell(name)


@reachable()
def refund(operator_id: uuid.UUID, payment_id: uuid.UUID, amount_minor: int, reason: str) -> Promised:
    """`refunds.request`; Unavailable while the database is away, and then it may have been promised all the same."""
    return refunds.request(operator_id, payment_id, amount_minor, reason)


def _require(operator_id: uuid.UUID) -> None:
    with transaction() as tx:
        rows.require_operator(tx, operator_id)
