"""The photo viewer: one large photo on a neutral dark ground, zoomed, panned and turned in the browser alone.

`assets/photo-viewer.js` does the work: it needs no server, so a photo answers at once and also while the connection is
away. It finds its way by the `data-` attributes written here, and keeps its own state in attributes that no page sets.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import reflex as rx
from reflex.vars import ArrayVar, ObjectVar

from teleconsult.ui.clinic.chart import Picture
from teleconsult.ui.parts.buttons import icon_button

SCRIPT = "/photo-viewer.js"
_DARK = "text-white hover:bg-white/15 hover:text-white focus-visible:outline-white disabled:opacity-40"

TOOLS = (
    ("previous", "chevron-left", "Previous photo"),
    ("next", "chevron-right", "Next photo"),
    ("out", "zoom-out", "Zoom out"),
    ("in", "zoom-in", "Zoom in"),
    ("turn", "rotate-cw", "Turn the view"),
)


def photo_viewer(pictures: ArrayVar[Sequence[Picture]]) -> rx.Component:
    """All photos of a case. Each is fetched when it is first looked at."""
    return rx.el.section(
        rx.el.script(src=SCRIPT, custom_attrs={"async": True}),
        rx.el.div(
            rx.el.p(rx.foreach(pictures, _caption), class_name="min-w-0 truncate text-sm text-white/90", role="status"),
            rx.el.div(
                *[_tool(*tool) for tool in TOOLS], class_name="flex flex-none max-sm:-ms-2.5 max-sm:justify-between"
            ),
            class_name=(
                "flex min-h-14 items-center justify-between gap-x-2 py-1.5 pe-1.5 ps-4 max-sm:flex-col "
                "max-sm:items-stretch max-sm:pt-3"
            ),
        ),
        rx.el.div(
            rx.foreach(pictures, _photo),
            class_name=(
                "h-[min(30rem,65dvh)] overflow-auto overscroll-contain bg-[#121615] focus-visible:outline-none"
            ),
            tab_index=0,
            role="group",
            aria_label="Photo on show. Arrow keys change it; plus and minus zoom, and then the arrows move it.",
            custom_attrs={"data-stage": ""},
        ),
        rx.el.ul(rx.foreach(pictures, _thumb), class_name="flex gap-2.5 overflow-x-auto p-3"),
        aria_label="Photos",
        class_name=(
            "group/viewer overflow-hidden rounded-card bg-[#1d2422] has-[[data-stage]:focus-visible]:outline-[3px] "
            "has-[[data-stage]:focus-visible]:outline-offset-2 has-[[data-stage]:focus-visible]:outline-brand"
        ),
        custom_attrs={"data-viewer": ""},
        data_testid="photo-viewer",
    )


def _caption(picture: ObjectVar[Picture], index: rx.Var[int]) -> rx.Component:
    return rx.el.span(picture["caption"], class_name="hidden data-[shown=true]:inline", custom_attrs=_place(index))


def _photo(picture: ObjectVar[Picture], index: rx.Var[int]) -> rx.Component:
    """The box grows with the zoom and the browser scrolls it: panning is scrolling."""
    return rx.el.div(
        rx.el.img(
            src=picture["src"],
            alt=picture["alt"],
            loading="lazy",
            decoding="async",
            draggable=False,
            class_name=(
                "absolute inset-0 m-auto size-full max-w-none rotate-[var(--turn,0deg)] object-contain select-none "
                "group-data-[turned=true]/viewer:h-[100cqw] group-data-[turned=true]/viewer:w-[100cqh]"
            ),
        ),
        class_name=(
            "relative hidden h-[calc(var(--zoom,1)*100%)] w-[calc(var(--zoom,1)*100%)] [container-type:size] "
            "data-[shown=true]:block"
        ),
        custom_attrs=_place(index),
    )


def _thumb(picture: ObjectVar[Picture], index: rx.Var[int]) -> rx.Component:
    return rx.el.li(
        rx.el.button(
            rx.el.img(src=picture["thumb"], alt="", class_name="size-full object-cover"),
            type="button",
            aria_label=picture["alt"],
            class_name=(
                "block size-16 overflow-hidden rounded-control opacity-75 transition-opacity hover:opacity-100 "
                "focus-visible:outline-white data-[shown=true]:opacity-100 data-[shown=true]:outline-2 "
                "data-[shown=true]:outline-white"
            ),
            custom_attrs={**_place(index), "aria-current": rx.cond(index == 0, "true", "false")},
        )
    )


def _tool(name: str, icon_name: str, label: str) -> rx.Component:
    return icon_button(icon_name, label, class_name=_DARK, custom_attrs={"data-tool": name})


def _place(index: rx.Var[int]) -> dict[str, Any]:
    return {"data-photo": index.to_string(), "data-shown": rx.cond(index == 0, "true", "false")}
