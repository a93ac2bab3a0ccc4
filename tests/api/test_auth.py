import httpx
import pytest
from sqlmodel import select

from teleconsult.accounts import passwords, service, sessions
from teleconsult.accounts.models import Role, User, UserSession
from teleconsult.api.gate import Gate
from teleconsult.db import transaction
from teleconsult.errors import Unavailable
from tests.api.browser import FROM_OUR_PAGES, PASSWORD, URL, Browser
from tests.support import fresh_settings


def account(role: Role) -> None:
    with transaction() as tx:
        tx.add(User(email="staff@example.com", password_hash=passwords.hash_password(PASSWORD), role=role))


def open_sessions() -> int:
    with transaction() as tx:
        return len(tx.exec(select(UserSession)).all())


def sign_in(browser: Browser, email: str = "jane@example.com", **fields: str) -> httpx.Response:
    return browser.post("/api/auth/sign-in", data={"email": email, "password": PASSWORD, **fields})


def test_signing_up_by_form_leads_to_the_list_with_a_session(stranger: Browser) -> None:
    answer = stranger.sign_up()
    assert (answer.status_code, answer.headers["location"]) == (303, "/consultations")
    assert sessions.lookup(stranger.cookies["session"]).email == "jane@example.com"
    assert stranger.get("/consultations").status_code == 200


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(stranger: Browser) -> None:
    cookie = stranger.sign_up().headers["set-cookie"]
    parts = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert parts == {"httponly", "samesite=lax", "path=/", f"max-age={12 * 3600}"}


def test_with_https_the_cookie_is_bound_to_host_and_https(gated: Gate) -> None:
    fresh_settings(PUBLIC_URL="https://clinic.example")
    secure = Browser(type(gated)(gated.inner), "https://clinic.example")
    headers = {"Origin": "https://clinic.example"}
    form = {"email": "jane@example.com", "password": PASSWORD, "adult": "on"}
    answer = secure.post("/api/auth/sign-up", data=form, headers=headers)
    assert answer.headers["set-cookie"].startswith("__Host-session=")
    assert "; Secure" in answer.headers["set-cookie"]
    assert answer.headers["strict-transport-security"].startswith("max-age=")


def test_a_role_in_the_form_is_ignored(stranger: Browser) -> None:
    stranger.sign_up(role="dermatologist", is_admin="1", id="1")
    assert sessions.lookup(stranger.cookies["session"]).role is Role.PATIENT


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"email": "nonsense"}, "email"),
        ({"password": "short"}, "password_short"),
        ({"password": "password1234"}, "password_common"),
        ({"adult": ""}, "adult"),
        ({"adult": "no"}, "adult"),
    ],
)
def test_a_refused_sign_up_goes_back_with_a_word_and_the_way(
    stranger: Browser, fields: dict[str, str], problem: str
) -> None:
    answer = stranger.sign_up(**fields, next="/consultations/new/skin")
    expected = f"/sign-up?problem={problem}&next=/consultations/new/skin"
    assert (answer.status_code, answer.headers["location"]) == (303, expected)
    assert "set-cookie" not in answer.headers


def test_an_address_in_use_is_said_so_without_repeating_it(stranger: Browser, gated: Gate) -> None:
    stranger.sign_up()
    answer = Browser(gated).sign_up()
    assert answer.headers["location"] == "/sign-up?problem=taken"


def test_a_wrong_password_goes_back_without_the_address(stranger: Browser) -> None:
    stranger.sign_up()
    answer = sign_in(Browser(stranger.app), password="not the password", next="/consultations")
    assert answer.headers["location"] == "/sign-in?problem=mismatch&next=/consultations"
    assert "jane" not in str(answer.headers)


@pytest.mark.parametrize(
    ("role", "page"), [("patient", "/consultations"), ("dermatologist", "/clinic"), ("operator", "/operations")]
)
def test_everybody_lands_on_their_own_page(stranger: Browser, role: str, page: str) -> None:
    account(Role(role))
    assert sign_in(stranger, "staff@example.com").headers["location"] == page
    assert stranger.get(page).status_code == 200


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "/%2f/evil.example"])
def test_no_way_leads_to_another_site(stranger: Browser, target: object) -> None:
    assert stranger.sign_up(next=target).headers["location"] == "/consultations"


def test_signing_in_as_json_answers_json(stranger: Browser) -> None:
    stranger.sign_up()
    other = Browser(stranger.app)
    answer = other.post("/api/auth/sign-in", json={"email": "jane@example.com", "password": PASSWORD})
    assert (answer.status_code, answer.json()) == (200, {"next": "/consultations", "role": "patient", "name": ""})
    assert sessions.lookup(other.cookies["session"]) is not None


def test_refusals_as_json_carry_status_code_and_field(stranger: Browser) -> None:
    wrong = stranger.post("/api/auth/sign-in", json={"email": "jane@example.com", "password": "not right at all"})
    assert wrong.status_code == 401
    assert wrong.json()["problem"] == "mismatch"
    bad = stranger.post("/api/auth/sign-up", json={"email": "jane@example.com", "password": PASSWORD, "adult": False})
    assert bad.status_code == 422
    assert set(bad.json()["fields"]) == {"adult"}
    assert wrong.headers["cache-control"] == bad.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b'"x"', b"[" * 100_000, b"\xff", b"NaN"])
def test_a_body_that_is_no_object_is_a_bad_request(stranger: Browser, body: bytes) -> None:
    headers = {**FROM_OUR_PAGES, "Content-Type": "application/json"}
    assert stranger.post("/api/auth/sign-in", content=body, headers=headers).status_code == 400


@pytest.mark.parametrize("value", [None, 5, ["jane@example.com"], {"$ne": ""}, 1e400])
def test_fields_of_another_type_are_as_absent(stranger: Browser, value: object) -> None:
    body = {"email": value, "password": value}
    if value == 1e400:
        body = {"email": 10**400, "password": 10**400}
    assert stranger.post("/api/auth/sign-in", json=body).status_code == 401


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", ""])
def test_another_kind_of_body_is_not_read(stranger: Browser, kind: str) -> None:
    headers = {**FROM_OUR_PAGES, "Content-Type": kind}
    assert stranger.post("/api/auth/sign-in", content=b"email=a", headers=headers).status_code == 415


def test_a_form_with_files_or_a_thousand_fields_is_refused(stranger: Browser) -> None:
    files = {"email": ("x.txt", b"jane@example.com")}
    assert stranger.post("/api/auth/sign-in", files=files).status_code == 400
    many = {f"f{n}": "x" for n in range(1000)}
    assert stranger.post("/api/auth/sign-in", data=many).status_code in (303, 400)


def test_a_planted_session_id_is_worth_nothing_after_signing_in(stranger: Browser) -> None:
    planted = "A" * 43
    stranger.cookies["session"] = planted
    stranger.sign_up()
    assert stranger.cookies["session"] != planted
    assert sessions.lookup(planted) is None


def test_signing_in_again_ends_the_session_before(stranger: Browser) -> None:
    stranger.sign_up()
    before = stranger.cookies["session"]
    sign_in(stranger)
    assert sessions.lookup(before) is None
    assert sessions.lookup(stranger.cookies["session"]) is not None
    assert open_sessions() == 1


def test_signing_out_ends_the_session_and_forgets_what_was_stored(stranger: Browser) -> None:
    stranger.sign_up()
    token = stranger.cookies["session"]
    answer = stranger.post("/api/auth/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert answer.headers["clear-site-data"] == '"storage"'
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert sessions.lookup(token) is None
    assert open_sessions() == 0
    assert stranger.get("/consultations").status_code == 303


def test_signing_out_as_json_and_as_a_stranger_is_fine(stranger: Browser) -> None:
    assert stranger.post("/api/auth/sign-out", json={}).json() == {}


def test_too_many_tries_have_their_own_word(stranger: Browser) -> None:
    stranger.sign_up()
    other = Browser(stranger.app)
    answers = [sign_in(other, password=f"not right {n}").headers["location"] for n in range(11)]
    assert answers[:10] == ["/sign-in?problem=mismatch"] * 10
    assert answers[10] == "/sign-in?problem=too_many"


def test_a_crowd_at_the_door_is_asked_to_wait(stranger: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: str, **_more: str) -> None:
        raise Unavailable("Many people are signing in right now.", problem="busy")

    monkeypatch.setattr(service, "sign_in", full)
    assert sign_in(stranger).headers["location"] == "/sign-in?problem=busy"
    answer = stranger.post("/api/auth/sign-in", json={"email": "a", "password": "b"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")


def test_the_network_address_behind_our_proxy_counts_and_no_claim_before_it(
    stranger: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    monkeypatch.setattr(service.throttle, "before_sign_in", lambda _email, address: seen.append(address))
    claim = {**FROM_OUR_PAGES, "X-Forwarded-For": "10.9.9.9, 203.0.113.7"}
    body = {"email": "jane@example.com", "password": "x"}
    stranger.post("/api/auth/sign-in", json=body, headers=claim, peer="192.0.2.1")
    fresh_settings(TRUSTED_PROXY_HOPS="1")
    stranger.post("/api/auth/sign-in", json=body, headers=claim, peer="192.0.2.1")
    stranger.post("/api/auth/sign-in", json=body, peer="192.0.2.1")
    assert seen == ["192.0.2.1", "203.0.113.7", "192.0.2.1"]


@pytest.mark.parametrize("route", ["sign-in", "sign-up", "sign-out"])
def test_only_post_and_only_from_our_own_pages(stranger: Browser, route: str) -> None:
    assert stranger.get(f"/api/auth/{route}").status_code == 405
    for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": URL, "Sec-Fetch-Site": "cross-site"}):
        assert stranger.post(f"/api/auth/{route}", data={"email": "a"}, headers=headers).status_code == 403
