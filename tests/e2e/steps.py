"""What people do, in the order they do it. Each step ends when the page shows that it is done."""

from __future__ import annotations

import re
import uuid

from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.consultations.pictures import encoded, skin

PASSWORD = "seven quiet lanterns"
STORY = "Started three weeks ago as a small dry patch and has spread since."
PAID_CARD, DECLINED_CARD = "4242 4242 4242 4242", "4000 0000 0000 0002"

expect.set_options(timeout=30_000)


def sign_up(page: Page, then: str = "/consultations") -> str:
    """Become a new patient. The answer is the e-mail."""
    email = f"p-{uuid.uuid4().hex[:10]}@example.com"
    page.goto(f"/sign-up?next={then}")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("I am 18 or older").check()
    page.get_by_role("button", name="Create account").click()
    page.wait_for_url(f"**{then}")
    return email


def begin(page: Page) -> str:
    """A new patient in front of an empty form."""
    email = sign_up(page)
    page.get_by_test_id("new-consultation").click()
    expect(page.get_by_label("Where is it?")).to_be_visible()
    return email


def choose(page: Page, question: str, answer: str) -> None:
    """Press one of the choices of a question, as a hand would: on its words."""
    group = page.get_by_role("group", name=question)
    group.get_by_text(answer, exact=True).click()


def fill_skin(page: Page) -> None:
    """Step 1, to the end."""
    page.get_by_label("Where is it?").select_option("right_cheek")
    choose(page, "What is your main concern?", "A rash")
    choose(page, "How long have you had it?", "Weeks")
    choose(page, "Does it do any of this?", "Itch")
    choose(page, "Does it disturb your sleep?", "No")
    page.get_by_label("Describe it in your own words").fill(STORY)
    choose(page, "Do any of these apply right now?", "None of these")
    go_on(page, "photos")


def add_photos(page: Page) -> None:
    """Step 2, to the end, with two sharp photos."""
    page.get_by_test_id("photo-input").set_input_files([photo("overview.jpg"), photo("close-up.jpg")])
    for number in (1, 2):
        expect(page.get_by_test_id(f"photo-tile-{number}")).to_contain_text("Sharp, location removed")
    go_on(page, "health")


def photo(name: str) -> FilePayload:
    """A new photo: no two are alike."""
    return {"name": name, "mimeType": "image/jpeg", "buffer": encoded(skin(), quality=90)}


def fill_health(page: Page) -> None:
    """Step 3, to the end."""
    for part, value in (("Day", "27"), ("Month", "3"), ("Year", "1991")):
        page.get_by_label(part, exact=True).fill(value)
    choose(page, "Sex at birth", "Female")
    choose(page, "Are you pregnant or breastfeeding?", "No")
    choose(page, "Any allergies?", "Yes")
    page.get_by_label("Which, and what happens?").fill("Penicillin: rash all over")
    choose(page, "Any medicines", "None")
    choose(page, "Do you have any of these?", "None of these")
    choose(page, "Has anyone had skin cancer?", "Nobody")
    go_on(page, "review")


def go_on(page: Page, step: str) -> None:
    """Press Continue and arrive."""
    page.get_by_role("button", name="Continue to").click()
    page.wait_for_url(f"**/consultations/*/{step}")


def consent(page: Page) -> None:
    """Tick the three boxes on the review page."""
    boxes = page.get_by_role("group", name="Your consent").get_by_role("checkbox")
    expect(boxes).to_have_count(3)
    for box in boxes.all():
        expect(box).not_to_be_checked()
        box.check()


def fill_form(page: Page) -> None:
    """All four steps, up to the button that pays."""
    fill_skin(page)
    add_photos(page)
    fill_health(page)
    consent(page)


def case_id(page: Page) -> str:
    """The consultation whose form is open."""
    found = re.search(r"/consultations/([0-9a-f-]{36})/", page.url)
    assert found is not None, page.url
    return found[1]


def to_payment(page: Page) -> str:
    """Press Pay; the answer is the address of Stripe's page."""
    page.get_by_test_id("pay-button").click()
    page.wait_for_url("**/c/pay/**")
    return page.url


def fill_card(page: Page, number: str = PAID_CARD) -> None:
    """The card form of the payment page."""
    page.get_by_label("Card number").fill(number)
    page.get_by_label("Expiry").fill("12 / 34")
    page.get_by_label("CVC").fill("123")
    page.get_by_label("Name", exact=True).fill("Test Person")


def press_pay(page: Page) -> None:
    """The payment page's own button."""
    page.get_by_role("button", name="Pay €49.00").click()


def pay(page: Page) -> None:
    """Pay, and come back to the list that says so."""
    fill_card(page)
    press_pay(page)
    see_paid(page)


def see_paid(page: Page) -> None:
    """The list after a payment, with a clean address."""
    expect(page.get_by_test_id("payment-banner")).to_contain_text("Payment received")
    expect(page).to_have_url(re.compile(r"/consultations$"))


def toast(page: Page) -> Locator:
    """The message that leaves by itself."""
    return page.locator(".toast")


def sign_in_as_dermatologist(page: Page) -> None:
    """One press on a demo person."""
    page.goto("/sign-in?next=/clinic")
    page.get_by_role("button", name="Dr. Amara Lindqvist").click()
    page.wait_for_url("**/clinic")


def sign_in_as_operator(page: Page) -> None:
    """The same."""
    page.goto("/sign-in?next=/operations")
    page.get_by_role("button", name="Sam Keane").click()
    page.wait_for_url("**/operations")
