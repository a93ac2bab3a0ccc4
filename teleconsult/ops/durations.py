"""Lengths of time as people say them."""

from __future__ import annotations

STEPS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def spoken(seconds: float) -> str:
    """Two significant steps at most: `3 d 4 h`, `12 min`, `40 s`."""
    rest, parts = int(seconds), []
    for size, name in STEPS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2]) or f"{rest} s"
