"""What the clinic offers, from the settings of the running process."""

from __future__ import annotations

import reflex as rx

from teleconsult.billing.rules import money
from teleconsult.settings import get_settings


class Offer(rx.State):
    """Price and promised times: public facts that pages may show.

    Pages are compiled once and shipped, so nothing that a clinic sets may stand in them as text. Each value here is
    computed when a page connects. Until then the page shows what was compiled in: the settings of the build, which are
    the defaults in a released package. So there is never an empty price, and where a clinic changed it the compiled one
    gives way as soon as the page has connected.
    """

    @rx.var
    def price(self) -> str:
        """One consultation, `€49.00`."""
        settings = get_settings()
        return money(settings.price_minor, settings.currency)

    @rx.var
    def terms(self) -> str:
        """What follows the price in a sentence: how often it is paid, and whether VAT is in it."""
        return "once, VAT included." if get_settings().vat_percent else "once."

    @rx.var
    def answer_time(self) -> str:
        """The time within which an answer is promised, `48 hours`."""
        return _count(get_settings().answer_hours, "hour")

    @rx.var
    def followup_time(self) -> str:
        """How long the included question may be asked after an answer, `14 days`."""
        return _count(get_settings().followup_days, "day")

    @rx.var
    def emergency_number(self) -> str:
        """Whom to call when it can't wait, `112`."""
        return get_settings().emergency_number


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
