"""Photos that open large: a native dialog with one photo beside the other.

It needs no server: arrow keys and fingers scroll from photo to photo, Esc closes, and the focus goes back to the thumb.
Large pictures are fetched when they come into view.
"""

from __future__ import annotations

from collections.abc import Sequence

import reflex as rx

from teleconsult.ui.consultations.sheet import Picture
from teleconsult.ui.parts.base import on_page
from teleconsult.ui.parts.buttons import icon_button
from teleconsult.ui.parts.dialogs import close_dialog
from teleconsult.ui.parts.photos import photo

_DIALOG, _STRIP = "lightbox", "lightbox-photos"
_DARK = "bg-[#1d2422] text-white hover:bg-white/15 hover:text-white focus-visible:outline-white"


def photo_thumbs(photos: rx.vars.ArrayVar[Sequence[Picture]]) -> rx.Component:
    """Small photos in a row; each opens the large ones at its place."""
    return rx.el.ul(rx.foreach(photos, _thumb), class_name="flex flex-wrap gap-2")


def lightbox(photos: rx.vars.ArrayVar[Sequence[Picture]]) -> rx.Component:
    """The dialog. It stands once on a page that has `photo_thumbs`."""
    return rx.el.dialog(
        rx.el.div(
            icon_button("arrow-left", "Previous photo", _turn(-1), class_name=_DARK),
            icon_button("arrow-right", "Next photo", _turn(1), class_name=_DARK),
            icon_button("x", "Close", close_dialog(_DIALOG), class_name=f"ms-auto {_DARK}"),
            class_name="flex items-center p-1.5",
        ),
        rx.el.ul(
            rx.foreach(photos, _large),
            id=_STRIP,
            tab_index=0,
            aria_label="Your photos, large",
            class_name=(
                "flex h-[calc(100dvh-7rem)] snap-x snap-mandatory overflow-x-auto bg-[#121615] "
                "focus-visible:outline-[3px] focus-visible:-outline-offset-4 focus-visible:outline-white"
            ),
        ),
        id=_DIALOG,
        aria_label="Your photos",
        class_name=(
            "no-print m-auto w-[min(100vw-1.5rem,72rem)] max-w-none overflow-hidden rounded-card border-0 bg-[#1d2422] "
            "p-0 text-white backdrop:bg-[#0b0f0e]/80"
        ),
    )


def _thumb(picture: rx.vars.ObjectVar[Picture], index: rx.Var[int]) -> rx.Component:
    return rx.el.li(
        rx.el.button(
            photo(picture["thumb"], "", "size-20 rounded-tile"),
            type="button",
            aria_label=f"Open {picture['text']}",
            on_click=_open_at(index),
            class_name="block cursor-zoom-in rounded-tile",
        )
    )


def _large(picture: rx.vars.ObjectVar[Picture]) -> rx.Component:
    return rx.el.li(
        rx.el.img(
            src=picture["full"],
            alt=picture["text"],
            loading="lazy",
            decoding="async",
            class_name="min-h-0 w-full flex-1 object-contain",
        ),
        rx.el.p(picture["text"], aria_hidden="true", class_name="px-4 py-2.5 text-center text-sm text-white/90"),
        class_name="flex w-full flex-none snap-center flex-col",
    )


def _open_at(index: rx.Var[int]) -> rx.event.EventSpec:
    return on_page(
        f"(() => {{ const strip = document.getElementById('{_STRIP}');"
        f" document.getElementById('{_DIALOG}').showModal();"
        f" strip.scrollTo({{left: strip.clientWidth * {index}, behavior: 'instant'}}); strip.focus(); }})()"
    )


def _turn(step: int) -> rx.event.EventSpec:
    return on_page(
        f"(() => {{ const strip = document.getElementById('{_STRIP}');"
        f" strip.scrollBy({{left: strip.clientWidth * {step}}}); }})()"
    )
