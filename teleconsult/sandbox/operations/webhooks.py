"""Events to look up, endpoints to register, and the account they belong to."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from teleconsult.sandbox import objects
from teleconsult.sandbox.context import Call
from teleconsult.sandbox.delivery import DELIVERED
from teleconsult.sandbox.errors import invalid, refused
from teleconsult.sandbox.ids import new_id
from teleconsult.sandbox.lists import listed, page

MOST_TYPES, MOST_ENDPOINTS = 20, 16
WEB = ("http://", "https://")


def retrieve_event(call: Call) -> dict[str, Any]:
    """An event, as it was sent."""
    return call.store.get("event", call.ids[0])


def list_events(call: Call) -> dict[str, Any]:
    """Events, also by type or by whether every endpoint has received them."""
    params = call.params
    if "type" in params and "types" in params:
        raise invalid("You may only specify one of these parameters: type, types.", param="types")
    types = [params["type"]] if "type" in params else params.get("types")
    if types and len(types) > MOST_TYPES:
        raise invalid(f"You can specify up to {MOST_TYPES} types.", param="types")
    rows = list(call.store.all("event").values())
    if types:
        rows = [e for e in rows if any(fnmatchcase(e["type"], wanted) for wanted in types)]
    if "delivery_success" in params:
        lost = _undelivered(call)
        rows = [e for e in rows if (e["id"] not in lost) == params["delivery_success"]]
    return page(call, rows, "event")


def _undelivered(call: Call) -> set[str]:
    """Ids of events that some endpoint has not received: pending, failed or withheld. One success is enough."""
    arrived = {(d["event"], d["endpoint"]) for d in call.store.deliveries.values() if d["status"] == DELIVERED}
    return {d["event"] for d in call.store.deliveries.values() if (d["event"], d["endpoint"]) not in arrived}


def create_endpoint(call: Call) -> dict[str, Any]:
    """Register an address. Its signing secret is in this answer and in no other."""
    _check_url(call.params["url"])
    if len(call.store.all("webhook_endpoint")) >= MOST_ENDPOINTS:
        raise refused(f"You have reached the maximum of {MOST_ENDPOINTS} test webhook endpoints.")
    made = call.store.put(objects.webhook_endpoint(call.params, call.store.now()))
    secret = new_id("whsec_")
    call.store.note(made["id"])["secrets"] = [secret]
    return made | {"secret": secret}


def retrieve_endpoint(call: Call) -> dict[str, Any]:
    """An endpoint, without its secret."""
    return call.store.get("webhook_endpoint", call.ids[0], "webhook_endpoint")


def update_endpoint(call: Call) -> dict[str, Any]:
    """Change address or types, or switch it off and on."""
    found, params = retrieve_endpoint(call), call.params
    if "url" in params:
        _check_url(params["url"])
    found |= {name: params[name] for name in ("url", "enabled_events") if name in params}
    found |= {"description": params["description"] or None} if "description" in params else {}
    if "disabled" in params:
        found["status"] = "disabled" if params["disabled"] else "enabled"
    if "metadata" in params:
        found["metadata"] = objects.merged_metadata(found["metadata"], params["metadata"])
    return found


def delete_endpoint(call: Call) -> dict[str, Any]:
    """Deliver there no more."""
    return call.store.remove(retrieve_endpoint(call))


def list_endpoints(call: Call) -> dict[str, Any]:
    """Endpoints registered through the API. That of the command line isn't among them, as that of `stripe listen`."""
    return listed(call, "webhook_endpoint")


def retrieve_account(_call: Call) -> dict[str, Any]:
    """The one account."""
    return objects.account()


def _check_url(url: str) -> None:
    if not url.startswith(WEB):
        raise invalid(
            "Invalid URL: An explicit scheme (such as https) must be provided.", code="url_invalid", param="url"
        )


OPERATIONS = {
    "GET /v1/account": retrieve_account,
    "GET /v1/events": list_events,
    "GET /v1/events/{id}": retrieve_event,
    "POST /v1/webhook_endpoints": create_endpoint,
    "GET /v1/webhook_endpoints": list_endpoints,
    "GET /v1/webhook_endpoints/{webhook_endpoint}": retrieve_endpoint,
    "POST /v1/webhook_endpoints/{webhook_endpoint}": update_endpoint,
    "DELETE /v1/webhook_endpoints/{webhook_endpoint}": delete_endpoint,
}
