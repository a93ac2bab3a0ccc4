"""The addresses of this folder."""

from __future__ import annotations

from teleconsult.ui.operations.addresses import OVERVIEW, PAYMENTS
from teleconsult.ui.operations.overview_page import overview
from teleconsult.ui.operations.overview_state import Overview
from teleconsult.ui.operations.payments_page import payments
from teleconsult.ui.operations.payments_state import Payments
from teleconsult.ui.page import Page

PAGES = [
    Page(OVERVIEW, overview, "Overview", on_load=Overview.load),
    Page(PAYMENTS, payments, "Payments", on_load=Payments.load),
]
