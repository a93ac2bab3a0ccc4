import asyncio
import base64
import hashlib
import re
import time
from urllib.parse import unquote_to_bytes

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from teleconsult.accounts.models import Role
from teleconsult.api import gate, limits
from teleconsult.api.app import create_api
from teleconsult.api.gate import Gate
from tests.api.browser import FROM_OUR_PAGES, URL, Browser, endless
from tests.api.test_auth import account, sign_in

EVIL = ["https://evil.example", "null", "http://localhost:8001", "https://localhost:8000", f"{URL}.evil.example", ""]


# Hosts, methods, paths


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost", "localhost:8001", "127.0.0.1:8000", "localhost:8000.evil"]
)
def test_another_host_name_gets_no_page(gated: Gate, host: str) -> None:
    answer = Browser(gated).get("/", headers={"Host": host})
    assert answer.status_code == 400
    assert answer.text == f"This site answers at {URL} only.\n"


@pytest.mark.parametrize("header", ["X-Forwarded-Host", "Forwarded", "X-Host", "X-Original-URL"])
def test_headers_that_claim_another_host_change_nothing(stranger: Browser, header: str) -> None:
    answer = stranger.get("/sign-in", headers={header: "host=evil.example"})
    assert answer.status_code == 200
    assert "evil" not in str(answer.headers) + answer.text


@pytest.mark.parametrize("method", ["PUT", "PATCH", "TRACE", "OPTIONS", "CONNECT", "PROPFIND", "x"])
@pytest.mark.parametrize("path", ["/", "/api/auth/sign-in", "/api/billing/webhook"])
def test_other_methods_are_not_allowed(stranger: Browser, method: str, path: str) -> None:
    answer = stranger.request(method, path)
    assert answer.status_code == 405
    assert "TRACE" not in answer.headers["allow"]


@pytest.mark.parametrize(
    "path",
    [
        "/_upload", "/_upload/x.jpg", "/_health", "/_all_routes", "/_event", "/_event/?EIO=4&transport=polling",
        "/ping",
        "/ping/", "/auth-codespace", "/.env", "/.git/config", "/.states/x.pkl", "/data.db", "/backup",
        "/uploaded_files",
        "/openapi.json", "/env.json", "/api/x.jpg", "/api", "/api/", "/rxconfig.py",
    ],
)  # fmt: skip
def test_there_is_nothing_behind_these(stranger: Browser, path: str) -> None:
    for answer in (stranger.get(path), stranger.post(path)):
        assert answer.status_code in (404, 405)


@pytest.mark.parametrize(
    "raw", [b"//evil.example/x", b"/%2e%2e/x", b"/a/../_upload", b"/a/%2e%2e/_upload", b"/./_upload", b"/%5f%75pload",
            b"/_%75pload", b"/a%00b", b"/a%0d%0ab", b"/a\\b", b"/%252e%252e/x", b"//_upload", b"/api//auth/sign-in"]
)  # fmt: skip
def test_paths_that_mean_different_things_to_different_layers_are_refused(gated: Gate, raw: bytes) -> None:
    status = asyncio.run(raw_get(gated, unquote_to_bytes(raw).decode("latin-1"), raw))
    assert status == 404


async def raw_get(app: ASGIApp, path: str, raw: bytes) -> int:
    """A GET that no client library has tidied up."""
    sent = []
    scope = {
        "type": "http", "method": "GET", "path": path, "raw_path": raw, "query_string": b"", "scheme": "http",
        "headers": [(b"host", b"localhost:8000")], "client": ("127.0.0.1", 1), "server": ("localhost", 8000),
        "root_path": "", "http_version": "1.1", "asgi": {"version": "3.0"},
    }  # fmt: skip

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"]


def test_a_page_is_served_in_place_and_never_by_a_redirect_to_the_host_header(stranger: Browser) -> None:
    for path in ("/sign-in", "/sign-in/", "/help"):
        answer = stranger.get(path)
        assert answer.status_code == 200
        assert "location" not in answer.headers


# Origin


@pytest.mark.parametrize("origin", EVIL)
@pytest.mark.parametrize("path", ["/api/billing/checkout", "/api/billing/portal", "/api/auth/sign-out", "/api/photos"])
def test_what_changes_something_comes_from_our_own_pages(stranger: Browser, origin: str, path: str) -> None:
    stranger.sign_up()
    for kind in ("application/json", "text/plain", "multipart/form-data", "application/x-www-form-urlencoded"):
        headers = {"Origin": origin, "Content-Type": kind}
        assert stranger.post(path, content=b"{}", headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("headers", "fine"),
    [
        ({"Origin": URL}, True),
        ({"Origin": URL, "Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({}, False),
        ({"Origin": URL, "Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": URL, "Sec-Fetch-Site": "cross-site"}, False),
        ({"Origin": URL, "Sec-Fetch-Site": ""}, False),
        ({"Referer": f"{URL}/"}, False),
    ],
)
def test_either_sign_of_our_own_pages_will_do_and_silence_will_not(
    stranger: Browser, headers: dict[str, str], fine: bool
) -> None:
    answer = stranger.post("/api/auth/sign-out", json={}, headers=headers)
    assert answer.status_code == (200 if fine else 403)


def test_the_webhook_alone_is_exempt(stranger: Browser) -> None:
    assert {"/api/billing/webhook"} == gate.CSRF_EXEMPT
    answer = stranger.post("/api/billing/webhook", content=b"{}", headers={"Origin": "https://evil.example"})
    assert answer.status_code in (400, 503)


def test_nobody_else_may_read_our_answers(stranger: Browser) -> None:
    answer = stranger.get("/", headers={"Origin": "https://evil.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]


# Bodies


@pytest.mark.parametrize(
    ("path", "cap"), [("/api/billing/webhook", 256 * 1024), ("/api/auth/sign-in", 128 * 1024), ("/nowhere", 128 * 1024)]
)
@pytest.mark.usefixtures("gated")
def test_an_announced_body_over_the_cap_is_not_read(path: str, cap: int) -> None:
    read = []

    async def watched(scope: Scope, receive: Receive, send: Send) -> None:
        read.append(scope["path"])
        await PlainTextResponse("ok")(scope, receive, send)

    guarded = Browser(Gate(watched))
    headers = {**FROM_OUR_PAGES, "Content-Type": "application/json"}
    assert guarded.post(path, content=b"x" * (cap + 1), headers=headers).status_code == 413
    assert read == []
    assert guarded.post(path, content=b"x" * cap, headers=headers).status_code == 200


@pytest.mark.parametrize("length", ["10737418240", "-1", "abc", "1e9", "9" * 30])
def test_an_absurd_length_is_refused(gated: Gate, length: str) -> None:
    headers = {**FROM_OUR_PAGES, "Content-Length": length}
    assert Browser(gated).post("/api/auth/sign-in", content=endless(), headers=headers).status_code == 413


@pytest.mark.parametrize("path", ["/api/auth/sign-in", "/api/billing/webhook", "/api/photos"])
def test_an_endless_body_is_cut_at_the_cap(gated: Gate, path: str) -> None:
    """ASGITransport reads a request whole, so the body is fed by hand."""
    counted = 0

    async def run() -> int:
        nonlocal counted
        sent = []

        async def receive() -> Message:
            nonlocal counted
            counted += 64 * 1024
            return {"type": "http.request", "body": b"x" * 64 * 1024, "more_body": True}

        async def send(message: Message) -> None:
            sent.append(message)

        await gated(streaming(path), receive, send)
        return sent[0]["status"]

    status = asyncio.run(run())
    assert status in (401, 404, 413)
    assert counted <= limits.ALLOWANCES.get(path, limits.ORDINARY).size + 2 * 64 * 1024


def streaming(path: str) -> dict:
    headers = [
        (b"host", b"localhost:8000"), (b"origin", URL.encode()), (b"content-type", b"application/json"),
        (b"transfer-encoding", b"chunked"),
    ]  # fmt: skip
    return {
        "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"",
        "scheme": "http", "headers": headers, "client": ("127.0.0.1", 1), "server": ("localhost", 8000),
        "root_path": "", "http_version": "1.1", "asgi": {"version": "3.0"},
    }  # fmt: skip


def test_a_dripping_body_is_given_up(gated: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ORDINARY", limits.Allowance(1024, 0.3))
    sent = []

    async def receive() -> Message:
        await asyncio.sleep(0.05)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    start = time.monotonic()
    asyncio.run(gated(streaming("/api/auth/sign-in"), receive, send))
    assert sent[0]["status"] == 408
    assert time.monotonic() - start < 2


# Pages


@pytest.mark.parametrize(
    ("path", "to"),
    [
        ("/consultations", "/sign-in?next=/consultations"),
        ("/consultations/", "/sign-in?next=/consultations/"),
        ("/consultations/3f/review", "/sign-in?next=/consultations/3f/review"),
        ("/consultations?payment=success", "/sign-in?next=/consultations%3Fpayment%3Dsuccess"),
        ("/consultations/new", "/sign-up?next=/consultations/new"),
        ("/consultations/new/skin", "/sign-up?next=/consultations/new/skin"),
        ("/clinic", "/sign-in?next=/clinic"),
        ("/clinic/3f", "/sign-in?next=/clinic/3f"),
        ("/operations", "/sign-in?next=/operations"),
        ("/operations/payments?ref=TC-7Q4M", "/sign-in?next=/operations/payments%3Fref%3DTC-7Q4M"),
        ("/settings", "/sign-in?next=/settings"),
        ("/settings/x.css", "/sign-in?next=/settings/x.css"),
    ],
)
def test_a_stranger_is_asked_to_sign_in_and_comes_back(stranger: Browser, path: str, to: str) -> None:
    answer = stranger.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, to)
    assert answer.headers["cache-control"] == "private, no-store"
    assert stranger.request("HEAD", path).status_code == 303


@pytest.mark.parametrize("path", ["/", "/help", "/sign-in", "/sign-up", "/icons.svg", "/consultationsx", "/clinical"])
def test_everything_else_is_open(stranger: Browser, path: str) -> None:
    assert stranger.get(path).status_code in (200, 404)


@pytest.mark.parametrize(
    ("role", "path", "to"),
    [
        ("patient", "/clinic", "/consultations"),
        ("patient", "/clinic/3f", "/consultations"),
        ("dermatologist", "/consultations", "/clinic"),
        ("dermatologist", "/consultations/3f", "/clinic"),
        ("operator", "/clinic", "/operations"),
        ("operator", "/consultations", "/operations"),
        ("patient", "/operations", "/consultations"),
        ("dermatologist", "/operations/payments", "/clinic"),
        ("patient", "/sign-in", "/consultations"),
        ("dermatologist", "/sign-up", "/clinic"),
    ],
)
def test_everybody_is_shown_to_their_own_pages(stranger: Browser, role: str, path: str, to: str) -> None:
    account(Role(role))
    sign_in(stranger, "staff@example.com")
    answer = stranger.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, to)
    assert stranger.get(to).status_code == 200


def test_a_made_up_or_ended_session_is_a_stranger(stranger: Browser) -> None:
    stranger.sign_up()
    token = stranger.cookies["session"]
    stranger.post("/api/auth/sign-out")
    for stolen in (token, "A" * 43, ""):
        assert stranger.get("/consultations", headers={"Cookie": f"session={stolen}"}).status_code == 303


# Headers


def test_every_answer_is_dressed(stranger: Browser) -> None:
    stranger.sign_up()
    answers = [
        stranger.get("/"), stranger.get("/consultations"), stranger.get("/nowhere"), stranger.get("/api/x"),
        stranger.get("/health/live"), stranger.get("/assets/a-1.js"), stranger.request("PUT", "/"),
        stranger.get("/", headers={"Host": "evil"}), stranger.post("/api/auth/sign-out", headers={}),
    ]  # fmt: skip
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert "geolocation=()" in answer.headers["permissions-policy"]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "strict-transport-security" not in answer.headers


def test_the_policy_of_pages_names_each_inline_script_and_no_eval(stranger: Browser) -> None:
    policy = stranger.get("/").headers["content-security-policy"]
    scripts = re.search(r"script-src ([^;]*)", policy)[1].split()
    expected = {f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}'" for text in (b"go()", b"lost()")}
    assert set(scripts) == {"'self'", *expected}
    assert "unsafe-eval" not in policy
    assert "http" not in policy


def test_a_page_that_is_still_fresh_keeps_its_own_policy(stranger: Browser) -> None:
    first = stranger.get("/")
    again = stranger.get("/", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    kept = {**first.headers, **again.headers}  # what a browser stores
    assert kept["content-security-policy"] == first.headers["content-security-policy"]


def test_what_is_no_page_may_do_nothing(stranger: Browser) -> None:
    for path in ("/icons.svg", "/health/live"):
        assert stranger.get(path).headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("/assets/a-1.js", "public, max-age=31536000, immutable"),
        ("/assets/gone.js", "no-cache"),
        ("/fonts/f.woff2", "public, max-age=604800"),
        ("/icons.svg", "public, max-age=0, stale-while-revalidate=604800"),
        ("/", "no-cache"),
        ("/consultations", "private, no-store"),
        ("/api/x", "private, no-store"),
    ],
)
def test_what_may_be_kept_and_by_whom(stranger: Browser, path: str, rule: str) -> None:
    stranger.sign_up()
    assert stranger.get(path).headers["cache-control"] == rule


@pytest.mark.usefixtures("gated")
def test_a_route_that_knows_better_keeps_its_own_headers() -> None:
    own = {
        "Cache-Control": "private, max-age=60",
        "Content-Security-Policy": "sandbox",
        "Referrer-Policy": "no-referrer",
    }
    api = create_api()
    api.router.routes.insert(0, Route("/api/own", lambda _request: PlainTextResponse("x", headers=own)))
    answer = Browser(Gate(api)).get("/api/own")
    assert {name: answer.headers[name] for name in own} == own


# Faults


@pytest.mark.usefixtures("gated")
def test_a_fault_of_ours_tells_the_client_nothing_and_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    reported = []
    monkeypatch.setattr(gate.privacy, "capture", lambda error, **tags: reported.append((error, tags)))

    def broken(_request: Request) -> None:
        raise ValueError("jane@example.com has a rash")

    api = create_api()
    api.router.routes.insert(0, Route("/api/broken", broken))
    answer = Browser(Gate(api)).get("/api/broken")
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "unexpected"
    assert "jane" not in answer.text
    assert [type(error) for error, _tags in reported] == [ValueError]


def test_cookies_of_other_software_on_the_host_are_no_trouble(stranger: Browser) -> None:
    stranger.sign_up()
    mixed = f'a="1; b=2; weird cookie; {{"x":1}}; session={stranger.cookies["session"]}; __utm=1'
    for cookie in (mixed, "session=;;;", "=;=", "\xff=1", "x" * 8000):
        answer = Browser(stranger.app).get("/consultations", headers=[(b"Cookie", cookie.encode("latin-1"))])
        assert answer.status_code in (200, 303)
