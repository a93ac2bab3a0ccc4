"""Stripe's test cards, and how a payment with each of them ends."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from teleconsult.sandbox.errors import StripeError, invalid

NUMBER_LENGTHS = range(12, 20)


@dataclass(frozen=True)
class Decline:
    """Why a card was refused, in Stripe's codes and words."""

    code: str
    message: str
    decline_code: str | None = None


DECLINED = "Your card was declined."
GENERIC = Decline("card_declined", DECLINED, "generic_decline")
NO_FUNDS = Decline("card_declined", "Your card has insufficient funds.", "insufficient_funds")
LOST = Decline("card_declined", DECLINED, "lost_card")
STOLEN = Decline("card_declined", DECLINED, "stolen_card")
EXPIRED = Decline("expired_card", "Your card has expired.")
WRONG_CVC = Decline("incorrect_cvc", "Your card's security code is incorrect.")
PROCESSING = Decline("processing_error", "An error occurred while processing your card. Try again in a little bit.")
NOT_AUTHENTICATED = Decline(
    "payment_intent_authentication_failure",
    "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
)
DECLINES = {
    "4000000000000002": GENERIC,
    "4000000000009995": NO_FUNDS,
    "4000000000009987": LOST,
    "4000000000009979": STOLEN,
    "4000000000000069": EXPIRED,
    "4000000000000127": WRONG_CVC,
    "4000000000000119": PROCESSING,
    "4000000000000341": GENERIC,
    "4000008400001629": GENERIC,
}
SECURE = frozenset({"4000002500003155", "4000002760003184", "4000000000003220", "4000008400001629"})
BRANDS = {"4": "visa", "5": "mastercard", "3": "amex", "6": "discover"}
CHOICES = (
    ("4242424242424242", "Succeeds"),
    ("4000002500003155", "3D Secure"),
    ("4000000000000002", "Declined"),
    ("4000000000009995", "Insufficient funds"),
)


@dataclass(frozen=True)
class Card:
    """A card as typed."""

    number: str
    exp_month: int
    exp_year: int
    name: str = ""

    @property
    def kind(self) -> str:
        """Stripe's name of the payment method."""
        return "card"

    @property
    def last4(self) -> str:
        """The digits that may be shown and stored."""
        return self.number[-4:]

    @property
    def brand(self) -> str:
        """The network, by the first digit."""
        return BRANDS.get(self.number[0], "unknown")

    @property
    def decline(self) -> Decline | None:
        """Why the bank refuses it; None when it pays."""
        return DECLINES.get(self.number)

    @property
    def authenticates(self) -> bool:
        """Whether the bank first asks the customer to confirm."""
        return self.number in SECURE

    @property
    def fingerprint(self) -> str:
        """The same for the same number, and no way back to it."""
        return hashlib.sha256(self.number.encode()).hexdigest()[:16]

    @property
    def checks(self) -> dict[str, str | None]:
        """What the bank said about the security code."""
        cvc = "fail" if self.decline is WRONG_CVC else "pass"
        return {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": cvc}


def typed(form: dict[str, str], today: tuple[int, int]) -> Card:
    """A card from the fields of the form; `today` is year and month.

    Raises:
        StripeError: with the sentence to be shown, and the field in `param`.
    """
    number, expiry, cvc, name = (form.get(part, "") for part in ("number", "expiry", "cvc", "name"))
    digits = number.replace(" ", "").replace("-", "")
    if not digits.isascii() or not digits.isdigit() or len(digits) not in NUMBER_LENGTHS or not _luhn(digits):
        raise _wrong("Your card number is invalid.", "number")
    until = _expiry(expiry)
    if until < today:
        raise _wrong("Your card's expiration date is in the past.", "expiry")
    if not (cvc.isascii() and cvc.isdigit() and len(cvc) in (3, 4)):
        raise _wrong("Your card's security code is incomplete.", "cvc")
    return Card(digits, until[1], until[0], name.strip())


def _expiry(text: str) -> tuple[int, int]:
    month, _, year = text.replace(" ", "").partition("/")
    if not (text.isascii() and month.isdigit() and year.isdigit() and 1 <= int(month) <= 12 and len(year) in (2, 4)):  # noqa: PLR2004 - months
        raise _wrong("Your card's expiration date is incomplete.", "expiry")
    return int(year) + (2000 if len(year) == 2 else 0), int(month)  # noqa: PLR2004 - two digits


def _luhn(digits: str) -> bool:
    doubled = [int(d) * (1 + index % 2) for index, d in enumerate(reversed(digits))]
    return sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0  # noqa: PLR2004 - the rule's own figures


def _wrong(message: str, field: str) -> StripeError:
    return invalid(message, param=field)
