"""Who may see how the business stands: a monitor with our token, or somebody on a developer's own machine."""

from __future__ import annotations

import hmac
import ipaddress

from starlette.requests import Request

from teleconsult.settings import LOOPBACK, get_settings


def insider(request: Request) -> bool:
    """Whether figures may be shown.

    With METRICS_TOKEN set, it takes the token, compared in constant time. Without one, only a site that lives on this
    machine answers, and only to this machine: behind a proxy everybody would look as if they sat here.
    """
    token = get_settings().metrics_token.get_secret_value()
    if token:
        given = request.headers.get("authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {token}".encode())
    at_home = get_settings().host.partition(":")[0] in LOOPBACK
    return at_home and "x-forwarded-for" not in request.headers and _loopback(request)


def _loopback(request: Request) -> bool:
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:  # a Unix socket has no address
        return False
