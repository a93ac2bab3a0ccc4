"""What the overview says about money and jobs: figures, troubles and what to do. Pure: no state, no database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypedDict

from teleconsult.billing import pulse
from teleconsult.billing.desk import Overview
from teleconsult.billing.invariants import Violation
from teleconsult.billing.promises import PROMISES
from teleconsult.billing.pulse import Pulse
from teleconsult.billing.rules import PaymentStatus

UNITS = ((2 * 86_400, 86_400, "days"), (2 * 3_600, 3_600, "h"), (60, 60, "min"))
"""From how many seconds on an age is said in a unit, and how many make one."""

LABELS = (
    "Paid, not pending",
    "Pending, not paid",
    "To be decided",
    "Stuck attempts",
    "Worker’s last sign",
    "Oldest job",
    "Last Stripe event",
    "Payments open",
)
"""The figures of the first page, in their order."""

PAID_NOT_PENDING, PENDING_NOT_PAID = "I1", "I2"
"""The two promises that have a figure of their own."""


class Tile(TypedDict):
    """One figure, and what it means in words."""

    label: str
    value: str
    note: str
    tone: str


class Trouble(TypedDict):
    """Something that needs a person: what it is, what it does, and the command that helps, or ""."""

    title: str
    text: str
    command: str


class Broken(TypedDict):
    """A promise of money that doesn't hold: what is wrong, how often, and where to look."""

    code: str
    sentence: str
    count: str
    ids: list[str]


class Proof(TypedDict):
    """The promises as they were found last: when, and the sum of it. `checked` is "" before the first time."""

    checked: str
    title: str
    fine: bool


UNPROVED = Proof(checked="", title="The promises of money are being checked", fine=True)


def age(seconds: float) -> str:
    """A length of time in one unit, rounded down: "26 s", "4 min", "3 h", "2 days"."""
    for least, size, name in UNITS:
        if seconds >= least:
            return f"{int(seconds // size)} {name}"
    return f"{int(max(seconds, 0))} s"


def tiles(seen: Overview, broken: Sequence[Violation] | None) -> list[Tile]:
    """The figures of the first page. `broken` is None before the promises were checked for the first time."""
    now = seen.pulse
    return [
        _promised("Paid, not pending", PAID_NOT_PENDING, broken),
        _promised("Pending, not paid", PENDING_NOT_PAID, broken),
        _waiting(len(seen.waiting)),
        _stuck(now),
        _worker(now),
        _job(now),
        _event(now),
        _under_way(seen.under_way),
    ]


def _promised(label: str, code: str, broken: Sequence[Violation] | None) -> Tile:
    if broken is None:
        return Tile(label=label, value="–", note="Being checked", tone="neutral")
    count = sum(found.count for found in broken if found.code == code)
    if count:
        return Tile(label=label, value=str(count), note="It must be 0", tone="danger")
    return Tile(label=label, value="0", note="As it must be", tone="ok")


def _waiting(count: int) -> Tile:
    note = "See below" if count else "All decided"
    return Tile(label="To be decided", value=str(count), note=note, tone="warn" if count else "ok")


def _stuck(now: Pulse) -> Tile:
    if not now.stuck_payments:
        return Tile(label="Stuck attempts", value="0", note="None is late", tone="ok")
    note = f"Up to {age(now.stuck_age or 0)} past their time"
    return Tile(label="Stuck attempts", value=str(now.stuck_payments), note=note, tone="danger")


def _worker(now: Pulse) -> Tile:
    value = "None" if now.worker_age is None else age(now.worker_age)
    if _WORKER in pulse.troubles(now):
        return Tile(label="Worker’s last sign", value=value, note="It should be seconds", tone="danger")
    return Tile(label="Worker’s last sign", value=value, note="At work", tone="ok")


def _job(now: Pulse) -> Tile:
    if now.oldest_job_age is None:
        return Tile(label="Oldest job", value="None", note="Nothing is due", tone="ok")
    if _JOBS in pulse.troubles(now):
        note = f"It should be under {age(pulse.JOB_LATE.total_seconds())}"
        return Tile(label="Oldest job", value=age(now.oldest_job_age), note=note, tone="danger")
    return Tile(label="Oldest job", value=age(now.oldest_job_age), note="In time", tone="ok")


def _event(now: Pulse) -> Tile:
    value = "None yet" if now.last_event_age is None else age(now.last_event_age)
    if now.swept:
        note = f"{_count(now.swept, 'payment')} came without one"
        return Tile(label="Last Stripe event", value=value, note=note, tone="danger")
    return Tile(label="Last Stripe event", value=value, note="None is missing", tone="neutral")


def _under_way(by_state: Mapping[str, int]) -> Tile:
    banks = by_state.get(PaymentStatus.PROCESSING, 0)
    pages = by_state.get(PaymentStatus.OPEN, 0) + by_state.get(PaymentStatus.CREATING, 0)
    note = f"{banks} with a bank" if banks else "Pages at Stripe"
    return Tile(label="Payments open", value=str(pages + banks), note=note, tone="neutral")


_WORKER, _JOBS, _PAYMENTS, _EVENTS = pulse.STUCK
_TODO: dict[str, Callable[[Pulse], Trouble]] = {
    _WORKER: lambda _: Trouble(
        title="No worker gives a sign of life",
        text="Refunds and e-mails wait, and no lost payment is found. Start one:",
        command="teleconsult worker",
    ),
    _JOBS: lambda now: Trouble(
        title=f"A job has been due for {age(now.oldest_job_age or 0)}",
        text="The worker doesn’t keep up, or Stripe or the mail server doesn’t answer. Its log says which.",
        command="",
    ),
    _PAYMENTS: lambda now: Trouble(
        title=f"{_count(now.stuck_payments, 'attempt')} should have ended long ago",
        text="The sweep doesn’t do its work. Do it by hand:",
        command="teleconsult stripe reconcile",
    ),
    _EVENTS: lambda now: Trouble(
        title="Stripe’s events don’t arrive",
        text=f"{_count(now.swept, 'payment')} of the last day came by the sweep alone. Find out why:",
        command="teleconsult stripe doctor",
    ),
}
"""What to do about what `pulse.troubles` finds. What needs a decision has a list of its own."""


def troubles(now: Pulse) -> list[Trouble]:
    """What needs somebody who looks after the servers. While no worker is there, a late job is no news."""
    found = pulse.troubles(now)
    return [_TODO[name](now) for name in found if name in _TODO and not (name == _JOBS and _WORKER in found)]


def headline(count: int) -> str:
    """Above the troubles."""
    return "One thing needs you" if count == 1 else f"{count} things need you"


def proof(broken: Sequence[Violation], checked: str) -> Proof:
    """The sum of what was checked."""
    if not broken:
        promises = len({promise.code for promise in PROMISES})
        return Proof(checked=checked, title=f"All {promises} promises of money hold", fine=True)
    count = len({found.code for found in broken})
    title = "A promise of money is broken" if count == 1 else f"{count} promises of money are broken"
    return Proof(checked=checked, title=title, fine=False)


def broken_ones(broken: Sequence[Violation]) -> list[Broken]:
    """Each broken promise."""
    return [
        Broken(code=b.code, sentence=b.sentence, count="Once" if b.count == 1 else f"{b.count} times", ids=[*b.ids])
        for b in broken
    ]


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
