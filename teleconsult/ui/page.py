"""What a page is to the composition root."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import reflex as rx

from teleconsult.ui.parts.icons import BRAND

_NO_INDEX = {"name": "robots", "content": "noindex"}


class Page(NamedTuple):
    """One address: its component, its title without the brand, and what is loaded when somebody comes."""

    route: str
    component: Callable[[], rx.Component]
    title: str
    on_load: Any = None
    description: str = ""
    found: bool = False
    """Whether search engines may list it."""
    serif: bool = False
    """Whether it uses the serif font in its first view, which is then fetched early."""


def add_pages(app: rx.App, pages: list[Page]) -> None:
    """Register the pages with the app."""
    for page in pages:
        meta: list[Any] = [] if page.found else [_NO_INDEX]
        if page.serif:
            meta.append(font("newsreader"))
        app.add_page(
            page.component,
            route=page.route,
            title=f"{page.title} · {BRAND}",
            description=page.description or None,
            on_load=page.on_load,
            meta=meta,
        )


def font(name: str) -> rx.Component:
    """A font that is fetched before the stylesheet asks for it."""
    return rx.el.link(
        rel="preload",
        href=f"/fonts/{name}.woff2",
        type="font/woff2",
        cross_origin="anonymous",
        custom_attrs={"as": "font"},
    )
