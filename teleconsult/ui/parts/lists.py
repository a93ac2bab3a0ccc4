"""Rows, facts, histories and tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import reflex as rx

from teleconsult.ui.parts.base import Node, Text, cn, pick, when
from teleconsult.ui.parts.icons import icon
from teleconsult.ui.parts.photos import photo
from teleconsult.ui.parts.status import Status, status_badge
from teleconsult.ui.parts.typography import visually_hidden


def list_row(
    title: Text,
    status: Status | rx.Var[str],
    line: Node,
    when_line: Node,
    *,
    src: Text = "",
    action: rx.Component | None = None,
    testid: Text = "",
) -> rx.Component:
    """One consultation: thumb, body site (never the complaint), badge, one line, time, one action."""
    thumb = when(
        src,
        photo(src, "", "size-14 rounded-tile sm:size-18"),
        rx.el.span(
            icon("image", 22),
            aria_hidden="true",
            class_name="grid size-14 place-content-center rounded-tile bg-mist text-ink-2 sm:size-18",
        ),
    )
    return rx.el.li(
        rx.el.div(
            thumb,
            rx.el.div(
                rx.el.div(
                    rx.el.h3(title, class_name="text-[1.0625rem] leading-6"),
                    status_badge(status),
                    class_name="flex flex-wrap items-center gap-x-2.5 gap-y-1.5",
                ),
                rx.el.p(line, class_name="mt-1.5 text-md text-ink-2 sm:mt-1"),
                rx.el.p(when_line, class_name="mt-0.5 text-sm text-ink-2"),
                class_name="min-w-0 flex-1",
            ),
            class_name="flex min-w-0 flex-1 gap-4",
        ),
        rx.el.div(action, class_name="empty:hidden sm:flex-none max-sm:*:w-full") if action else rx.fragment(),
        data_testid=testid,
        class_name="card flex flex-col gap-4 rounded-card bg-card p-4 shadow-card sm:flex-row sm:items-center sm:p-5",
    )


def facts(rows: Sequence[tuple[Node, Node]], *, wide: bool = False, class_name: str = "") -> rx.Component:
    """A definition list. `wide` puts the term above the value on a phone."""
    line = "flex flex-col gap-0.5 sm:flex-row sm:gap-6" if wide else "flex items-baseline justify-between gap-6"
    return rx.el.dl(
        *[
            rx.el.div(
                rx.el.dt(term, class_name=cn("text-md text-ink-2", "sm:w-44 sm:flex-none" if wide else "flex-none")),
                rx.el.dd(value, class_name=cn("num min-w-0 text-md font-medium", "flex-1" if wide else "text-end")),
                class_name=cn("keep py-2.5 first:pt-0 last:pb-0", line),
            )
            for term, value in rows
        ],
        class_name=cn("divide-y divide-line", class_name),
    )


class Moment(NamedTuple):
    """One entry of a history. `time` is formatted for the reader's zone."""

    title: str
    time: str
    icon: str = "check"
    state: Literal["done", "now", "next"] = "done"
    note: str = ""
    """Small print under the time."""


_DOT = {
    "done": "bg-brand-soft text-brand-ink",
    "now": "bg-brand text-white",
    "next": "bg-card text-ink-2 inset-ring-[1.5px] inset-ring-line-2",
}
_MOMENT = {"done": "font-medium", "now": "font-semibold", "next": "font-medium text-ink-2"}


def timeline(moments: Sequence[Moment] | rx.vars.ArrayVar[Sequence[dict[str, str]]]) -> rx.Component:
    """Append-only history. The current step is filled; what is still to come is hollow.

    A Var holds one dict for each moment, with the keys of `Moment`; without a `note` it has none.
    """
    if isinstance(moments, rx.Var):
        return rx.el.ol(rx.foreach(moments, lambda m: _moment(m["title"], m["time"], m["icon"], m["state"], m["note"])))
    return rx.el.ol(*[_moment(*moment) for moment in moments])


def _moment(title: Text, time: Text, icon_name: Text, state: Text, note: Text) -> rx.Component:
    dot = {
        key: cn("relative z-1 grid size-7 flex-none place-content-center rounded-full", v) for key, v in _DOT.items()
    }
    words = {key: cn("text-md leading-7", value) for key, value in _MOMENT.items()}
    return rx.el.li(
        rx.el.span(icon(icon_name, 15), class_name=pick(state, dot, dot["done"])),
        rx.el.div(
            rx.el.p(title, class_name=pick(state, words, words["done"])),
            rx.el.time(time, class_name="block text-sm text-ink-2"),
            when(note, rx.el.p(note, class_name="text-sm text-ink-2 wrap-anywhere"), rx.fragment()),
            class_name="min-w-0",
        ),
        class_name=(
            "relative flex gap-3 not-last:pb-5 not-last:before:absolute not-last:before:top-7 "
            "not-last:before:bottom-0 not-last:before:start-[13px] not-last:before:w-[2px] not-last:before:bg-line"
        ),
    )


class Column(NamedTuple):
    """A column's heading and alignment."""

    label: str
    align: Literal["left", "right"] = "left"


def data_table(
    caption: str, columns: Sequence[Column], *rows: rx.Component | rx.Var, action: int | None = None
) -> rx.Component:
    """A table that turns into cards on a phone: `table_row`s, or one `rx.foreach` that makes them.

    `action` is the column of buttons: its heading is for screen readers only.
    """
    heads = [
        rx.el.th(
            visually_hidden(column.label) if index == action else column.label,
            scope="col",
            role="columnheader",
            class_name=cn(
                "px-5 py-3 text-sm font-semibold text-ink-2", "text-end" if column.align == "right" else "text-start"
            ),
        )
        for index, column in enumerate(columns)
    ]
    return rx.el.table(
        rx.el.caption(caption, class_name="sr-only"),
        rx.el.thead(rx.el.tr(*heads, role="row"), role="rowgroup", class_name="border-b border-line"),
        rx.el.tbody(*rows, role="rowgroup", class_name="divide-y divide-line"),
        role="table",
        class_name="stack card w-full border-collapse overflow-hidden rounded-card bg-card text-md shadow-card",
    )


def table_row(
    columns: Sequence[Column],
    cells: Sequence[Node],
    *,
    lead: int = 0,
    action: int | None = None,
    testid: Text = "",
    **attrs: Any,
) -> rx.Component:
    """One row of a `data_table`. On a phone the cell `lead` heads the card and the cell `action` fills its foot.

    Rows that come and go need a `key`, so that the focus stays with its case.
    """

    def cell(index: int, column: Column, value: Node) -> rx.Component:
        kind = "lead" if index == lead else "act" if index == action else ""
        side = "md:text-end num" if column.align == "right" else "text-start"
        return rx.el.td(
            value,
            role="cell",
            data_label=column.label,
            class_name=cn(kind, "align-middle max-md:py-1 md:px-5 md:py-3.5", side),
        )

    return rx.el.tr(
        *[cell(index, column, value) for index, (column, value) in enumerate(zip(columns, cells, strict=True))],
        role="row",
        data_testid=testid,
        class_name="hover:bg-mist/60",
        **attrs,
    )
