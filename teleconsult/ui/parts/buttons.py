"""Buttons do something, links go somewhere; both are at least 44 px high."""

from __future__ import annotations

from typing import Any, Literal

import reflex as rx
from reflex_components_core.el.elements.inline import A

from teleconsult.ui.parts.base import Flag, Handler, Node, Text, cn, focus_fragment, when
from teleconsult.ui.parts.icons import icon, spinner

ButtonKind = Literal["primary", "secondary", "quiet", "danger"]


BUTTON = (
    "inline-flex items-center justify-center gap-2 rounded-control text-center font-semibold no-underline "
    "transition-colors select-none disabled:opacity-55 aria-busy:opacity-90! aria-busy:cursor-progress"
)


BUTTON_SIZE = {"md": "min-h-11 px-4 py-2 text-md", "lg": "min-h-13 px-6 py-3 text-base"}


BUTTON_KIND: dict[str, str] = {
    "primary": "bg-brand text-white hover:not-disabled:bg-brand-strong active:not-disabled:bg-brand-deep",
    "secondary": "bg-card text-ink inset-ring inset-ring-line-2 hover:not-disabled:bg-mist active:not-disabled:bg-line",
    "quiet": "text-brand-ink hover:not-disabled:bg-brand-soft active:not-disabled:bg-brand-line",
    "danger": "bg-danger text-white hover:not-disabled:bg-danger-strong active:not-disabled:bg-danger-strong",
}


def _button_class(kind: ButtonKind, size: str, full: bool | Literal["phone"], class_name: str) -> str:
    width = {True: "w-full", False: "", "phone": "w-full sm:w-auto"}[full]
    return cn(BUTTON, BUTTON_SIZE[size], BUTTON_KIND[kind], width, class_name)


def button(
    label: Node,
    on_click: Handler = None,
    *,
    kind: ButtonKind = "primary",
    size: Literal["md", "lg"] = "md",
    icon_name: Text = "",
    loading: Flag = False,
    loading_label: Text = "",
    disabled: Flag = False,
    full: bool | Literal["phone"] = False,
    type: Literal["button", "submit", "reset"] = "button",  # noqa: A002 - the attribute's name in HTML
    class_name: str = "",
    **attrs: Any,
) -> rx.Component:
    """A button of at least 44 px. While `loading` it is disabled, busy, and keeps its width in the layout."""
    lead = when(loading, spinner(), icon(icon_name) if icon_name else rx.fragment())
    text = when(loading, loading_label, label) if loading_label else label
    blocked = (
        (loading | disabled) if isinstance(loading, rx.Var) or isinstance(disabled, rx.Var) else loading or disabled
    )
    if on_click is not None:
        attrs["on_click"] = on_click
    return rx.el.button(
        lead,
        rx.el.span(text),
        type=type,
        disabled=blocked,
        aria_busy=when(loading, "true", "false"),
        class_name=_button_class(kind, size, full, class_name),
        **attrs,
    )


def _anchor(*children: Node, href: Text, document: bool, **attrs: Any) -> rx.Component:
    if document:  # rx.el.a changes the view without loading a page, unless told to leave the click to the browser
        attrs["reload_document"] = True
    return rx.el.a(*children, href=href, **attrs)


def link_button(
    label: Node,
    href: Text,
    *,
    kind: ButtonKind = "primary",
    size: Literal["md", "lg"] = "md",
    icon_name: str = "",
    full: bool | Literal["phone"] = False,
    external: bool = False,
    document: bool = False,
    class_name: str = "",
    **attrs: Any,
) -> rx.Component:
    """A link that looks like a button: for going somewhere.

    `external` leaves for another site in this tab and shows the arrow. `document` loads a new page from the server
    instead of changing the view, for addresses where the server decides who may come in.
    """
    children = [icon(icon_name) if icon_name else rx.fragment(), rx.el.span(label)]
    classes = _button_class(kind, size, full, class_name)
    if external:
        children.append(icon("external-link", 16))
    return _anchor(*children, href=href, document=document or external, class_name=classes, **attrs)


def icon_button(
    name: Text, label: Text, on_click: Handler = None, *, class_name: str = "", **attrs: Any
) -> rx.Component:
    """44 × 44 px, icon only; the label is its accessible name and its tooltip."""
    if on_click is not None:
        attrs["on_click"] = on_click
    return rx.el.button(
        icon(name, 20),
        type="button",
        aria_label=label,
        title=label,
        class_name=cn(
            "inline-grid size-11 flex-none place-content-center rounded-control text-ink-2 transition-colors "
            "hover:bg-mist hover:text-ink aria-pressed:bg-brand-soft aria-pressed:text-brand-ink",
            class_name,
        ),
        **attrs,
    )


_LINK = (
    "font-medium text-brand-ink underline decoration-brand-line decoration-[1.5px] underline-offset-[3px] "
    "hover:decoration-brand rounded-sm"
)


def link(label: Node, href: Text, *, external: bool = False, class_name: str = "", **attrs: Any) -> rx.Component:
    """A text link. Changes the view unless `external` (another site, a download, an address the server decides on)."""
    return _anchor(label, href=href, document=external, class_name=cn(_LINK, class_name), **attrs)


def fragment_link(label: Node, target: Text, class_name: str = "") -> rx.Component:
    """To the element with the id `target` on this page, focus included.

    The browser's own link: a router's would name the whole address, and scroll without moving the focus.
    """
    return A.create(label, href=f"#{target}", on_click=focus_fragment(), class_name=class_name)


def row_link(label: Node, href: Text, icon_name: str = "", **attrs: Any) -> rx.Component:
    """A stand-alone text action with a 44 px target."""
    return rx.el.a(
        icon(icon_name, 17) if icon_name else rx.fragment(),
        rx.el.span(label),
        href=href,
        class_name=(
            "-mx-2 inline-flex min-h-11 items-center gap-2 rounded-control px-2 text-md font-medium text-brand-ink "
            "no-underline hover:bg-brand-soft"
        ),
        **attrs,
    )
