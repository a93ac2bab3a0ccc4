"""The address of Settings."""

from __future__ import annotations

from teleconsult.ui.account.settings import settings
from teleconsult.ui.account.settings_state import Account, Billing
from teleconsult.ui.page import Page

PAGES = [Page("/settings", settings, "Settings", on_load=[Account.load, Billing.load])]
