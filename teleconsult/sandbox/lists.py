"""Pages of objects, newest first, with Stripe's cursors, filters and expansion."""

from __future__ import annotations

import copy
import operator
from collections.abc import Iterable
from typing import Any

from teleconsult.sandbox.context import Call
from teleconsult.sandbox.errors import invalid, missing
from teleconsult.sandbox.store import Store

MOST, USUAL, DEEPEST = 100, 10, 4
COMPARE = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}


def page(call: Call, items: Iterable[dict[str, Any]], kind: str) -> dict[str, Any]:
    """One page of `items`, which come oldest first and already filtered, except by `created`.

    Raises:
        StripeError: for a limit outside 1-100, or a cursor that isn't in the list.
    """
    newest = [item for item in reversed(list(items)) if _created(call.params.get("created"), item)]
    limit = _limit(call.params)
    after, before = call.params.get("starting_after"), call.params.get("ending_before")
    if after is not None:
        newest = newest[_place(newest, after, kind, "starting_after") + 1 :]
    if before is not None:
        newest = newest[: _place(newest, before, kind, "ending_before")]
        data, more = newest[-limit:], len(newest) > limit
    else:
        data, more = newest[:limit], len(newest) > limit
    return {"object": "list", "data": data, "has_more": more, "url": call.path}


def listed(call: Call, kind: str, filters: tuple[str, ...] = ()) -> dict[str, Any]:
    """A page of every object of a kind for which each named parameter, if given, equals its field."""
    wanted = {name: call.params[name] for name in filters if name in call.params}
    items = call.store.all(kind).values()
    return page(call, [i for i in items if all(i.get(name) == value for name, value in wanted.items())], kind)


def _limit(params: dict[str, Any]) -> int:
    limit = params.get("limit", USUAL)
    if limit < 1:
        raise invalid("This value must be greater than or equal to 1.", param="limit", code="parameter_invalid_integer")
    if limit > MOST:
        raise invalid("This value must be less than or equal to 100.", param="limit", code="parameter_invalid_integer")
    return limit


def _place(items: list[dict[str, Any]], cursor: str, kind: str, param: str) -> int:
    for index, item in enumerate(items):
        if item["id"] == cursor:
            return index
    raise missing(kind, cursor, param, status=400)


def _created(rule: Any, item: dict[str, Any]) -> bool:
    if rule is None:
        return True
    if isinstance(rule, int):
        return item["created"] == rule
    return all(COMPARE[name](item["created"], value) for name, value in rule.items())


def expanded(store: Store, result: dict[str, Any], paths: list[str]) -> dict[str, Any]:
    """The result with ids replaced by their objects, for each of the `expand` paths.

    Raises:
        StripeError: for a property that can't be expanded.
    """
    if not paths:
        return result
    result = copy.deepcopy(result)
    for path in paths:
        steps = path.split(".")
        if len(steps) > DEEPEST or not _expand(store, result, steps):
            raise invalid(f"This property cannot be expanded ({path}).", param="expand")
    return result


def _expand(store: Store, here: Any, steps: list[str]) -> bool:
    """Whether the path led somewhere. An id that is null stays null."""
    if not steps:
        return True
    if isinstance(here, list):
        return all(_expand(store, item, steps) for item in here)
    if not isinstance(here, dict) or (steps[0] not in here and not _lines(store, here, steps[0])):
        return False
    value = here[steps[0]]
    found = store.anything(value) if isinstance(value, str) else None
    if isinstance(value, str) and found is None:
        return False
    if found:
        value = here[steps[0]] = copy.deepcopy(found)
    return value is None or _expand(store, value, steps[1:])


def _lines(store: Store, here: dict[str, Any], name: str) -> bool:
    """Put the line items in, which a session carries only when asked."""
    if here.get("object") != "checkout.session" or name != "line_items":
        return False
    rows = store.note(here["id"])["line_items"]
    url = f"/v1/checkout/sessions/{here['id']}/line_items"
    here["line_items"] = {"object": "list", "data": rows, "has_more": False, "url": url}
    return True
