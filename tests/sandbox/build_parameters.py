"""Rewrite `teleconsult/sandbox/parameters.json` from Stripe's published contract, when the pinned API version moves.

Run `python -m tests.sandbox.build_parameters` with `TELECONSULT_CONTRACT_DIR` naming the checker's folder.
A test compares the file with the contract, so that it can't be edited by hand unnoticed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.sandbox.contract import load_contract

TARGET = Path(__file__).parents[2] / "teleconsult/sandbox/parameters.json"
OPERATIONS = """
GET /v1/account
GET /v1/billing_portal/configurations
POST /v1/billing_portal/configurations
GET /v1/billing_portal/configurations/{configuration}
POST /v1/billing_portal/configurations/{configuration}
POST /v1/billing_portal/sessions
GET /v1/charges
GET /v1/charges/{charge}
GET /v1/checkout/sessions
POST /v1/checkout/sessions
GET /v1/checkout/sessions/{session}
POST /v1/checkout/sessions/{session}/expire
GET /v1/checkout/sessions/{session}/line_items
GET /v1/customers
POST /v1/customers
GET /v1/customers/{customer}
POST /v1/customers/{customer}
DELETE /v1/customers/{customer}
GET /v1/customers/{customer}/payment_methods
GET /v1/disputes
GET /v1/disputes/{dispute}
POST /v1/disputes/{dispute}
POST /v1/disputes/{dispute}/close
GET /v1/events
GET /v1/events/{id}
GET /v1/payment_intents
GET /v1/payment_intents/{intent}
GET /v1/prices
POST /v1/prices
GET /v1/prices/{price}
POST /v1/prices/{price}
GET /v1/products
POST /v1/products
GET /v1/products/{id}
POST /v1/products/{id}
GET /v1/refunds
POST /v1/refunds
GET /v1/refunds/{refund}
POST /v1/refunds/{refund}
POST /v1/refunds/{refund}/cancel
GET /v1/webhook_endpoints
POST /v1/webhook_endpoints
GET /v1/webhook_endpoints/{webhook_endpoint}
POST /v1/webhook_endpoints/{webhook_endpoint}
DELETE /v1/webhook_endpoints/{webhook_endpoint}
"""


def compact(contract: Any, schema: dict[str, Any]) -> dict[str, Any]:
    """One parameter: `any` of several, a hash (`keys`), a list (`items`), or a value (`type`, `enum`, `max`)."""
    schema = contract._deref(schema)
    if "anyOf" in schema:
        return {"any": [compact(contract, option) for option in schema["anyOf"]]}
    if schema.get("type") == "object" or "properties" in schema:
        return _hash(contract, schema)
    if schema.get("type") == "array":
        return {"items": compact(contract, schema["items"])}
    short = {"type": schema.get("type", "string")}
    names = {"enum": "enum", "maxLength": "max", "minimum": "least", "maximum": "most"}
    return short | {names[key]: schema[key] for key in names if key in schema}


def _hash(contract: Any, schema: dict[str, Any]) -> dict[str, Any]:
    keys = {name: compact(contract, value) for name, value in schema.get("properties", {}).items()}
    found: dict[str, Any] = {"keys": keys}
    if schema.get("required"):
        found["required"] = schema["required"]
    if isinstance(schema.get("additionalProperties"), dict):
        found["others"] = compact(contract, schema["additionalProperties"])
    return found


def operation(contract: Any, line: str) -> dict[str, Any]:
    """Everything the operation accepts: the form of a POST, the query of the rest."""
    method, path = line.split()
    found = contract.doc["paths"][path][method.lower()]
    if method == "POST":
        body = next(iter(found["requestBody"]["content"].values()))["schema"]
        return compact(contract, body)
    query = [x for x in found.get("parameters", []) if x["in"] == "query"]
    required = [x["name"] for x in query if x.get("required")]
    keys = {x["name"]: compact(contract, x["schema"]) for x in query}
    return {"keys": keys} | ({"required": required} if required else {})


def build() -> str:
    """The file's text: one operation a line, so that a new API version shows as a readable change."""
    contract = load_contract()
    rows = [f"{json.dumps(line)}: {json.dumps(operation(contract, line))}" for line in OPERATIONS.split("\n") if line]
    return "{\n" + ",\n".join([f'"version": {json.dumps(contract.version)}', *rows]) + "\n}\n"


if __name__ == "__main__":
    TARGET.write_text(build())
