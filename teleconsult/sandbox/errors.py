"""Stripe's refusals: four wire types, with the codes and sentences its clients know."""

from __future__ import annotations

from typing import Any


class StripeError(Exception):
    """An answer other than 200. `stored` says whether an idempotency key remembers it."""

    def __init__(self, status: int, kind: str, message: str, *, stored: bool = True, **fields: str | None) -> None:
        super().__init__(message)
        self.status = status
        self.stored = stored
        self.error: dict[str, Any] = {"type": kind, "message": message}
        self.error |= {name: value for name, value in fields.items() if value is not None}

    @property
    def body(self) -> dict[str, Any]:
        """The JSON answer."""
        return {"error": self.error}


def invalid(message: str, *, code: str | None = None, param: str | None = None, status: int = 400) -> StripeError:
    """A request that was understood and refused. Validation comes before execution, so no key remembers it."""
    return StripeError(status, "invalid_request_error", message, stored=False, code=code, param=param)


def refused(message: str, *, code: str | None = None, param: str | None = None) -> StripeError:
    """A request that began and failed because of the state of things: replayed for the same key."""
    return StripeError(400, "invalid_request_error", message, code=code, param=param)


def missing(kind: str, wanted: str, param: str, status: int = 404) -> StripeError:
    """No such object: 404 for the object of the address itself, 400 for one named by a parameter."""
    return invalid(f"No such {kind}: '{wanted}'", code="resource_missing", param=param, status=status)


def parameter_missing(name: str) -> StripeError:
    """A needed parameter is absent."""
    return invalid(f"Missing required param: {name}.", code="parameter_missing", param=name)


def unknown_parameters(names: list[str]) -> StripeError:
    """Parameters the operation doesn't have, `payment_method_types` among them since endive."""
    plural = "s" if len(names) > 1 else ""
    text = f"Received unknown parameter{plural}: {', '.join(names)}"
    return invalid(text, code="parameter_unknown", param=names[0])


def unsupported(what: str, param: str) -> StripeError:
    """Something Stripe can do and this sandbox can't: said aloud, never quietly left out."""
    return invalid(f"The sandbox does not simulate {what}.", param=param)


def no_key() -> StripeError:
    """401 without a key."""
    text = (
        "You did not provide an API key. You need to provide your API key in the Authorization header, "
        "using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
    )
    return invalid(text, status=401)


def bad_key(key: str) -> StripeError:
    """401 for anything but a secret or restricted test key; the key itself is never echoed."""
    return invalid(f"Invalid API Key provided: {key[:8]}{'*' * 12}", status=401)
