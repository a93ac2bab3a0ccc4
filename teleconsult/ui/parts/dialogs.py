"""Native modal dialogs."""

from __future__ import annotations

from collections.abc import Sequence

import reflex as rx
from reflex.vars import NumberVar

from teleconsult.ui.parts.base import Flag, Handler, Node, cn, on_page
from teleconsult.ui.parts.buttons import ButtonKind, button, icon_button


def open_dialog(dialog_id: str) -> rx.event.EventSpec:
    """Show the modal dialog with this id, with the focus on its safe choice if it names one."""
    return on_page(
        "((box) => { box.open || box.showModal(); box.querySelector('[data-safe]')?.focus() })"
        f"(document.getElementById('{dialog_id}'))"
    )


def opened_by(dialog_id: str, count: NumberVar[int]) -> rx.Component:
    """Opens the dialog each time the server moves `count`; 0 leaves it as it is.

    The server itself can't without eval. What appears when the count moves does it: the key stands around it, because
    Reflex makes whatever has `on_mount` a component of its own, whose effect a key inside would not repeat.
    """
    opens = rx.el.span(on_mount=open_dialog(dialog_id))
    return rx.cond(count > 0, rx.el.div(opens, key=count.to_string(), hidden=True))


def close_dialog(dialog_id: str) -> rx.event.EventSpec:
    """Close the dialog with this id; the focus goes back to what opened it."""
    return on_page(f"document.getElementById('{dialog_id}').close()")


def dialog(
    dialog_id: str, title: Node, *body: Node, footer: Sequence[rx.Component] = (), class_name: str = ""
) -> rx.Component:
    """Native modal dialog: the focus stays inside, Esc closes it, the focus returns. Open with `open_dialog(id)`."""
    return rx.el.dialog(
        rx.el.div(
            rx.el.div(
                rx.el.h2(title, id=f"{dialog_id}-title", class_name="text-h2 pt-1.5"),
                icon_button("x", "Close", close_dialog(dialog_id), class_name="-mt-1 -me-2.5"),
                class_name="flex items-start justify-between gap-4",
            ),
            rx.el.div(*body, class_name="mt-2"),
            rx.el.div(*footer, class_name="mt-6 flex flex-col gap-3 sm:flex-row-reverse sm:flex-wrap")
            if footer
            else rx.fragment(),
            class_name="p-5 pb-[max(1.25rem,env(safe-area-inset-bottom))] sm:p-7",
        ),
        id=dialog_id,
        aria_labelledby=f"{dialog_id}-title",
        class_name=cn("dialog", class_name),
    )


def confirm_dialog(
    dialog_id: str,
    title: Node,
    text: Node,
    confirm: str,
    on_confirm: Handler = None,
    *,
    cancel: str = "Keep it",
    kind: ButtonKind = "danger",
    extra: Node = "",
    loading: Flag = False,
) -> rx.Component:
    """Says what will happen, then asks. The safe choice gets the focus."""
    return dialog(
        dialog_id,
        title,
        rx.el.p(text, class_name="text-ink-2"),
        extra or rx.fragment(),
        footer=(
            button(confirm, on_confirm, kind=kind, loading=loading),
            button(cancel, close_dialog(dialog_id), kind="secondary", custom_attrs={"data-safe": ""}),
        ),
    )
