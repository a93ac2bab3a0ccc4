"""What a page shows before any JavaScript has run: its own frame, styled, in the one document that is fetched first."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Unpack

from reflex.utils.exec import should_prerender_routes
from reflex_base.plugins import Plugin, PostBuildContext, PreCompileContext

from teleconsult.addresses import ANY_ID

CONFIG = "react-router.config.js"
REACT_ROUTER = {"basename": "/", "future": {"unstable_optimizeDeps": True}, "ssr": False, "build": "build"}
"""As Reflex writes it, but for `prerender`."""

_PRELOAD = re.compile(r'<link as="style" href="(?P<href>[^"]+)" rel="preload"/>')
_STYLESHEET = re.compile(r'<link href="(?P<href>[^"]+)" rel="stylesheet" type="text/css"/>')


class PrerenderAll(Plugin):
    """Renders the pages whose address holds an id while compiling, as Reflex does with all others.

    Reflex leaves them to one empty document, which shows nothing before all JavaScript has run. Here each is rendered
    once with a stand-in for the id, and the gate serves that document for every id (`api/documents.py`). A page shows
    what depends on the id only when its state has arrived, so the document fits all of them.
    """

    def pre_compile(self, **context: Unpack[PreCompileContext]) -> None:
        """Replace React Router's configuration, after Reflex has written its own."""
        if not should_prerender_routes():  # the development server renders nothing beforehand
            return
        routes = [page.route for page in context["unevaluated_pages"]]
        context["add_save_task"](lambda: (CONFIG, react_router_config(routes)))


class InlineStyles(Plugin):
    """Puts the stylesheet, 11 KB on the wire, into each document: on a slow line it would queue behind the scripts."""

    def post_build(self, **context: Unpack[PostBuildContext]) -> None:
        """Rewrite every document, before it is compressed."""
        for page in context["static_dir"].rglob("*.html"):
            page.write_text(with_inline_styles(page.read_text("utf-8"), context["static_dir"]), "utf-8")


def react_router_config(routes: list[str]) -> str:
    """React Router's configuration for these routes, such as `consultations/[cid]`."""
    stand_ins = [f"/{'/'.join(map(_stand_in, route.split('/')))}" for route in routes if "[" in route]
    plain = json.dumps(REACT_ROUTER)
    return (
        f"export default {{...{plain}, "
        f"prerender: async ({{getStaticPaths}}) => [...getStaticPaths(), ...{json.dumps(stand_ins)}]}};"
    )


def _stand_in(segment: str) -> str:
    return ANY_ID if segment.startswith("[") else segment


def with_inline_styles(document: str, folder: Path) -> str:
    """The document with its stylesheet inside.

    The two links stay, because React looks for them when it takes the document over; switched off, they fetch nothing.

    Raises:
        ValueError: the document links its stylesheet otherwise than Reflex does at the pinned version.
    """
    link = _STYLESHEET.search(document)
    if link is None or not _PRELOAD.search(document):
        raise ValueError("a compiled page links its stylesheet in a way we don't know")
    css = (folder / link["href"].removeprefix("/")).read_text("utf-8")
    if "</" in css:
        raise ValueError("the stylesheet would end its own element")
    document = _PRELOAD.sub(r'<link as="style" href="\g<href>" rel="preload" media="not all"/>', document)
    off = f'<link href="{link["href"]}" rel="stylesheet" type="text/css" disabled=""/>'
    return document.replace(link[0], f"<style>{css}</style>{off}")
