"""The stop screen: what was ticked needs somebody today, so there is no way on to payment."""

from __future__ import annotations

import reflex as rx

from teleconsult.ui.consultation.addresses import LIST
from teleconsult.ui.consultation.form import Form
from teleconsult.ui.offer import Offer
from teleconsult.ui.parts.base import Node, on_page
from teleconsult.ui.parts.buttons import BUTTON, BUTTON_KIND, BUTTON_SIZE, button, link_button, row_link
from teleconsult.ui.parts.icons import icon
from teleconsult.ui.parts.typography import h1, lede


def stop() -> rx.Component:
    """Names the ticked signs, where to go now, and the way back for those who ticked one by mistake."""
    return rx.el.div(
        rx.el.span(
            icon("siren", 26),
            class_name="grid size-14 place-content-center rounded-full bg-danger-soft text-danger-ink",
        ),
        h1("Please get help today, in person", id="stop", tab_index=-1, class_name="mt-6 focus-visible:outline-none"),
        lede("You told us about this, and an online answer would be too slow for it:", class_name="mt-2 text-lg"),
        rx.el.ul(rx.foreach(Form.signs, _sign), class_name="mt-3 space-y-1.5 text-lg font-semibold"),
        rx.el.ul(
            _way("phone", "Trouble breathing, or getting worse quickly", "Call emergency services now.", _call()),
            _way(
                "stethoscope",
                "Otherwise, within hours",
                "Your doctor, an out-of-hours service, or an emergency department.",
                link_button("Find urgent care", "/help", kind="secondary"),
            ),
            class_name="mt-7 divide-y divide-line border-y border-line",
        ),
        rx.el.p(
            "Nothing was charged. Your draft is saved, and you can come back to it when this is over.",
            class_name="mt-6 text-ink-2",
        ),
        rx.el.div(
            button("I ticked that by mistake", Form.untick, kind="quiet", icon_name="arrow-left", class_name="-ms-4"),
            row_link("Go to my consultations", LIST),
            class_name="mt-3 flex flex-wrap items-center gap-x-6",
        ),
        role="alert",
        on_mount=on_page("(document.getElementById('stop').focus(), scrollTo(0, 0))"),
    )


def _sign(sign: rx.Var[str]) -> rx.Component:
    return rx.el.li(icon("triangle-alert", 20, "mt-1 text-danger-ink"), rx.el.span(sign), class_name="flex gap-2.5")


def _way(name: str, title: str, text: str, action: Node) -> rx.Component:
    return rx.el.li(
        icon(name, 22, "mt-0.5 text-danger-ink"),
        rx.el.div(
            rx.el.p(title, class_name="font-semibold"),
            rx.el.p(text, class_name="text-md text-ink-2"),
            class_name="min-w-0 flex-1",
        ),
        action,
        class_name="flex flex-wrap items-center gap-x-4 gap-y-3 py-5 max-sm:*:last:w-full",
    )


def _call() -> rx.Component:
    return rx.el.a(
        icon("phone"),
        rx.el.span("Call ", Offer.emergency_number),
        href="tel:" + Offer.emergency_number,
        class_name=f"{BUTTON} {BUTTON_SIZE['md']} {BUTTON_KIND['danger']}",
    )
