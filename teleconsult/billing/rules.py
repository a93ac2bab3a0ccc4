"""Rules of money: pure, no database, no clock, no network."""

from enum import StrEnum


class PaymentStatus(StrEnum):
    """Where one attempt to pay stands."""

    CREATING = "CREATING"
    OPEN = "OPEN"
    PROCESSING = "PROCESSING"
    PAID = "PAID"
    DUPLICATE = "DUPLICATE"
    REVIEW = "REVIEW"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"


LIVE = frozenset({PaymentStatus.CREATING, PaymentStatus.OPEN, PaymentStatus.PROCESSING})
"""Attempts a patient may still finish. The database allows one for each consultation."""

SETTLED = frozenset({PaymentStatus.PAID, PaymentStatus.DUPLICATE, PaymentStatus.REVIEW})
"""Money has arrived and is accounted for. Nothing leaves these states by a late event."""
