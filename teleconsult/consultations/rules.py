"""The life cycle of a consultation: pure rules, no database, no clock, no network."""

from enum import StrEnum


class Status(StrEnum):
    """Where a consultation stands. The names are those of the database and of the API."""

    DRAFT = "DRAFT"
    PENDING = "PENDING"
    IN_REVIEW = "IN_REVIEW"
    NEEDS_PHOTOS = "NEEDS_PHOTOS"
    ANSWERED = "ANSWERED"
    CLOSED = "CLOSED"
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"


MOVES: dict[Status, frozenset[Status]] = {
    Status.DRAFT: frozenset({Status.PENDING, Status.CANCELLED}),
    Status.PENDING: frozenset({Status.IN_REVIEW, Status.CANCELLED}),
    Status.IN_REVIEW: frozenset({Status.PENDING, Status.NEEDS_PHOTOS, Status.ANSWERED, Status.REJECTED}),
    Status.NEEDS_PHOTOS: frozenset({Status.IN_REVIEW}),
    Status.ANSWERED: frozenset({Status.CLOSED}),
    Status.CLOSED: frozenset(),
    Status.REJECTED: frozenset(),
    Status.CANCELLED: frozenset(),
}
"""Every legal step. Nothing ever becomes a DRAFT again."""

PAID = frozenset(Status) - {Status.DRAFT, Status.CANCELLED}
"""States nobody reaches without a payment."""


def may_move(now: Status, then: Status) -> bool:
    """Whether a consultation may go from one state to the other."""
    return then in MOVES[now]
