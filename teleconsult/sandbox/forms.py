"""Form decoding as Stripe does it: `a[b][0]=c` becomes nested hashes, a list being a hash of numbers."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

from teleconsult.sandbox.errors import invalid

NAME = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")


def decode(text: str) -> dict[str, Any]:
    """The tree of a form body or a query.

    Raises:
        StripeError: when brackets don't match, or one name is both a value and a hash.
    """
    root: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        match = NAME.match(name)
        if not match:
            raise invalid(f"Invalid parameter name: {name}", param=name)
        _put(root, [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])], name, value)
    return root


def _put(root: dict[str, Any], keys: list[str], name: str, value: str) -> None:
    here = root
    for key in keys[:-1]:
        here = here.setdefault(key or _next(here), {})
        if not isinstance(here, dict):
            raise invalid("Invalid object", param=name)
    last = keys[-1] or _next(here)
    if isinstance(here.get(last), dict):
        raise invalid("Invalid object", param=name)
    here[last] = value


def _next(here: dict[str, Any]) -> str:
    return str(sum(key.isdigit() for key in here))
