"""The customer portal over the API: configurations and short-lived links."""

from __future__ import annotations

from typing import Any

from teleconsult.sandbox import objects
from teleconsult.sandbox.context import Call
from teleconsult.sandbox.errors import invalid, parameter_missing, unsupported
from teleconsult.sandbox.lists import listed

NO_DEFAULT = (
    "No configuration provided and your test mode default configuration has not been created. Provide a configuration "
    "or create your default by saving your customer portal settings in test mode at "
    "https://dashboard.stripe.com/test/settings/billing/portal."
)
NOT_SIMULATED = ("after_expiration", "customer_account", "flow_data", "on_behalf_of")
SUBSCRIPTIONS = ("subscription_cancel", "subscription_pause", "subscription_update")
CONFIGURATION = "billing_portal.configuration"


def create_session(call: Call) -> dict[str, Any]:
    """A link for one customer.

    Raises:
        StripeError: unknown or deleted customer, unknown configuration, or none to fall back on.
    """
    for name in NOT_SIMULATED:
        if name in call.params:
            raise unsupported(f"`{name}`", name)
    if "customer" not in call.params:
        raise parameter_missing("customer")
    call.store.get("customer", call.params["customer"], "customer", status=400)
    made = objects.portal_session(call.params, _configuration(call), call.sandbox.base, call.store.now())
    call.store.put(made)
    call.emit("billing_portal.session.created", made)
    return made


def _configuration(call: Call) -> dict[str, Any]:
    if "configuration" in call.params:
        return call.store.get(CONFIGURATION, call.params["configuration"], "configuration", status=400)
    default = next((c for c in call.store.all(CONFIGURATION).values() if c["is_default"]), None)
    if default is None:
        raise invalid(NO_DEFAULT)
    return default


def create_configuration(call: Call) -> dict[str, Any]:
    """A new configuration."""
    _check_features(call.params.get("features") or {})
    made = call.store.put(objects.portal_configuration(call.params, call.store.now()))
    call.emit("billing_portal.configuration.created", made)
    return made


def update_configuration(call: Call) -> dict[str, Any]:
    """Change what was given."""
    _check_features(call.params.get("features") or {})
    found = retrieve_configuration(call)
    changes = _changes(found, call.params)
    previous = {name: found[name] for name, value in changes.items() if found[name] != value}
    found.update(changes)
    if previous:
        found["updated"] = call.store.now()
        call.emit("billing_portal.configuration.updated", found, previous)
    return found


def _changes(found: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    changes = {name: params[name] or None for name in ("default_return_url", "name") if name in params}
    changes |= {"active": params["active"]} if "active" in params else {}
    if "metadata" in params:
        changes["metadata"] = objects.merged_metadata(found["metadata"], params["metadata"])
    if "business_profile" in params:
        given = {name: value or None for name, value in params["business_profile"].items()}
        changes["business_profile"] = found["business_profile"] | given
    if "features" in params:
        asked = objects.portal_features(params["features"])
        changes["features"] = found["features"] | {name: asked[name] for name in params["features"]}
    return changes


def _check_features(features: dict[str, Any]) -> None:
    for name in SUBSCRIPTIONS:
        if (features.get(name) or {}).get("enabled"):
            raise unsupported(f"`{name}`", f"features[{name}]")


def retrieve_configuration(call: Call) -> dict[str, Any]:
    """A configuration."""
    return call.store.get(CONFIGURATION, call.ids[0], "configuration")


def list_configurations(call: Call) -> dict[str, Any]:
    """Configurations, also by whether they are active or the default."""
    return listed(call, CONFIGURATION, ("active", "is_default"))


OPERATIONS = {
    "POST /v1/billing_portal/sessions": create_session,
    "POST /v1/billing_portal/configurations": create_configuration,
    "GET /v1/billing_portal/configurations": list_configurations,
    "GET /v1/billing_portal/configurations/{configuration}": retrieve_configuration,
    "POST /v1/billing_portal/configurations/{configuration}": update_configuration,
}
