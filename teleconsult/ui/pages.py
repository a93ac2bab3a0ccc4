"""Every page, collected from the folders that hold them."""

from __future__ import annotations

from teleconsult.ui.account import pages as account
from teleconsult.ui.account import settings_pages as settings
from teleconsult.ui.clinic import pages as clinic
from teleconsult.ui.consultation import pages as consultation
from teleconsult.ui.consultations import pages as consultations
from teleconsult.ui.operations import pages as operations
from teleconsult.ui.public import pages as public

PAGES = [
    *public.PAGES,
    *account.PAGES,
    *settings.PAGES,
    *consultation.PAGES,
    *consultations.PAGES,
    *clinic.PAGES,
    *operations.PAGES,
]
