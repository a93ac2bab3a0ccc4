"""The page of step 4: everything once more, the consents, the order."""

from __future__ import annotations

from typing import Any

import reflex as rx

from teleconsult.consultations.questions import CONSENTS, ConsentText, Step
from teleconsult.ui.consultation.addresses import LIST, NAMES
from teleconsult.ui.consultation.fields import FORM_ID, HELD
from teleconsult.ui.consultation.form import Form
from teleconsult.ui.consultation.frame import address_of, frame, summary
from teleconsult.ui.consultation.photo_step import Photos
from teleconsult.ui.consultation.review import Review
from teleconsult.ui.offer import Offer
from teleconsult.ui.parts.base import pick
from teleconsult.ui.parts.buttons import button, link, link_button, row_link
from teleconsult.ui.parts.choices import checkbox
from teleconsult.ui.parts.dialogs import close_dialog, confirm_dialog, open_dialog
from teleconsult.ui.parts.messages import callout
from teleconsult.ui.parts.money import order_box
from teleconsult.ui.parts.photos import PHOTO_LABELS, photo
from teleconsult.ui.parts.surfaces import card
from teleconsult.ui.parts.typography import h2

_DIALOG = "discard"


def review() -> rx.Component:
    """Step 4."""
    return frame(
        Step.REVIEW,
        "Check your answers and pay",
        "You can change anything until you pay.",
        rx.el.form(
            summary(),
            _down(),
            _news(),
            rx.el.div(
                rx.el.div(_answers(), _consents(), _discard(), class_name="min-w-0"),
                rx.el.div(_order(), class_name="lg:sticky lg:top-6"),
                class_name="grid items-start gap-5 max-sm:pb-10 lg:grid-cols-[1fr_22rem] lg:gap-8",
            ),
            id=FORM_ID,
            no_validate=True,
            on_submit=Review.pay(Form.key, HELD),
        ),
        _confirm(),
        width="page",
    )


def _answers() -> rx.Component:
    return card(
        _section(Step.SKIN, _facts(Form.skin_rows)),
        _section(Step.PHOTOS, _strip()),
        _section(Step.HEALTH, _facts(Form.health_rows)),
    )


def _section(step: Step, *children: rx.Component) -> rx.Component:
    name = NAMES[step]
    return rx.el.section(
        rx.el.div(
            h2(name),
            row_link("Change", address_of(step), aria_label=f"Change {name.lower()}"),
            class_name="flex items-center justify-between",
        ),
        rx.el.div(*children, class_name="mt-2"),
        class_name="border-t border-line py-5 first:border-0 first:pt-0 last:pb-0",
    )


def _facts(rows: Any) -> rx.Component:
    nothing = rx.el.p("Nothing answered yet.", class_name="text-md text-ink-2")
    return rx.cond(rows.length() > 0, rx.el.dl(rx.foreach(rows, _fact), class_name="divide-y divide-line"), nothing)


def _fact(row: Any) -> rx.Component:
    return rx.el.div(
        rx.el.dt(row["term"], class_name="text-md text-ink-2 sm:w-44 sm:flex-none"),
        rx.el.dd(row["value"], class_name="num min-w-0 flex-1 text-md font-medium whitespace-pre-line"),
        class_name="keep flex flex-col gap-0.5 py-2.5 first:pt-0 last:pb-0 sm:flex-row sm:gap-6",
    )


def _strip() -> rx.Component:
    mine = (Photos.of == Form.key) & (Photos.tiles.length() > 0)
    return rx.cond(
        mine,
        rx.el.ul(rx.foreach(Photos.tiles, _thumb), class_name="flex flex-wrap gap-2"),
        rx.el.p("No photos yet.", class_name="text-md text-ink-2"),
    )


def _thumb(tile: Any) -> rx.Component:
    return rx.el.li(photo(tile["src"], pick(tile["kind"], dict(PHOTO_LABELS), "Photo"), "size-20 rounded-tile"))


def _consents() -> rx.Component:
    """Three separate boxes that nobody has ticked for you."""
    return card(
        rx.el.fieldset(
            rx.el.legend("Your consent", class_name="text-h3 font-semibold tracking-[-0.018em]"),
            rx.el.div(*[_consent(c) for c in CONSENTS], class_name="mt-2 divide-y divide-line"),
        ),
        class_name="mt-5",
    )


def _consent(consent: ConsentText) -> rx.Component:
    more = link("What we do with it", "/privacy") if consent.kind == "data" else rx.fragment()
    name = f"consent-{consent.kind}"
    return checkbox(
        name,
        rx.el.span(consent.text, " ", more),
        checked=Form.consents.contains(consent.kind),
        error=Form.problems[name],
        on_change=Review.agree(Form.key, consent.kind),
    )


def _order() -> rx.Component:
    return order_box(
        Offer.price,
        [("Online consultation", Review.net), (Review.vat_label, Review.vat)],
        [
            rx.cond(
                Review.waiting,
                f"An answer within {Offer.answer_time}, once the payment is confirmed",
                f"An answer by {Review.answer_by}, if you pay now",
            ),
            f"One follow-up question, {Offer.followup_time}",
            "Full refund if we can’t assess it, are late, or you cancel before we start",
        ],
        rx.cond(
            Review.waiting,
            rx.el.div(link_button("See your consultations", LIST, kind="secondary", full=True), class_name="mt-6"),
            _pay(),
        ),
    )


def _pay() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            button(
                f"Pay {Offer.price}",
                type="submit",
                size="lg",
                full=True,
                icon_name="lock",
                loading=Review.busy,
                loading_label="Opening Stripe",
                data_testid="pay-button",
            ),
            rx.el.p(
                "You pay on Stripe’s secure page. Nothing is charged before that.",
                class_name="text-center text-sm text-ink-2 text-balance",
            ),
            class_name="mt-6 space-y-3",
        ),
        rx.el.div(link_button("Save and pay later", LIST, kind="quiet", full=True), class_name="mt-1"),
    )


def _news() -> rx.Component:
    """What has become of the last payment. Its live region is always there, so that a change is spoken."""
    return rx.el.div(
        rx.cond(
            Review.news != "",
            callout(Review.news, title=Review.news_title, tone="info", class_name="mb-6", data_testid="payment-news"),
            rx.fragment(),
        ),
        role="status",
    )


def _down() -> rx.Component:
    """Stripe can't be reached, or something else keeps the payment page away: calm, with a reference."""
    return rx.el.div(
        rx.cond(
            Review.down != "",
            callout(
                Review.down,
                rx.cond(Form.ref != "", f" Reference {Form.ref}.", ""),
                tone="danger",
                class_name="mb-6",
                action=button("Try again", type="submit", kind="secondary", icon_name="rotate-cw"),
            ),
            rx.fragment(),
        ),
        role="alert",
    )


def _discard() -> rx.Component:
    """Not while money is on its way."""
    return rx.el.div(
        button(
            "Discard draft",
            open_dialog(_DIALOG),
            kind="quiet",
            icon_name="trash-2",
            loading=Review.discarding,
            class_name="-ms-4 text-danger-ink hover:not-disabled:bg-danger-soft",
        ),
        class_name="mt-3",
        hidden=Review.waiting,
    )


def _confirm() -> rx.Component:
    return confirm_dialog(
        _DIALOG,
        "Discard this draft?",
        "Your answers and photos are deleted. Nothing was charged. You can undo this for 15 minutes.",
        "Discard draft",
        [close_dialog(_DIALOG), Review.discard(Form.key)],
        cancel="Keep draft",
    )
