"""What every process of ours does first, whether it serves pages, routes or jobs."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TextIO

from teleconsult.privacy.logs import configure_logging
from teleconsult.privacy.sentry import init_sentry
from teleconsult.settings import get_settings


def start(*, logs: TextIO | None = None, reports: bool = True) -> None:
    """Set up logs and error reports by the settings. Safe to call again.

    Args:
        logs: where they go; a command whose answer is on standard output sends them to standard error.
        reports: False for a rehearsal, whose alarms must wake nobody.
    """
    settings = get_settings()
    configure_logging(development=not settings.production, stream=logs)
    if not reports:
        return
    init_sentry(settings.sentry_dsn.get_secret_value(), environment=settings.environment, release=release())


def release() -> str:
    """The version as error reports know it."""
    try:
        return f"teleconsult@{version('teleconsult')}"
    except PackageNotFoundError:  # run from sources that nobody installed
        return "teleconsult@sources"
