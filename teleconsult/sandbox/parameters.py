"""What each operation accepts, from Stripe's published contract (`parameters.json`), and the refusals for the rest."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from teleconsult.sandbox.errors import StripeError, invalid, parameter_missing, unknown_parameters

METADATA_KEYS, METADATA_KEY, METADATA_VALUE = 50, 40, 500
NEVER_EMPTY = frozenset({
    "customer", "price", "product", "currency", "mode", "success_url", "cancel_url", "return_url", "configuration",
    "charge", "payment_intent", "customer_email", "client_reference_id",
})  # fmt: skip
LINKS = frozenset({"success_url", "cancel_url", "return_url"})


@cache
def contract() -> dict[str, Any]:
    """Every operation of the sandbox with its parameters, and the API version they belong to."""
    return json.loads(Path(__file__).with_name("parameters.json").read_text())


def api_version() -> str:
    """The version spoken here, and the version of the events sent from here."""
    return contract()["version"]


def check(operation: str, tree: dict[str, Any]) -> dict[str, Any]:
    """The parameters with their types: integers, booleans, lists and hashes in place of text.

    Raises:
        StripeError: for the first parameter Stripe would refuse.
    """
    return _hash(contract()[operation], tree, "")


def _convert(schema: dict[str, Any], node: Any, name: str) -> Any:
    if "any" in schema:
        return _any(schema["any"], node, name)
    if "keys" in schema:
        if not isinstance(node, dict):
            raise invalid("Invalid object", param=name)
        return _hash(schema, node, name)
    if "items" in schema:
        return _list(schema, node, name)
    if isinstance(node, dict):
        raise invalid(f"Invalid {schema['type']}: {{...}}", param=name)
    return _value(schema, node, name)


def _any(options: list[dict[str, Any]], node: Any, name: str) -> Any:
    """The first option that fits; when none does, the complaint of the option of the same shape."""
    complaints: list[tuple[bool, StripeError]] = []
    for option in options:
        try:
            return _convert(option, node, name)
        except StripeError as error:
            complaints.append((("keys" in option or "items" in option) == isinstance(node, dict), error))
    raise max(complaints, key=lambda pair: pair[0])[1]


def _hash(schema: dict[str, Any], node: dict[str, Any], name: str) -> dict[str, Any]:
    keys, others = schema["keys"], schema.get("others")
    unknown = [_path(name, key) for key in node if key not in keys and others is None]
    if unknown:
        raise unknown_parameters(unknown)
    absent = [key for key in schema.get("required", ()) if key not in node]
    if absent:
        raise parameter_missing(_path(name, absent[0]))
    if others is not None and not keys:
        return _free(node, name)
    return {key: _convert(keys[key], value, _path(name, key)) for key, value in node.items()}


def _free(node: dict[str, Any], name: str) -> dict[str, str]:
    """A hash whose keys are the caller's own, as metadata is: flat text, whatever the keys are called."""
    for key, value in node.items():
        if not isinstance(value, str):
            raise invalid("Invalid string: {...}", param=_path(name, key))
    if name.rpartition("[")[2].rstrip("]") == "metadata":
        check_metadata(node, name)
    return dict(node)


def _list(schema: dict[str, Any], node: Any, name: str) -> list[Any]:
    if node == "":
        return []
    if not isinstance(node, dict) or not all(key.isdigit() for key in node):
        raise invalid("Invalid array", param=name)
    rows = [node[key] for key in sorted(node, key=int)]
    return [_convert(schema["items"], row, f"{name}[{index}]") for index, row in enumerate(rows)]


def _value(schema: dict[str, Any], text: str, name: str) -> Any:
    kind = schema["type"]
    if kind == "integer":
        return _integer(schema, text, name)
    if kind == "boolean":
        if text not in ("true", "false"):
            raise invalid(f"Invalid boolean: {text}", param=name)
        return text == "true"
    if kind == "number":
        return _number(text, name)
    return _string(schema, text, name)


def _integer(schema: dict[str, Any], text: str, name: str) -> int:
    if not re.fullmatch(r"-?\d{1,18}", text):
        raise invalid(f"Invalid integer: {text}", code="parameter_invalid_integer", param=name)
    number = int(text)
    if number < schema.get("least", number):
        raise invalid(f"This value must be greater than or equal to {schema['least']}.", param=name)
    if number > schema.get("most", number):
        raise invalid(f"This value must be less than or equal to {schema['most']}.", param=name)
    return number


def _number(text: str, name: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise invalid(f"Invalid decimal: {text}", param=name) from None


def _string(schema: dict[str, Any], text: str, name: str) -> str:
    leaf = re.split(r"[\[\]]+", name.rstrip("]"))[-1]
    if "enum" in schema and text not in schema["enum"]:
        raise invalid(f"Invalid {name}: must be one of {_one_of(schema['enum'])}", param=name)
    if text == "" and leaf in NEVER_EMPTY and "enum" not in schema:
        raise _empty(leaf, name)
    if len(text) > schema.get("max", len(text)):
        raise invalid(f"Invalid string: {_short(text)}; must be at most {schema['max']} characters", param=name)
    if leaf in LINKS and not _is_link(text):
        raise invalid("Not a valid URL", code="url_invalid", param=name)
    return text


def _empty(leaf: str, name: str) -> StripeError:
    text = (
        f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset a field; "
        f"however '{leaf}' cannot be unset. You should remove '{name}' from your request or supply a non-empty value."
    )
    return invalid(text, code="parameter_invalid_empty", param=name)


def check_metadata(values: dict[str, Any], name: str = "metadata") -> None:
    """Stripe's limits. The sentence repeats the value, as Stripe's does: that is why nothing private belongs there."""
    if len(values) > METADATA_KEYS:
        raise invalid(f"You can specify up to {METADATA_KEYS} metadata keys.", param=name)
    for key, value in values.items():
        if len(key) > METADATA_KEY:
            text = (
                f"Metadata keys can have up to {METADATA_KEY} characters, but you passed in a key that is {len(key)}."
            )
            raise invalid(text, param=name)
        if len(value) > METADATA_VALUE:
            text = (
                f"Metadata values can have up to {METADATA_VALUE} characters, but you passed in a value that is "
                f"{len(value)} characters. Invalid value: {value}"
            )
            raise invalid(text, param=f"{name}[{key}]")


def _path(name: str, key: str) -> str:
    return f"{name}[{key}]" if name else key


def _one_of(words: list[str]) -> str:
    shown = [word for word in words if word]
    return ", ".join(shown[:-1]) + f", or {shown[-1]}" if len(shown) > 1 else "".join(shown)


def _short(text: str) -> str:
    return f"{text[:6]}...{text[-4:]}"


def _is_link(text: str) -> bool:
    """An absolute address. `{CHECKOUT_SESSION_ID}` may stand in it, so it isn't parsed more strictly than that."""
    parts = urlsplit(text)
    return bool(re.fullmatch(r"[a-z][a-z0-9+.-]*", parts.scheme)) and bool(parts.netloc)
