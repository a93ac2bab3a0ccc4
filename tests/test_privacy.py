"""Nothing of a patient leaves in error reports or logs, and what does leave is still of use.

Errors are raised with canaries wherever data hides: locals, texts, SQL parameters, bodies, headers, breadcrumbs.
"""

import ast
import asyncio
import json
import logging
import re
import threading
from collections.abc import Callable, Generator

import pytest
import sentry_sdk
import structlog
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from teleconsult import privacy
from teleconsult.api.app import create_api
from teleconsult.api.gate import Gate
from teleconsult.db import transaction
from teleconsult.errors import NotFound
from teleconsult.privacy import harmless
from tests.api.browser import FROM_OUR_PAGES, Browser
from tests.sentry_process import FakeSentry, fake_sentry
from tests.support import ROOT

CANARIES = {
    "note": "itching-canary since March",
    "email": "canary-jane@example.com",
    "password": "canary-three-herons",
    "cookie": "canarycookie0123456789abcdefghijklmnopqrstu",
    "sql": "canary-sql-parameter",
    "text": "raised-canary text of an exception",
    "local": "sk_live_canarylocal",
    "query": "canaryquery",
    "file": "canary-rash-photo.jpg",
}


@pytest.fixture
def sentry() -> Generator[FakeSentry]:
    with fake_sentry() as fake:
        privacy.init_sentry(fake.dsn, environment="test", release="teleconsult@1.2.3")
        yield fake


def nothing_leaked(received: str) -> None:
    found = {name for name, canary in CANARIES.items() if canary in received or canary.split(" ")[0] in received}
    assert found == set()


def in_a_local() -> None:
    stripe_api_key = CANARIES["local"]
    answers = {"notes": CANARIES["note"], "email": CANARIES["email"], "password": CANARIES["password"]}
    raise ValueError(f"{CANARIES['text']} {answers} {stripe_api_key}")


def in_the_database() -> None:
    with transaction() as tx:
        tx.execute(text("select :value::uuid").bindparams(value=CANARIES["sql"]))


def in_a_chain() -> None:
    try:
        in_a_local()
    except ValueError as error:
        raise RuntimeError(CANARIES["note"]) from error


def in_a_group() -> None:
    raise ExceptionGroup(CANARIES["text"], [ValueError(CANARIES["note"]), KeyError(CANARIES["email"])])


def in_a_name() -> None:
    raise type(CANARIES["note"], (Exception,), {})


def with_a_note() -> None:
    error = ValueError("x")
    error.add_note(CANARIES["note"])
    raise error


FAILURES = [in_a_local, in_the_database, in_a_chain, in_a_group, in_a_name, with_a_note]


def reported(fail: Callable[[], None], **tags: object) -> None:
    sentry_sdk.add_breadcrumb(message=CANARIES["note"], data={"sql": CANARIES["sql"]})
    sentry_sdk.set_user({"email": CANARIES["email"]})
    sentry_sdk.set_context("form", {"notes": CANARIES["note"]})
    sentry_sdk.set_extra("file", CANARIES["file"])
    sentry_sdk.set_tag("patient", CANARIES["email"])
    logging.getLogger("anything").error("failed for %s", CANARIES["email"])
    try:
        fail()
    except BaseException as error:  # noqa: BLE001 - whatever it is
        privacy.capture(error, **tags)


# Sentry


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("fail", FAILURES)
def test_a_report_says_what_and_where_and_nothing_a_person_wrote(sentry: FakeSentry, fail: Callable[[], None]) -> None:
    reported(
        fail, consultation_id="0d6f7c1e-4a47-4d1c-9a5f-7f0a6f0a1b2c", note=CANARIES["note"], reason=CANARIES["note"]
    )
    events = sentry.events
    nothing_leaked(sentry.received)
    assert len(events) == 1
    event = events[0]
    assert (event["release"], event["environment"], event["level"]) == ("teleconsult@1.2.3", "test", "error")
    assert event["tags"] == {"consultation_id": "0d6f7c1e-4a47-4d1c-9a5f-7f0a6f0a1b2c", "reason": "[removed]"}
    frames = event["exception"]["values"][-1]["stacktrace"]["frames"]
    assert any(frame["function"] == fail.__name__ and frame["lineno"] > 0 for frame in frames)
    assert {key for frame in frames for key in frame} <= {"module", "function", "filename", "lineno", "in_app"}
    assert set(event) <= {
        "event_id", "timestamp", "platform", "level", "release", "environment", "tags", "exception", "fingerprint",
    }  # fmt: skip


def test_a_report_names_the_type_and_the_chain(sentry: FakeSentry) -> None:
    reported(in_a_chain)
    assert [value["type"] for value in sentry.events[0]["exception"]["values"]] == ["ValueError", "RuntimeError"]


def test_the_same_failures_leak_with_the_defaults_of_the_sdk() -> None:
    """The control: were these canaries planted badly, the tests above would prove nothing."""
    with fake_sentry() as fake:
        sentry_sdk.init(fake.dsn)
        reported(in_a_chain)
        assert len(fake.events) >= 1
        leaked = {name for name, canary in CANARIES.items() if canary in fake.received}
    assert {"note", "email", "password", "text", "local", "sql", "file"} <= leaked


async def broken(request: Request) -> JSONResponse:
    form = await request.json()
    raise RuntimeError(f"cannot save {form}")


def test_a_failing_route_reports_its_place_and_nothing_of_the_request(sentry: FakeSentry, database: str) -> None:
    del database
    api = create_api()
    api.router.routes.insert(0, Route("/api/broken", broken, methods=["POST"]))
    headers = {**FROM_OUR_PAGES, "Cookie": f"session={CANARIES['cookie']}", "X-Odd": CANARIES["password"]}
    body = {"notes": CANARIES["note"], "email": CANARIES["email"]}
    answer = Browser(Gate(api)).post(f"/api/broken?q={CANARIES['query']}", json=body, headers=headers)
    assert answer.status_code == 500
    events = sentry.events
    assert [event["tags"] for event in events] == [{"handler": "broken"}]
    nothing_leaked(sentry.received)


def test_the_same_route_leaks_with_the_defaults_of_the_sdk(database: str) -> None:
    del database
    with fake_sentry() as fake:
        sentry_sdk.init(fake.dsn, traces_sample_rate=1.0)
        app = Starlette(routes=[Route("/api/broken", broken, methods=["POST"])])
        body = {"notes": CANARIES["note"], "email": CANARIES["email"]}
        headers = {"Cookie": f"session={CANARIES['cookie']}", "X-Odd": CANARIES["password"]}
        with pytest.raises(RuntimeError):
            Browser(app).post(f"/api/broken?q={CANARIES['query']}", json=body, headers=headers)
        assert fake.events
        leaked = {name for name, canary in CANARIES.items() if canary in fake.received}
    assert {"note", "email", "cookie", "password", "query"} <= leaked


def test_a_thread_that_dies_is_reported(sentry: FakeSentry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _args: None)
    thread = threading.Thread(target=in_a_local)
    thread.start()
    thread.join()
    assert sentry.events[0]["exception"]["values"][0]["type"] == "ValueError"
    nothing_leaked(sentry.received)


def test_no_transactions_sessions_logs_or_metrics_are_sent(sentry: FakeSentry) -> None:
    with sentry_sdk.start_transaction(name=CANARIES["note"], op="http"):
        sentry_sdk.capture_message(CANARIES["note"])
    with sentry_sdk.isolation_scope() as scope:
        scope.start_session()
        scope.end_session()
    logging.getLogger("x").error(CANARIES["note"])
    events = sentry.events
    nothing_leaked(sentry.received)
    kinds = {json.loads(line)["type"] for body in sentry.raw for line in body.decode().split("\n")[1::2] if line}
    assert kinds == {"event"}
    assert [event["message"] for event in events] == ["[removed]"]


def test_a_check_in_says_which_job_and_how_it_went_and_no_more(sentry: FakeSentry) -> None:
    sentry_sdk.set_user({"email": CANARIES["email"]})
    sentry_sdk.set_context("form", {"notes": CANARIES["note"]})
    sentry_sdk.set_tag("patient", CANARIES["email"])
    with sentry_sdk.start_transaction(name=CANARIES["note"], op="job"):
        privacy.check_in("teleconsult-sweep", fine=True)
        privacy.check_in("teleconsult-worker", fine=False)
    sent = items(sentry, "check_in")
    nothing_leaked(sentry.received)
    assert [(item["monitor_slug"], item["status"]) for item in sent] == [
        ("teleconsult-sweep", "ok"), ("teleconsult-worker", "error"),
    ]  # fmt: skip
    assert {key for item in sent for key in item} == {
        "event_id", "type", "check_in_id", "monitor_slug", "status", "environment", "monitor_config",
    }  # fmt: skip
    assert len({item["check_in_id"] for item in sent}) == 2


@pytest.mark.parametrize("odd", [{"monitor_slug": CANARIES["file"]}, {"status": CANARIES["note"]}])
def test_a_check_in_of_an_unknown_job_never_leaves(sentry: FakeSentry, odd: dict[str, str]) -> None:
    sentry_sdk.capture_event({"type": "check_in", "monitor_slug": "teleconsult-sweep", "status": "ok", **odd})  # type: ignore[typeddict-item]
    assert items(sentry, "check_in") == []
    nothing_leaked(sentry.received)
    with pytest.raises(ValueError, match="no monitor"):
        privacy.check_in("nightly-backup", fine=True)


def items(sentry: FakeSentry, kind: str) -> list[dict[str, object]]:
    """What arrived of one kind."""
    assert sentry.events is not None  # flushes
    pairs = [pair for body in sentry.raw for pair in zip(*[iter(body.decode().split("\n")[1:])] * 2, strict=False)]
    return [json.loads(payload) for header, payload in pairs if json.loads(header)["type"] == kind]


def test_a_refusal_is_no_error(sentry: FakeSentry) -> None:
    privacy.capture(NotFound())
    sentry_sdk.capture_exception(NotFound())
    assert sentry.events == []


def test_missing_metadata_is_a_fatal_alert_grouped_by_its_event(sentry: FakeSentry) -> None:
    fingerprint = ("webhook", "evt_1")
    privacy.alert("webhook_metadata_missing", "fatal", fingerprint=fingerprint, event_id="evt_1")
    event = sentry.events[0]
    assert (event["level"], event["message"]) == ("fatal", "webhook_metadata_missing")
    assert event["fingerprint"] == ["webhook", "evt_1"]
    assert event["tags"] == {"code": "webhook_metadata_missing", "event_id": "evt_1"}


def test_an_alert_groups_by_what_it_may_not_say(sentry: FakeSentry) -> None:
    for _ in range(2):
        privacy.alert("stripe_refused", fingerprint=("stripe_refused", CANARIES["email"]), payment_id=CANARIES["email"])
    privacy.alert("stripe_refused", fingerprint=("stripe_refused", CANARIES["note"]), note=CANARIES["note"])
    first, second, third = sentry.events
    nothing_leaked(sentry.received)
    assert first["fingerprint"] == second["fingerprint"] != third["fingerprint"]
    assert first["tags"] == {"code": "stripe_refused", "payment_id": "[removed]"}


def test_without_an_address_nothing_is_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with fake_sentry() as fake:
        monkeypatch.setenv("SENTRY_DSN", fake.dsn)
        privacy.init_sentry("", environment="test", release="x")
        privacy.alert("unheard")
        assert fake.events == []


def test_a_sentry_that_is_gone_holds_nobody_up() -> None:
    privacy.init_sentry("http://key@127.0.0.1:1/1", environment="test", release="x")
    try:
        privacy.alert("nobody_listens")
        privacy.capture(ValueError())
    finally:
        sentry_sdk.get_client().close(timeout=1)
        sentry_sdk.get_global_scope().set_client(None)


# Logs


class Screen:
    """What was printed so far."""

    def __init__(self, captured: pytest.CaptureFixture[str]) -> None:
        self.captured, self.text = captured, ""

    def getvalue(self) -> str:
        self.text += self.captured.readouterr().out
        return self.text


@pytest.fixture
def screen(capsys: pytest.CaptureFixture[str]) -> Generator[Screen]:
    """Standard output, with logging put back afterwards."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield Screen(capsys)
    root.handlers, root.level = before
    structlog.reset_defaults()


def lines(out: Screen) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_our_lines_are_json_with_known_fields_only(screen: Screen) -> None:
    privacy.configure_logging(development=False)
    log = structlog.get_logger("teleconsult.test")
    log.info("webhook", event_id="evt_1", count=2, note=CANARIES["note"], reason=CANARIES["note"], user_id=None)
    line = lines(screen)[0]
    assert line.pop("timestamp")
    assert line == {
        "event": "webhook", "level": "info", "logger": "teleconsult.test", "event_id": "evt_1", "count": 2,
        "note": "[removed]", "reason": "[removed]", "user_id": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    "event", [CANARIES["note"], "saved for canary-jane@example.com", "a\nforged: line", "\x1b[31m"]
)
def test_a_sentence_is_no_event_and_forges_no_line(screen: Screen, event: str) -> None:
    privacy.configure_logging(development=False)
    structlog.get_logger("x").warning(event)
    assert [line["event"] for line in lines(screen)] == ["[removed]"]


def test_an_exception_is_logged_by_type_and_place(screen: Screen) -> None:
    privacy.configure_logging(development=False)
    reported(in_a_local)
    nothing_leaked(screen.getvalue())
    line = next(line for line in lines(screen) if line["event"] == "unexpected")
    assert line["error"] == "ValueError"
    assert "test_privacy.py:in_a_local:" in str(line["frames"])


def test_what_libraries_say_is_kept_as_a_place_in_their_source(screen: Screen) -> None:
    privacy.configure_logging(development=False)
    logging.getLogger("reflex.app").warning(f"Event data: {{'cookie': '{CANARIES['cookie']}'}}")  # noqa: G004 - as Reflex does
    logging.getLogger("other").warning("for %s", CANARIES["email"])
    try:
        in_a_local()
    except ValueError:
        logging.getLogger("sqlalchemy.pool").exception("failed with %s", CANARIES["sql"])
    nothing_leaked(screen.getvalue())
    assert [(line["event"], line["logger"]) for line in lines(screen)] == [
        ("library_message", "reflex.app"), ("library_message", "other"), ("library_message", "sqlalchemy.pool"),
    ]  # fmt: skip
    assert str(lines(screen)[0]["where"]).startswith("test_privacy:")
    assert lines(screen)[2]["error"] == "ValueError"


@pytest.mark.parametrize(
    "name", ["stripe", "httpx", "sqlalchemy.engine", "engineio.server", "socketio.server", "urllib3"]
)
def test_libraries_that_write_bodies_and_addresses_are_quiet_below_warning(screen: Screen, name: str) -> None:
    privacy.configure_logging(development=True)
    logging.getLogger(name).info(CANARIES["note"])
    logging.getLogger(name).debug(CANARIES["note"])
    assert screen.getvalue() == ""
    logging.getLogger(name).warning("but warnings are heard")
    assert "but warnings are heard" in screen.getvalue()


def in_development() -> None:
    secret_local = CANARIES["local"]
    try:
        {}[len(secret_local)]
    except KeyError as error:
        privacy.capture(error)


def test_in_development_lines_are_short_and_without_cookies_or_locals(screen: Screen) -> None:
    privacy.configure_logging(development=True)
    structlog.get_logger("x").info("webhook", event_id="evt_1", note=CANARIES["note"])
    said = f"payload={{'a': '{CANARIES['note']}'}}) [txid 'cookie': '{CANARIES['cookie']}'"
    logging.getLogger("reflex.app").warning(said)
    logging.getLogger("x").warning("GET /_event?token=canarytoken&EIO=4")
    in_development()
    shown = screen.getvalue()
    assert "evt_1" in shown
    assert "KeyError" in shown
    assert "Traceback" in shown
    nothing_leaked(shown)
    assert "canarytoken" not in shown


@pytest.mark.parametrize(
    "text_", ["jane@example.com", "my skin", "", "x" * 121, "'x'", "a\n", "é", "?q=1", None, b"x", {}]
)
def test_prose_and_contacts_are_not_harmless(text_: object) -> None:
    assert harmless.word(text_) == "[removed]"


@pytest.mark.parametrize(
    "text_", ["evt_1", "pi_3Q", "0d6f7c1e-4a47-4d1c-9a5f-7f0a6f0a1b2c", "/api/photos/{id}", "a.b:c", "ValueError"]
)
def test_identifiers_are(text_: str) -> None:
    assert harmless.word(text_) == text_


def log_calls() -> Generator[tuple[str, ast.Call]]:
    """Every line we log and every report we make, in the whole source."""
    for source in sorted((ROOT / "teleconsult").rglob("*.py")):
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                spoken = ast.unparse(node.func)
                if re.fullmatch(r"log\.(debug|info|warning|error|critical)|privacy\.(alert|capture)", spoken):
                    yield f"{source.relative_to(ROOT)}:{node.lineno}", node


def test_every_field_we_log_is_one_that_arrives() -> None:
    calls = list(log_calls())
    assert len(calls) > 30
    known = harmless.KEYS | {"exc_info", "fingerprint", "level", None}
    assert [(place, word.arg) for place, call in calls for word in call.keywords if word.arg not in known] == []


def test_nothing_waits_for_the_loop(sentry: FakeSentry) -> None:
    async def handler() -> None:
        privacy.alert("from_a_handler", "warning")

    asyncio.run(handler())
    assert sentry.events[0]["level"] == "warning"
