"""List the money and the events that wait for an operator, or end the wait of one of them.

`--accept` takes a payment for what it is, `--refund` returns the money, `--dismiss` puts aside an event without money
or a refund that went back in another way. An act needs `--operator`, who then stands in the audit log.
"""

from __future__ import annotations

import uuid
from argparse import ArgumentParser, Namespace
from collections.abc import Generator, Sequence
from dataclasses import asdict

from teleconsult.accounts import service as accounts
from teleconsult.billing import quarantine
from teleconsult.billing.quarantine import Decision, Dismissal, Item
from teleconsult.db import utcnow
from teleconsult.ops import answers
from teleconsult.ops.answers import Answer
from teleconsult.ops.durations import spoken
from teleconsult.ops.faults import Fault

OUTCOMES = {
    "queued": "Accepted: the consultation is queued, and the patient is told.",
    "duplicate_payment": "Accepted, but its consultation was paid for already: the money goes back.",
    "returned": "The money goes back; the patient is told.",
    "dismissed": "Put aside.",
}


def arguments(parser: ArgumentParser) -> None:
    """What to do, to which item, by whom."""
    answers.arguments(parser)
    acts = parser.add_mutually_exclusive_group()
    acts.add_argument("--accept", metavar="ID", help="a payment in review: queue its consultation")
    acts.add_argument("--refund", metavar="ID", help="return the money of a payment or an event")
    acts.add_argument("--dismiss", metavar="ID", help="put an event or a failed refund aside")
    parser.add_argument("--reason", choices=[*Dismissal], help="why it is put aside")
    parser.add_argument("--operator", metavar="EMAIL", help="the operator who decides")


@answers.answering
def run(args: Namespace) -> Answer:
    """List, or act on one."""
    if args.accept or args.refund or args.dismiss:
        decision = _act(args, _operator(args))
        said = OUTCOMES.get(decision.outcome, decision.outcome)
        return Answer([said], {"outcome": decision.outcome, "refund_id": decision.refund_id})
    waiting = quarantine.listed()
    return Answer([*_lines(waiting)], {"items": [asdict(item) for item in waiting]}, fine=not waiting)


def _operator(args: Namespace) -> uuid.UUID:
    found = accounts.operator(args.operator or "")
    if found is None:
        raise Fault("Say who decides: --operator with the e-mail address of an operator’s account.")
    return found


def _act(args: Namespace, operator: uuid.UUID) -> Decision:
    if args.accept:
        return quarantine.accept(operator, args.accept)
    if args.refund:
        return quarantine.refund(operator, args.refund)
    if not args.reason:
        raise Fault(f"Say why it is put aside: --reason with one of {', '.join(Dismissal)}.")
    return quarantine.dismiss(operator, args.dismiss, args.reason)


def _lines(waiting: Sequence[Item]) -> Generator[str]:
    for item in waiting:
        age = spoken((utcnow() - item.since).total_seconds())
        about = "  ".join(filter(None, (item.amount, item.ref, item.payment_intent)))
        yield f"{item.kind:<9}{item.reason:<18}{age:>11}  {about}".rstrip()
        yield f"{'':<9}{item.id}  {' or '.join(f'--{act}' for act in item.acts)}"
    yield f"{len(waiting)} waiting." if waiting else "Nothing waits."
