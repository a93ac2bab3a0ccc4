"""The page of step 2."""

from __future__ import annotations

from typing import Any

import reflex as rx

from teleconsult.consultations.questions import MAX_PHOTOS, Step
from teleconsult.ui.consultation.form import Form
from teleconsult.ui.consultation.frame import frame, go_on, summary
from teleconsult.ui.consultation.photo_step import Photos
from teleconsult.ui.consultation.uploader import uploader
from teleconsult.ui.parts.buttons import button
from teleconsult.ui.parts.icons import icon
from teleconsult.ui.parts.messages import callout
from teleconsult.ui.parts.photos import photo_tile
from teleconsult.ui.parts.typography import h2


def photos() -> rx.Component:
    """Tips, the uploader, the photos that have arrived."""
    return frame(
        Step.PHOTOS,
        rx.cond(Form.photo_title != "", Form.photo_title, "Add your photos"),
        "Two are needed: one from further away and one close up. Most people send three.",
        rx.el.div(
            summary(),
            _tips(),
            uploader(Form.key, Photos.tiles.length(), Photos.uploaded, error=Photos.missing),
            _removed(),
            _ready(),
            rx.el.p(
                icon("lock", 16, "mt-[3px]"),
                rx.el.span("Only your dermatologist sees these. We remove the location before we store them."),
                class_name="mt-7 flex gap-2 text-sm text-ink-2",
            ),
            go_on("Continue to health", on_click=Photos.go_on),
        ),
    )


def _tips() -> rx.Component:
    return rx.el.ul(
        _tip("sun", "Daylight, no flash", "Stand near a window."),
        _tip("scan-search", "Tap to focus", "Hold still, about 15 cm away."),
        _tip("ruler", "Show the size", "Put a coin or ruler next to it."),
        class_name="mb-6 grid gap-4 border-y border-line py-5 sm:grid-cols-3 sm:gap-6",
    )


def _tip(name: str, title: str, text: str) -> rx.Component:
    return rx.el.li(
        icon(name, 22, "mt-0.5 text-brand"),
        rx.el.div(rx.el.p(title, class_name="text-md font-semibold"), rx.el.p(text, class_name="text-sm text-ink-2")),
        class_name="flex gap-3 sm:flex-col sm:gap-2.5",
    )


def _ready() -> rx.Component:
    """Photos the server has. Each keeps its place in the browser by its id, not by its number."""
    return rx.cond(
        (Photos.of == Form.key) & (Photos.tiles.length() > 0),
        rx.el.div(
            rx.el.div(
                h2("Your photos", class_name="text-[1.0625rem]"),
                rx.el.p(
                    f"{Photos.tiles.length()} ready, {MAX_PHOTOS} at most",
                    class_name="num text-sm text-ink-2",
                    role="status",
                ),
                class_name="mt-8 mb-3 flex items-baseline justify-between",
            ),
            rx.el.ul(
                rx.foreach(Photos.tiles, _tile),
                class_name="grid grid-cols-2 gap-x-3 gap-y-6 sm:grid-cols-3 sm:gap-x-4",
            ),
        ),
        rx.fragment(),
    )


def _tile(tile: Any, index: Any) -> rx.Component:
    drawn = photo_tile(
        index + 1,
        "done",
        src=tile["src"],
        kind=tile["kind"],
        note=tile["note"],
        note_tone=tile["tone"],
        on_label=Photos.relabel(tile["id"]),
        on_remove=Photos.remove(tile["id"], index + 1),
    )
    return rx.fragment(drawn, key=tile["id"])


def _removed() -> rx.Component:
    """Says what was taken away, with the way back; and what did not work."""
    removed: Any = Photos.removed
    return rx.el.div(
        rx.cond(
            removed != "",
            callout(
                f"Photo {Photos.removed_number} removed.",
                tone="neutral",
                icon_name="trash-2",
                class_name="mt-6",
                action=button("Undo", Photos.restore(removed), kind="secondary", icon_name="undo-2"),
            ),
            rx.fragment(),
        ),
        rx.cond(Photos.trouble != "", callout(Photos.trouble, tone="danger", class_name="mt-6"), rx.fragment()),
        role="status",
    )
