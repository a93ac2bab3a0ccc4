"""`teleconsult sentry alerts`: made once, mended where they drifted, people's own choices kept."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from teleconsult.ops.sentry.rules import RULES, title
from teleconsult.privacy.sentry import MONITORS
from tests.ops.sentry.sentry_api import PROJECT, STREAM, FakeSentryApi
from tests.ops.stripe.conftest import Command, Ran
from tests.support import ROOT, fresh_settings

NAMES = [rule.name for rule in RULES]


def states(ran: Ran) -> list[str]:
    return [alert["state"] for alert in ran.facts["alerts"]]


def test_made_once_and_then_kept(command: Command, api: FakeSentryApi) -> None:
    ran = command("sentry", "alerts", "--json")
    assert (ran.code, states(ran)) == (0, ["made"] * len(RULES))
    assert [alert["name"] for alert in api.alerts.values()] == [title(rule, PROJECT) for rule in RULES]
    assert all(alert["detectorIds"] == [STREAM] for alert in api.alerts.values())
    before = copy.deepcopy(api.alerts)
    calls = len(api.calls)
    again = command("sentry", "alerts", "--json")
    assert (again.code, states(again)) == (0, ["kept"] * len(RULES))
    assert api.alerts == before
    assert {method for method, _ in api.calls[calls:]} == {"GET"}


def test_a_rehearsal_makes_nothing(command: Command, api: FakeSentryApi) -> None:
    ran = command("sentry", "alerts", "--dry-run")
    assert ran.out.count("would be made") == len(RULES)
    assert api.alerts == {}


def first(api: FakeSentryApi) -> dict[str, Any]:
    return next(iter(api.alerts.values()))


def to_another_tag(alert: dict[str, Any]) -> None:
    alert["actionFilters"][0]["conditions"][0]["comparison"]["value"] = "nothing"


def to_all_of_none(alert: dict[str, Any]) -> None:
    alert["actionFilters"][0]["logicType"] = "none"


def to_new_issues_only(alert: dict[str, Any]) -> None:
    alert["triggers"]["conditions"] = [
        {"id": "1", "type": "first_seen_event", "comparison": True, "conditionResult": True}
    ]


DRIFTS: dict[str, Callable[[dict[str, Any]], None]] = {
    "switched off": lambda alert: alert.update(enabled=False),
    "frequency": lambda alert: alert["config"].update(frequency=1440),
    "filter": to_another_tag,
    "triggers": to_new_issues_only,
    "project": lambda alert: alert.update(detectorIds=["776"]),
    "environment": lambda alert: alert.update(environment="staging"),
    "tells nobody": lambda alert: alert["actionFilters"][0].update(actions=[]),
}


@pytest.mark.parametrize("drift", DRIFTS)
def test_what_drifted_is_named_and_mended(command: Command, api: FakeSentryApi, drift: str) -> None:
    command("sentry", "alerts")
    DRIFTS[drift](first(api))
    broken = copy.deepcopy(api.alerts)
    told = command("sentry", "alerts", "--dry-run", "--json")
    assert api.alerts == broken
    assert [alert["drift"] for alert in told.facts["alerts"]] == [[drift], *([[]] * (len(RULES) - 1))]
    assert states(command("sentry", "alerts", "--json"))[0] == "mended"
    assert states(command("sentry", "alerts", "--json")) == ["kept"] * len(RULES)
    assert len(api.alerts) == len(RULES)


def test_none_of_them_is_a_drift_too(command: Command, api: FakeSentryApi) -> None:
    command("sentry", "alerts")
    to_all_of_none(first(api))
    assert states(command("sentry", "alerts", "--json"))[0] == "mended"


def test_whom_people_chose_to_tell_is_kept(command: Command, api: FakeSentryApi) -> None:
    command("sentry", "alerts")
    pager = {
        "id": "5", "type": "pagerduty", "integrationId": "9", "data": {"priority": "critical"},
        "config": {"targetType": "specific", "targetIdentifier": "3", "targetDisplay": "on call"}, "status": "active",
    }  # fmt: skip
    first(api)["actionFilters"][0]["actions"] = [pager]
    assert states(command("sentry", "alerts", "--json"))[0] == "kept"
    first(api)["enabled"] = False
    command("sentry", "alerts")
    assert first(api)["enabled"]
    assert first(api)["actionFilters"][0]["actions"] == [pager]


def test_other_alerts_are_not_touched(command: Command, api: FakeSentryApi) -> None:
    command("sentry", "alerts")
    theirs = copy.deepcopy(first(api)) | {"id": "1", "name": "Send a notification for high priority issues"}
    api.alerts = {"1": copy.deepcopy(theirs), **api.alerts}
    first(api)["enabled"] = theirs["enabled"] = False
    command("sentry", "alerts")
    assert api.alerts["1"] == theirs


FAULTS = {401: "SENTRY_AUTH_TOKEN", 403: "alerts:write", 404: "no project", 429: "slow down", 302: "302", 500: "500"}


@pytest.mark.parametrize("status", FAULTS)
def test_what_sentry_refuses_is_a_sentence(command: Command, api: FakeSentryApi, status: int) -> None:
    api.fail_with = status
    ran = command("sentry", "alerts")
    assert (ran.code, ran.out) == (2, "")
    assert FAULTS[status] in ran.err
    assert "sntryu_for_tests" not in ran.err
    assert len(api.calls) == 1, "a redirect is not followed: the token would go with it"


def test_a_sentry_that_is_too_old_says_so(command: Command, api: FakeSentryApi) -> None:
    api.detectors = []
    assert "update it" in command("sentry", "alerts").err


def test_a_sentry_that_is_away_says_so(command: Command, api: FakeSentryApi) -> None:
    assert api
    fresh_settings(SENTRY_URL="http://127.0.0.1:9")
    assert "doesn’t answer" in command("sentry", "alerts").err


@pytest.mark.parametrize("missing", ["SENTRY_ORG", "SENTRY_PROJECT", "SENTRY_AUTH_TOKEN"])
def test_settings_it_needs_are_named(command: Command, api: FakeSentryApi, missing: str) -> None:
    fresh_settings(**{missing: ""})
    ran = command("sentry", "alerts")
    assert (ran.code, api.calls) == (2, [])
    assert missing in ran.err


def test_every_code_an_alert_waits_for_is_one_we_send() -> None:
    package = ROOT / "teleconsult"
    files = [path for path in package.rglob("*.py") if not path.is_relative_to(package / "ops")]
    source = "\n".join(path.read_text() for path in files)
    for rule in RULES:
        for value in rule.values:
            assert rule.tag != "code" or f'"{value}"' in source, value
            assert rule.tag != "monitor.slug" or value in MONITORS
    watched = {value for rule in RULES if rule.tag == "monitor.slug" for value in rule.values}
    assert watched == set(MONITORS), "every monitor has an alert"
