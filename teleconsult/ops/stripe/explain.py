"""Tell all that happened to one consultation and its payments, in the order of time (UTC).

Attempts, Stripe's events, refunds, disputes, e-mails and what people did. Nothing clinical and no e-mail address, so
that it can be passed on.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Generator
from dataclasses import asdict

from teleconsult.billing import story
from teleconsult.billing.story import Attempt, Story
from teleconsult.ops import answers
from teleconsult.ops.answers import Answer


def arguments(parser: ArgumentParser) -> None:
    """Anything that names it."""
    answers.arguments(parser)
    parser.add_argument("name", metavar="TC-…", help="reference, id of consultation or payment, cs_…, pi_… or evt_…")


@answers.answering
def run(args: Namespace) -> Answer:
    """Look it up and tell."""
    found = story.tell(args.name)
    return Answer([*_lines(found)], asdict(found))


def _lines(found: Story) -> Generator[str]:
    held = f", on hold: {found.hold_reason}" if found.hold_reason else ""
    due = f", answer due {found.due_at:%Y-%m-%d %H:%M} UTC" if found.due_at else ""
    yield f"{found.ref}  {found.status}{held}{due}"
    yield f"consultation {found.consultation_id}"
    for attempt in found.attempts:
        yield from _attempt(attempt)
    yield ""
    for moment in found.moments:
        yield f"{moment.at:%Y-%m-%d %H:%M:%S}  {moment.kind:<8}{moment.text}"


def _attempt(attempt: Attempt) -> Generator[str]:
    yield ""
    by = f", seen first by {attempt.settled_by}" if attempt.settled_by else ""
    yield f"attempt {attempt.number}  {attempt.status}  {attempt.amount}{by}"
    facts = {
        "payment": attempt.id,
        "session": attempt.session_id,
        "intent": attempt.payment_intent,
        "refund": " ".join(filter(None, (attempt.refund_status, attempt.refunded))),
        "dispute": attempt.dispute_status,
        "review": attempt.review_reason,
    }
    for name, value in facts.items():
        if value:
            yield f"  {name:<9}{value}"
