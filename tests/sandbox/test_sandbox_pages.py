"""The hosted pages, read as a browser without scripts would."""

from __future__ import annotations

import html
import re
from collections.abc import Generator

import httpx
import pytest
import stripe

from tests.sandbox.conftest import SessionMaker
from tests.sandbox.process import Running

CARD = {"number": "4242 4242 4242 4242", "expiry": "12 / 34", "cvc": "123", "name": "Jane Doe"}


@pytest.fixture
def browser(local: Running) -> Generator[httpx.Client]:
    with httpx.Client(base_url=local.base, timeout=15, trust_env=False) as client:
        yield client


def words(answer: httpx.Response) -> str:
    """What a reader sees."""
    body = answer.text.partition("<main>")[2]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_the_payment_page_shows_what_is_paid_and_by_whom(
    browser: httpx.Client, sdk: stripe.StripeClient, new_session: SessionMaker
) -> None:
    customer = sdk.v1.customers.create({"email": "jane@example.com"})
    session = new_session(customer=customer.id)
    answer = browser.get(f"/c/pay/{session.id}")
    shown = words(answer)
    for text in ("€49.00", "Online consultation", "jane@example.com", "Pay €49.00", "Leave without paying"):
        assert text in shown
    assert "No money moves" in answer.text
    assert f'href="{html.escape(str(session.cancel_url))}"' in answer.text
    inputs = set(re.findall(r'<input[^>]* id="([^"]+)"', answer.text))
    assert inputs == set(re.findall(r'<label for="([^"]+)"', answer.text)), "every field has its label"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "style=" not in answer.text


def test_one_tap_fills_the_form(browser: httpx.Client, new_session: SessionMaker) -> None:
    page = browser.get(f"/c/pay/{new_session().id}?card=4000000000009995").text
    assert 'name="number" value="4000000000009995"' in page
    assert 'name="cvc" value="123"' in page


def test_paying_leads_to_the_success_address(browser: httpx.Client, new_session: SessionMaker) -> None:
    session = new_session()
    answer = browser.post(f"/c/pay/{session.id}", data=CARD)
    expected = f"http://127.0.0.1:9/consultations?payment=success&session_id={session.id}"
    assert (answer.status_code, answer.headers["location"]) == (303, expected)
    again = browser.post(f"/c/pay/{session.id}", data=CARD)
    assert words(again).startswith("This payment is complete")
    assert html.escape(expected) in again.text


def test_a_declined_card_says_so_and_the_page_stays(browser: httpx.Client, new_session: SessionMaker) -> None:
    session = new_session()
    answer = browser.post(f"/c/pay/{session.id}", data=CARD | {"number": "4000000000000002"}, follow_redirects=True)
    assert str(answer.url).endswith(f"/c/pay/{session.id}")
    assert 'role="alert"' in answer.text
    assert "Your card was declined." in words(answer)
    assert browser.post(f"/c/pay/{session.id}", data=CARD).status_code == 303


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"number": "4242 4242 4242 4241"}, "Your card number is invalid."),
        ({"number": "١٢٣٤"}, "Your card number is invalid."),
        ({"expiry": "12/20"}, "Your card's expiration date is in the past."),
        ({"expiry": "13/34"}, "Your card's expiration date is incomplete."),
        ({"expiry": "²/34"}, "Your card's expiration date is incomplete."),
        ({"cvc": "12"}, "Your card's security code is incomplete."),
    ],
)
def test_a_card_that_cannot_be(
    browser: httpx.Client, new_session: SessionMaker, change: dict[str, str], message: str
) -> None:
    answer = browser.post(f"/c/pay/{new_session().id}", data=CARD | change)
    assert answer.status_code == 200
    assert message in words(answer)
    assert 'value="Jane Doe"' in answer.text, "what was typed stays"


@pytest.mark.parametrize(("reply", "leads_to"), [("complete", "payment=success"), ("fail", "/c/pay/")])
def test_the_banks_page(browser: httpx.Client, new_session: SessionMaker, reply: str, leads_to: str) -> None:
    session = new_session()
    asked = browser.post(f"/c/pay/{session.id}", data=CARD | {"number": "4000002500003155"})
    assert asked.headers["location"] == f"/c/pay/{session.id}/authenticate"
    assert "the card ending in 3155" in words(browser.get(asked.headers["location"]))
    answer = browser.post(asked.headers["location"], data={"answer": reply})
    assert leads_to in answer.headers["location"]


def test_an_expired_page_says_so_and_offers_the_way_back(
    local: Running, browser: httpx.Client, new_session: SessionMaker
) -> None:
    session = new_session()
    local.control(f"sessions/{session.id}/expire")
    for answer in (browser.get(f"/c/pay/{session.id}"), browser.post(f"/c/pay/{session.id}", data=CARD)):
        assert words(answer).startswith("This payment page has expired Nothing was charged.")
        assert html.escape(str(session.cancel_url)) in answer.text


def test_unknown_addresses(browser: httpx.Client) -> None:
    for path in (
        "/c/pay/cs_test_x",
        "/c/pay/cs_test_x/authenticate",
        "/p/session/bps_x",
        "/receipts/in_x",
        "/sandbox.py",
    ):
        assert browser.get(path).status_code == 404


def test_what_is_typed_or_named_is_never_markup(browser: httpx.Client, new_session: SessionMaker) -> None:
    evil = '"><script>alert(1)</script>'
    price = {"currency": "eur", "unit_amount": 100, "product_data": {"name": evil}}
    session = new_session(line_items=[{"price_data": price, "quantity": 1}])
    page = browser.post(f"/c/pay/{session.id}", data=CARD | {"name": evil, "cvc": ""}).text
    assert "<script>alert" not in page
    assert page.count(html.escape(evil)) == 2


# ---- the portal


@pytest.fixture
def customer(local: Running, sdk: stripe.StripeClient, new_session: SessionMaker) -> str:
    """Somebody who paid twice and got one of them back."""
    made = sdk.v1.customers.create({"email": "jane@example.com"}).id
    for _ in range(2):
        local.control(f"sessions/{new_session(customer=made).id}/pay")
    intent = local.state()["objects"]["payment_intent"][0]["id"]
    sdk.v1.refunds.create({"payment_intent": intent})
    return made


def open_portal(sdk: stripe.StripeClient, customer: str) -> str:
    link = sdk.v1.billing_portal.sessions.create({"customer": customer, "return_url": "http://127.0.0.1:9/settings"})
    return link.url


def test_the_portal_shows_receipts(browser: httpx.Client, sdk: stripe.StripeClient, customer: str) -> None:
    answer = browser.get(open_portal(sdk, customer))
    shown = words(answer)
    assert shown.count("€49.00") == 2
    assert shown.count("Refunded") == 1
    assert shown.count("Paid with Visa •••• 4242") == 2
    assert "No card on file." in shown
    assert 'href="http://127.0.0.1:9/settings"' in answer.text
    receipt = words(browser.get(re.findall(r'href="(/receipts/[^"]+)"', answer.text)[1]))
    assert receipt.startswith("Receipt Number")
    assert "Refunded €49.00" in receipt


def test_changing_the_card(browser: httpx.Client, sdk: stripe.StripeClient, customer: str) -> None:
    url = open_portal(sdk, customer)
    for number, name in (("5555555555554444", "Mastercard •••• 4444"), ("4242424242424242", "Visa •••• 4242")):
        answer = browser.post(f"{url}/card", data={"card": number}, follow_redirects=True)
        assert "The card was changed." in words(answer)
        assert f"Payment method {name}, 12/34" in words(answer)
    kept = sdk.v1.customers.payment_methods.list(customer)
    assert [method.card.last4 for method in kept.data if method.card] == ["4242"]


def test_changing_the_address(local: Running, browser: httpx.Client, sdk: stripe.StripeClient, customer: str) -> None:
    url = open_portal(sdk, customer)
    form = {"name": "Jane Doe", "line1": "4 Harbour Row", "city": "Dublin", "postal_code": "D04", "country": "IE"}
    answer = browser.post(f"{url}/address", data=form, follow_redirects=True)
    assert "Jane Doe, 4 Harbour Row, D04 Dublin, IE" in words(answer)
    found = sdk.v1.customers.retrieve(customer)
    assert found.address
    assert found.address.city == "Dublin"
    assert local.state()["events"][-1]["type"] == "customer.updated"


def test_a_link_to_the_portal_is_short_lived(
    local: Running, browser: httpx.Client, sdk: stripe.StripeClient, customer: str
) -> None:
    unused, used = open_portal(sdk, customer), open_portal(sdk, customer)
    assert browser.get(used).status_code == 200
    local.control("clock", advance=6 * 60)
    assert (browser.get(unused).status_code, browser.get(used).status_code) == (404, 200)
    local.control("clock", advance=60 * 60)
    assert words(browser.get(used)).startswith("This link has expired")
    assert browser.post(f"{used}/card", data={"card": "4242424242424242"}).status_code == 404


def test_the_portal_shows_only_what_its_configuration_allows(
    browser: httpx.Client, sdk: stripe.StripeClient, customer: str
) -> None:
    made = sdk.v1.billing_portal.configurations.create({"features": {"invoice_history": {"enabled": True}}})
    link = sdk.v1.billing_portal.sessions.create({"customer": customer, "configuration": made.id})
    shown = words(browser.get(link.url))
    assert "Receipts" in shown
    assert "Payment method" not in shown
    assert "Billing address" not in shown
    assert browser.post(f"{link.url}/card", data={"card": "4242424242424242"}).status_code == 404
    assert browser.post(f"{link.url}/address", data={"city": "Dublin"}).status_code == 404


def test_without_a_default_configuration_one_must_be_named(local: Running, sdk: stripe.StripeClient) -> None:
    local.control("reset", portal_default=False)
    made = sdk.v1.customers.create({"email": "jane@example.com"}).id
    with pytest.raises(stripe.InvalidRequestError, match="test mode default configuration has not been created"):
        open_portal(sdk, made)
