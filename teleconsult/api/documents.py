"""Which compiled document answers an address."""

from __future__ import annotations

import re
from pathlib import Path

from teleconsult.addresses import ANY_ID


def documents(pages: Path | None) -> list[Path]:
    """Every compiled document in this folder."""
    return sorted(pages.rglob("*.html")) if pages and pages.is_dir() else []


class Folders:
    """The addresses that are folders with a document in them, such as `/sign-in`, and those that stand for any id."""

    def __init__(self, pages: Path | None) -> None:
        folders = {page.parent for page in documents(pages) if page.name == "index.html"} - {pages}
        self._plain = {f"/{folder.relative_to(pages).as_posix()}" for folder in folders} if pages else set()
        self._for_any_id = [(_pattern(path), path) for path in sorted(self._plain) if f"/{ANY_ID}" in path]

    def of(self, path: str) -> str | None:
        """The folder whose document answers `path`, without a slash at the end; None when there is none."""
        path = path.rstrip("/")
        if path in self._plain:
            return path
        return next((folder for pattern, folder in self._for_any_id if pattern.fullmatch(path)), None)


def _pattern(folder: str) -> re.Pattern[str]:
    return re.compile(re.escape(folder).replace(f"/{ANY_ID}", "/[^/]+"))
