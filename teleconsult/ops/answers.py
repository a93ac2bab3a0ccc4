"""What a command answers: calm lines for a person, or one JSON object for a program, and an exit code for both.

0 means fine, 1 that something was found wrong, 2 that the command was refused, with a sentence.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from typing import Any

from sqlalchemy.exc import InterfaceError, OperationalError

from teleconsult.billing.gateway import GatewayDown, GatewayRefused
from teleconsult.errors import Refusal
from teleconsult.ops.environment import database, join_sandbox
from teleconsult.ops.faults import Fault
from teleconsult.privacy.start import start
from teleconsult.settings import get_settings

FINE, WRONG = 0, 1
EPILOG = "exit codes: 0 fine, 1 something is wrong, 2 refused with a sentence"


@dataclass(frozen=True)
class Answer:
    """The lines a person reads, the facts a program reads, and whether all is well."""

    lines: Sequence[str]
    facts: Mapping[str, Any] = field(default_factory=dict)
    fine: bool = True


Act = Callable[[Namespace], Answer]


def answering(act: Act) -> Callable[[Namespace], int]:
    """Make a command's `run` of a function that answers: database, output and refusals are the same for all."""
    return _running(act, database)


def answering_alone(act: Act) -> Callable[[Namespace], int]:
    """The same for a command that needs no database."""
    return _running(act, nullcontext)


def _running(act: Act, around: Callable[[], AbstractContextManager[object]]) -> Callable[[Namespace], int]:
    @wraps(act)
    def run(args: Namespace) -> int:
        join_sandbox()
        with refusing(), around():
            start(logs=sys.stderr, reports=not getattr(args, "dry_run", False))
            answer = act(args)
        if args.json:
            print(json.dumps({"ok": answer.fine, **answer.facts}, indent=2, default=_plain))
        else:
            print("\n".join(answer.lines))
        return FINE if answer.fine else WRONG

    return run


def arguments(parser: ArgumentParser, *, dry_run: bool = False) -> None:
    """What every answering command understands."""
    parser.epilog = EPILOG
    parser.add_argument("--json", action="store_true", help="answer with one JSON object for programs")
    if dry_run:
        parser.add_argument("--dry-run", action="store_true", help="tell what would happen and change nothing")


@contextmanager
def refusing() -> Generator[None]:
    """Turn what stands in a command's way into a sentence.

    Raises:
        Fault: with that sentence.
    """
    try:
        yield
    except Refusal as refusal:
        raise Fault(refusal.message) from None
    except GatewayDown as error:
        raise Fault(_down(error)) from None
    except GatewayRefused as error:
        raise Fault(_refused(error)) from None
    except (OperationalError, InterfaceError):
        raise Fault("DATABASE_URL: the database doesn’t answer. Nothing was changed; try again.") from None


def _down(error: GatewayDown) -> str:
    if not get_settings().stripe_secret_key.get_secret_value():
        return "STRIPE_SECRET_KEY is not set, so Stripe can’t be asked. (`teleconsult up` runs a sandbox by itself.)"
    return f"Stripe doesn’t answer ({error}). Nothing is lost; try again in a minute. status.stripe.com tells more."


def _refused(error: GatewayRefused) -> str:
    if error.status == 401:  # noqa: PLR2004 - HTTP's word for a wrong key
        return "Stripe doesn’t accept STRIPE_SECRET_KEY. Copy it again from the dashboard, Developers, API keys."
    if error.status == 403:  # noqa: PLR2004 - and for one that may not
        return "STRIPE_SECRET_KEY is a restricted key without the permission this needs. docs/stripe.md lists them."
    return f"Stripe refused: {' '.join(str(error).split())}. The request is in the dashboard under Developers, Logs."


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
