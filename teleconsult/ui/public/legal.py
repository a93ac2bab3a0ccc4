"""Privacy notice, terms, complaints, imprint: what the software does is stated, what the clinic must add is marked.

The sentences about the software are promises that the code keeps; change them together.
"""

from __future__ import annotations

import reflex as rx

from teleconsult.ui.offer import Offer
from teleconsult.ui.parts.buttons import link
from teleconsult.ui.public.prose import Section, fill_in, prose, to_complete


def privacy() -> rx.Component:
    """The page at `/privacy`."""
    return prose(
        "Privacy notice",
        "What we keep about you, why, and who sees it.",
        (
            Section(
                "Who is responsible",
                (
                    fill_in("Name and address of the clinic"),
                    rx.fragment("Data protection officer: ", fill_in("Name and e-mail address")),
                ),
            ),
            Section(
                "What we keep",
                (
                    (
                        (
                            "Your account: e-mail address, name if you give one, time zone, and your password as "
                            "a hash that can’t be turned back."
                        ),
                        (
                            "Your consultation: your answers, your photos without place and camera data, the "
                            "dermatologist’s answer, and when what happened."
                        ),
                        "Your payment: amount, time, status and Stripe’s reference numbers. Never your card number.",
                    ),
                    rx.fragment(
                        "Health data is processed to give you the consultation you ask for, with your consent "
                        "(Articles 6(1)(b), 9(2)(a) and 9(2)(h) GDPR). ",
                        fill_in("Check for the clinic’s country"),
                    ),
                ),
            ),
            Section(
                "Who sees it",
                (
                    (
                        "The clinic’s dermatologists see your answers and photos once you have paid.",
                        (
                            "Stripe receives your e-mail address and the amount, with the words “Online consultation”: "
                            "nothing about your skin."
                        ),
                        "Our e-mails say that there is news and nothing else.",
                        "Technical fault reports hold no answers, photos, e-mail addresses or network addresses.",
                    ),
                    rx.fragment("Hosting and e-mail delivery: ", fill_in("Providers and where they are")),
                ),
            ),
            Section(
                "Cookies and other sites",
                (
                    (
                        "One cookie keeps you signed in, and is needed for that. There is no tracking, no "
                        "advertising and nothing loaded from other companies’ servers. Your payment happens on "
                        "Stripe’s own site."
                    ),
                ),
            ),
            Section(
                "How long",
                (
                    rx.fragment(
                        "Medical records and payment records are kept as long as the law asks: ",
                        fill_in("Years, by the clinic’s country"),
                        ". Unpaid drafts: ",
                        fill_in("Days"),
                    ),
                ),
            ),
            Section(
                "Your rights",
                (
                    (
                        "You may ask for a copy of your data, have mistakes corrected, have data deleted that the "
                        "law does not make us keep, and withdraw a consent for the future. Write to us from the "
                        "e-mail address of your account."
                    ),
                    rx.fragment("You may complain to the supervisory authority: ", fill_in("Authority of the country")),
                ),
            ),
        ),
        before=to_complete(),
    )


def terms() -> rx.Component:
    """The page at `/terms`."""
    return prose(
        "Terms",
        "What you can expect of us, and we of you.",
        (
            Section(
                "What you get",
                (
                    rx.fragment(
                        "A written answer by a registered dermatologist to the question and the photos you send, "
                        "within ",
                        Offer.answer_time,
                        " of your payment, and one question about it within ",
                        Offer.followup_time,
                        ".",
                    ),
                    "An answer from photos can’t replace an examination. Where one is needed, the answer says so.",
                ),
            ),
            Section(
                "What it isn’t for",
                (
                    rx.fragment("Emergencies: call ", Offer.emergency_number, "."),
                    "People under 18, sick notes, repeat prescriptions, and questions about somebody else’s skin.",
                ),
            ),
            Section(
                "Price and payment",
                (
                    rx.fragment(
                        Offer.price,
                        " for one consultation, ",
                        Offer.terms,
                        " You pay before a dermatologist sees it. There is no subscription.",
                    ),
                ),
            ),
            Section(
                "Money back",
                (
                    (
                        "In full if the dermatologist can’t assess what you sent.",
                        "In full if you cancel before a dermatologist has started.",
                        "In full if we miss the promised time and you ask for it.",
                    ),
                    rx.fragment(
                        "After an answer there is no refund; you can ",
                        link("complain", "/complaints"),
                        ". Your statutory rights, also to withdraw, stay as they are: ",
                        fill_in("Notice of withdrawal for the clinic’s country"),
                    ),
                ),
            ),
            Section(
                "What we ask of you",
                (
                    (
                        "Be 18 or older and ask about your own skin.",
                        "Answer truthfully and completely: the dermatologist relies on it.",
                        "Keep your password to yourself.",
                    ),
                ),
            ),
            Section(
                "Law",
                (fill_in("Applicable law, liability and place of the clinic"),),
            ),
        ),
        before=to_complete(),
    )


def complaints() -> rx.Component:
    """The page at `/complaints`."""
    return prose(
        "Complaints",
        "If something went wrong, we want to know and put it right.",
        (
            Section(
                "Tell us",
                (
                    rx.fragment(
                        "Write to ",
                        fill_in("E-mail and postal address for complaints"),
                        ". Say what happened and what you would like us to do, and give the reference of your "
                        "consultation, for example TC-7Q4M.",
                    ),
                    rx.fragment(
                        "Somebody who did not treat you reads it. You hear from us within ",
                        fill_in("Days"),
                        ", and a complaint never changes how you are treated.",
                    ),
                ),
            ),
            Section(
                "If it is about money",
                (
                    rx.fragment(
                        "Refunds follow from our ",
                        link("terms", "/terms"),
                        " and need no complaint. If one is "
                        "missing after 10 days, tell us the reference and we look for it at Stripe.",
                    ),
                ),
            ),
            Section(
                "If we don’t agree",
                (
                    rx.fragment(
                        "You can turn to the medical board that supervises the dermatologist, named on your answer "
                        "with a registration number: ",
                        fill_in("Medical board and its address"),
                    ),
                    rx.fragment("Conciliation for consumers: ", fill_in("Body and its address, or that none")),
                ),
            ),
        ),
        before=to_complete(),
    )


def imprint() -> rx.Component:
    """The page at `/imprint`."""
    return prose(
        "Imprint",
        "Who runs this site.",
        (
            Section(
                "The clinic",
                (
                    (
                        fill_in("Name and legal form"),
                        fill_in("Address"),
                        fill_in("E-mail and telephone"),
                        fill_in("Represented by"),
                        fill_in("Register and number, VAT number"),
                    ),
                ),
            ),
            Section(
                "Medical supervision",
                (fill_in("Professional title, the country that gave it, medical board, professional rules"),),
            ),
            Section(
                "Software",
                ("This site runs on Teleconsult, open-source software under the MIT licence.",),
            ),
        ),
        before=to_complete(),
    )
