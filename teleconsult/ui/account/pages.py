"""The addresses of this folder."""

from __future__ import annotations

from teleconsult.ui.account.entry import sign_in, sign_up
from teleconsult.ui.account.state import Entry
from teleconsult.ui.page import Page

PAGES = [
    Page("/sign-in", sign_in, "Sign in", on_load=Entry.look),
    Page("/sign-up", sign_up, "Create your account", on_load=Entry.look),
]
