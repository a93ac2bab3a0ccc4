"""Sentry's API of alerts on loopback: it takes what Sentry's validators take, answers in the shape of its serializers,
and decides as its workflow engine does which alert an event sets off.

Shapes: docs.sentry.io/api/monitors, and getsentry/sentry `src/sentry/workflow_engine/endpoints` and `processors`.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

ORG, PROJECT, PROJECT_ID, TOKEN = "clinic", "teleconsult", "4242", "sntryu_for_tests"
STREAM = "777"
FREQUENCIES = (0, 5, 10, 30, 60, 180, 720, 1440)
LOGIC = ("any", "any-short", "all", "none")
PAGE = 2
"""Rows on one page, however many are asked for: so that following pages matters."""


class Refused(Exception):
    """A 4xx."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status)
        self.status, self.body = status, body


@dataclass
class FakeSentryApi:
    """`alerts` is what it holds, by id; `calls` every request as (method, path)."""

    url: str = ""
    alerts: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    detectors: list[dict[str, Any]] = field(default_factory=list)
    fail_with: int = 0
    _ids: Any = field(default_factory=lambda: count(1000))

    def __post_init__(self) -> None:
        error = {"id": "776", "projectId": PROJECT_ID, "name": "Error Monitor", "type": "error", "enabled": True}
        stream = {"id": STREAM, "projectId": PROJECT_ID, "name": "All issues", "type": "issue_stream", "enabled": True}
        other = {"id": "778", "projectId": "1", "name": "All issues", "type": "issue_stream", "enabled": True}
        self.detectors = [other, error, stream]

    def answer(self, method: str, target: str, authorization: str, body: Any) -> tuple[int, Any, str]:
        """Status, JSON and Link header."""
        url = urlsplit(target)
        self.calls.append((method, url.path))
        if self.fail_with:
            raise Refused(self.fail_with, {"detail": "no"})
        if authorization != f"Bearer {TOKEN}":
            raise Refused(401, {"detail": "Invalid token"})
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        path = url.path.removeprefix("/api/0")
        if (method, path) == ("GET", f"/projects/{ORG}/{PROJECT}/"):
            return 200, {"id": PROJECT_ID, "slug": PROJECT, "name": "Teleconsult"}, ""
        if (method, path) == ("GET", f"/organizations/{ORG}/detectors/"):
            return self._page([d for d in self.detectors if _matches(d, query)], query)
        if path == f"/organizations/{ORG}/workflows/":
            return self._page([*self.alerts.values()], query) if method == "GET" else (201, self._create(body), "")
        if method == "PUT" and (found := re.fullmatch(rf"/organizations/{ORG}/workflows/(\d+)/", path)):
            return 200, self._replace(found.group(1), body), ""
        raise Refused(404, {"detail": "The requested resource does not exist"})

    def _page(self, rows: list[dict[str, Any]], query: Mapping[str, str]) -> tuple[int, Any, str]:
        start = int(query.get("cursor", "0:0:0").split(":")[1])
        more = "true" if len(rows) > start + PAGE else "false"
        links = (
            f'<{self.url}/x/?cursor=0:0:1>; rel="previous"; results="false"; cursor="0:0:1", '
            f'<{self.url}/x/?cursor=0:{start + PAGE}:0>; rel="next"; results="{more}"; cursor="0:{start + PAGE}:0"'
        )
        return 200, rows[start : start + PAGE], links

    def _create(self, body: Any) -> dict[str, Any]:
        made = self._valid(body, {})
        self.alerts[made["id"]] = made
        return made

    def _replace(self, alert_id: str, body: Any) -> dict[str, Any]:
        if alert_id not in self.alerts:
            raise Refused(404, {"detail": "The requested resource does not exist"})
        before = self.alerts[alert_id]
        self.alerts[alert_id] = self._valid(body, before)
        return self.alerts[alert_id]

    def _valid(self, body: Any, before: Mapping[str, Any]) -> dict[str, Any]:
        known = {block["id"] for block in before.get("actionFilters", [])}
        for block in body["actionFilters"]:
            if "id" in block and block["id"] not in known:
                _no("actionFilters", f"Action filter ID {block['id']} does not belong to this workflow")
        if not body.get("name") or len(body["name"]) > 256:
            _no("name", "This field is required.")
        if body["config"].get("frequency") not in FREQUENCIES:
            _no("config", "Invalid frequency.")
        unknown = set(body["detectorIds"]) - {int(d["id"]) for d in self.detectors}
        if unknown or not all(isinstance(i, int) for i in body["detectorIds"]):
            _no("detectorIds", "Some detectors do not exist")
        return {
            "id": before.get("id") or str(next(self._ids)),
            "name": body["name"],
            "organizationId": "1",
            "createdBy": "1",
            "dateCreated": "2026-11-01T08:00:00.000000Z",
            "dateUpdated": "2026-11-01T08:00:00.000000Z",
            "triggers": self._group(body["triggers"]),
            "actionFilters": [self._group(block) for block in body["actionFilters"]],
            "environment": body.get("environment"),
            "config": {"frequency": body["config"]["frequency"]},
            "detectorIds": [str(i) for i in body["detectorIds"]],
            "enabled": body.get("enabled", True),
            "lastTriggered": None,
        }

    def _group(self, group: Any) -> dict[str, Any]:
        if group["logicType"] not in LOGIC:
            _no("logicType", f'"{group["logicType"]}" is not a valid choice.')
        return {
            "id": group.get("id") or str(next(self._ids)),
            "organizationId": "1",
            "logicType": group["logicType"],
            "conditions": [self._condition(c) for c in group["conditions"]],
            "actions": [self._action(a) for a in group.get("actions", [])],
        }

    def _condition(self, condition: Any) -> dict[str, Any]:
        if set(condition) - {"id"} != {"type", "comparison", "conditionResult"}:
            _no("conditions", "Unknown or missing keys.")
        comparison = condition["comparison"]
        if condition["type"] == "tagged_event" and (
            set(comparison) != {"key", "match", "value"}
            or comparison["match"] not in ("eq", "ne", "co", "nc", "sw", "ew")
        ):
            _no("comparison", "Invalid comparison.")
        return {**condition, "id": condition.get("id") or str(next(self._ids))}

    def _action(self, action: Any) -> dict[str, Any]:
        config = action["config"]
        if action["type"] == "email" and config["targetType"] not in ("user", "team", "issue_owners"):
            _no("actions", "Invalid target.")
        return {**action, "id": action.get("id") or str(next(self._ids))}

    def set_off(self, event: Mapping[str, Any]) -> list[str]:
        """The names of the alerts that an event of our project sets off."""
        tags = {name: str(value) for name, value in (event.get("tags") or {}).items()}
        tags.setdefault("level", event.get("level", "error"))
        return [
            alert["name"].split(": ", 1)[1]
            for alert in self.alerts.values()
            if alert["enabled"] and STREAM in alert["detectorIds"] and _passes(alert["triggers"], tags)
            if any(_passes(block, tags) and block["actions"] for block in alert["actionFilters"])
        ]


def _matches(detector: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    kind = re.fullmatch(r"type:(\w+)", query.get("query", ""))
    return detector["projectId"] == query.get("project") and (kind is None or detector["type"] == kind.group(1))


def _passes(group: Mapping[str, Any], tags: Mapping[str, str]) -> bool:
    """A group without conditions always passes."""
    held = [tags.get(c["comparison"]["key"]) == c["comparison"]["value"] for c in group["conditions"]]
    return not held or (all(held) if group["logicType"] == "all" else any(held))


def _no(name: str, sentence: str) -> None:
    raise Refused(400, {name: [sentence]})


@contextlib.contextmanager
def sentry_api() -> Generator[FakeSentryApi]:
    """Run one."""
    fake = FakeSentryApi()

    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            links = ""
            try:
                parsed = json.loads(body) if body else None
                status, found, links = fake.answer(self.command, self.path, self.headers["authorization"], parsed)
            except Refused as refused:
                status, found = refused.status, refused.body
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Link", links)
            if status == 302:
                self.send_header("Location", f"{fake.url}/elsewhere")
            self.end_headers()
            self.wfile.write(json.dumps(found).encode())

        do_GET = do_POST = do_PUT = _any  # noqa: N815 - http.server's names

        def log_message(self, *_args: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join(5)
