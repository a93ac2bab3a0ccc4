"""Create the alerts that wake people, or mend those that have drifted, through Sentry's API.

Safe to repeat. A new alert tells every active member of the project by e-mail; where else it should ring (a pager, a
channel) is chosen at Sentry, and a later run keeps that. Other alerts are not touched.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import asdict, dataclass
from typing import Any

from teleconsult.ops import answers
from teleconsult.ops.answers import Answer
from teleconsult.ops.faults import Fault
from teleconsult.ops.sentry import rules
from teleconsult.ops.sentry.client import SentryApi
from teleconsult.ops.sentry.rules import RULES, Rule
from teleconsult.settings import get_settings


@dataclass(frozen=True)
class Done:
    """One alert. `state` is kept, made or mended."""

    name: str
    state: str
    id: str
    drift: list[str]


def arguments(parser: ArgumentParser) -> None:
    """Nothing of its own."""
    answers.arguments(parser, dry_run=True)


@answers.answering_alone
def run(args: Namespace) -> Answer:
    """Hold each rule against what is there."""
    _require_settings()
    sentry = SentryApi(get_settings())
    detector = sentry.issue_stream(sentry.project_id())
    there = {alert["name"]: alert for alert in sentry.alerts()}
    done = [_keep(sentry, rule, there.get(rules.title(rule, sentry.project)), detector, args) for rule in RULES]
    lines = [_line(one, dry=args.dry_run) for one in done]
    return Answer(lines, {"dry_run": args.dry_run, "alerts": [asdict(one) for one in done]})


def _require_settings() -> None:
    settings = get_settings()
    missing = [name for name in ("sentry_org", "sentry_project") if not getattr(settings, name)]
    if not settings.sentry_auth_token.get_secret_value():
        missing.append("sentry_auth_token")
    if missing:
        names = ", ".join(name.upper() for name in missing)
        raise Fault(f"Set {names} first: docs/operations.md says where to find them.")


def _keep(sentry: SentryApi, rule: Rule, found: dict[str, Any] | None, detector: str, args: Namespace) -> Done:
    if found is None:
        made = "" if args.dry_run else sentry.create(rules.wanted(rule, sentry.project, detector))
        return Done(rule.name, "made", made, [])
    faults = rules.drift(rule, found, detector)
    if faults and not args.dry_run:
        sentry.replace(rules.mended(rule, sentry.project, found, detector))
    return Done(rule.name, "mended" if faults else "kept", str(found["id"]), faults)


def _line(one: Done, *, dry: bool) -> str:
    state = f"would be {one.state}" if dry and one.state != "kept" else one.state
    why = f" ({', '.join(one.drift)})" if one.drift else ""
    return f"{state:<16}{one.name}{why}"
