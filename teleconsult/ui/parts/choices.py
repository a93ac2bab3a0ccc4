"""Groups of choices on native radios and checkboxes, and the three boxes of a date of birth.

All of them are uncontrolled: `checked` says how they start, as a Python value or as a Var, and the browser keeps
what the person does. A network blip therefore takes nothing away. React reads `checked` once, when the group appears,
so mount a form after its answers have been loaded. Handlers (`on_change`, `on_blur`, …) go into
`attrs`: a radio hands over its value, a checkbox a bool.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import reflex as rx

from teleconsult.ui.parts.base import Flag, Node, Text, cn, given, when
from teleconsult.ui.parts.fields import CONTROL, error_line, hint_line, optional_mark, wiring
from teleconsult.ui.parts.typography import visually_hidden

_OPTION = (
    "rounded-tile bg-card px-3.5 inset-ring-[1.5px] inset-ring-line-2 transition-colors hover:inset-ring-field "
    "has-checked:bg-brand-soft has-checked:inset-ring-2 has-checked:inset-ring-brand "
    "has-focus-visible:outline-[3px] has-focus-visible:outline-offset-2 has-focus-visible:outline-brand"
)
_GRID = {1: "", 2: "sm:grid-cols-2", 3: "grid-cols-2 sm:grid-cols-3"}


class Choice(NamedTuple):
    """One answer: the value that is stored, the words, a second line."""

    value: str
    label: str
    text: str = ""


def fieldset(
    name: str,
    legend: Node,
    *children: Node,
    hint: Text = "",
    error: Text = "",
    optional: bool = False,
    class_name: str = "",
) -> rx.Component:
    """A group of choices. The id is on the fieldset so that the error summary can link to it."""
    wired = {key: value for key, value in wiring(name, hint, error).items() if key == "aria_describedby"}
    return rx.el.fieldset(
        rx.el.legend(legend, optional_mark(optional), class_name="block p-0 font-semibold"),
        rx.el.div(hint_line(name, hint), error_line(name, error), class_name="mb-2.5 space-y-0.5"),
        *children,
        id=name,
        tab_index=-1,
        class_name=cn("min-w-0 border-0 p-0", class_name),
        **wired,
    )


def radio_cards(
    name: str,
    legend: Node,
    choices: Sequence[Choice],
    *,
    checked: Text = "",
    columns: Literal[1, 2, 3] = 2,
    hint: Text = "",
    error: Text = "",
    optional: bool = False,
    **attrs: Any,
) -> rx.Component:
    """One of several, each a card that can be pressed anywhere. Arrow keys and form values work without state."""

    def card_for(choice: Choice) -> rx.Component:
        return rx.el.label(
            rx.el.input(
                type="radio",
                name=name,
                value=choice.value,
                default_checked=checked == choice.value,
                class_name="tick mt-px focus-visible:outline-none",
                **attrs,
            ),
            _words(choice.label, choice.text, "font-medium"),
            class_name=cn("flex min-h-13 items-start gap-3 py-3.5", _OPTION),
        )

    grid = rx.el.div(*[card_for(choice) for choice in choices], class_name=cn("grid gap-2.5", _GRID[columns]))
    return fieldset(name, legend, grid, hint=hint, error=error, optional=optional)


def checkbox_cards(
    name: str,
    legend: Node,
    choices: Sequence[Choice],
    *,
    checked: Sequence[str] | rx.Var[list[str]] = (),
    columns: Literal[1, 2, 3] = 2,
    hint: Text = "",
    error: Text = "",
    optional: bool = False,
    attrs_for: Callable[[str], Mapping[str, Any]] | None = None,
) -> rx.Component:
    """Any of several. `attrs_for(value)` gives each box its handlers, for example `{"on_change": Form.tick(value)}`."""
    boxes = [
        checkbox(
            name,
            choice.label,
            value=choice.value,
            id=f"{name}-{choice.value}",
            text=choice.text,
            boxed=True,
            checked=_holds(checked, choice.value),
            **(attrs_for(choice.value) if attrs_for else {}),
        )
        for choice in choices
    ]
    grid = rx.el.div(*boxes, class_name=cn("grid gap-2.5", _GRID[columns]))
    return fieldset(name, legend, grid, hint=hint, error=error, optional=optional)


def checkbox(
    name: str,
    label: Node,
    *,
    value: str = "yes",
    checked: Flag = False,
    error: Text = "",
    text: Node = "",
    boxed: bool = False,
    class_name: str = "",
    **attrs: Any,
) -> rx.Component:
    """One yes or no, or one of several that share a name. `on_change` hands over a bool."""
    field_id = attrs.pop("id", name if value == "yes" else f"{name}-{value}")
    return rx.el.div(
        error_line(field_id, error),
        rx.el.label(
            rx.el.input(
                type="checkbox",
                id=field_id,
                name=name,
                value=value,
                default_checked=checked,
                class_name=cn("tick mt-px", "focus-visible:outline-none" if boxed else ""),
                **wiring(field_id, "", error),
                **attrs,
            ),
            _words(label, text),
            html_for=field_id,
            class_name=cn("flex min-h-11 items-start gap-3 py-2.5", _OPTION if boxed else ""),
        ),
        class_name=class_name,
    )


def segmented(
    name: str,
    legend: str,
    choices: Sequence[Choice],
    *,
    checked: Text = "",
    show_legend: bool = True,
    hint: Text = "",
    error: Text = "",
    **attrs: Any,
) -> rx.Component:
    """Two to five short, exclusive choices in one bar. Native radios underneath."""

    def segment(choice: Choice) -> rx.Component:
        return rx.el.label(
            rx.el.input(
                type="radio",
                name=name,
                value=choice.value,
                default_checked=checked == choice.value,
                class_name="sr-only",
                **attrs,
            ),
            choice.label,
            class_name=(
                "relative grid min-h-11 flex-1 place-content-center rounded-[8px] px-3 text-center text-md font-medium "
                "text-ink-2 transition-colors hover:text-ink "
                "has-checked:bg-card has-checked:font-semibold has-checked:text-brand-ink has-checked:shadow-card "
                "has-focus-visible:outline-[3px] has-focus-visible:outline-brand"
            ),
        )

    return fieldset(
        name,
        legend if show_legend else visually_hidden(legend),
        rx.el.div(*[segment(choice) for choice in choices], class_name="flex gap-0.5 rounded-control bg-line/70 p-0.5"),
        hint=hint,
        error=error,
    )


def date_of_birth(
    name: str = "dob",
    legend: str = "Date of birth",
    *,
    hint: Text = "For example 27 3 1985",
    error: Text = "",
    day: Text = "",
    month: Text = "",
    year: Text = "",
    attrs_for: Callable[[str], Mapping[str, Any]] | None = None,
) -> rx.Component:
    """Three plain boxes named `{name}_day`, `{name}_month`, `{name}_year`: faster and safer than a calendar.

    `attrs_for("day" | "month" | "year")` gives each box its handlers.
    """

    def part(key: str, width: str, value: Text, length: int) -> rx.Component:
        return rx.el.div(
            rx.el.label(key.title(), html_for=f"{name}-{key}", class_name="mb-1 block text-sm text-ink-2"),
            rx.el.input(
                id=f"{name}-{key}",
                name=f"{name}_{key}",
                type="text",
                input_mode="numeric",
                auto_complete=f"bday-{key}",
                max_length=length,
                default_value=value,
                aria_invalid=when(error, "true", "false"),
                class_name=cn(CONTROL, width, "num"),
                **(attrs_for(key) if attrs_for else {}),
            ),
        )

    boxes = rx.el.div(
        part("day", "max-w-18", day, 2),
        part("month", "max-w-18", month, 2),
        part("year", "max-w-24", year, 4),
        class_name="flex gap-3",
    )
    return fieldset(name, legend, boxes, hint=hint, error=error)


def _words(label: Node, text: Node, weight: str = "") -> rx.Component:
    return rx.el.span(
        rx.el.span(label, class_name=cn("block leading-6", weight)),
        rx.el.span(text, class_name="block text-sm text-ink-2") if given(text) else rx.fragment(),
        class_name="min-w-0",
    )


def _holds(checked: Sequence[str] | rx.Var[list[str]], value: str) -> Flag:
    if isinstance(checked, rx.Var):
        return checked.to(list[str]).contains(value)
    return value in checked
