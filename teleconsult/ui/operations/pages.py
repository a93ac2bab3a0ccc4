"""The addresses of this folder."""

from __future__ import annotations

from teleconsult.ui.operations.addresses import OVERVIEW
from teleconsult.ui.operations.overview_page import overview
from teleconsult.ui.operations.overview_state import Overview
from teleconsult.ui.page import Page

PAGES = [Page(OVERVIEW, overview, "Overview", on_load=Overview.load)]
