"""The one definition of harmless text: identifiers, codes and places in the source, never prose or contact data."""

from __future__ import annotations

import hashlib
import re
import uuid

REMOVED = "[removed]"

WORD = re.compile(r"[A-Za-z0-9_/<][A-Za-z0-9_./:{}<>\[\]-]{0,119}")
"""Ids, codes, paths in the source, route templates: no space, no @, no quotes, nothing a person types."""

KEYS = frozenset(
    {
        # what happened
        "event", "level", "timestamp", "logger", "reason", "outcome", "status", "code", "error", "where", "frames",
        "handler", "route", "method", "kind", "source", "state", "revision", "task", "step",
        # to what, by its opaque id
        "event_id", "event_type", "payment_id", "consultation_id", "user_id", "session_id", "refund_id", "photo_id",
        "job_id", "request_id", "reference", "stripe_request_id", "notice_id",
        # how much and how long
        "due", "moved", "events", "refunds",
        "count", "attempt", "attempts", "size", "seconds", "ms", "age", "port", "pid", "version", "secret",
    }
)  # fmt: skip
"""Names of log fields and Sentry tags. `secret` is the place in the list of webhook secrets that matched."""


def value(raw: object) -> str | int | float | bool | None:
    """The value itself when it is harmless in form, else a mark that something was removed."""
    if raw is None or isinstance(raw, (bool, int, float)):
        return raw
    if isinstance(raw, uuid.UUID):
        return str(raw)
    return word(raw)


def word(raw: object) -> str:
    """Text of harmless form, else the mark."""
    text = str(raw) if isinstance(raw, str) else ""
    return text if WORD.fullmatch(text) else REMOVED


def fingerprint(part: object) -> str:
    """A part of a grouping key: as it is when harmless, else a digest that groups just as well."""
    text = str(part)
    return text if WORD.fullmatch(text) else hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
