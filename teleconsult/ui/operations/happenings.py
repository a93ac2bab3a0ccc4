"""Everything that happened to a case and its money, in plain words: pure, from `billing.story`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypedDict
from zoneinfo import ZoneInfo

from teleconsult.billing.rules import RefundReason, money
from teleconsult.billing.story import Attempt, Moment, Story
from teleconsult.ui import times


class Happening(TypedDict):
    """One entry of the history, as the page draws it."""

    title: str
    time: str
    note: str
    """Names and details, in small print; "" when there are none."""
    icon: str
    state: str
    """done or next; next for what is still to come."""


class _Told(NamedTuple):
    """A sentence, with braces where the amount goes, and its icon."""

    sentence: str
    icon: str


ACTS = {
    "drafted": _Told("The patient began a draft", "pencil"),
    "discarded": _Told("The patient discarded the draft", "trash-2"),
    "restored": _Told("The patient took the draft back", "undo-2"),
    "submitted": _Told("The consultation joined the queue", "send"),
    "claimed": _Told("A dermatologist took the case", "stethoscope"),
    "released": _Told("The case went back to the queue", "undo-2"),
    "viewed": _Told("A dermatologist opened the case", "eye"),
    "answered": _Told("The answer was sent", "circle-check"),
    "photos_asked": _Told("A dermatologist asked for photos", "camera"),
    "photos_supplied": _Told("The patient added photos", "camera"),
    "rejected": _Told("A dermatologist sent the case back", "undo-2"),
    "closed": _Told("The case was closed", "check"),
    "cancelled": _Told("The consultation was cancelled", "ban"),
    "held": _Told("The case was put on hold", "pause"),
    "unheld": _Told("The case was taken off hold", "check"),
    "payment_started": _Told("The patient went to pay {amount}", "credit-card"),
    "payment_processing": _Told("The bank began to confirm the payment", "clock"),
    "payment_expired": _Told("The payment page’s time was up", "timer"),
    "payment_failed": _Told("The bank didn’t make the payment", "circle-x"),
    "payment_cancelled": _Told("The payment page was closed", "x"),
    "payment_paid": _Told("{amount} arrived and counts", "circle-check"),
    "payment_duplicate": _Told("{amount} arrived a second time, or too late", "copy"),
    "payment_review": _Told("{amount} arrived and waits for a decision", "hand"),
    "payment_unassigned": _Told("{amount} arrived with names that contradict ours, and goes back", "undo-2"),
    "payment_accepted": _Told("An operator accepted the payment", "check"),
    "payment_returned": _Told("An operator returned the payment", "undo-2"),
    "payment_refunded": _Told("{amount} has gone back in all", "receipt"),
    "payment_recounted": _Told("By Stripe’s count {amount} has gone back in all", "receipt"),
    "refund_requested": _Told("A refund of {amount} was promised", "undo-2"),
    "refund_pending": _Told("Stripe took the refund of {amount}", "undo-2"),
    "refund_succeeded": _Told("{amount} went back", "undo-2"),
    "refund_failed": _Told("The refund of {amount} failed", "circle-alert"),
    "refund_superseded": _Told("The refund of {amount} wasn’t needed any more", "check"),
    "refund_dismissed": _Told("An operator put the failed refund aside", "check"),
    "dispute_opened": _Told("The patient’s bank began to look into the payment", "siren"),
    "dispute_won": _Told("The bank has finished: the payment stands", "check"),
    "dispute_prevented": _Told("The bank has finished: the payment stands", "check"),
    "dispute_warning_closed": _Told("The bank has finished: the payment stands", "check"),
    "dispute_lost": _Told("The bank returned the payment to the patient", "siren"),
}
"""What people and we did, by its name in the audit log."""

EVENTS = {
    "checkout.session.completed": "the payment page was completed",
    "checkout.session.async_payment_succeeded": "the bank made the payment",
    "checkout.session.async_payment_failed": "the bank didn’t make the payment",
    "checkout.session.expired": "the payment page’s time was up",
    "charge.refunded": "money went back",
    "refund.created": "a refund was made",
    "refund.updated": "a refund has come further",
    "refund.failed": "a refund failed",
    "charge.dispute.created": "a dispute was opened",
    "charge.dispute.updated": "a dispute has come further",
    "charge.dispute.closed": "a dispute has ended",
}
OUTCOMES = {
    "processed": "",
    "noop": "changed nothing",
    "quarantined": "kept for a decision",
    "unmatched": "kept until its payment comes",
    "matched": "applied when its payment came",
    "duplicate_payment": "a second payment",
}

MAILS = {
    "payment_received": "We received your payment",
    "payment_returned": "We are returning a second payment",
    "payment_too_late": "We are returning your payment",
    "payment_failed": "Your bank didn’t make the payment",
    "refund_sent": "Your refund is on its way",
    "refund_failed": "Your refund is delayed",
    "dispute_lost": "Your bank returned your payment",
    "case_update": "There’s an update",
}
"""How the subject of each e-mail begins."""

JOBS = {
    "billing.refund": "the refund is sent to Stripe",
    "billing.recount": "Stripe is asked what has gone back",
    "billing.finish_discard": "the discarded draft is cleared away",
    "notices.send": "an e-mail is sent",
}

REASONS = {
    RefundReason.DUPLICATE: "paid twice, or too late",
    RefundReason.UNASSIGNED: "it couldn’t be used",
    RefundReason.REQUESTED: "the patient asked for it",
    RefundReason.LATE: "we were late",
    RefundReason.NOT_ASSESSABLE: "it couldn’t be assessed",
    RefundReason.GOODWILL: "goodwill",
    RefundReason.OUTSIDE: "made in Stripe’s dashboard",
    "dispute": "the patient’s bank looks into the payment",
    "refunded": "all of its money went back",
    "given back": "given back",
    "idle": "nobody worked on it for an hour",
}
SOURCES = {
    "webhook": "told by Stripe’s event",
    "landing": "seen when the patient came back",
    "sweep": "found by the sweep",
    "operator": "decided by an operator",
}


def happenings(found: Story, timezone: str) -> list[Happening]:
    """The history, oldest first, then what is still to come. Each e-mail is told once: sent, or still to be sent."""
    attempts = {str(attempt.id): attempt for attempt in found.attempts}
    acted = {moment.facts["refund_id"] for moment in found.moments if "refund_id" in moment.facts}
    sent = {moment.facts["notice"] for moment in found.moments if moment.facts.get("sent")}
    told = [_happening(m, attempts, timezone) for m in found.moments if not _said_elsewhere(m, acted, sent)]
    return sorted(told, key=lambda one: one["state"] == "next")


def _said_elsewhere(moment: Moment, acted: Iterable[str], sent: Iterable[str]) -> bool:
    """The promise of an e-mail that was sent, and a refund whose every step stands in the audit log."""
    if moment.kind == "mail":
        return not moment.facts["sent"] and moment.facts["notice"] in sent
    return moment.kind == "refund" and moment.facts["refund"] in acted


def _happening(moment: Moment, attempts: Mapping[str, Attempt], timezone: str) -> Happening:
    tell = {"event": _event, "refund": _refund, "mail": _mail, "job": _job}.get(moment.kind)
    told, note, state = tell(moment.facts) if tell else _act(moment.facts, attempts)
    return Happening(title=told.sentence, time=clock(moment.at, timezone), note=note, icon=told.icon, state=state)


def clock(moment: datetime, timezone: str) -> str:
    """Day and time to the second: "Mon 23 Nov, 13:42:07"."""
    return f"{times.day(moment, timezone)}, {moment.astimezone(ZoneInfo(timezone)):%H:%M:%S}"


def _act(facts: Mapping[str, Any], attempts: Mapping[str, Attempt]) -> tuple[_Told, str, str]:
    unknown = _Told(facts["action"].replace("_", " ").capitalize(), "file-text")
    told = ACTS.get(facts["action"], unknown)
    sentence = told.sentence.format(amount=_amount(facts, attempts.get(facts["object"])))
    return _Told(sentence, told.icon), _details(facts, attempts), "done"


def _amount(facts: Mapping[str, Any], attempt: Attempt | None) -> str:
    if attempt is None:
        return "the money"
    if facts["action"] == "payment_started":
        return attempt.amount
    minor = facts.get("amount_minor", facts.get("total_minor", attempt.received_minor))
    return money(minor, attempt.currency)


def _details(facts: Mapping[str, Any], attempts: Mapping[str, Attempt]) -> str:
    """Which attempt, where there are several; why; and who told us, or asked for it."""
    which = attempts.get(facts["object"]) if len(attempts) > 1 else None
    asked_for = facts["action"] == "refund_requested" and facts["by"] == "operator"
    parts = [
        f"attempt {which.number}" if which else "",
        REASONS.get(facts.get("reason", ""), ""),
        SOURCES.get(facts.get("source", ""), ""),
        "by an operator" if asked_for else "",
    ]
    return _small(parts)


def _event(facts: Mapping[str, Any]) -> tuple[_Told, str, str]:
    what = EVENTS.get(facts["type"], facts["type"])
    outcome = OUTCOMES.get(facts["outcome"], facts["outcome"])
    return _Told(f"Stripe: {what}", "webhook"), _small([outcome, facts["event"]]), "done"


def _refund(facts: Mapping[str, Any]) -> tuple[_Told, str, str]:
    """One that our audit log doesn't tell of, such as one from the dashboard that waits."""
    step = ACTS.get(f"refund_{facts.get('status', 'requested')}", ACTS["refund_requested"])
    note = _small([REASONS.get(facts["reason"], ""), facts["stripe_refund"] or ""])
    return _Told(step.sentence.format(amount=facts["amount"]), step.icon), note, "done"


def _mail(facts: Mapping[str, Any]) -> tuple[_Told, str, str]:
    subject = MAILS.get(facts["mail"], facts["mail"])
    if facts["sent"]:
        return _Told(f"E-mail “{subject}” was sent", "mail"), "", "done"
    return _Told(f"E-mail “{subject}” waits to be sent", "mail"), "", "next"


def _job(facts: Mapping[str, Any]) -> tuple[_Told, str, str]:
    what = JOBS.get(facts["task"], facts["task"])
    if facts["status"] == "failed":
        return _Told(f"Given up: {what}", "circle-alert"), _tries(facts["attempts"]), "done"
    return _Told(f"Next: {what}", "clock"), _tries(facts["attempts"]), "next"


def _tries(count: int) -> str:
    if not count:
        return ""
    return "Tried once" if count == 1 else f"Tried {count} times"


def _small(parts: Sequence[str]) -> str:
    """Joined, with a capital where it begins with a word of ours."""
    said = " · ".join(part for part in parts if part)
    return said if said.startswith(("evt_", "re_")) else said[:1].upper() + said[1:]
