"""The addresses of this folder."""

from __future__ import annotations

from teleconsult.ui.consultations.case_page import consultation
from teleconsult.ui.consultations.case_state import CasePage
from teleconsult.ui.consultations.list_page import consultations
from teleconsult.ui.consultations.list_state import Cases
from teleconsult.ui.page import Page

PAGES = [
    Page("/consultations", consultations, "Your consultations", on_load=Cases.load),
    Page("/consultations/[cid]", consultation, "Consultation", on_load=CasePage.load),
]
"""No title names a body site or a reference: titles end up in histories and on shared screens."""
