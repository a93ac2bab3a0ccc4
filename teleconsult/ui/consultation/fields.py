"""From a question to its control: one function for all of them, so that a new `Field` needs nothing here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import reflex as rx

from teleconsult.consultations.questions import BY_NAME, NONE, Field, Kind
from teleconsult.ui.consultation.form import Form
from teleconsult.ui.parts.base import on_page
from teleconsult.ui.parts.choices import Choice, checkbox_cards, date_of_birth, radio_cards, segmented
from teleconsult.ui.parts.fields import select, text_area, text_field

FORM_ID = "answers"

HELD: Any = rx.Var(f"[...new FormData(document.getElementById('{FORM_ID}'))]", _var_type=list[tuple[str, str]])
"""Name and value of everything the form on the page holds, read when the event is sent."""

PAUSE = 2000
"""Milliseconds without a keystroke after which text is saved; leaving the field saves it at once."""

COUNTED_FROM = 0.9
"""The part of a text's limit from which its length is shown."""

_SHORT, _MEDIUM = 24, 40
"""Longest label, in characters, that fits three cards side by side, and two."""


def question(f: Field) -> rx.Component:
    """The control of one question, with what it is now and how it is saved. Shown only while it applies."""
    control = _CONTROLS[f.kind](f)
    if f.shown_if is None:
        return control
    return rx.cond(_asked(f), rx.el.div(control, class_name="-mt-4"), rx.fragment())


def _asked(f: Field) -> rx.Var[bool]:
    """`intake.asked` for the browser."""
    name, values = f.shown_if or ("", frozenset())
    several = BY_NAME[name].kind is Kind.CHECKS
    holds = [Form.ticks[name].contains(v) if several else Form.texts[name] == v for v in sorted(values)]
    shown = holds[0]
    for other in holds[1:]:
        shown |= other
    return shown


def _select(f: Field) -> rx.Component:
    return select(
        f.name,
        f.label,
        [(o.value, o.label) for o in f.options],
        placeholder="Choose",
        default_value=Form.texts[f.name],
        on_change=Form.keep(Form.key, f.name),
        **_words(f),
    )


def _cards(f: Field) -> rx.Component:
    return radio_cards(
        f.name,
        f.label,
        _choices(f),
        checked=Form.texts[f.name],
        columns=_columns(f),
        on_change=Form.keep(Form.key, f.name),
        **_words(f),
    )


def _segments(f: Field) -> rx.Component:
    words = {name: value for name, value in _words(f).items() if name != "optional"}
    checked = Form.texts[f.name]
    return segmented(f.name, f.label, _choices(f), checked=checked, on_change=Form.keep(Form.key, f.name), **words)


def _checks(f: Field) -> rx.Component:
    return checkbox_cards(
        f.name,
        f.label,
        _choices(f),
        checked=Form.ticks[f.name],
        columns=_columns(f),
        attrs_for=lambda value: {"on_change": [_exclude(f, value), Form.tick(Form.key, f.name, value)]},
        **_words(f),
    )


def _date(f: Field) -> rx.Component:
    return date_of_birth(
        f.name,
        f.label,
        hint=f.hint,
        error=Form.problems[f.name],
        day=Form.texts[f"{f.name}_day"],
        month=Form.texts[f"{f.name}_month"],
        year=Form.texts[f"{f.name}_year"],
        attrs_for=lambda part: _typed(f"{f.name}_{part}"),
    )


def _line(f: Field) -> rx.Component:
    return text_field(f.name, f.label, default_value=Form.texts[f.name], **_typed(f.name), **_words(f))


def _text(f: Field) -> rx.Component:
    length = Form.texts[f.name].length()
    near = length >= int(f.limit * COUNTED_FROM)
    return rx.el.div(
        text_area(f.name, f.label, rows=f.rows, default_value=Form.texts[f.name], **_typed(f.name), **_words(f)),
        rx.el.p(
            rx.cond(near, f"{length:,} of {f.limit:,} characters", ""),
            aria_live="polite",
            class_name="num mt-1.5 text-end text-sm font-semibold text-warn-ink empty:hidden",
        ),
    )


_CONTROLS: dict[Kind, Callable[[Field], rx.Component]] = {
    Kind.SELECT: _select,
    Kind.CARDS: _cards,
    Kind.SEGMENTS: _segments,
    Kind.CHECKS: _checks,
    Kind.DATE: _date,
    Kind.LINE: _line,
    Kind.TEXT: _text,
}


def _words(f: Field) -> dict[str, Any]:
    return {"hint": f.hint, "error": Form.problems[f.name], "optional": not f.missing}


def _choices(f: Field) -> list[Choice]:
    return [Choice(o.value, o.label) for o in f.options]


def _columns(f: Field) -> Literal[1, 2, 3]:
    """As many as the longest label lets stand side by side."""
    longest = max(len(o.label) for o in f.options)
    if longest > _MEDIUM:
        return 1
    return 3 if longest <= _SHORT and len(f.options) > 4 else 2  # noqa: PLR2004 - four cards make two even rows


def _typed(control: str) -> dict[str, Any]:
    """Saved when the typing pauses, and when the field is left: whichever comes first.

    All pauses share one timer in the browser, so going on to the next field would cancel the first one's: but leaving
    it has saved it by then.
    """
    save = Form.keep(Form.key, control)
    return {"on_change": save.debounce(PAUSE), "on_blur": save}


def _exclude(f: Field, value: str) -> rx.event.EventSpec:
    """`intake.tick` for the browser: "None of these" and everything else exclude each other, also without a server."""
    this, none = f"document.getElementById('{f.name}-{value}')", f"document.getElementById('{f.name}-{NONE}')"
    others = f"document.querySelectorAll('#{f.name} input:not([value={NONE}])')"
    if not any(o.value == NONE for o in f.options):
        return rx.noop()
    if value == NONE:
        return on_page(f"{this}.checked && {others}.forEach((box) => {{ box.checked = false }})")
    return on_page(f"{this}.checked && ({none}.checked = false)")
