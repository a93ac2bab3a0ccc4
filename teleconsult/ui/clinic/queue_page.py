"""`/clinic`: the cases that wait, most urgent first, and those this dermatologist has claimed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import reflex as rx
from reflex.vars import ArrayVar, ObjectVar

from teleconsult.ui.clinic.nothing import doctors_only
from teleconsult.ui.clinic.queue_state import HERE, MINE, Queue, Row
from teleconsult.ui.parts.base import on_page
from teleconsult.ui.parts.buttons import button, link_button
from teleconsult.ui.parts.headings import page_title
from teleconsult.ui.parts.lists import Column, data_table, table_row
from teleconsult.ui.parts.messages import callout, empty_state, skeleton_rows
from teleconsult.ui.parts.photos import photo
from teleconsult.ui.parts.status import badge
from teleconsult.ui.parts.steps import tabs
from teleconsult.ui.parts.typography import visually_hidden
from teleconsult.ui.shell import page_shell

COLUMNS = (
    Column("Case"),
    Column("Patient"),
    Column("Place and duration"),
    Column("Photos"),
    Column("Due"),
    Column("Action", "right"),
)
ACTION = len(COLUMNS) - 1


def queue() -> rx.Component:
    """The page."""
    content = rx.fragment(
        page_title("Queue", sub=rx.el.span(rx.cond(Queue.summary != "", Queue.summary, "\u00a0"), role="status")),
        tabs(
            [
                ("waiting", _count("Waiting", Queue.waiting_count), HERE),
                ("mine", _count("Mine", Queue.mine.length()), MINE),
            ],
            Queue.show,
            "Cases",
        ),
        rx.el.div(
            rx.el.div(rx.cond(Queue.missed != "", _missed()), role="status", class_name="not-empty:mb-5"),
            rx.match(
                Queue.phase,
                ("ready", rx.cond(Queue.show == "mine", _mine(), _waiting())),
                ("failed", _failed()),
                skeleton_rows(3, "Loading the queue"),
            ),
            class_name="mt-5",
        ),
        rx.el.div(on_unmount=Queue.leave, hidden=True),
    )
    return page_shell(doctors_only(content), area="clinic", current="Queue", with_footer=False)


def _count(word: str, count: rx.Var[int]) -> rx.Component:
    """The number has its place before it is known, so that nothing moves when it arrives."""
    number = rx.el.span(rx.cond(Queue.phase == "ready", count.to_string(), ""), class_name="num")
    return rx.el.span(word, " ", rx.el.span(number, class_name="inline-block min-w-[2ch]"))


def _waiting() -> rx.Component:
    return rx.fragment(
        rx.cond(Queue.open_case["id"] != "", _open_case()),
        rx.cond(
            Queue.waiting.length() > 0,
            _table("Waiting cases, most urgent first", Queue.waiting, _claim),
            empty_state("Nothing waiting", "Next case appears here automatically.", icon_name="inbox"),
        ),
    )


def _mine() -> rx.Component:
    return rx.cond(
        Queue.mine.length() > 0,
        _table("Cases you have claimed", Queue.mine, _continue),
        empty_state(
            "You have no open case",
            "A case you claim stays here until you answer it or give it back.",
            link_button("See what waits", HERE, kind="secondary"),
            icon_name="stethoscope",
        ),
    )


def _table(
    caption: str, rows: ArrayVar[Sequence[Row]], action: Callable[[ObjectVar[Row]], rx.Component]
) -> rx.Component:
    def line(row: ObjectVar[Row]) -> rx.Component:
        cells = [_case(row), row["who"], row["place"], _photos(row), _due(row), action(row)]
        return table_row(COLUMNS, cells, action=ACTION, testid=f"queue-row-{row['ref']}", key=row["id"])

    return data_table(caption, COLUMNS, rx.foreach(rows, line), action=ACTION)


def _case(row: ObjectVar[Row]) -> rx.Component:
    return rx.el.div(
        rx.el.span(row["ref"], class_name="num font-semibold"),
        rx.cond(row["flag"] != "", badge(row["flag"], "ask", "triangle-alert")),
        class_name="flex flex-wrap items-center gap-2",
    )


def _photos(row: ObjectVar[Row]) -> rx.Component:
    return rx.el.div(
        rx.foreach(row["thumbs"].to(list[str]), lambda src: photo(src, "", "size-10 rounded-sm")),
        rx.cond(
            row["more"] != "", rx.el.span(row["more"], aria_hidden="true", class_name="num ms-1 text-sm text-ink-2")
        ),
        visually_hidden(row["photos"]),
        class_name="flex items-center gap-1",
    )


def _due(row: ObjectVar[Row]) -> rx.Component:
    return badge(row["due"], row["tone"], row["icon"])


def _claim(row: ObjectVar[Row]) -> rx.Component:
    return button(
        "Claim",
        Queue.claim(row["id"]),
        kind="secondary",
        loading=Queue.claiming == row["id"],
        disabled=Queue.claiming != "",
        aria_label=f"Claim {row['ref']}",
        data_testid=f"queue-claim-{row['ref']}",
    )


def _continue(row: ObjectVar[Row]) -> rx.Component:
    return link_button("Continue", f"{HERE}/{row['id']}", kind="secondary", aria_label=f"Continue {row['ref']}")


def _open_case() -> rx.Component:
    return callout(
        Queue.open_case["text"],
        title=rx.el.span(Queue.open_case["ref"], " is open"),
        tone="info",
        icon_name="stethoscope",
        action=link_button(
            "Continue", f"{HERE}/{Queue.open_case['id']}", kind="secondary", data_testid="queue-continue"
        ),
        class_name="mb-5",
    )


def _missed() -> rx.Component:
    """It takes the focus, because the button that had it is gone with its row."""
    return rx.el.div(
        callout(Queue.missed, " Here is what still waits.", tone="warn", icon_name="info"),
        id="missed",
        tab_index=-1,
        on_mount=on_page("document.getElementById('missed')?.focus()"),
        class_name="rounded-tile",
        data_testid="queue-missed",
    )


def _failed() -> rx.Component:
    return callout(
        "The next try is in a few seconds.",
        title="We couldn’t load the queue",
        tone="danger",
        role="alert",
        action=button("Try again", Queue.load, kind="secondary", icon_name="rotate-cw"),
    )
