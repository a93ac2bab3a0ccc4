"""What `teleconsult api` serves: all routes behind the gate, without the pages."""

from __future__ import annotations

from teleconsult.api.app import create_api
from teleconsult.api.gate import Gate
from teleconsult.privacy.start import start


def app() -> Gate:
    """Make it once for each worker process."""
    start()
    return Gate(create_api())
