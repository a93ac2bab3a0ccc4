"""Refuses to make a wheel without the compiled pages: it would install and then have nothing to show."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class RequirePages(BuildHookInterface):
    """Run by hatchling before a wheel is made."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's interface
        """An editable install reads the sources and needs no pages; a real wheel does."""
        pages = Path(self.root) / "teleconsult" / "_runtime" / "_web" / "build" / "client" / "index.html"
        if version != "editable" and not pages.exists():
            raise RuntimeError("The pages are not compiled: run `teleconsult build` first.")
