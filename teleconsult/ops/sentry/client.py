"""The few questions and orders we have for Sentry's API. Standard library only: nothing else here speaks plain HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

from teleconsult.ops.faults import Fault
from teleconsult.settings import Settings

SECONDS = 20
SCOPES = "alerts:write and project:read"
NEXT = re.compile(r'rel="next"; results="true"; cursor="([^"]+)"')
"""Sentry's Link header, which says on every page whether there is another."""


class _NoRedirects(HTTPRedirectHandler):
    """A token goes to the address in the settings and to no other."""

    def redirect_request(self, *_args: object, **_more: object) -> None:
        """Never."""


class SentryApi:
    """One organisation at one Sentry."""

    def __init__(self, settings: Settings) -> None:
        self.base = f"{settings.sentry_url}/api/0"
        self.org, self.project = settings.sentry_org, settings.sentry_project
        self._token = settings.sentry_auth_token.get_secret_value()
        self._open = build_opener(_NoRedirects).open

    def project_id(self) -> str:
        """The number behind the project's short name."""
        return str(self._ask("GET", f"/projects/{quote(self.org)}/{quote(self.project)}/")[0]["id"])

    def issue_stream(self, project_id: str) -> str:
        """The id of the detector that stands for all issues of a project, cron monitors' included.

        Raises:
            Fault: this Sentry has none, because it is older than its API of monitors and alerts.
        """
        rows = self._all("/detectors/", {"project": project_id, "query": "type:issue_stream"})
        found = next((row for row in rows if str(row["projectId"]) == project_id), None)
        if found is None:
            raise Fault("This Sentry has no monitors-and-alerts API yet: update it, or make the alerts by hand.")
        return str(found["id"])

    def alerts(self) -> list[dict[str, Any]]:
        """Every alert of the organisation."""
        return self._all("/workflows/", {})

    def create(self, alert: Mapping[str, Any]) -> str:
        """Make an alert. Returns its id."""
        return str(self._ask("POST", self._of_org("/workflows/"), alert)[0]["id"])

    def replace(self, alert: Mapping[str, Any]) -> None:
        """Overwrite an alert with this one of the same id."""
        self._ask("PUT", self._of_org(f"/workflows/{quote(str(alert['id']))}/"), alert)

    def _of_org(self, path: str) -> str:
        return f"/organizations/{quote(self.org)}{path}"

    def _all(self, path: str, query: dict[str, str]) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = {**query, "per_page": "100", **({"cursor": cursor} if cursor else {})}
            found, links = self._ask("GET", f"{self._of_org(path)}?{urlencode(page)}")
            rows += found
            following = NEXT.search(links)
            if following is None:
                return rows
            cursor = following.group(1)

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> tuple[Any, str]:
        """One request: the answer, and its Link header.

        Raises:
            Fault: with a sentence, whatever went wrong. Sentry's own words are kept to one line.
        """
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        request = Request(self.base + path, data, headers, method=method)  # noqa: S310 - the settings allow only https
        try:
            with self._open(request, timeout=SECONDS) as answer:
                return json.load(answer), answer.headers.get("Link", "")
        except HTTPError as error:
            raise Fault(self._refused(error)) from None
        except (URLError, TimeoutError, ConnectionError) as error:
            raise Fault(f"SENTRY_URL: {self.base} doesn’t answer ({type(error).__name__}).") from None
        except ValueError:
            raise Fault(f"SENTRY_URL: {self.base} doesn’t answer as Sentry does.") from None

    def _refused(self, error: HTTPError) -> str:
        if error.code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            return f"Sentry doesn’t accept SENTRY_AUTH_TOKEN: it needs the scopes {SCOPES}."
        if error.code == HTTPStatus.NOT_FOUND:
            return f"Sentry shows this token no project {self.project!r} of an organisation {self.org!r}."
        if error.code == HTTPStatus.TOO_MANY_REQUESTS:
            return "Sentry asks us to slow down. Run the command again in a minute: what is done stays done."
        words = " ".join(error.read(400).decode("utf-8", "replace").split())
        return f"Sentry answered {error.code}: {words}"
