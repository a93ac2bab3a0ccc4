"""The addresses of this folder."""

from __future__ import annotations

from teleconsult.ui.page import Page
from teleconsult.ui.public.help import help_page
from teleconsult.ui.public.landing import landing
from teleconsult.ui.public.legal import complaints, imprint, privacy, terms
from teleconsult.ui.public.plain import not_found

PAGES = [
    Page(
        "/",
        landing,
        "A dermatologist’s answer, online",
        description=(
            "Send photos of your skin and a few details. A registered dermatologist answers in writing by a stated "
            "time. Pay once, no subscription."
        ),
        found=True,
        serif=True,
    ),
    Page("/help", help_page, "Help", found=True),
    Page("/privacy", privacy, "Privacy notice", found=True),
    Page("/terms", terms, "Terms", found=True),
    Page("/complaints", complaints, "Complaints", found=True),
    Page("/imprint", imprint, "Imprint", found=True),
    Page("404", not_found, "Page not found", serif=True),
]
