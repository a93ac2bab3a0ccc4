"""What the clinic offers follows the settings of the running process."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from teleconsult.ui.offer import Offer


def offered() -> Offer:
    return Offer(_reflex_internal_init=True)


@pytest.mark.usefixtures("set_to")
def test_the_defaults_are_those_of_the_policy() -> None:
    offer = offered()
    assert (offer.price, offer.terms) == ("€49.00", "once, VAT included.")
    assert (offer.answer_time, offer.followup_time, offer.emergency_number) == ("48 hours", "14 days", "112")


def test_a_clinic_may_offer_something_else(set_to: Callable[..., None]) -> None:
    set_to(PRICE_MINOR="3500", CURRENCY="gbp", VAT_PERCENT="0", ANSWER_HOURS="1", EMERGENCY_NUMBER="999")
    offer = offered()
    assert (offer.price, offer.terms) == ("£35.00", "once.")
    assert (offer.answer_time, offer.emergency_number) == ("1 hour", "999")
