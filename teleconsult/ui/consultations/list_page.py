"""`/consultations`: everything a patient has sent or begun, what needs them first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import reflex as rx

from teleconsult.ui import payments
from teleconsult.ui.consultation.discarded import discarded_notice
from teleconsult.ui.consultations.banner import Banner
from teleconsult.ui.consultations.list_state import HERE, Cases
from teleconsult.ui.consultations.rows import Row
from teleconsult.ui.parts.base import Node
from teleconsult.ui.parts.buttons import button, link_button
from teleconsult.ui.parts.headings import page_title
from teleconsult.ui.parts.lists import list_row
from teleconsult.ui.parts.messages import callout, empty_state, skeleton_rows
from teleconsult.ui.parts.typography import eyebrow, visually_hidden
from teleconsult.ui.patience import patience
from teleconsult.ui.shell import START, page_shell


def consultations() -> rx.Component:
    """The page. It is compiled as a skeleton, and filled when it has connected."""
    return page_shell(
        _title(),
        discarded_notice(),
        rx.el.div(_news(Cases.banner), role="status", class_name="not-empty:mb-7"),
        rx.match(
            Cases.phase,
            ("ready", _groups()),
            ("empty", _nothing_yet()),
            ("error", _failed()),
            patience(skeleton_rows(3, "Loading your consultations"), HERE),
        ),
        rx.el.div(on_unmount=Cases.leave, hidden=True),
        area="patient",
        current="Consultations",
    )


def _title() -> rx.Component:
    """Its button gives way to the large one of an empty list."""
    new = link_button(
        "New consultation", START, kind="secondary", icon_name="plus", data_testid="new-consultation", full="phone"
    )
    return page_title(
        "Your consultations",
        rx.cond(Cases.phase == "empty", rx.fragment(), new),
        sub="Private to you and your dermatologist.",
    )


def _news(banner: rx.vars.ObjectVar[Banner]) -> Node:
    """The banner about a payment. Its live region is always there, so that a change is spoken."""
    told: dict[str, Any] = {"data_testid": "payment-banner"}
    return rx.match(
        banner["kind"],
        (
            "received",
            callout(
                "Expect an answer by ",
                rx.el.time(banner["due"], class_name="font-semibold"),
                ". We’ll e-mail you.",
                title="Payment received",
                tone="ok",
                **told,
            ),
        ),
        (
            "confirming",
            callout(
                "Usually a few seconds. You can close this page.",
                title="Confirming your payment",
                tone="info",
                icon_name="loader-circle",
                **told,
            ),
        ),
        (
            "slow",
            callout(
                "This takes longer than usual. You can close this page, we’ll e-mail you. You won’t be charged twice. "
                "Reference ",
                rx.el.span(banner["ref"], class_name="num font-medium"),
                ".",
                title="Still confirming your payment",
                tone="info",
                icon_name="loader-circle",
                **told,
            ),
        ),
        (
            "unfinished",
            callout(
                "Nothing was charged. Your draft is here.",
                title="Payment wasn’t finished",
                tone="neutral",
                action=link_button("Continue to payment", banner["href"], kind="secondary"),
                **told,
            ),
        ),
        *[
            (
                kind,
                callout(
                    payments.WORDS[word].text,
                    " Reference ",
                    rx.el.span(banner["ref"], class_name="num font-medium"),
                    ".",
                    title=payments.WORDS[word].title,
                    tone="info",
                    **told,
                ),
            )
            for kind, word in (("bank", "bank"), ("checking", "checking"))
        ],
        (
            "declined",
            callout(
                payments.WORDS["failed"].text,
                title=payments.WORDS["failed"].title,
                tone="neutral",
                action=link_button("Continue to payment", banner["href"], kind="secondary"),
                **told,
            ),
        ),
        (
            "twice",
            callout(
                "We’re returning the second payment the way you paid. Reference ",
                rx.el.span(banner["ref"], class_name="num font-medium"),
                ".",
                title="You had paid for this already",
                tone="info",
                **told,
            ),
        ),
        rx.fragment(),
    )


def _groups() -> rx.Component:
    return rx.el.div(
        _group("Needs you", Cases.needs_you),
        _group("In progress", Cases.in_progress),
        _group("Closed", Cases.closed),
        class_name="flex flex-col gap-9",
    )


def _group(title: str, rows: rx.vars.ArrayVar[Sequence[Row]]) -> rx.Component:
    return rx.cond(
        rows.length() > 0,
        rx.el.section(
            eyebrow(title, tag="h2", class_name="mb-3"),
            rx.el.ul(rx.foreach(rows, _row), class_name="flex flex-col gap-3"),
        ),
    )


def _row(row: rx.vars.ObjectVar[Row]) -> rx.Component:
    return list_row(
        row["site"],
        row["status"],
        row["line"],
        row["at"],
        src=row["src"],
        action=rx.cond(row["action"] != "", _action(row)),
        testid=f"case-row-{row['ref']}",
    )


def _action(row: rx.vars.ObjectVar[Row]) -> rx.Component:
    """Several rows say the same, so a screen reader also hears which one it is."""
    words = rx.fragment(row["action"], visually_hidden(": ", row["site"]))
    testid = rx.cond(row["resume"], f"resume-{row['ref']}", f"open-{row['ref']}")
    return rx.cond(
        row["primary"],
        link_button(words, row["href"], data_testid=testid),
        link_button(words, row["href"], kind="secondary", data_testid=testid),
    )


def _nothing_yet() -> rx.Component:
    return empty_state(
        "No consultations yet",
        "It takes about five minutes. Nothing is charged until you pay.",
        link_button("Start a consultation", START, size="lg", data_testid="new-consultation"),
        "message-circle",
    )


def _failed() -> rx.Component:
    return callout(
        "Check your connection. Your data is safe.",
        title="We couldn’t load your consultations",
        tone="danger",
        role="alert",
        action=button("Try again", Cases.load, kind="secondary", icon_name="rotate-cw"),
    )
