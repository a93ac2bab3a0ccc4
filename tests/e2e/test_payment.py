"""The way of the money: paid, not finished, declined, told twice, opened twice."""

from __future__ import annotations

import time

from playwright.sync_api import Page, expect

from tests.e2e import steps
from tests.e2e.product import Product

LEDGER = """
    select w.type, w.outcome from processed_webhook w join payment p on p.id = w.payment_id where p.consultation_id = %s
"""
PAYMENTS = "select status, settled_by, stripe_payment_intent_id from payment where consultation_id = %s"


def status(product: Product, case: str) -> str:
    return product.value("select status from consultation where id = %s", case)


def assert_paid_once(product: Product, case: str, email: str) -> None:
    ((consultation, intent),) = product.rows("select status, stripe_payment_id from consultation where id = %s", case)
    assert (consultation, intent[:3]) == ("PENDING", "pi_")
    assert product.rows(PAYMENTS, case) == [("PAID", "webhook", intent)]
    assert product.rows(LEDGER, case) == [("checkout.session.completed", "processed")]
    wait_for_mail(product, email)
    assert len(product.mails_to(email)) == 1


def wait_for_mail(product: Product, email: str) -> None:
    for _ in range(300):
        if product.value("select count(*) from notice where recipient = %s and sent_at is not null", email):
            return
        time.sleep(0.1)
    raise AssertionError("no e-mail was sent")


def test_paid_and_waiting_for_a_dermatologist(page: Page, product: Product) -> None:
    email = steps.begin(page)
    steps.fill_form(page)
    case = steps.case_id(page)
    steps.to_payment(page)
    assert status(product, case) == "DRAFT"

    steps.fill_card(page)
    steps.press_pay(page)
    expect(steps.toast(page)).to_contain_text("Payment received")
    steps.see_paid(page)

    ref = product.value("select ref from consultation where id = %s", case)
    expect(page.get_by_test_id(f"case-row-{ref}")).to_contain_text("Waiting for a dermatologist")
    assert_paid_once(product, case, email)
    assert "We received your payment" in product.mails_to(email)[0]


def test_left_without_paying_then_resumed(page: Page, product: Product) -> None:
    email = steps.begin(page)
    steps.fill_form(page)
    case = steps.case_id(page)
    first = steps.to_payment(page)
    page.get_by_role("link", name="Leave without paying").click()

    expect(page.get_by_test_id("payment-banner")).to_contain_text("Nothing was charged. Your draft is here.")
    assert status(product, case) == "DRAFT"
    assert product.mails_to(email) == []

    ref = product.value("select ref from consultation where id = %s", case)
    page.get_by_test_id(f"resume-{ref}").click()
    page.wait_for_url("**/review")
    assert steps.to_payment(page) == first

    steps.pay(page)
    assert_paid_once(product, case, email)


def test_the_same_event_again_changes_nothing(page: Page, product: Product) -> None:
    email = steps.begin(page)
    steps.fill_form(page)
    case = steps.case_id(page)
    steps.to_payment(page)
    page.get_by_label("Arrives twice").check()
    steps.pay(page)
    assert_paid_once(product, case, email)

    event = product.value(
        "select w.id from processed_webhook w join payment p on p.id = w.payment_id where p.consultation_id = %s", case
    )
    product.sandbox(f"/_sandbox/deliver/{event}?times=2", {})
    tries = [d for d in product.sandbox("/_sandbox/state")["deliveries"] if d["event"] == event]
    assert len(tries) >= 4, tries
    assert_paid_once(product, case, email)


def test_two_tabs_lead_to_one_payment(page: Page, product: Product) -> None:
    email = steps.begin(page)
    steps.fill_form(page)
    case = steps.case_id(page)
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.get_by_test_id("pay-button")).to_be_enabled()
    for tab in (page, other):
        tab.get_by_test_id("pay-button").click(no_wait_after=True)
    for tab in (page, other):
        tab.wait_for_url("**/c/pay/**")
    assert page.url == other.url
    steps.pay(page)

    other.reload()
    expect(other.get_by_text("This payment is complete")).to_be_visible()
    assert_paid_once(product, case, email)


def test_a_declined_card_may_be_replaced(page: Page, product: Product) -> None:
    email = steps.begin(page)
    steps.fill_form(page)
    case = steps.case_id(page)
    steps.to_payment(page)
    steps.fill_card(page, steps.DECLINED_CARD)
    steps.press_pay(page)
    expect(page.get_by_role("alert")).to_contain_text("declined")
    assert status(product, case) == "DRAFT"

    steps.pay(page)
    assert_paid_once(product, case, email)


def test_billing_page_once_something_was_paid(page: Page) -> None:
    steps.begin(page)
    page.goto("/settings")
    expect(page.get_by_text("You haven’t paid for anything yet")).to_be_visible()
    expect(page.get_by_test_id("manage-billing")).to_have_count(0)

    page.goto("/consultations/new/skin")
    steps.fill_form(page)
    steps.to_payment(page)
    steps.pay(page)
    page.goto("/settings")
    page.get_by_test_id("manage-billing").click()
    page.wait_for_url("**/p/session/**")
    expect(page.get_by_role("heading", name="Receipts")).to_be_visible()
    expect(page.get_by_text("€49.00")).to_be_visible()

    page.get_by_role("link", name="Back").click()
    expect(page.get_by_text("You’re back from Stripe.")).to_be_visible()
