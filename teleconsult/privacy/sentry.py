"""Error reports to Sentry: exception type, stack without values, release, a code and opaque ids. Nothing else.

With its defaults the SDK sends local variables, request bodies, cookies, SQL parameters, log lines and the texts of
exceptions. So all collecting is off, and `before_send` builds every event anew from the parts that are allowed.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, cast

import sentry_sdk
import structlog
from sentry_sdk.envelope import Envelope
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.excepthook import ExcepthookIntegration
from sentry_sdk.integrations.threading import ThreadingIntegration
from sentry_sdk.transport import HttpTransport
from sentry_sdk.types import Event, Hint

from teleconsult.errors import Refusal
from teleconsult.privacy import harmless

LEVELS = ("fatal", "error", "warning", "info")
PLAIN = ("event_id", "timestamp", "platform", "level", "release", "environment")
FRAME = ("module", "function", "filename", "lineno", "in_app")
MECHANISM = ("type", "handled")

log = structlog.get_logger("teleconsult.alert")


class Monitor(NamedTuple):
    """A recurring job that Sentry waits for.

    Sentry makes the monitor from the first check-in, and raises an issue tagged with the slug when one stays away or
    says that it failed.
    """

    crontab: str
    """In UTC, as the job itself is scheduled."""
    margin_minutes: int
    """How late a check-in may be."""


MONITORS = {
    "teleconsult-sweep": Monitor("*/10 * * * *", 8),
    "teleconsult-worker": Monitor("*/10 * * * *", 8),
}
"""Every check-in there is. Slugs and schedules are constants: a check-in says which job, how it went, and no more."""

CHECK_IN_STATES = ("ok", "error")


class Scrubbed(HttpTransport):
    """Sends what `before_send` has rebuilt and nothing else: sessions, transactions and the like never pass it."""

    def capture_envelope(self, envelope: Envelope) -> None:
        """Queue an envelope that holds nothing but events and check-ins."""
        envelope.headers.pop("trace", None)  # names the running transaction
        if all(item.type in ("event", "check_in") for item in envelope.items):
            super().capture_envelope(envelope)


def init_sentry(dsn: str, *, environment: str, release: str) -> None:
    """Start reporting. With an empty DSN nothing is set up and nothing is ever sent."""
    if not dsn:
        return
    sentry_sdk.init(
        dsn=dsn,
        environment=environment,
        release=release,
        server_name="",
        transport=Scrubbed,
        before_send=_rebuilt,
        before_send_transaction=lambda _event, _hint: None,
        before_breadcrumb=lambda _crumb, _hint: None,
        default_integrations=False,
        auto_enabling_integrations=False,
        # Uncaught errors of threads and commands; routes and handlers hand theirs to `capture`.
        integrations=[
            AtexitIntegration(callback=lambda _pending, _timeout: None),
            DedupeIntegration(),
            ExcepthookIntegration(),
            ThreadingIntegration(propagate_scope=False),
        ],
        in_app_include=["teleconsult"],
        include_local_variables=False,
        include_source_context=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        auto_session_tracking=False,
        send_client_reports=False,
        enable_logs=False,
        enable_metrics=False,
        propagate_traces=False,
        spotlight=False,
        shutdown_timeout=2,
    )


def capture(error: BaseException, **tags: object) -> None:
    """Report something unexpected, and log where it happened. Its text goes nowhere: it may quote a patient.

    A refusal is an answer, not an error: it is ignored. Tags are names and forms that `harmless` allows.
    """
    if isinstance(error, Refusal):
        return
    log.error("unexpected", exc_info=error, **tags)
    with sentry_sdk.new_scope() as scope:
        for name, raw in _tags(tags).items():
            scope.set_tag(name, raw)
        scope.capture_exception(error)


def alert(code: str, level: str = "error", *, fingerprint: Iterable[object] = (), **tags: object) -> None:
    """Tell people about a state of affairs that is no exception, for example `webhook_metadata_missing`.

    Args:
        code: a constant word; it becomes the title of the report.
        level: fatal, error, warning or info.
        fingerprint: what makes two alerts the same. Parts that aren't plain words are sent as digests.
        tags: opaque ids, for example `event_id`, `payment_id`.
    """
    level = level if level in LEVELS else "error"
    getattr(log, {"fatal": "critical"}.get(level, level))(code, **tags)
    event = {
        "level": level,
        "message": code,
        "fingerprint": [harmless.fingerprint(part) for part in fingerprint] or [code],
        "tags": {**_tags(tags), "code": code},
    }
    sentry_sdk.capture_event(cast("Event", event))


def check_in(slug: str, *, fine: bool) -> None:
    """Tell Sentry that a recurring job has run. When the next one stays away, Sentry says so: silence is an alarm.

    Args:
        slug: a key of `MONITORS`.
        fine: whether it did what it is there for.
    """
    if slug not in MONITORS:
        raise ValueError(f"There is no monitor {slug!r}.")
    environment = sentry_sdk.get_client().options.get("environment")
    status = "ok" if fine else "error"
    sentry_sdk.capture_event({"type": "check_in", "monitor_slug": slug, "status": status, "environment": environment})


def _rebuilt(event: Event, hint: Hint) -> Event | None:
    """The event made anew from its allowed parts."""
    if event.get("type") == "check_in":
        return cast("Event", _check_in(event))
    raised = (hint.get("exc_info") or (None, None, None))[1]
    if isinstance(raised, Refusal):
        return None
    clean: dict[str, Any] = {name: event[name] for name in PLAIN if name in event}
    tags = _tags(_mapping(event.get("tags")))
    clean["tags"] = tags
    if event.get("fingerprint"):
        clean["fingerprint"] = [harmless.fingerprint(part) for part in event["fingerprint"]]
    if stacks := _items(event.get("exception")):
        clean["exception"] = {"values": [_exception(raw) for raw in stacks]}
    else:
        clean["message"] = tags.get("code", harmless.REMOVED)
    return cast("Event", clean)


def _check_in(event: Event) -> dict[str, Any] | None:
    """A check-in made anew: which job, how it went, and when the next is due. What a scope put there is gone."""
    slug, status = str(event.get("monitor_slug")), event.get("status")
    if slug not in MONITORS or status not in CHECK_IN_STATES:
        return None
    return {
        "event_id": event["event_id"],
        "type": "check_in",
        "check_in_id": uuid.uuid4().hex,
        "monitor_slug": slug,
        "status": status,
        "environment": harmless.word(event.get("environment")),
        "monitor_config": {
            "schedule": {"type": "crontab", "value": MONITORS[slug].crontab},
            "checkin_margin": MONITORS[slug].margin_minutes,
            "timezone": "UTC",
            "failure_issue_threshold": 1,
            "recovery_threshold": 1,
        },
    }


def _exception(raw: Mapping[str, Any]) -> dict[str, Any]:
    frames = _items(raw.get("stacktrace"), "frames")
    mechanism = _mapping(raw.get("mechanism"))
    return {
        "type": harmless.word(raw.get("type")),
        "module": harmless.word(raw.get("module") or "builtins"),
        "mechanism": {name: harmless.value(mechanism[name]) for name in MECHANISM if name in mechanism},
        "stacktrace": {"frames": [{k: harmless.value(f[k]) for k in FRAME if k in f} for f in frames]},
    }


def _tags(tags: Mapping[str, object]) -> dict[str, Any]:
    return {name: harmless.value(raw) for name, raw in tags.items() if name in harmless.KEYS}


def _items(container: object, name: str = "values") -> list[Mapping[str, Any]]:
    found = _mapping(container).get(name) or []
    return [item for item in found if isinstance(item, Mapping)]


def _mapping(raw: object) -> Mapping[str, Any]:
    return raw if isinstance(raw, Mapping) else {}
