"""Help: what people ask, in the order in which they meet it."""

from __future__ import annotations

import reflex as rx

from teleconsult.ui.offer import Offer
from teleconsult.ui.parts.buttons import link
from teleconsult.ui.parts.messages import callout
from teleconsult.ui.public.prose import Section, fill_in, prose


def help_page() -> rx.Component:
    """The page at `/help`."""
    return prose(
        "Help",
        "From the first photo to your answer.",
        (_photos(), _draft(), _payment(), _answer(), _account(), _contact()),
        before=_not_for_emergencies(),
        current="Help",
    )


def _not_for_emergencies() -> rx.Component:
    return callout(
        "Trouble breathing, a swollen face or lips, or a rash that spreads fast with fever: call ",
        Offer.emergency_number,
        ". Nobody reads messages here around the clock.",
        tone="warn",
        title="This isn’t for emergencies",
        icon_name="siren",
        class_name="mb-6",
    )


def _photos() -> Section:
    return Section(
        "Taking photos",
        (
            (
                "One overview that shows where on the body it is, and one close-up, about a hand’s width away.",
                "Daylight near a window, no flash, no filter. Tap the spot on the screen so that it is sharp.",
                "2 to 8 photos, up to 15 MB each: JPEG, PNG, WebP or the HEIC of an iPhone.",
            ),
            "We take the place and the camera’s data out of every photo before we store it.",
        ),
    )


def _draft() -> Section:
    return Section(
        "Stopping and coming back",
        (
            (
                "Your answers are saved while you type. Sign in on any device and choose “Resume draft”. Nothing is "
                "charged and no dermatologist sees it until you pay."
            ),
        ),
    )


def _payment() -> Section:
    return Section(
        "Paying and getting money back",
        (
            rx.fragment(
                Offer.price,
                " for one consultation, paid on Stripe’s page. Your card number never reaches us. If you close the "
                "page halfway, your draft stays and nothing is charged.",
            ),
            (
                "Your dermatologist can’t assess it: you get everything back.",
                "You cancel before a dermatologist has started: you get everything back.",
                "We miss the time we promised: you get everything back if you ask for it.",
            ),
            (
                "A refund goes to the same card, usually within 5 to 10 days. After an answer there is no refund; "
                "if you are not content with it, please complain."
            ),
            rx.fragment("Receipts and your card are under ", link("Settings, Billing", "/settings#billing"), "."),
        ),
    )


def _answer() -> Section:
    return Section(
        "Your answer",
        (
            rx.fragment(
                "It comes within ",
                Offer.answer_time,
                " of your payment; you see the exact time on your consultation. We send an e-mail that there is news. "
                "It never says what about: you read the answer here, signed in.",
            ),
            rx.fragment(
                "One question about the answer is included, for ", Offer.followup_time, " after you received it."
            ),
        ),
    )


def _account() -> Section:
    return Section(
        "Your account",
        (
            (
                "Signing out ends the session on this device. If you forgot your password, write to us from the e-mail "
                "address of your account."
            ),
        ),
    )


def _contact() -> Section:
    return Section(
        "Writing to us",
        (
            rx.fragment(
                fill_in("E-mail address and hours of the clinic’s desk"),
                ". Please mention the reference of your consultation, for example TC-7Q4M, and leave out anything "
                "about your health.",
            ),
            rx.fragment("For complaints see ", link("how to complain", "/complaints"), "."),
        ),
    )
