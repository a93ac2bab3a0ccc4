"""The same as `teleconsult invariants`, where one looks for it who repairs."""

from __future__ import annotations

from teleconsult.ops.invariants import arguments, run

__all__ = ["arguments", "run"]
