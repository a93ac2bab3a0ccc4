"""`/settings`: profile, billing, what was agreed to, and the way out. For people of every role."""

from __future__ import annotations

from collections.abc import Sequence

import reflex as rx

from teleconsult.accounts.profile import zones
from teleconsult.ui.account.settings_state import Account, Agreed, Billing
from teleconsult.ui.parts.base import Node, on_page
from teleconsult.ui.parts.buttons import button, link
from teleconsult.ui.parts.fields import CONTROL, field, text_field, wiring
from teleconsult.ui.parts.headings import page_title
from teleconsult.ui.parts.icons import icon
from teleconsult.ui.parts.lists import facts
from teleconsult.ui.parts.messages import callout, skeleton
from teleconsult.ui.parts.surfaces import card
from teleconsult.ui.parts.typography import h2, meta, visually_hidden
from teleconsult.ui.patience import patience
from teleconsult.ui.session import Session
from teleconsult.ui.shell import page_shell


def settings() -> rx.Component:
    """The page, filled in one go."""
    loaded = (Account.phase == "ready") & (Billing.phase != "loading")
    return page_shell(
        page_title("Settings"),
        rx.cond(loaded, _sections(), patience(_waiting(), "/settings")),
        rx.el.div(on_unmount=[Account.leave, Billing.leave], hidden=True),
        area="account",
    )


def _sections() -> rx.Component:
    return rx.el.div(
        _section("Profile", _profile_words(), _profile()),
        rx.cond(Billing.phase != "staff", _of_patients()),
        _section("This device", "Sign out where others use it too.", _way_out()),
    )


def _of_patients() -> rx.Component:
    return rx.fragment(
        _section("Billing", "Receipts, card and billing address.", _billing(), section_id="billing"),
        _section("Privacy", "What you agreed to, in the words you saw.", _consents(Account.agreed)),
        rx.el.div(on_mount=on_page(_SHOW_NAMED), hidden=True),
    )


_SHOW_NAMED = "document.getElementById(location.hash.slice(1))?.scrollIntoView()"
"""Billing is a link into this page, and comes later than the browser would look for it."""


def _section(title: str, text: Node, *children: Node, section_id: str = "") -> rx.Component:
    return rx.el.section(
        rx.el.div(h2(title), meta(text, class_name="mt-1"), class_name="lg:pt-1"),
        rx.el.div(*children, class_name="min-w-0"),
        id=section_id or None,
        class_name=(
            "grid scroll-mt-6 gap-4 border-t border-line py-8 first:border-0 first:pt-0 "
            "lg:grid-cols-[17rem_minmax(0,1fr)] lg:gap-12"
        ),
    )


def _waiting() -> rx.Component:
    row = card(skeleton("h-4 w-1/3"), skeleton("mt-4 h-11 w-full"), skeleton("mt-4 h-4 w-2/3"))
    return rx.el.div(visually_hidden("Loading your settings"), *[row] * 3, role="status", class_name="space-y-8")


# ── Profile ────────────────────────────────────────────────────────────────────────────────────────


def _profile_words() -> Node:
    return rx.match(
        Session.role,
        ("dermatologist", "Your name, title and registration number sign every answer."),
        ("operator", "How you appear here, and the clock we show you."),
        "Your dermatologist sees your age and sex at birth, not your e-mail.",
    )


def _profile() -> rx.Component:
    """Shown once it is loaded, because the fields keep what they start with."""
    return card(
        rx.el.form(
            rx.el.div(
                rx.cond(Account.credentials != "", _signature(), _name()),
                _zone(),
                class_name="grid items-start gap-5 sm:grid-cols-2",
            ),
            rx.el.dl(
                rx.el.dt("E-mail", class_name="text-md text-ink-2"),
                rx.el.dd(Account.email, class_name="min-w-0 text-md font-medium wrap-anywhere"),
                class_name="mt-6 flex flex-wrap items-baseline gap-x-6 gap-y-0.5 border-t border-line pt-5",
            ),
            rx.el.div(
                button("Save profile", type="submit", loading=Account.saving, loading_label="Saving", full="phone"),
                class_name="mt-6 flex justify-end",
            ),
            on_submit=Account.save,
            no_validate=True,
        ),
    )


def _name() -> rx.Component:
    return text_field(
        "name",
        "Name",
        hint="Shown at the top of your pages.",
        auto_complete="name",
        default_value=Account.name,
        error=Account.problems["name"],
        max_length=120,
    )


def _signature() -> rx.Component:
    """A dermatologist's name is the clinic's to change."""
    return rx.el.div(
        rx.el.p("Name", class_name="font-semibold"),
        rx.el.p(Account.name, class_name="mt-2"),
        meta(Account.credentials),
        meta("To change these, write to the clinic.", class_name="mt-1"),
    )


def _zone() -> rx.Component:
    """A native select with the cities of each part of the world, so that typing a city finds it."""
    error = Account.problems["timezone"]
    hint = rx.Var.create("It is ") + Account.there + " there now."
    control = rx.el.div(
        rx.el.select(
            rx.cond(Account.timezone_listed, rx.fragment(), rx.el.option(Account.timezone, value=Account.timezone)),
            *[_area(area, names) for area, names in zones().items()],
            id="timezone",
            name="timezone",
            default_value=Account.timezone,
            class_name=f"{CONTROL} appearance-none pe-11",
            **wiring("timezone", hint, error),
        ),
        icon("chevron-down", 18, "pointer-events-none absolute top-[15px] end-3.5 text-ink-2"),
        class_name="relative",
    )
    return field("Time zone", control, field_id="timezone", hint=hint, error=error)


def _area(area: str, names: Sequence[str]) -> rx.Component:
    places = [(name, name.removeprefix(f"{area}/").replace("/", ", ").replace("_", " ")) for name in names]
    options = rx.foreach(rx.Var.create(places), lambda place: rx.el.option(place[1], value=place[0]))
    return rx.el.optgroup(options, label=area)


# ── Billing ────────────────────────────────────────────────────────────────────────────────────────


def _billing() -> rx.Component:
    return rx.el.div(
        rx.el.div(_billing_news(), role="status", class_name="not-empty:mb-4"),
        rx.cond(Billing.phase == "none", _nothing_paid(), _manage()),
    )


def _billing_news() -> rx.Component:
    return rx.cond(
        Billing.problem != "",
        callout(Billing.problem, title="We couldn’t open your billing page", tone="danger"),
        rx.cond(Billing.back, callout("You’re back from Stripe.", tone="ok")),
    )


def _nothing_paid() -> rx.Component:
    return card(
        rx.el.div(
            icon("receipt", 22, "mt-0.5 text-ink-2"),
            rx.el.div(
                rx.el.p("You haven’t paid for anything yet", class_name="font-semibold"),
                rx.el.p(
                    "After your first payment you can see receipts and update your card here.",
                    class_name="mt-0.5 text-md text-ink-2",
                ),
            ),
            class_name="flex gap-4",
        ),
    )


def _manage() -> rx.Component:
    last = rx.cond(
        Billing.amount != "",
        rx.el.span(Billing.amount, " on ", rx.el.time(Billing.paid_on)),
        "None yet",
    )
    return card(
        facts([("Last payment", last), ("Receipts go to", Session.email)]),
        rx.el.div(
            rx.el.p(
                "Payments run through Stripe. See receipts, change your card or your billing address there.",
                class_name="text-md text-ink-2",
            ),
            button(
                "Manage billing",
                Billing.manage,
                icon_name="external-link",
                loading=Billing.opening,
                loading_label="Opening Stripe",
                data_testid="manage-billing",
                class_name="flex-none flex-row-reverse max-sm:w-full",
            ),
            class_name=(
                "mt-5 flex flex-col gap-4 border-t border-line pt-5 sm:flex-row sm:items-center sm:justify-between "
                "sm:gap-8"
            ),
        ),
    )


# ── Privacy, and the way out ───────────────────────────────────────────────────────────────────────


def _consents(agreed: rx.vars.ArrayVar[Sequence[Agreed]]) -> rx.Component:
    nothing = rx.el.p("Nothing yet. We ask before your first payment.", class_name="text-md text-ink-2")
    return card(
        rx.cond(
            agreed.length() > 0,
            rx.el.ul(rx.foreach(agreed, _consent), class_name="divide-y divide-line"),
            nothing,
        ),
        rx.el.p(
            "How we handle your data is in the ",
            link("privacy notice", "/privacy"),
            ".",
            class_name="mt-5 border-t border-line pt-5 text-md text-ink-2",
        ),
    )


def _consent(agreed: rx.vars.ObjectVar[Agreed]) -> rx.Component:
    return rx.el.li(
        rx.el.p(agreed["title"], class_name="num text-sm text-ink-2"),
        rx.el.ul(
            rx.foreach(
                agreed["texts"].to(list[str]),
                lambda text: rx.el.li(
                    icon("check", 17, "mt-[3px] text-brand"), rx.el.span(text), class_name="flex gap-2.5"
                ),
            ),
            class_name="mt-1.5 space-y-1 text-md",
        ),
        class_name="py-4 first:pt-0 last:pb-0",
    )


def _way_out() -> rx.Component:
    return card(
        rx.el.form(
            rx.el.p(
                "You are signed in as ",
                rx.el.span(Session.email, class_name="font-medium"),
                ".",
                class_name="min-w-0 wrap-anywhere",
            ),
            button(
                "Sign out", type="submit", kind="secondary", icon_name="log-out", class_name="flex-none max-sm:w-full"
            ),
            action="/api/auth/sign-out",
            method="post",
            on_submit=None,  # keeps the browser's own POST
            class_name="flex flex-col gap-4 sm:flex-row sm:items-center sm:justify-between sm:gap-8",
        ),
    )
