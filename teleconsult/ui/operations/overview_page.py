"""`/operations`: whether money and jobs flow, and what waits for a decision."""

from __future__ import annotations

import reflex as rx
from reflex.vars import ObjectVar

from teleconsult.ui.operations import decisions
from teleconsult.ui.operations.addresses import PAYMENTS
from teleconsult.ui.operations.deciding import question_dialog, result_line
from teleconsult.ui.operations.nothing import operators_only
from teleconsult.ui.operations.overview_state import Overview
from teleconsult.ui.operations.words import LABELS, Broken, Tile, Trouble
from teleconsult.ui.parts.buttons import button, link
from teleconsult.ui.parts.headings import page_title
from teleconsult.ui.parts.icons import icon
from teleconsult.ui.parts.lists import Column, data_table, table_row
from teleconsult.ui.parts.messages import callout, empty_state, skeleton, skeleton_rows
from teleconsult.ui.parts.numbers import stat_tile, stat_tiles
from teleconsult.ui.parts.surfaces import card
from teleconsult.ui.parts.typography import h2, meta, visually_hidden
from teleconsult.ui.shell import page_shell

COLUMNS = (
    Column("What happened"),
    Column("Payment"),
    Column("Amount", "right"),
    Column("Waiting for", "right"),
    Column("Decision", "right"),
)
ACTION = len(COLUMNS) - 1

_LINK = "inline-flex min-h-11 items-center gap-1.5 md:min-h-7"


def overview() -> rx.Component:
    """The page."""
    content = rx.fragment(
        page_title(
            "Overview",
            rx.el.p(
                icon("refresh-cw", 16),
                rx.el.span(
                    "Updated ", rx.el.time(Overview.updated, class_name="num inline-block min-w-[5ch] text-end")
                ),
                class_name="inline-flex items-center gap-2 text-sm text-ink-2",
            ),
            sub="How money and jobs stand now. No case content is shown here.",
        ),
        rx.match(Overview.phase, ("ready", _ready()), ("failed", _failed()), _loading()),
        question_dialog(),
        rx.el.div(on_unmount=Overview.leave, hidden=True),
    )
    return page_shell(operators_only(content), area="operations", current="Overview", with_footer=False)


def _ready() -> rx.Component:
    return rx.fragment(
        rx.el.div(rx.cond(Overview.troubles.length() > 0, _troubles()), role="status", class_name="not-empty:mb-5"),
        rx.el.section(
            rx.el.h2("Right now", class_name="sr-only"),
            stat_tiles(rx.foreach(Overview.tiles, _tile)),
        ),
        _promises(),
        rx.el.section(
            h2("Waiting for a decision", class_name="mb-4"),
            result_line(),
            rx.cond(Overview.waiting.length() > 0, _table(), _nothing()),
            class_name="mt-10",
        ),
    )


def _tile(tile: ObjectVar[Tile]) -> rx.Component:
    return stat_tile(tile["label"], tile["value"], tile["note"], tile["tone"], key=tile["label"])


def _troubles() -> rx.Component:
    return callout(
        rx.el.ul(rx.foreach(Overview.troubles, _trouble), class_name="mt-1 space-y-1.5"),
        title=Overview.headline,
        tone="danger",
        data_testid="troubles",
    )


def _trouble(trouble: ObjectVar[Trouble]) -> rx.Component:
    command = rx.el.code(trouble["command"], class_name="rounded-sm bg-card px-1.5 py-0.5 font-sans font-medium")
    return rx.el.li(
        rx.el.span(trouble["title"], ". ", class_name="font-medium"),
        trouble["text"],
        rx.cond(trouble["command"] != "", rx.fragment(" ", command)),
    )


# ── The promises ───────────────────────────────────────────────────────────────────────────────────


def _promises() -> rx.Component:
    return card(
        rx.el.div(
            rx.cond(
                Overview.proof["fine"],
                icon("shield-check", 22, "mt-px text-ok-ink"),
                icon("circle-alert", 22, "mt-px text-danger-ink"),
            ),
            rx.el.div(
                rx.el.p(Overview.proof["title"], role="status", class_name="font-semibold"),
                meta(
                    "Last check ",
                    rx.cond(Overview.proof["checked"] != "", rx.el.time(Overview.proof["checked"]), "under way"),
                    ". Stripe’s own books are held against ours every night.",
                ),
                class_name="min-w-0 flex-1",
            ),
            button(
                "Check now",
                Overview.check,
                kind="secondary",
                icon_name="list-checks",
                loading=Overview.checking,
                full="phone",
            ),
            class_name="flex flex-wrap items-start gap-3 sm:flex-nowrap sm:items-center",
        ),
        rx.cond(
            Overview.broken.length() > 0,
            rx.el.ul(rx.foreach(Overview.broken, _broken), class_name="mt-5 divide-y divide-line border-t border-line"),
        ),
        tag="section",
        pad=False,
        class_name="mt-4 p-4 sm:p-5",
        aria_label="Promises of money",
        data_testid="promises",
    )


def _broken(found: ObjectVar[Broken]) -> rx.Component:
    return rx.el.li(
        rx.el.p(rx.el.span(found["code"], ". ", class_name="num font-semibold"), found["sentence"]),
        meta(found["count"]),
        rx.el.div(
            rx.foreach(found["ids"].to(list[str]), _told_by),
            class_name="flex flex-wrap gap-x-5",
        ),
        class_name="py-3 last:pb-0",
    )


def _told_by(name: rx.Var[str]) -> rx.Component:
    return link(name, f"{PAYMENTS}?ref={name}", class_name=f"{_LINK} text-sm wrap-anywhere")


# ── What waits ─────────────────────────────────────────────────────────────────────────────────────


def _table() -> rx.Component:
    def line(row: ObjectVar[decisions.Row]) -> rx.Component:
        cells = [_what(row), _payment(row), row["amount"], _since(row), _acts(row)]
        return table_row(COLUMNS, cells, action=ACTION, testid=f"waiting-{row['id']}", key=row["id"])

    lines = rx.foreach(Overview.waiting, line)
    return data_table("What waits for a decision, longest first", COLUMNS, lines, action=ACTION)


def _what(row: ObjectVar[decisions.Row]) -> rx.Component:
    return rx.el.div(
        rx.el.p(row["title"], class_name="font-semibold"),
        rx.el.p(row["why"], class_name="mt-0.5 font-normal text-ink-2 wrap-anywhere"),
        class_name="max-w-[26rem] max-md:mb-2",
    )


def _payment(row: ObjectVar[decisions.Row]) -> rx.Component:
    about = visually_hidden(" about ", row["name"], ", opens in a new tab")
    return rx.el.div(
        rx.cond(row["ref"] != "", link(row["ref"], row["href"], class_name=f"num {_LINK}")),
        link(
            rx.fragment("Stripe", icon("external-link", 15), about),
            row["stripe"],
            external=True,
            target="_blank",
            rel="noreferrer",
            class_name=_LINK,
        ),
        class_name="flex gap-x-5 md:flex-col md:items-start",
    )


def _since(row: ObjectVar[decisions.Row]) -> rx.Component:
    return rx.el.time(row["age"], title=row["since"], class_name="num whitespace-nowrap")


def _acts(row: ObjectVar[decisions.Row]) -> rx.Component:
    return rx.el.div(
        rx.cond(row["accept"], _act("Accept", decisions.ACCEPT, row)),
        rx.cond(row["give_back"], _act("Return money", decisions.RETURN, row)),
        rx.cond(row["aside"], _act("Put aside", decisions.ASIDE, row)),
        class_name="grid auto-cols-fr grid-flow-col gap-2 max-md:mt-2 md:flex md:justify-end",
    )


def _act(label: str, act: str, row: ObjectVar[decisions.Row]) -> rx.Component:
    return button(
        rx.fragment(label, visually_hidden(" ", row["name"])),
        Overview.choose(act, row["id"]),
        kind="secondary",
        class_name="whitespace-nowrap max-md:px-2",
        data_testid=f"{act}-{row['id']}",
    )


def _nothing() -> rx.Component:
    return empty_state(
        "Nothing waits for a decision.",
        "Payments that aren’t what was agreed, refunds that failed and events nobody can assign appear here.",
        icon_name="circle-check",
    )


# ── Meanwhile ──────────────────────────────────────────────────────────────────────────────────────


def _loading() -> rx.Component:
    return rx.el.div(
        stat_tiles(*[stat_tile(label, skeleton("h-7 w-14 my-1"), skeleton("h-3.5 w-24 my-1")) for label in LABELS]),
        card(skeleton("h-5 w-64"), skeleton("mt-2.5 h-3.5 w-80 max-w-full"), pad=False, class_name="mt-4 p-4 sm:p-5"),
        rx.el.div(skeleton_rows(2, "Loading how things stand"), class_name="mt-10"),
    )


def _failed() -> rx.Component:
    return callout(
        "The next try is in a few seconds.",
        title="We couldn’t load the overview",
        tone="danger",
        role="alert",
        action=button("Try again", Overview.load, kind="secondary", icon_name="rotate-cw"),
    )
