"""Photos on their way in and on show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import reflex as rx

from teleconsult.ui.parts.base import Handler, Node, Text, cn, pick, when
from teleconsult.ui.parts.buttons import BUTTON, BUTTON_KIND, BUTTON_SIZE, button, icon_button
from teleconsult.ui.parts.fields import error_line, wiring
from teleconsult.ui.parts.icons import icon, spinner

PhotoState = Literal["queued", "uploading", "processing", "done", "failed", "offline"]


def progress(percent: int | rx.Var[int], label: str, class_name: str = "") -> rx.Component:
    """How far an upload has come, in per cent."""
    return rx.el.div(
        rx.el.div(class_name="h-full rounded-full bg-brand transition-[width]", style={"width": f"{percent}%"}),
        role="progressbar",
        aria_label=label,
        aria_valuenow=percent,
        aria_valuemin=0,
        aria_valuemax=100,
        class_name=cn("h-1.5 overflow-hidden rounded-full bg-line", class_name),
    )


def photo(src: Text, alt: Text, class_name: str = "") -> rx.Component:
    """A photo that loads when it comes near the view."""
    return rx.el.img(
        src=src, alt=alt, loading="lazy", decoding="async", class_name=cn("bg-line object-cover", class_name)
    )


PHOTO_LABELS = (("overview", "Overview"), ("close", "Close-up"), ("side", "From the side"), ("other", "Other"))


def photo_tile(
    number: int | rx.Var[int],
    state: PhotoState | rx.Var[str],
    *,
    src: Text = "",
    kind: Text = "other",
    name: Text = "",
    percent: int | rx.Var[int] = 0,
    note: Node = "Sharp, location removed",
    note_tone: Text = "ok",
    error: Text = "",
    on_label: Handler = None,
    on_remove: Handler = None,
    on_retry: Handler = None,
) -> rx.Component:
    """One uploaded photo: preview, what it shows, how it is going, remove. `state` may be a Var."""
    veil = (
        "absolute inset-0 flex flex-col items-center justify-center gap-2 rounded-tile bg-card/80 px-3 text-center "
        "text-sm font-medium inset-ring inset-ring-line-2"
    )
    overlay = pick(
        state,
        {
            "queued": rx.el.div(icon("clock", 22, "text-ink-2"), "Waiting", class_name=veil),
            "uploading": rx.el.div(
                rx.el.span(f"{percent} %", class_name="num text-lg font-semibold"),
                progress(percent, "Upload", "w-2/3"),
                class_name=veil,
            ),
            "processing": rx.el.div(spinner(24, "text-brand"), "Checking photo", class_name=veil),
            "failed": rx.el.div(
                icon("circle-alert", 24, "text-danger"),
                "Not uploaded",
                class_name=cn(veil, "bg-danger-soft text-danger-ink inset-ring-danger-line"),
            ),
            "offline": rx.el.div(icon("wifi-off", 22, "text-ink-2"), "Waiting for connection", class_name=veil),
        },
        rx.fragment(),
    )
    status = "flex items-start gap-1.5 text-sm"
    fine = rx.el.p(icon("check", 16, "mt-[3px]"), note, class_name=cn(status, "text-ok-ink"))
    soft = rx.el.p(icon("triangle-alert", 16, "mt-[3px]"), note, class_name=cn(status, "font-medium text-warn-ink"))
    line = pick(
        state,
        {
            "done": pick(note_tone, {"warn": soft}, fine),
            "failed": rx.el.div(
                rx.el.p(error, class_name="text-sm font-medium text-danger-ink"),
                button("Try again", on_retry, kind="secondary", icon_name="rotate-cw", full=True, class_name="mt-2"),
                role="alert",
            ),
        },
        rx.el.p(name, class_name="truncate text-sm text-ink-2"),
    )
    label_id = f"photo-{number}-label"
    tags: dict[str, Any] = {"on_change": on_label} if on_label is not None else {}
    return rx.el.li(
        rx.el.div(
            when(
                src,
                photo(src, f"Photo {number}", "size-full"),
                rx.el.span(icon("image", 30, "text-line-2"), class_name="grid size-full place-content-center bg-mist"),
            ),
            overlay,
            icon_button(
                "trash-2",
                f"Remove photo {number}",
                on_remove,
                class_name=(
                    "absolute top-1 end-1 z-1 rounded-full text-ink before:absolute before:inset-1 before:-z-1 "
                    "before:rounded-full before:bg-card before:shadow-card hover:bg-transparent hover:before:bg-mist"
                ),
            ),
            class_name="relative aspect-square overflow-hidden rounded-tile bg-mist",
        ),
        rx.el.div(
            rx.el.label(f"Photo {number} shows", html_for=label_id, class_name="sr-only"),
            rx.el.div(
                rx.el.select(
                    *[rx.el.option(text, value=value) for value, text in PHOTO_LABELS],
                    id=label_id,
                    default_value=kind,
                    class_name=(
                        "min-h-11 w-full appearance-none rounded-control bg-card pe-8 ps-3 text-md font-medium "
                        "inset-ring inset-ring-field"
                    ),
                    **tags,
                ),
                icon("chevron-down", 16, "pointer-events-none absolute top-3.5 end-2.5 text-ink-2"),
                class_name="relative",
            ),
            line,
            class_name="mt-2 space-y-1.5",
        ),
        data_testid=f"photo-tile-{number}",
        class_name="min-w-0",
    )


def drop_zone(
    title: str,
    text: Node,
    *,
    button_label: str = "Take or choose photos",
    input_id: str = "photo-input",
    error: Text = "",
    control: rx.Component | None = None,
) -> rx.Component:
    """A place to drop photos, with one big button. `control` is the file input it belongs to; its id is `input_id`."""
    picker = control or rx.el.input(
        id=input_id,
        type="file",
        multiple=True,
        accept="image/jpeg,image/png,image/webp,image/heic,image/heif",
        class_name="peer sr-only",
        data_testid="photo-input",
        **wiring(input_id, "", error),
    )
    return rx.el.div(
        picker,
        rx.el.label(
            rx.el.span(
                icon("camera", 26),
                class_name="grid size-13 place-content-center rounded-full bg-brand-soft text-brand-ink",
            ),
            rx.el.span(title, class_name="mt-3 text-h3 font-semibold tracking-[-0.018em]"),
            rx.el.span(text, class_name="mt-0.5 max-w-[42ch] text-sm text-ink-2 text-balance"),
            rx.el.span(
                icon("image-up"),
                button_label,
                class_name=cn(BUTTON, BUTTON_SIZE["md"], BUTTON_KIND["primary"], "mt-4"),
            ),
            html_for=input_id,
            class_name=(
                "flex flex-col items-center rounded-card border-[1.5px] border-dashed border-field bg-card px-5 py-8 "
                "text-center transition-colors hover:border-brand hover:bg-brand-soft/40 "
                "peer-focus-visible:outline-[3px] peer-focus-visible:outline-offset-2 peer-focus-visible:outline-brand"
            ),
        ),
        error_line(input_id, error),
        class_name="space-y-2",
    )


def photo_strip(photos: Sequence[tuple[str, str]], size: Literal["sm", "md"] = "md") -> rx.Component:
    """Small photos in a row: pairs of address and description."""
    box = {"sm": "size-14 rounded-control", "md": "size-20 rounded-tile"}[size]
    return rx.el.ul(*[rx.el.li(photo(src, alt, box)) for src, alt in photos], class_name="flex flex-wrap gap-2")
