"""The alerts that wake people, and how Sentry's API speaks of them. Pure.

Source: Sentry's API of monitors and alerts (`/organizations/{org}/workflows/` and `/detectors/`), which took the place
of issue alert rules in August 2026. An alert without triggers runs on every event; its filters choose which.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from teleconsult.billing import pulse

MONITOR_TAG, CODE_TAG, LEVEL_TAG = "monitor.slug", "code", "level"
"""Sentry puts the first on what it raises about a monitor, and the last on everything; the second is ours."""

EVERY_EVENT = {"logicType": "any-short", "conditions": []}
EVERYBODY = {
    "type": "email",
    "integrationId": None,
    "data": {"fallthroughType": "ActiveMembers"},
    "config": {"targetType": "issue_owners", "targetDisplay": None, "targetIdentifier": ""},
    "status": "active",
}
"""Whom a new alert tells. Where else it should ring is chosen at Sentry, and kept."""


@dataclass(frozen=True)
class Rule:
    """One alert: events whose tag has one of these values, told at most every so many minutes for one issue."""

    name: str
    tag: str
    values: tuple[str, ...]
    minutes: int


RULES = (
    Rule("the webhook answered no", CODE_TAG, (pulse.WEBHOOK_REFUSED,), 5),
    Rule("the sweep is silent", MONITOR_TAG, ("teleconsult-sweep",), 60),
    Rule("the worker is silent", MONITOR_TAG, ("teleconsult-worker",), 60),
    Rule("the quarantine is not empty", CODE_TAG, (pulse.QUARANTINE_NOT_EMPTY,), 720),
    Rule("money or jobs are stuck", CODE_TAG, (*pulse.STUCK, "job_failed", "job_given_up"), 60),
    Rule("something is badly wrong", LEVEL_TAG, ("fatal",), 60),
)


def title(rule: Rule, project: str) -> str:
    """The name it goes by at Sentry, where all projects of an organisation share one list."""
    return f"teleconsult ({project}): {rule.name}"


def conditions(rule: Rule) -> list[dict[str, Any]]:
    """The filter, as Sentry writes it."""
    return [
        {
            "type": "tagged_event",
            "comparison": {"key": rule.tag, "match": "eq", "value": value},
            "conditionResult": True,
        }
        for value in rule.values
    ]


def wanted(rule: Rule, project: str, detector: str) -> dict[str, Any]:
    """The alert as it should be. `detector` stands for all issues of the project."""
    return {
        "name": title(rule, project),
        "enabled": True,
        "environment": None,
        "config": {"frequency": rule.minutes},
        "triggers": EVERY_EVENT,
        "actionFilters": [{"logicType": "any-short", "conditions": conditions(rule), "actions": [EVERYBODY]}],
        "detectorIds": [int(detector)],
    }


def drift(rule: Rule, found: Mapping[str, Any], detector: str) -> list[str]:
    """In which respects an alert at Sentry is not as it should be. Whom it tells is left to people."""
    signs = {
        "switched off": not found.get("enabled"),
        "frequency": (found.get("config") or {}).get("frequency") != rule.minutes,
        "triggers": _group(found.get("triggers") or {}) != _group(EVERY_EVENT),
        "filter": _block(rule, found) is None,
        "tells nobody": not any(block.get("actions") for block in found.get("actionFilters") or []),
        "project": str(detector) not in map(str, found.get("detectorIds") or []),
        "environment": found.get("environment") is not None,
    }
    return [name for name, wrong in signs.items() if wrong]


def mended(rule: Rule, project: str, found: Mapping[str, Any], detector: str) -> dict[str, Any]:
    """What to send for an alert that has drifted: ours where it must be, theirs where it may be."""
    whole = wanted(rule, project, detector)
    blocks = [dict(block) for block in found.get("actionFilters") or []]
    mine = next((b for b in blocks if b is not None and _same(b, rule)), blocks[0] if blocks else {})
    mine |= {"logicType": "any-short", "conditions": conditions(rule), "actions": mine.get("actions") or [EVERYBODY]}
    others = [block for block in blocks if block is not mine]
    triggers = {**EVERY_EVENT, **{k: v for k, v in (found.get("triggers") or {}).items() if k == "id"}}
    return {**whole, "id": found["id"], "triggers": triggers, "actionFilters": [mine, *others]}


def _block(rule: Rule, found: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return next((block for block in found.get("actionFilters") or [] if _same(block, rule)), None)


def _same(block: Mapping[str, Any], rule: Rule) -> bool:
    return _group(block) == _group({"logicType": "any-short", "conditions": conditions(rule)})


def _group(group: Mapping[str, Any]) -> tuple[str, Sequence[str]]:
    """Logic and conditions without the ids Sentry gives them, in any order."""
    plain = sorted(repr((c.get("type"), _sorted(c.get("comparison")))) for c in group.get("conditions") or [])
    return str(group.get("logicType")), plain


def _sorted(value: Any) -> Any:
    return sorted(value.items()) if isinstance(value, dict) else value
