"""Identifiers that look like Stripe's. Clients must treat them as opaque."""

from __future__ import annotations

import secrets
import string

ALPHABET = string.ascii_letters + string.digits
LENGTHS = {"cs_test_": 58, "whsec_": 32, "cus_": 14, "prod_": 14, "req_": 14, "evt_": 24}
PAYMENT_FAMILY = frozenset({"payment_intent", "charge", "refund", "dispute"})


def new_id(prefix: str) -> str:
    """A fresh id: `new_id("cus_")`."""
    return prefix + random_text(LENGTHS.get(prefix, 24))


def event_id(kind: str) -> str:
    """`evt_3…` for events of a payment, `evt_1…` for the rest."""
    return f"evt_{3 if kind in PAYMENT_FAMILY else 1}{random_text(23)}"


def random_text(length: int) -> str:
    """Letters and digits from the system's generator."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))
