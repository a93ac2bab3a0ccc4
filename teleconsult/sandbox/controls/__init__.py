"""The sandbox's own buttons, for people (`GET /`) and for tests (`/_sandbox/...`, JSON in and out)."""

from __future__ import annotations

from starlette.routing import Route

from teleconsult.sandbox.context import Sandbox
from teleconsult.sandbox.controls.money import Money
from teleconsult.sandbox.controls.sessions import Sessions
from teleconsult.sandbox.controls.webhooks import Webhooks
from teleconsult.sandbox.controls.world import World


def routes(sandbox: Sandbox) -> list[Route]:
    """Every address of the controls."""
    return [route for part in (World, Sessions, Money, Webhooks) for route in part(sandbox).routes()]
