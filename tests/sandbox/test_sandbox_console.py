"""The control page: everything is there, every button does what it says, and a browser has nothing to complain of."""

from __future__ import annotations

import html
import os
import re
import shutil
from collections.abc import Generator
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.sandbox.conftest import SessionMaker
from tests.sandbox.process import Endpoint, Running

BOTH = ["card", "sepa_debit"]
CHROMIUM = os.environ.get("TELECONSULT_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-gpu"]
WIDTHS = [{"width": 1280, "height": 900}, {"width": 390, "height": 844}]


class Person:
    """Somebody with a browser without scripts, who presses buttons by what is written on them."""

    def __init__(self, base: str) -> None:
        self.http = httpx.Client(base_url=base, timeout=15, trust_env=False, headers={"Accept": "text/html"})

    def sees(self, path: str) -> str:
        body = self.http.get(path).text.partition("<main>")[2]
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())

    def presses(self, path: str, label: str) -> str:
        """The first such button. Returns where that led, decoded."""
        page = self.http.get(path).text
        forms = [form for form in re.findall(r"<form.*?</form>", page, re.DOTALL) if f">{label}</button>" in form]
        assert forms, f"no button {label!r}"
        action = html.unescape(re.findall(r'action="([^"]+)"', forms[0])[0])
        fields = dict(re.findall(r'<input[^>]* name="([^"]+)" value="([^"]*)"', forms[0]))
        for name, options in re.findall(r'<select[^>]* name="([^"]+)">(.*?)</select>', forms[0], re.DOTALL):
            fields[name] = re.findall(r'value="([^"]*)"', options)[0]
        answer = self.http.post(action, data={name: html.unescape(value) for name, value in fields.items()})
        assert answer.status_code == 303
        return answer.headers["location"]


@pytest.fixture
def person(local: Running) -> Generator[Person]:
    somebody = Person(local.base)
    yield somebody
    somebody.http.close()


def only(local: Running, kind: str) -> dict[str, Any]:
    return local.state()["objects"][kind][-1]


def test_a_payment_from_its_page_to_its_refund_and_dispute(
    local: Running, person: Person, new_session: SessionMaker
) -> None:
    session = new_session(allowed_payment_method_types=BOTH).id
    assert f"{session}" in person.sees("/")
    assert person.presses("/?state=open", "Order the debit") == f"/?state=open&said=Done.#{session}"
    assert "Waiting for the bank" in person.sees("/?state=waiting")
    person.presses("/", "Succeed now")
    assert only(local, "checkout.session")["payment_status"] == "paid"
    person.presses("/", "Refund")
    assert only(local, "charge")["refunded"]
    person.presses("/?state=reversed", "Fail")
    assert only(local, "refund")["status"] == "failed"
    person.presses("/", "Dispute")
    person.presses("/", "Lose")
    assert only(local, "dispute")["status"] == "lost"


def test_an_open_page_is_paid_changed_and_ended(local: Running, person: Person, new_session: SessionMaker) -> None:
    new_session()
    person.presses("/", "Remove the metadata")
    person.presses("/", "Flip the mode")
    assert (only(local, "checkout.session")["metadata"], only(local, "checkout.session")["livemode"]) == ({}, True)
    person.presses("/", "Pay by card")
    assert only(local, "checkout.session")["status"] == "complete"
    new_session()
    person.presses("/", "Expire")
    assert only(local, "checkout.session")["status"] == "expired"


def test_what_can_not_be_done_is_said(local: Running, person: Person, new_session: SessionMaker) -> None:
    session = new_session().id
    local.control(f"sessions/{session}/expire")
    answer = person.http.post(f"/_sandbox/sessions/{session}/expire", data={"back": "/"})
    assert "Only Checkout Sessions with a status in" in person.sees(answer.headers["location"])
    elsewhere = person.http.post("/_sandbox/clock", data={"back": "//evil.example/", "advance": "1"})
    assert elsewhere.headers["location"] == "/?said=Done.#"


def test_another_site_cannot_press_buttons(local: Running, new_session: SessionMaker) -> None:
    new_session()
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert httpx.post(f"{local.base}/_sandbox/reset", headers=headers, trust_env=False).status_code == 403
    assert local.state()["objects"]["checkout.session"]


def test_events_show_their_answers_and_are_sent_again(
    local: Running, person: Person, new_session: SessionMaker, endpoint: Endpoint
) -> None:
    local.control("webhook-faults", kind="drop", type="checkout.session.completed")
    session = new_session().id
    local.control(f"sessions/{session}/pay")
    assert "charge.succeeded" in person.sees("/events?type=charge.succeeded")
    lost = person.sees("/events?delivery=lost")
    assert "checkout.session.completed Held back" in lost
    assert "charge.succeeded Delivered" not in lost
    person.presses("/events?delivery=lost", "Deliver twice")
    assert endpoint.wait_for("checkout.session.completed", 2)
    assert "No event is like that." in person.sees("/events?delivery=lost")
    about = person.sees(f"/events?about={session}")
    assert "payment_intent.succeeded" in about
    assert "200 in" in about
    before = len(local.state()["events"])
    person.presses("/events?type=checkout.session.completed", "Send a twin")
    assert len(local.state()["events"]) == before + 1


def test_orders_endpoints_customers_and_the_clock(local: Running, person: Person) -> None:
    for act in ("webhook-faults", "faults"):
        kind = "drop" if act == "webhook-faults" else "429"
        local.control(act, kind=kind, times=2)
    shown = person.sees("/orders")
    assert "The next 2 of * never leave" in shown
    assert "The next 2 of * answer 429, nothing done" in shown
    person.presses("/orders", "Clear")
    assert local.state()["webhook_faults"] == []
    person.presses("/orders", "Clear")
    person.presses("/orders", "Order")
    assert local.state()["webhook_faults"][0]["kind"] == "drop"
    person.presses("/orders", "Clear")
    person.presses("/orders", "Switch off")
    assert local.state()["endpoints"][0]["status"] == "disabled"
    person.presses("/orders", "Switch on")
    person.presses("/orders", "Roll the secret")
    assert "two secrets sign" in person.sees("/orders")
    person.presses("/orders", "Another app sells something")
    assert only(local, "checkout.session")["metadata"]["app"] == "another-shop"
    before = local.state()["now"]
    person.presses("/", "1 day")
    assert local.state()["now"] - before >= 86_400
    person.presses("/orders", "Forget everything there is")
    assert "None yet." in person.sees("/")


def test_customers_are_deleted_from_the_page(person: Person, http: httpx.Client) -> None:
    http.post("/v1/customers", data={"email": "jane@example.com"})
    assert "jane@example.com" in person.sees("/orders")
    person.presses("/orders", "Delete")
    assert "No customer yet." in person.sees("/orders")


def test_many_are_paged_and_found(person: Person, new_session: SessionMaker) -> None:
    made = [new_session(metadata={"note": f"note-{number:02}"}).id for number in range(23)]
    assert made[0] not in person.sees("/")
    assert made[0] in person.sees("/?page=1")
    assert made[0] in person.sees("/?find=note-00")
    assert made[1] not in person.sees("/?find=note-00")
    assert "No session is like that." in person.sees("/?find=nothing")


# ---- in a browser


@pytest.fixture(scope="module")
def chromium() -> Generator[Browser]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


@pytest.mark.parametrize("width", WIDTHS, ids=lambda size: str(size["width"]))
def test_every_page_is_sound_at_both_widths(
    local: Running, chromium: Browser, new_session: SessionMaker, width: Any
) -> None:
    local.control("webhook-faults", kind="drop", times=2)
    done = local.control(f"sessions/{new_session().id}/pay")["session"]
    local.control(f"payments/{done['payment_intent']}/refund", amount=100)
    session = new_session(allowed_payment_method_types=BOTH).id
    page = chromium.new_page(viewport=width)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    for path in ("/", "/events", "/orders", f"/c/pay/{session}?account=DE89370400440532013000"):
        page.goto(local.base + path)
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        assert page.evaluate("document.documentElement.scrollWidth") <= width["width"], path
        assert too_small(page) == [], path
        found = Axe().run(page).response["violations"]
        assert [(v["id"], v["nodes"][0]["html"]) for v in found] == [], path
    page.close()
    assert said == []


def too_small(page: Page) -> list[str]:
    """What a finger would miss."""
    return page.evaluate(
        "[...document.querySelectorAll('a, button, select, summary, input:not([type=hidden]):not([type=radio])')]"
        ".filter((node) => node.offsetParent && node.getBoundingClientRect().height < 43.9)"
        ".map((node) => node.outerHTML.slice(0, 80))"
    )


def test_the_page_renews_itself_and_leaves_alone_what_is_in_use(
    local: Running, chromium: Browser, new_session: SessionMaker
) -> None:
    session = new_session().id
    page = chromium.new_page()
    page.goto(local.base)
    local.control(f"sessions/{session}/expire")
    expect(page.locator(f"#{session} .tag").first).to_have_text("Expired", timeout=10_000)
    page.get_by_label("Find by id").fill("typing")
    new_session()
    page.wait_for_timeout(3_000)
    assert page.get_by_label("Find by id").input_value() == "typing"
    assert page.locator("article").count() == 1, "not while somebody types"
    page.close()


def test_a_debit_by_keyboard_alone(local: Running, chromium: Browser, new_session: SessionMaker) -> None:
    session = new_session(allowed_payment_method_types=BOTH)
    page = chromium.new_page()
    page.goto(str(session.url))
    page.get_by_label("E-mail").focus()
    page.keyboard.type("jane@example.com")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("IBAN")).to_be_visible()
    expect(page.get_by_label("Card number")).to_be_hidden()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.get_by_label("IBAN").input_value() == "DE89370400440532013000"
    with page.expect_request("**/consultations?payment=success*", timeout=15_000):
        page.get_by_label("IBAN").press("Enter")
    assert only(local, "payment_intent")["status"] == "processing"
    page.close()
