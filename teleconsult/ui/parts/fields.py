"""Text fields and selects, each with its label, hint and error.

They are uncontrolled: give `default_value` (a Python value or a Var) and handlers (`on_change`, `on_blur`, …) in
`attrs`. A controlled input is overwritten by the server after a network blip; these keep what was typed. React reads
the default once, when the field appears: mount a form after its answers have been loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import reflex as rx

from teleconsult.ui.parts.base import Flag, Handler, Node, Text, cn, given, on_page, when
from teleconsult.ui.parts.buttons import icon_button
from teleconsult.ui.parts.icons import icon
from teleconsult.ui.parts.typography import visually_hidden

InputType = Literal["text", "email", "tel", "url", "search", "number", "password"]


CONTROL = (
    "block w-full min-h-12 rounded-control bg-card px-3.5 text-base text-ink inset-ring-[1.5px] inset-ring-field "
    "transition-shadow "
    "hover:inset-ring-ink-2 focus-visible:outline-[3px] focus-visible:outline-offset-0 focus-visible:inset-ring-brand "
    "aria-invalid:inset-ring-2 aria-invalid:inset-ring-danger disabled:bg-mist disabled:text-ink-2"
)


def wiring(field_id: str, hint: Text, error: Text) -> dict[str, Any]:
    """aria-describedby and aria-invalid, for plain strings and Vars alike."""
    hint_id, error_id = f"{field_id}-hint", f"{field_id}-error"
    if isinstance(error, rx.Var):
        both = f"{hint_id} {error_id}" if given(hint) else error_id
        return {
            "aria_describedby": rx.cond(error, both, hint_id if given(hint) else ""),
            "aria_invalid": rx.cond(error, "true", "false"),
        }
    ids = " ".join(part for part in (hint_id if given(hint) else "", error_id if error else "") if part)
    wired: dict[str, Any] = {"aria_describedby": ids} if ids else {}
    if error:
        wired["aria_invalid"] = "true"
    return wired


def hint_line(field_id: str, hint: Text) -> rx.Component:
    """Advice above a control, tied to it by `wiring`."""
    return rx.el.p(hint, id=f"{field_id}-hint", class_name="text-sm text-ink-2") if given(hint) else rx.fragment()


def error_line(field_id: str, error: Text) -> rx.Component:
    """What is wrong with one field; nothing while `error` is empty."""
    return when(
        error,
        rx.el.p(
            icon("circle-alert", 16, "mt-[3px]"),
            rx.el.span(visually_hidden("Error: "), error),
            id=f"{field_id}-error",
            class_name="flex gap-1.5 text-sm font-semibold text-danger-ink",
        ),
        rx.fragment(),
    )


def optional_mark(optional: bool) -> rx.Component:
    """The word after an optional field's label. Required is the default and unmarked."""
    return rx.el.span(" (optional)", class_name="font-normal text-ink-2") if optional else rx.fragment()


def field(
    label: Node,
    control: rx.Component,
    *,
    field_id: str,
    hint: Text = "",
    error: Text = "",
    optional: bool = False,
    class_name: str = "",
) -> rx.Component:
    """Label, hint, error, control, in that order. Required is the default and is not marked."""
    return rx.el.div(
        rx.el.div(
            rx.el.label(label, optional_mark(optional), html_for=field_id, class_name="block font-semibold"),
            hint_line(field_id, hint),
            error_line(field_id, error),
            class_name="mb-2 space-y-0.5",
        ),
        control,
        class_name=class_name,
    )


def text_field(
    name: str,
    label: Node,
    *,
    hint: Text = "",
    error: Text = "",
    optional: bool = False,
    type: InputType = "text",  # noqa: A002 - the attribute's name in HTML
    class_name: str = "",
    input_class: str = "",
    **attrs: Any,
) -> rx.Component:
    """One line of text. `default_value` may be a Var; handlers go into `attrs`."""
    control = rx.el.input(
        id=name, name=name, type=type, class_name=cn(CONTROL, input_class), **wiring(name, hint, error), **attrs
    )
    return field(label, control, field_id=name, hint=hint, error=error, optional=optional, class_name=class_name)


_SHOW_OR_HIDE = (
    "(() => { const field = document.getElementById('NAME'), hidden = field.type === 'password';"
    " field.type = hidden ? 'text' : 'password';"
    " document.getElementById('NAME-toggle').setAttribute('aria-pressed', hidden); })()"
)


def password_field(
    name: str,
    label: Node,
    *,
    shown: Flag = False,
    on_toggle: Handler = None,
    hint: Text = "",
    error: Text = "",
    auto_complete: str = "current-password",
    **attrs: Any,
) -> rx.Component:
    """With a show/hide switch. Without `on_toggle` the switch works in the browser alone."""
    toggle = on_toggle or on_page(_SHOW_OR_HIDE.replace("NAME", name))
    control = rx.el.div(
        rx.el.input(
            id=name,
            name=name,
            type=when(shown, "text", "password"),
            auto_complete=auto_complete,
            spell_check=False,
            class_name=cn(CONTROL, "pe-14"),
            **wiring(name, hint, error),
            **attrs,
        ),
        icon_button(
            "eye",
            "Show password",
            toggle,
            id=f"{name}-toggle",
            aria_pressed=when(shown, "true", "false"),
            class_name="absolute top-0.5 end-0.5",
        ),
        class_name="relative",
    )
    return field(label, control, field_id=name, hint=hint, error=error)


def text_area(
    name: str,
    label: Node,
    *,
    hint: Text = "",
    error: Text = "",
    optional: bool = False,
    rows: int = 5,
    count: Text = "",
    limit: int = 0,
    near: Flag = False,
    class_name: str = "",
    **attrs: Any,
) -> rx.Component:
    """`count` is the running length (a Var); the counter is polite to screen readers only when `near` the limit."""
    counter = (
        rx.el.p(
            rx.el.span(count, class_name="num"),
            f" of {limit:,} characters",
            aria_live=when(near, "polite", "off"),
            class_name=when(
                near, "mt-1.5 text-end text-sm font-semibold text-warn-ink", "mt-1.5 text-end text-sm text-ink-2"
            ),
        )
        if limit
        else rx.fragment()
    )
    control = rx.el.div(
        rx.el.textarea(
            id=name,
            name=name,
            rows=str(rows),
            class_name=cn(CONTROL, "field-sizing-content max-h-[60vh] resize-y py-3 leading-6"),
            style={"minHeight": f"{rows * 1.5 + 1.5}rem"},
            **wiring(name, hint, error),
            **attrs,
        ),
        counter,
    )
    return field(label, control, field_id=name, hint=hint, error=error, optional=optional, class_name=class_name)


def select(
    name: str,
    label: Node,
    options: Sequence[tuple[str, str] | str],
    *,
    hint: Text = "",
    error: Text = "",
    optional: bool = False,
    placeholder: str = "",
    class_name: str = "",
    **attrs: Any,
) -> rx.Component:
    """A native select."""
    pairs = [(o, o) if isinstance(o, str) else o for o in options]
    lead = [rx.el.option(placeholder, value="")] if placeholder else []
    control = rx.el.div(
        rx.el.select(
            *lead,
            *[rx.el.option(text, value=value) for value, text in pairs],
            id=name,
            name=name,
            class_name=cn(CONTROL, "appearance-none pe-11"),
            **wiring(name, hint, error),
            **attrs,
        ),
        icon("chevron-down", 18, "pointer-events-none absolute top-[15px] end-3.5 text-ink-2"),
        class_name="relative",
    )
    return field(label, control, field_id=name, hint=hint, error=error, optional=optional, class_name=class_name)
