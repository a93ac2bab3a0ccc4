"""`/operations/payments`: everything about one payment, found by any of its names."""

from __future__ import annotations

import uuid

import reflex as rx
from reflex.vars import ObjectVar

from teleconsult.ui.operations.addresses import OVERVIEW
from teleconsult.ui.operations.casefile import Fact, Try
from teleconsult.ui.operations.nothing import operators_only
from teleconsult.ui.operations.payments_state import Payments
from teleconsult.ui.operations.refund_dialog import refund_dialog, refund_result
from teleconsult.ui.parts.buttons import button, link, row_link
from teleconsult.ui.parts.fields import text_field
from teleconsult.ui.parts.headings import page_title
from teleconsult.ui.parts.icons import icon
from teleconsult.ui.parts.lists import timeline
from teleconsult.ui.parts.messages import callout, empty_state, skeleton
from teleconsult.ui.parts.status import badge
from teleconsult.ui.parts.surfaces import card
from teleconsult.ui.parts.typography import h2, meta, visually_hidden
from teleconsult.ui.shell import page_shell

FILE = Payments.file


def payments() -> rx.Component:
    """The page."""
    content = rx.fragment(
        page_title("Payments", sub="Everything that happened to one payment. No case content is shown here."),
        _search(),
        rx.el.div(
            rx.cond(
                Payments.fits,
                rx.match(
                    Payments.phase,
                    ("found", _found()),
                    ("idle", _idle()),
                    ("unknown", _unknown()),
                    ("failed", _failed()),
                    _loading(),
                ),
                _loading(),
            ),
            class_name="mt-8",
        ),
        refund_dialog(),
        rx.el.div(on_unmount=Payments.leave, hidden=True),
    )
    return page_shell(operators_only(content), area="operations", current="Payments", with_footer=False)


def _search() -> rx.Component:
    return rx.el.form(
        text_field(
            "ref",
            "Reference or id",
            hint="TC-…, an id of a consultation or payment, or Stripe’s cs_…, pi_… or evt_…",
            error=Payments.problem,
            max_length=120,
            auto_complete="off",
            auto_capitalize="off",
            spell_check=False,
            class_name="flex-1",
            input_class="num",
        ),
        button("Find payment", type="submit", icon_name="search", full="phone", class_name="flex-none sm:min-h-12"),
        role="search",
        on_submit=Payments.search,
        class_name="flex max-w-form flex-col gap-3 sm:flex-row sm:items-end",
    )


# ── One case ───────────────────────────────────────────────────────────────────────────────────────


def _found() -> rx.Component:
    return rx.el.div(
        _head(),
        rx.el.div(rx.cond(FILE["hold"] != "", _hold()), role="status", class_name="not-empty:mt-5"),
        rx.el.div(refund_result(), class_name="not-empty:mt-5"),
        rx.el.div(
            rx.el.section(
                rx.el.h3("Attempts to pay", class_name="sr-only"),
                rx.cond(
                    FILE["tries"].to(list[Try]).length() > 0,
                    rx.el.div(rx.foreach(FILE["tries"].to(list[Try]), _attempt), class_name="space-y-4"),
                    card(rx.el.p("Nobody has gone to pay yet.", class_name="text-ink-2")),
                ),
            ),
            card(
                rx.el.h3("What happened", class_name="mb-5 text-[1.0625rem]"),
                timeline(FILE["history"].to(list[dict[str, str]])),
                tag="section",
                class_name="sm:p-6",
                data_testid="history",
            ),
            class_name="mt-5 grid items-start gap-5 lg:grid-cols-[minmax(0,1fr)_24rem]",
        ),
    )


def _head() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.div(
                h2(FILE["ref"], class_name="num text-h2"),
                badge(FILE["word"], FILE["tone"], FILE["icon"]),
                class_name="flex flex-wrap items-center gap-x-3 gap-y-1.5",
            ),
            meta("Consultation ", FILE["id"], class_name="mt-1 wrap-anywhere"),
            class_name="min-w-0",
        ),
        _sums(FILE["sums"].to(list[Fact]), "gap-x-10"),
        class_name="flex flex-col gap-x-10 gap-y-4 md:flex-row md:items-end md:justify-between",
        data_testid="payment-head",
    )


def _hold() -> rx.Component:
    return callout(FILE["hold"], title="On hold", tone="warn", icon_name="pause")


def _sums(facts: rx.vars.ArrayVar[list[Fact]], gap: str) -> rx.Component:
    return rx.el.dl(
        rx.foreach(
            facts,
            lambda fact: rx.el.div(
                rx.el.dt(fact["term"], class_name="text-sm text-ink-2"),
                rx.el.dd(fact["value"], class_name="num font-semibold"),
                key=fact["term"],
            ),
        ),
        class_name=f"flex flex-wrap gap-y-3 {gap}",
    )


def _attempt(one: ObjectVar[Try]) -> rx.Component:
    return card(
        rx.el.div(
            rx.el.div(
                rx.el.h4(one["title"], class_name="text-h3 font-semibold"),
                badge(one["word"], one["tone"], one["icon"]),
                class_name="flex flex-wrap items-center gap-x-3 gap-y-1.5",
            ),
            rx.cond(one["returnable"], _refund(one)),
            class_name="flex flex-wrap items-center justify-between gap-3",
        ),
        rx.el.div(_sums(one["sums"].to(list[Fact]), "gap-x-8"), class_name="mt-5"),
        rx.cond(one["note"] != "", _note(one)),
        rx.el.dl(
            rx.foreach(one["facts"].to(list[Fact]), _fact),
            class_name="mt-5 divide-y divide-line border-t border-line pt-3",
        ),
        tag="article",
        class_name="sm:p-6",
        key=one["id"],
        data_testid=f"attempt-{one['id']}",
    )


def _refund(one: ObjectVar[Try]) -> rx.Component:
    return button(
        rx.fragment("Return money", visually_hidden(" of ", one["title"])),
        Payments.ask(one["id"].to(uuid.UUID)),
        kind="secondary",
        icon_name="undo-2",
        full="phone",
        data_testid=f"refund-{one['id']}",
    )


def _note(one: ObjectVar[Try]) -> rx.Component:
    return rx.el.div(
        rx.el.p(one["note"], class_name="text-md text-ink-2"),
        rx.cond(one["decide"], row_link("Decide on the overview", OVERVIEW, "hand")),
        class_name="mt-4 flex flex-wrap items-center justify-between gap-x-6",
    )


def _fact(fact: ObjectVar[Fact]) -> rx.Component:
    return rx.el.div(
        rx.el.dt(fact["term"], class_name="text-md text-ink-2 sm:w-40 sm:flex-none"),
        rx.el.dd(
            rx.cond(fact["href"] != "", _at_stripe(fact), fact["value"]),
            class_name="num min-w-0 flex-1 text-md font-medium wrap-anywhere",
        ),
        class_name="flex flex-col gap-x-6 py-2 last:pb-0 sm:flex-row",
        key=fact["term"],
    )


def _at_stripe(fact: ObjectVar[Fact]) -> rx.Component:
    return link(
        rx.fragment(
            rx.el.span(fact["value"], class_name="min-w-0"),
            icon("external-link", 15),
            visually_hidden(", opens in a new tab"),
        ),
        fact["href"],
        external=True,
        target="_blank",
        rel="noreferrer",
        class_name="inline-flex min-h-11 items-center gap-1.5 md:min-h-6",
    )


# ── Nothing, or not yet ────────────────────────────────────────────────────────────────────────────


def _idle() -> rx.Component:
    return empty_state(
        "No payment is open",
        "Look one up by its reference. Patients find theirs in their list and in every e-mail.",
        icon_name="search",
    )


def _unknown() -> rx.Component:
    return rx.el.div(
        empty_state(
            rx.el.span("Nothing here is called ", Payments.asked, class_name="wrap-anywhere"),
            "Check it for a typing mistake. Money that belongs to no consultation waits on the overview.",
            icon_name="search",
        ),
        role="status",
    )


def _failed() -> rx.Component:
    return callout(
        "The next try is in a few seconds.",
        title="We couldn’t load the payment",
        tone="danger",
        role="alert",
        action=button("Try again", Payments.load, kind="secondary", icon_name="rotate-cw"),
    )


def _loading() -> rx.Component:
    lines = [skeleton(f"h-4 {width}") for width in ("w-1/2", "w-2/3", "w-5/6", "w-3/4")]
    return rx.el.div(
        visually_hidden("Loading"),
        skeleton("h-7 w-44"),
        skeleton("mt-2.5 h-3.5 w-80 max-w-full"),
        rx.el.div(
            card(skeleton("h-6 w-40"), rx.el.div(*lines, class_name="mt-6 space-y-5"), class_name="sm:p-6"),
            card(skeleton("h-5 w-32"), rx.el.div(*lines, class_name="mt-6 space-y-5"), class_name="sm:p-6"),
            class_name="mt-5 grid items-start gap-5 lg:grid-cols-[minmax(0,1fr)_24rem]",
        ),
        role="status",
    )
