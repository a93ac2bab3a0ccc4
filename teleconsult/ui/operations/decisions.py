"""What waits for a decision, in words: why it waits, what each act does, and what came of it. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from teleconsult.billing.quarantine import Decision, Dismissal, Item, Kind
from teleconsult.ui import times
from teleconsult.ui.operations import addresses
from teleconsult.ui.operations.words import age

ACCEPT, RETURN, ASIDE = "accept", "refund", "dismiss"
"""The acts, as `quarantine.Item.acts` names them."""

REVIEW = {
    "amount": ("Another amount was paid", "{asked} was asked for and {amount} arrived."),
    "currency": ("Another currency was paid", "{asked} was asked for and {amount} arrived."),
    "livemode": ("Test and live money are mixed", "The page was made in one of Stripe’s modes and paid in the other."),
    "mode": ("Not a single payment", "Stripe says that this page was for something else than paying once."),
    "reference": ("It names another consultation", "The page is ours, and Stripe’s record of it names another case."),
}
"""Why a payment isn’t what was agreed, by the check that failed: a title and a sentence."""

FAILED = {
    "lost_or_stolen_card": "the card was lost or stolen",
    "expired_or_canceled_card": "the card has expired or was cancelled",
    "insufficient_funds": "our balance at Stripe was too low",
    "charge_for_pending_refund_disputed": "the patient disputes the payment at their bank",
    "charge_disputed": "the patient disputes the payment at their bank",
    "declined": "the bank declined it",
    "merchant_request": "it was cancelled in Stripe’s dashboard",
    "unknown": "the bank gave no reason",
    "refund_failed": "no reason is known",
}
"""Why a refund failed, by Stripe's word."""

EVENTS = {
    "livemode": ("An event of the other mode", "It is about test money where we expect live money, or the reverse."),
    "unmatched": ("News about an unknown payment", "For an hour nothing here has matched it."),
    "unreadable": ("An event we couldn’t read", "Its payment may still come another way: the sweep looks for it."),
    "unknown": ("A page that nobody knows", "Other software may use the same Stripe account."),
}
MONEY_OF_NOBODY = ("Money nobody here knows", "{amount} was paid on a page that belongs to none of our consultations.")

DISMISSALS: dict[str, str] = {
    Dismissal.HANDLED: "It was dealt with in another way, such as a bank transfer",
    Dismissal.OTHER_SOFTWARE: "It belongs to other software on the same Stripe account",
    Dismissal.TEST: "It was a test",
}

BANK_DAYS = "Banks usually take 5 to 10 days."


class Row(TypedDict):
    """One line of the list."""

    id: str
    title: str
    why: str
    ref: str
    href: str
    """The page with the whole story, or ""."""
    stripe: str
    """Where Stripe shows it, or ""."""
    name: str
    """What the acts of this line are about, for people who hear the page."""
    amount: str
    age: str
    since: str
    accept: bool
    give_back: bool
    aside: bool


class Question(TypedDict):
    """What is asked before an act: all that it does."""

    act: str
    title: str
    text: str
    mail: str
    confirm: str


class Result(TypedDict):
    """What came of an act. `tone` is ok, neutral or danger; "" before there was one."""

    title: str
    text: str
    tone: str


NO_QUESTION = Question(act="", title="", text="", mail="", confirm="")
NO_RESULT = Result(title="", text="", tone="")


def row(item: Item, timezone: str, now: datetime) -> Row:
    """One line of the list."""
    title, why = _why(item)
    return Row(
        id=item.id,
        title=title,
        why=why,
        ref=item.ref,
        href=addresses.payment(item.ref) if item.ref else "",
        stripe=addresses.at_stripe(item.payment_intent or item.id),
        name=item.ref or item.id,
        amount=item.amount or "None",
        age=age((now - item.since).total_seconds()),
        since=times.full(item.since, timezone, now),
        accept=ACCEPT in item.acts,
        give_back=RETURN in item.acts,
        aside=ASIDE in item.acts,
    )


def _why(item: Item) -> tuple[str, str]:
    if item.kind is Kind.PAYMENT:
        title, why = REVIEW.get(
            item.reason, ("It isn’t what was agreed", f"The check that failed: {item.reason or 'unknown'}.")
        )
        return title, why.format(asked=item.asked, amount=item.amount if item.amount_minor else "nothing")
    if item.kind is Kind.REFUND or item.reason not in EVENTS:
        return "A refund failed", f"{item.amount} should have gone back, but {_failure(item.reason)}."
    if RETURN in item.acts:
        title, why = MONEY_OF_NOBODY
        return title, why.format(amount=item.amount)
    title, why = EVENTS.get(item.reason, EVENTS["unknown"])
    return title, f"{item.event_type}. {why}" if item.event_type else why


def _failure(reason: str) -> str:
    return FAILED.get(reason, f"Stripe says: {reason}")


# ── Before ─────────────────────────────────────────────────────────────────────────────────────────


def question(act: str, item: Item, answer_hours: int) -> Question:
    """What an act on this item will do, and who is written to."""
    if act == ACCEPT:
        return _accepting(item, answer_hours)
    return _returning(item) if act == RETURN else _putting_aside(item)


def _accepting(item: Item, answer_hours: int) -> Question:
    return Question(
        act=ACCEPT,
        title=f"Accept {item.amount} for {item.ref}?",
        text=(
            f"{item.amount} becomes its price. The consultation joins the queue, and an answer is due in "
            f"{answer_hours} hours. If it has been closed or paid for meanwhile, the money goes back instead."
        ),
        mail="The patient gets an e-mail: that we received the payment, or that it goes back.",
        confirm=f"Accept {item.amount}",
    )


def _returning(item: Item) -> Question:
    if not item.amount_minor:
        return Question(
            act=RETURN,
            title=f"Close the payment of {item.ref}?",
            text="No money is left to return. The payment stops waiting here, and nothing else happens.",
            mail="Nobody gets an e-mail.",
            confirm="Close payment",
        )
    then = {
        Kind.PAYMENT: " The consultation is not queued. If it is still a draft, the patient can pay again.",
        Kind.REFUND: " It is tried once more; if it fails again, it comes back to this list.",
        Kind.EVENT: " It was for none of our consultations, so none changes.",
    }[item.kind]
    return Question(
        act=RETURN,
        title=f"Return {item.amount}{f' of {item.ref}' if item.ref else ''}?",
        text=f"{item.amount} goes back the way it was paid. {BANK_DAYS}{then}",
        mail=_mail(item),
        confirm=f"Return {item.amount}",
    )


def _mail(item: Item) -> str:
    if item.writes:
        return "The patient gets an e-mail when Stripe has taken the refund."
    return "We don’t know who paid, so nobody gets an e-mail." if item.kind is Kind.EVENT else "Nobody gets an e-mail."


def _putting_aside(item: Item) -> Question:
    about = f"the refund of {item.ref}" if item.kind is Kind.REFUND else "this event"
    return Question(
        act=ASIDE,
        title=f"Put {about} aside?",
        text="It leaves this list and stays in the records. No money moves.",
        mail="Nobody gets an e-mail.",
        confirm="Put aside",
    )


# ── After ──────────────────────────────────────────────────────────────────────────────────────────


def result(decision: Decision, item: Item) -> Result:
    """What an act came to."""
    if decision.outcome == "queued":
        text = f"{item.amount} counts as its price. The patient gets an e-mail with the time an answer is due."
        return Result(title=f"{item.ref} is in the queue", text=text, tone="ok")
    if decision.outcome == "dismissed":
        return Result(title="Put aside", text="No money moved, and nobody gets an e-mail.", tone="ok")
    if decision.refund_id is None:
        return Result(title=f"The payment of {item.ref} is closed", text="There was no money to return.", tone="ok")
    if decision.outcome == "returned":
        return Result(title=f"{item.amount} is going back", text=f"{_mail(item)} {BANK_DAYS}", tone="ok")
    text = f"{item.ref} was closed or paid for meanwhile. The patient gets an e-mail that says so."
    return Result(title=f"{item.amount} goes back by itself", text=text, tone="ok")


def decided_meanwhile(item: Item | None) -> Result:
    """Somebody else was faster, or Stripe was."""
    what = (item.ref or "It") if item else "It"
    text = "Somebody else decided, or news came from Stripe. Nothing was done twice."
    return Result(title=f"{what} doesn’t wait any more", text=text, tone="neutral")


def out_of_touch() -> Result:
    """The server was started anew between question and answer."""
    text = "The connection was lost in between. Choose again."
    return Result(title="Nothing was done", text=text, tone="neutral")


def unsure() -> Result:
    """The database went away in the middle. Acts can be repeated: they never take effect twice."""
    text = "The database doesn’t answer. When it is back, what is still in the list can be decided again."
    return Result(title="We don’t know yet whether that worked", text=text, tone="danger")
