"""All pages together: titles, search engines, and links that lead somewhere."""

from __future__ import annotations

import json
import re

import pytest

from teleconsult.ui.page import Page
from teleconsult.ui.pages import PAGES
from teleconsult.ui.public.broken import broken
from teleconsult.ui.shell import FOOT, NAV, START

LATER = {"/clinic", START}
"""Addresses of this product whose pages other folders bring."""

FOLLOWS_STATE = {"/clinic", "/operations", "/operations/payments"}

ONE_VIEW = [page for page in PAGES if "[" not in page.route and page.route not in FOLLOWS_STATE]
"""Pages that look the same to everybody. The others hold several views, of which one is shown."""


def markup(page: Page) -> str:
    return json.dumps(page.component().render(), default=str)


def links(text: str) -> set[str]:
    return {link.split("#")[0] for link in re.findall(r'to:\\"(/[^\\"]*)\\"', text)}


@pytest.mark.parametrize("made", ONE_VIEW, ids=lambda page: page.route)
def test_every_link_leads_to_a_page(made: Page) -> None:
    known = {page.route for page in PAGES} | LATER
    found = links(markup(made))
    assert {item.href for item in FOOT} <= found
    assert found <= known


def test_the_ways_around_lead_to_pages() -> None:
    known = {page.route for page in PAGES} | LATER
    assert {str(item.href).split("#")[0] for items in NAV.values() for item in items} <= known


def test_titles_are_different() -> None:
    titles = [page.title for page in PAGES]
    assert len(titles) == len(set(titles))


def test_only_pages_for_everybody_are_for_search_engines() -> None:
    assert {page.route for page in PAGES if page.found} == {
        "/", "/help", "/privacy", "/terms", "/complaints", "/imprint",
    }  # fmt: skip


@pytest.mark.parametrize("made", ONE_VIEW, ids=lambda page: page.route)
def test_one_main_heading_and_a_way_past_the_header(made: Page) -> None:
    seen = markup(made)
    assert seen.count('\\"h1\\"') == 1
    assert "#content" in seen


def test_the_broken_page_needs_no_state() -> None:
    seen = json.dumps(broken("E-1234-5678").render(), default=str)
    assert "E-1234-5678" in seen
    assert "reflex___state" not in seen
