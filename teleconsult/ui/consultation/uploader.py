"""The uploader of the Photos step: drop zone, tiles of files on their way, and every word of both.

`assets/photo-upload.js` moves files from here to `POST /api/photos`, one request each, and only copies and fills what
is drawn here. Photos that have arrived are the page's own business: it draws them from its state, as `photo_tile`s
whose image address is the photo's `thumb`; the tile here goes when it sees that image.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import reflex as rx

from teleconsult.consultations.images import MAX_BYTES
from teleconsult.consultations.photos import ADDRESS
from teleconsult.consultations.questions import MAX_PHOTOS
from teleconsult.ui.parts.base import Handler, Node, Text
from teleconsult.ui.parts.buttons import button, icon_button
from teleconsult.ui.parts.icons import icon, spinner
from teleconsult.ui.parts.photos import drop_zone

SCRIPT = "/photo-upload.js"
INPUT_ID = "photo-input"
ACCEPT = "image/jpeg,image/png,image/webp,image/heic,image/heif,.heic,.heif"

# `{name}`, `{size}` and `{limit}` are filled in by the script. The server's own refusals arrive as sentences.
WORDS = {
    "remove": "Remove {name}",
    "tooBig": ("“{name}” is {size} MB. The limit is {limit} MB – take it again at normal quality or send it as JPEG."),
    "tooMany": f"{MAX_PHOTOS} photos is the maximum – remove one first.",
    "noPhoto": "That file isn’t a photo we can read. Choose a JPEG, PNG, WebP or HEIC photo.",
    "done": "{name} is uploaded.",
    "repeated": "{name} was uploaded already.",
    "offline": "No connection. The upload goes on by itself when it is back.",
    "lost": "The connection broke off. Your photo is still here.",
    "failed": "The upload didn’t work. Please try again.",
    "signedOut": "You were signed out. Sign in again in another tab, then try again.",
}

# The look of `photo_tile`, with every state drawn at once: the script chooses by `data-state`.
_VEIL = (
    "absolute inset-0 hidden flex-col items-center justify-center gap-2 rounded-tile bg-card/80 px-3 text-center "
    "text-sm font-medium inset-ring inset-ring-line-2"
)


def uploader(
    consultation_id: Text,
    count: int | rx.Var[int],
    on_uploaded: Callable[[Any], Handler],
    *,
    limit: int = MAX_PHOTOS,
    error: Text = "",
) -> rx.Component:
    """Drop zone, tiles under way, and the script that moves them.

    Args:
        consultation_id: the draft the photos belong to, or `new` while there is none: the first photo makes it.
        count: how many photos the page shows already.
        on_uploaded: the handler to call when photos have arrived; gets the consultation's id, which is a claim of the
            browser like any other. It loads the page's photos again and, after `new`, puts the id into the address.
        limit: how many photos there may be.
        error: what the page has to say about the photos, beside the drop zone.
    """
    return rx.el.div(
        drop_zone(
            "Add photos",
            f"Or drop them here. JPEG, PNG, HEIC or WebP, up to {limit} photos, {MAX_BYTES // 1024**2} MB each.",
            input_id=INPUT_ID,
            error=error,
            control=_picker(),
        ),
        rx.el.p(
            role="alert",
            class_name="mt-2 text-sm font-semibold text-danger-ink empty:hidden",
            custom_attrs={"data-photo-problem": ""},
        ),
        rx.el.p(role="status", class_name="sr-only", custom_attrs={"data-photo-status": ""}),
        rx.el.ul(
            aria_label="Photos being uploaded",
            class_name="mt-6 grid grid-cols-2 gap-x-3 gap-y-6 empty:hidden sm:grid-cols-3 sm:gap-x-4",
            custom_attrs={"data-photo-list": ""},
        ),
        rx.el.ul(_template(), hidden=True, custom_attrs={"data-photo-template": ""}),
        _refresh(on_uploaded),
        # React puts an async script into the head once, also when the page is reached without loading a document.
        rx.el.script(src=SCRIPT, custom_attrs={"async": True}),
        class_name="[&[data-over]_label]:border-brand [&[data-over]_label]:bg-brand-soft",
        custom_attrs={
            "data-photo-upload": "",
            "data-action": ADDRESS,
            "data-consultation": consultation_id,
            "data-count": count,
            "data-limit": limit,
            "data-max-bytes": MAX_BYTES,
            "data-words": json.dumps(WORDS, ensure_ascii=False),
        },
    )


def _picker() -> rx.Component:
    """No `capture`: on a phone that would take the library away and leave only the camera."""
    return rx.el.input(
        id=INPUT_ID,
        type="file",
        multiple=True,
        accept=ACCEPT,
        class_name="peer sr-only",
        data_testid="photo-input",
        custom_attrs={"data-photo-input": ""},
    )


def _refresh(on_uploaded: Callable[[Any], Handler]) -> rx.Component:
    """Pressed by the script; its value is the consultation's id, read at that moment."""
    told = rx.Var("(document.querySelector('[data-photo-refresh]')?.value ?? '')", _var_type=str)
    return rx.el.button(
        type="button",
        hidden=True,
        on_click=on_uploaded(told),
        custom_attrs={"data-photo-refresh": ""},
    )


def _template() -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.span(icon("image", 30, "text-line-2"), class_name="grid size-full place-content-center bg-mist"),
            rx.el.img(alt="", class_name="absolute inset-0 size-full object-cover", **_named("preview")),
            _veil("group-data-[state=queued]:flex", icon("clock", 22, "text-ink-2"), "Waiting"),
            _veil("group-data-[state=uploading]:flex", _percent(), _bar()),
            _veil("group-data-[state=processing]:flex", spinner(24, "text-brand"), "Checking photo"),
            _veil("group-data-[state=done]:flex", icon("check", 24, "text-ok-ink"), "Uploaded"),
            _veil("group-data-[state=offline]:flex", icon("wifi-off", 22, "text-ink-2"), "Waiting for connection"),
            _veil(
                "group-data-[state=failed]:flex bg-danger-soft! text-danger-ink inset-ring-danger-line",
                icon("circle-alert", 24, "text-danger"),
                "Not uploaded",
            ),
            _remove(),
            class_name="relative aspect-square overflow-hidden rounded-tile bg-mist",
        ),
        rx.el.p(class_name="mt-2 truncate text-sm text-ink-2", **_named("name")),
        rx.el.p(
            role="alert",
            class_name="mt-1 text-sm font-medium break-words text-danger-ink group-not-data-[state=failed]:hidden",
            **_named("error"),
        ),
        button(
            "Try again",
            kind="secondary",
            icon_name="rotate-cw",
            full=True,
            class_name="mt-2 group-not-data-[state=failed]:hidden group-data-final:hidden",
            **_named("retry"),
        ),
        class_name="group min-w-0",
        data_testid="photo-upload",
    )


def _remove() -> rx.Component:
    """The script adds the file's name to the label, so that eight of them are told apart by ear."""
    return icon_button(
        "trash-2",
        "Remove",
        class_name=(
            "absolute top-1 end-1 z-1 rounded-full text-ink before:absolute before:inset-1 before:-z-1 "
            "before:rounded-full before:bg-card before:shadow-card hover:bg-transparent hover:before:bg-mist"
        ),
        **_named("remove"),
    )


def _percent() -> rx.Component:
    return rx.el.span("0 %", class_name="num text-lg font-semibold", **_named("percent"))


def _bar() -> rx.Component:
    return rx.el.div(
        rx.el.div(class_name="h-full rounded-full bg-brand transition-[width]"),
        role="progressbar",
        aria_label="Upload",
        aria_valuenow=0,
        aria_valuemin=0,
        aria_valuemax=100,
        class_name="h-1.5 w-2/3 overflow-hidden rounded-full bg-line",
        **_named("bar"),
    )


def _veil(shown: str, *children: Node) -> rx.Component:
    return rx.el.div(*children, class_name=f"{_VEIL} {shown}")


def _named(name: str) -> dict[str, Any]:
    """The hook by which the script finds a part of the tile."""
    return {"custom_attrs": {f"data-photo-{name}": ""}}
