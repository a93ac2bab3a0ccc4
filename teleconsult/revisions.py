"""Where the migrations lie, and which is the newest this code knows: read from file names, so that asking is free."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_PLACES = (_PACKAGE.parent / "alembic", _PACKAGE / "_runtime" / "alembic")
"""Beside the package in a clone, inside it in a wheel."""

_NAME = re.compile(r"(\d{4})_\w+\.py")


def scripts() -> Path | None:
    """The folder of the migrations; None in a wheel that was not made with `teleconsult build`."""
    return next((place for place in _PLACES if (place / "env.py").exists() and (place / "versions").is_dir()), None)


@cache
def newest() -> str:
    """The revision that a database must have, or "" when the migrations are not here."""
    folder = scripts()
    names = [_NAME.fullmatch(file.name) for file in (folder / "versions").iterdir()] if folder else []
    return max((name.group(1) for name in names if name), default="")
