"""The documents the build leaves: each page rendered, its styles inside, nothing else to fetch before it shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from teleconsult.ops import build
from teleconsult.ops.environment import RUNTIME
from teleconsult.ui.first_paint import react_router_config, with_inline_styles

CLIENT = RUNTIME / "_web" / "build" / "client"
LINKS = (
    '<link as="style" href="/assets/all.css" rel="preload"/>'
    '<link href="/assets/all.css" rel="stylesheet" type="text/css"/>'
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "all.css").write_text("p{content:'\\201C'}")
    return tmp_path


def test_ids_have_a_stand_in_and_reflex_renders_the_rest() -> None:
    config = react_router_config(["index", "settings", "consultations/[cid]/skin", "clinic/[cid]"])
    assert '["/consultations/new/skin", "/clinic/new"]' in config
    assert "...getStaticPaths()" in config


def test_styles_are_inside_and_the_links_fetch_nothing(folder: Path) -> None:
    page = with_inline_styles(f"<head>{LINKS}</head>", folder)
    assert "<style>p{content:'\\201C'}</style>" in page
    assert page.count("/assets/all.css") == 2, "React looks for both links"
    assert 'rel="preload" media="not all"/>' in page
    assert 'type="text/css" disabled=""/>' in page


def test_an_unknown_kind_of_link_stops_the_build(folder: Path) -> None:
    with pytest.raises(ValueError, match="in a way we don't know"):
        with_inline_styles('<link rel="stylesheet" href="/assets/all.css">', folder)


def test_a_stylesheet_that_would_end_its_element_stops_the_build(folder: Path) -> None:
    (folder / "assets" / "all.css").write_text("p{content:'</style>'}")
    with pytest.raises(ValueError, match="end its own element"):
        with_inline_styles(LINKS, folder)


@pytest.mark.parametrize(
    "page", ["consultations/new/skin", "consultations/new/review", "consultations/new", "clinic/new"]
)
def test_compiled_pages_with_an_id_show_their_frame_without_javascript(page: str) -> None:
    build.ensure()
    document = (CLIENT / page / "index.html").read_text("utf-8")
    assert "<style>" in document
    assert re.search(r"<main[^>]*>.*Loading.*</main>", document, re.DOTALL)
