"""While a page waits for its content. It is replaced as a whole and the footer waits with it, so nothing moves."""

from __future__ import annotations

import reflex as rx

from teleconsult.ui.parts.base import on_page
from teleconsult.ui.parts.buttons import link_button
from teleconsult.ui.parts.messages import callout

_SHOW_LATER = "setTimeout(() => document.getElementById('late')?.removeAttribute('hidden'), 8000)"


def patience(skeleton: rx.Component, again: str) -> rx.Component:
    """The skeleton, and after 8 seconds a way to try again: `again` is the page's own address, or "" for reloading."""
    return rx.el.div(
        skeleton,
        rx.el.div(
            callout(
                "Check your connection. Your data is safe.",
                title="This takes longer than usual",
                tone="neutral",
                action=link_button("Try again", again, kind="secondary", icon_name="rotate-cw", document=True),
            ),
            id="late",
            role="status",
            hidden=True,
            class_name="mt-5",
        ),
        on_mount=on_page(_SHOW_LATER),
        class_name="loading",
    )
