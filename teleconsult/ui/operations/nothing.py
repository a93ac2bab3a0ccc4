"""What somebody else sees instead of the operators' pages."""

from __future__ import annotations

import reflex as rx

from teleconsult.ui.public.plain import nothing_here
from teleconsult.ui.session import Session


def operators_only(content: rx.Component | rx.Var) -> rx.Component | rx.Var:
    """The content, unless somebody else is signed in. Handlers check again: this only spares an endless skeleton."""
    return rx.match(Session.role, ("operator", content), ("", content), nothing_here())
