"""Bank accounts that are debited later: Stripe's test accounts, and how a payment with each of them ends.

Accounts from https://docs.stripe.com/payments/sepa-debit/accept-a-payment#test-your-integration and
https://docs.stripe.com/testing#non-card-payments. Stripe lets a payment settle at once or "after at least three
minutes"; here it takes a minute or five days of the sandbox's clock, which a test can move.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from teleconsult.sandbox.cards import Decline
from teleconsult.sandbox.errors import StripeError, invalid

SEPA, ACH = "sepa_debit", "us_bank_account"
DELAYED = (SEPA, ACH)
CURRENCY_OF = {SEPA: "eur", ACH: "usd"}
SOON, DAYS_LATER = 60, 5 * 86_400

FAILED = Decline("generic_could_not_process", "The payment could not be processed by the bank.")
NO_FUNDS = Decline("insufficient_funds", "The bank account has insufficient funds to complete the payment.")
CLOSED = Decline("account_closed", "The bank account has been closed.")
NO_ACCOUNT = Decline("no_account", "The bank account could not be located.")
NOT_AUTHORIZED = Decline("debit_not_authorized", "The customer has told the bank that this debit is not authorized.")


@dataclass(frozen=True)
class Ending:
    """What the bank says in the end, and after how many seconds; None is never."""

    after: int | None = SOON
    refusal: Decline | None = None
    disputed: bool = False


ENDINGS = {
    "DE89370400440532013000": Ending(),
    "DE08370400440532013003": Ending(DAYS_LATER),
    "DE62370400440532013001": Ending(refusal=FAILED),
    "DE78370400440532013004": Ending(DAYS_LATER, FAILED),
    "DE35370400440532013002": Ending(disputed=True),
    "DE65370400440002222227": Ending(refusal=NO_FUNDS),
    "AT611904300234573201": Ending(),
    "AT321904300235473204": Ending(DAYS_LATER),
    "AT861904300235473202": Ending(refusal=FAILED),
    "AT051904300235473205": Ending(DAYS_LATER, FAILED),
    "000123456789": Ending(),
    "000222222227": Ending(refusal=NO_FUNDS),
    "000111111113": Ending(refusal=CLOSED),
    "000111111116": Ending(refusal=NO_ACCOUNT),
    "000333333335": Ending(refusal=NOT_AUTHORIZED),
    "000555555559": Ending(disputed=True),
    "000000000009": Ending(None),
}
"""Any other account that can be one pays."""

CHOICES = {
    SEPA: (
        ("DE89370400440532013000", "Succeeds a minute later"),
        ("DE62370400440532013001", "Fails a minute later"),
        ("DE08370400440532013003", "Succeeds five days later"),
        ("DE78370400440532013004", "Fails five days later"),
    ),
    ACH: (
        ("000123456789", "Succeeds a minute later"),
        ("000222222227", "Fails: insufficient funds"),
        ("000000000009", "Stays in processing"),
    ),
}


@dataclass(frozen=True)
class Debit:
    """A bank account as typed. `kind` is Stripe's name of the payment method."""

    kind: str
    account: str
    name: str = ""

    @property
    def ending(self) -> Ending:
        """How a payment from it ends."""
        return ENDINGS.get(self.account, Ending())

    @property
    def last4(self) -> str:
        """The digits that may be shown and stored."""
        return self.account[-4:]

    @property
    def country(self) -> str:
        """Two letters: an IBAN begins with them."""
        return self.account[:2] if self.kind == SEPA else "US"

    @property
    def fingerprint(self) -> str:
        """The same for the same account, and no way back to it."""
        return hashlib.sha256(self.account.encode()).hexdigest()[:16]


def typed(kind: str, form: dict[str, str]) -> Debit:
    """An account from the fields of the form.

    Raises:
        StripeError: with the sentence to be shown, and the field in `param`.
    """
    account = re.sub(r"[\s-]", "", form.get("account", "")).upper()
    if kind == SEPA and not is_iban(account):
        raise _wrong("The IBAN you entered is invalid.")
    if kind == ACH and not re.fullmatch(r"[0-9]{4,17}", account):
        raise _wrong("The account number you entered is invalid.")
    return Debit(kind, account, form.get("name", "").strip())


def is_iban(text: str) -> bool:
    """Whether the check digits are right (ISO 13616: the number read as digits leaves 1 when divided by 97)."""
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", text):
        return False
    return int("".join(str(int(sign, 36)) for sign in text[4:] + text[:4])) % 97 == 1


def _wrong(message: str) -> StripeError:
    return invalid(message, param="account")
