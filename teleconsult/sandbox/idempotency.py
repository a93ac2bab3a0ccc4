"""Idempotency keys: the first result is given again, for a day, to the same key with the same parameters.

Kept in the store, so that a key outlives a restart as it does at Stripe; calls in flight are known here only.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from teleconsult.sandbox.errors import StripeError, invalid
from teleconsult.sandbox.store import Store

LONGEST = 255


@dataclass
class Keys:
    """The keys of one sandbox."""

    store: Store
    in_flight: set[str] = field(default_factory=set)

    def begin(self, key: str, path: str, tree: dict[str, Any]) -> dict[str, Any] | None:
        """The kept result to be replayed, or None: then the call runs, and `keep` or `release` must follow.

        Raises:
            StripeError: other parameters (400), or the first call is still running (409).
        """
        if len(key) > LONGEST:
            raise invalid(f"Idempotency keys can have up to {LONGEST} characters.")
        kept = self.store.kept_answer(key)
        if kept:
            _compare(kept, key, path, tree)
            return kept
        if key in self.in_flight:
            raise _busy(key)
        self.in_flight.add(key)
        return None

    def keep(self, key: str, path: str, tree: dict[str, Any], status: int, text: str) -> None:
        """Remember the result and let the key go."""
        made = {"created": self.store.now(), "path": path, "fingerprint": _fingerprint(tree)}
        self.store.keep_answer(key, made | {"status": status, "text": text})
        self.release(key)

    def release(self, key: str) -> None:
        """Forget that the key is in use: nothing was executed."""
        self.in_flight.discard(key)


def _fingerprint(tree: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(tree, sort_keys=True).encode()).hexdigest()


def _compare(kept: dict[str, Any], key: str, path: str, tree: dict[str, Any]) -> None:
    hint = f"Try using a key other than '{key}' if you meant to execute a different request."
    if kept["path"] != path:
        place = f"for the same endpoint they were first used for ('{kept['path']}')."
        raise StripeError(400, "idempotency_error", f"Keys for idempotent requests can only be used {place} {hint}")
    if kept["fingerprint"] != _fingerprint(tree):
        same = "with the same parameters they were first used with."
        raise StripeError(400, "idempotency_error", f"Keys for idempotent requests can only be used {same} {hint}")


def _busy(key: str) -> StripeError:
    text = (
        f"There is currently another in-progress request using this Idempotent Key (that probably means you submitted "
        f"twice, and the other request is still going through): {key}. Please try again later."
    )
    return StripeError(409, "invalid_request_error", text, stored=False, code="idempotency_key_in_use")
