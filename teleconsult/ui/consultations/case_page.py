"""`/consultations/{id}`: one consultation, from waiting to answered."""

from __future__ import annotations

import reflex as rx

from teleconsult.ui.consultations.answer import answer
from teleconsult.ui.consultations.case_state import CasePage
from teleconsult.ui.consultations.lightbox import lightbox, photo_thumbs
from teleconsult.ui.consultations.sheet import Fact, Section
from teleconsult.ui.parts.base import Node
from teleconsult.ui.parts.buttons import row_link
from teleconsult.ui.parts.headings import back_link, print_head
from teleconsult.ui.parts.icons import icon
from teleconsult.ui.parts.lists import timeline
from teleconsult.ui.parts.messages import callout, skeleton
from teleconsult.ui.parts.status import status_badge
from teleconsult.ui.parts.surfaces import card
from teleconsult.ui.parts.typography import display, eyebrow, h1, h2, meta, visually_hidden
from teleconsult.ui.patience import patience
from teleconsult.ui.public.plain import nothing_here
from teleconsult.ui.shell import page_shell


def consultation() -> rx.Component:
    """The page. What is absent and what is somebody else's look the same."""
    return page_shell(
        rx.match(
            CasePage.phase,
            ("ready", _case()),
            ("gone", nothing_here()),
            patience(_skeleton(), ""),
        ),
        rx.el.div(on_unmount=CasePage.leave, hidden=True),
        area="patient",
        current="Consultations",
    )


def _case() -> rx.Component:
    return rx.fragment(
        print_head(CasePage.patient),
        _head(),
        rx.el.div(
            rx.match(
                CasePage.status,
                ("answered", answer(CasePage.words)),
                ("closed", answer(CasePage.words)),
                ("refunded", _closed()),
                ("confirming", _confirming()),
                _waiting(),
            ),
            rx.el.aside(
                rx.match(
                    CasePage.status,
                    ("answered", _history()),
                    ("closed", _history()),
                    ("refunded", _history()),
                    rx.fragment(),
                ),
                _payment(),
                _sent(),
                aria_label="About this consultation",
                class_name="no-print flex min-w-0 flex-col gap-5",
            ),
            class_name="grid items-start gap-5 lg:grid-cols-[minmax(0,1fr)_20rem] lg:gap-8 print:block",
        ),
        lightbox(CasePage.photos),
    )


def _head() -> rx.Component:
    return rx.el.div(
        back_link("Consultations", "/consultations"),
        rx.el.div(
            rx.el.div(
                h1(CasePage.site),
                meta("Consultation ", rx.el.span(CasePage.ref, class_name="num font-medium"), class_name="mt-1"),
            ),
            status_badge(CasePage.status),
            class_name="flex items-start justify-between gap-4 max-sm:flex-col",
        ),
        class_name="mb-6",
    )


# ── The main card, before and instead of an answer ─────────────────────────────────────────────────


def _confirming() -> rx.Component:
    """Paid by a method whose bank takes days, or money that somebody looks at first: it isn't sent yet."""
    return card(
        h2(CasePage.notice_title),
        rx.el.p(CasePage.notice, class_name="mt-2 max-w-read text-ink-2"),
        class_name="sm:p-9",
        data_testid="confirming",
    )


def _waiting() -> rx.Component:
    return card(
        rx.cond(CasePage.notice_title != "", _on_hold(), _due()),
        rx.cond(CasePage.status == "pending", rx.fragment(), _reader()),
        rx.el.section(
            h2("What happens now"),
            rx.el.div(timeline(CasePage.moments), class_name="mt-4"),
            class_name="mt-8 border-t border-line pt-7",
        ),
        class_name="sm:p-9",
        data_testid="waiting",
    )


def _on_hold() -> rx.Component:
    """The clock says nothing while nobody may look at the case."""
    return callout(CasePage.notice, title=CasePage.notice_title, tone="info", data_testid="on-hold")


def _due() -> rx.Component:
    return rx.fragment(
        meta(rx.cond(CasePage.late, "Your answer was due by", "Your answer is due by")),
        display(
            rx.el.time(CasePage.due),
            tag="p",
            class_name="mt-1 text-[1.875rem] leading-9 sm:text-[2.375rem] sm:leading-11",
        ),
        rx.el.p(
            rx.cond(CasePage.late, "We’re late, and still on it. ", ""),
            "We’ll e-mail you when there is an answer.",
            class_name="mt-3 text-ink-2",
        ),
    )


def _reader() -> rx.Component:
    """The dermatologist who has the case."""
    return rx.el.div(
        rx.el.span(
            icon("stethoscope", 22),
            class_name="grid size-13 flex-none place-content-center rounded-full bg-info-soft text-info-ink",
        ),
        rx.el.div(
            rx.el.p(CasePage.doctor, class_name="font-semibold"),
            meta(CasePage.credentials),
            meta("Looking at your case since ", CasePage.since),
            class_name="min-w-0",
        ),
        class_name="mt-8 flex items-center gap-4 border-t border-line pt-7",
    )


def _closed() -> rx.Component:
    return card(
        h2("Closed without an answer"),
        rx.el.p(CasePage.closing, class_name="mt-2 max-w-read text-ink-2"),
        class_name="sm:p-9",
    )


# ── Beside it ──────────────────────────────────────────────────────────────────────────────────────


def _aside_card(title: str, *children: Node) -> rx.Component:
    return card(h2(title, class_name="mb-4 text-[1.0625rem]"), *children, tag="section", class_name="sm:p-6")


def _history() -> rx.Component:
    return _aside_card("Timeline", timeline(CasePage.moments))


def _payment() -> rx.Component:
    return _aside_card(
        "Payment",
        rx.el.dl(rx.foreach(CasePage.payment, _fact_line), class_name="divide-y divide-line"),
        rx.cond(
            CasePage.money.length() > 0,
            rx.el.div(timeline(CasePage.money), class_name="mt-4", data_testid="payment-timeline"),
            rx.fragment(),
        ),
        rx.el.div(row_link("Receipts and card", "/settings#billing", "receipt"), class_name="-mb-2 mt-2"),
    )


def _fact_line(fact: rx.vars.ObjectVar[Fact]) -> rx.Component:
    return rx.el.div(
        rx.el.dt(fact["term"], class_name="flex-none text-md text-ink-2"),
        rx.el.dd(fact["value"], class_name="num min-w-0 text-end text-md font-medium"),
        class_name="keep flex items-baseline justify-between gap-6 py-2.5 first:pt-0 last:pb-0",
    )


def _sent() -> rx.Component:
    return _aside_card(
        "What you sent",
        photo_thumbs(CasePage.photos),
        rx.el.details(
            rx.el.summary(
                icon("file-text", 17),
                "See your answers",
                class_name=(
                    "-mx-2 flex min-h-11 cursor-pointer items-center gap-2 rounded-control px-2 text-md font-medium "
                    "text-brand-ink hover:bg-brand-soft"
                ),
            ),
            rx.el.div(rx.foreach(CasePage.sections, _section), class_name="mt-3 space-y-6"),
            class_name="-mb-2 mt-3",
        ),
    )


def _section(section: rx.vars.ObjectVar[Section]) -> rx.Component:
    return rx.el.div(
        eyebrow(section["title"], tag="h3", class_name="mb-2"),
        rx.el.dl(rx.foreach(section["rows"].to(list[Fact]), _answer_line), class_name="space-y-3"),
    )


def _answer_line(fact: rx.vars.ObjectVar[Fact]) -> rx.Component:
    return rx.el.div(
        rx.el.dt(fact["term"], class_name="text-sm text-ink-2"),
        rx.el.dd(fact["value"], class_name="min-w-0 text-md whitespace-pre-line wrap-anywhere"),
    )


def _skeleton() -> rx.Component:
    """The page's outline, so that nothing moves when it is filled."""
    return rx.el.div(
        visually_hidden("Loading your consultation"),
        back_link("Consultations", "/consultations"),
        skeleton("h-8 w-48"),
        skeleton("mt-3 h-4 w-36"),
        rx.el.div(
            card(
                skeleton("h-4 w-32"),
                skeleton("mt-4 h-9 w-2/3"),
                skeleton("mt-8 h-4 w-full"),
                skeleton("mt-3 h-4 w-5/6"),
                skeleton("mt-3 h-4 w-1/2"),
                class_name="sm:p-9",
            ),
            card(skeleton("h-5 w-28"), skeleton("mt-5 h-4 w-full"), skeleton("mt-4 h-4 w-full"), class_name="sm:p-6"),
            class_name="mt-7 grid items-start gap-5 lg:grid-cols-[minmax(0,1fr)_20rem] lg:gap-8",
        ),
        role="status",
    )
