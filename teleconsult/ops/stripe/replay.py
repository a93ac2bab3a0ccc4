"""Fetch one event from Stripe by its id and apply it as its delivery would have been. Stripe keeps events for 30 days.

An event that was applied before is left alone; one that lies in quarantine is tried once more. The body is Stripe's
own: nothing can be forged this way.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from contextlib import nullcontext

from teleconsult import db
from teleconsult.billing import webhook
from teleconsult.billing.gateway import GatewayRefused, gateway
from teleconsult.billing.objects import Event
from teleconsult.billing.webhook import Reply
from teleconsult.ops import answers
from teleconsult.ops.answers import Answer
from teleconsult.ops.faults import Fault

MEANING = {
    "duplicate": "Applied before: nothing to do.",
    "ignored": "Not ours, or of a type we don’t use: nothing to do.",
    "noop": "Its payment is settled already: only the ledger took note.",
    "processed": "Applied.",
    "processing": "The bank is still confirming; the patient sees that.",
    "expired": "The payment page is over; the draft stays.",
    "failed": "The payment came to nothing; the draft stays.",
    "duplicate_payment": "Paid a second time: the money goes back by itself, and the patient is told.",
    "unmatched": "About a payment we don’t know yet: kept, and looked at again when it comes.",
    "quarantined": "Kept for a person: `teleconsult stripe quarantine` lists it.",
}
BAD = ("quarantined",)
OKAY = 200


def arguments(parser: ArgumentParser) -> None:
    """Which event."""
    answers.arguments(parser, dry_run=True)
    parser.add_argument("event", metavar="evt_…", help="the event’s id, as in the dashboard under Developers, Events")


@answers.answering
def run(args: Namespace) -> Answer:
    """Apply it, or rehearse that."""
    event = _fetch(args.event)
    with db.rehearsal() if args.dry_run else nullcontext():
        reply = webhook.apply(event, again=True)
    outcome = str(reply.body.get("outcome", ""))
    facts = {"event": event.id, "type": event.type, "dry_run": args.dry_run, "status": reply.status, **reply.body}
    before = "Nothing was changed. It would be: " if args.dry_run else ""
    lines = [f"{event.id}  {event.type}", before + (MEANING.get(outcome, outcome) if outcome else _refusal(reply))]
    return Answer(lines, facts, reply.status == OKAY and outcome not in BAD)


def _fetch(event_id: str) -> Event:
    if not event_id.startswith("evt_"):
        raise Fault(f"{event_id!r} is no event id: they begin with evt_.")
    try:
        return gateway().retrieve_event(event_id)
    except GatewayRefused as error:
        if error.status != 404:  # noqa: PLR2004 - HTTP's word for nothing there
            raise
        raise Fault(
            f"Stripe has no event {event_id}: is it of the other mode, or older than 30 days? "
            "Then `teleconsult stripe reconcile` finds the payment itself."
        ) from None


def _refusal(reply: Reply) -> str:
    missing = reply.body.get("missing")
    if isinstance(missing, list):
        return f"Refused ({reply.status}): its metadata lacks {', '.join(map(str, missing))}."
    return f"Refused ({reply.status}): {reply.body.get('error')}."
