"""Money that isn't what was agreed: an operator decides, and the patient reads what happens to it."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import steps
from tests.e2e.conftest import DESKTOP, PHONE, Open
from tests.e2e.product import Product
from tests.e2e.test_accessibility import assert_no_violations

PAYMENT = "select id::text, status, received_minor, refunded_minor from payment where consultation_id = %s"


def paid_wrong(page: Page, product: Product, amount: int) -> tuple[str, str, str, str]:
    """A patient whose payment page was changed on the way: case, its reference, the payment, the patient's e-mail."""
    email = steps.begin(page)
    steps.fill_form(page)
    case = steps.case_id(page)
    session = steps.to_payment(page).split("/c/pay/")[1].split("?")[0].split("#")[0]
    product.sandbox(f"/_sandbox/sessions/{session}/tamper", {"amount_total": amount})
    product.sandbox(f"/_sandbox/sessions/{session}/pay", {})
    ((payment, status, received, _),) = product.rows(PAYMENT, case)
    assert (status, received) == ("REVIEW", amount)
    return case, product.value("select ref from consultation where id = %s", case), payment, email


def subjects(product: Product, email: str, count: int) -> list[str]:
    """The subjects of a patient's e-mails, as soon as there are so many."""
    for _ in range(200):
        mails = product.mails_to(email)
        if len(mails) >= count:
            break
        time.sleep(0.1)
    return sorted(line for mail in mails for line in mail.splitlines() if line.startswith("Subject: "))


def until(product: Product, query: str, *values: object) -> None:
    """Wait until the database says yes."""
    for _ in range(200):
        if product.value(query, *values):
            return
        time.sleep(0.1)
    raise AssertionError(query)


def decide(page: Page, act: str, payment: str) -> None:
    page.get_by_test_id(f"{act}-{payment}").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_test_id("decide").click()


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def operator(request: pytest.FixtureRequest, open_page: Open) -> Page:
    """An operator's page. With reduced motion nothing fades, so that no colour is measured half-way."""
    page = open_page(viewport=request.param, reduced_motion="reduce")
    steps.sign_in_as_operator(page)
    return page


def test_one_payment_is_accepted_and_another_returned(operator: Page, open_page: Open, product: Product) -> None:
    expect(operator.get_by_text("All 13 promises of money hold")).to_be_visible()
    patient, other = open_page(), open_page()
    taken, ref, payment, email = paid_wrong(patient, product, 5400)
    row = operator.get_by_test_id(f"waiting-{payment}")
    expect(row).to_contain_text("€49.00 was asked for and €54.00 arrived.")  # it came by itself
    expect(row).to_contain_text(ref)
    assert_no_violations(operator)
    patient.goto("/consultations")
    expect(patient.get_by_test_id(f"case-row-{ref}")).to_contain_text("We’re checking your payment")

    decide(operator, "accept", payment)
    result = operator.get_by_test_id("result")
    expect(result).to_contain_text(f"{ref} is in the queue")
    expect(result).to_be_focused()
    expect(operator.get_by_test_id(f"waiting-{payment}")).to_have_count(0)
    assert product.value("select status from consultation where id = %s", taken) == "PENDING"
    patient.goto("/consultations")
    expect(patient.get_by_test_id(f"case-row-{ref}")).to_contain_text("Waiting for a dermatologist")
    assert subjects(product, email, 1) == [f"Subject: We received your payment, {ref}"]

    left, ref, payment, email = paid_wrong(other, product, 4800)
    operator.get_by_test_id(f"refund-{payment}").click()
    expect(operator.get_by_role("dialog")).to_contain_text(
        "The patient gets an e-mail when Stripe has taken the refund."
    )
    assert_no_violations(operator)
    operator.get_by_test_id("decide").click()
    expect(result).to_contain_text("€48.00 is going back")
    assert_no_violations(operator)
    until(product, "select refund_status = 'succeeded' from payment where id = %s", payment)
    assert product.rows(PAYMENT, left) == [(payment, "RETURNED", 4800, 4800)]
    assert product.value("select status from consultation where id = %s", left) == "DRAFT"
    other.goto("/consultations")
    expect(other.get_by_test_id(f"case-row-{ref}")).to_contain_text("We’re returning your last payment.")
    assert subjects(product, email, 1) == [f"Subject: Your refund is on its way, {ref}"]


def test_two_operators_decide_about_the_same_payment(open_page: Open, product: Product) -> None:
    first, second, patient = open_page(), open_page(), open_page()
    _, ref, payment, _ = paid_wrong(patient, product, 5400)
    for page in (first, second):
        steps.sign_in_as_operator(page)
        page.get_by_test_id(f"accept-{payment}").click()
        expect(page.get_by_role("dialog")).to_be_visible()
    first.keyboard.press("Escape")
    expect(first.get_by_test_id(f"accept-{payment}")).to_be_focused()
    decide(first, "refund", payment)
    expect(first.get_by_test_id("result")).to_contain_text("€54.00 is going back")
    second.get_by_test_id("decide").click()
    expect(second.get_by_test_id("result")).to_contain_text(f"{ref} doesn’t wait any more")
    expect(second.get_by_test_id(f"waiting-{payment}")).to_have_count(0)


def test_the_keyboard_alone_decides(open_page: Open, product: Product) -> None:
    operator, patient = open_page(), open_page()
    _, ref, payment, _ = paid_wrong(patient, product, 5400)
    steps.sign_in_as_operator(operator)
    operator.get_by_test_id(f"accept-{payment}").focus()
    operator.keyboard.press("Enter")
    dialog = operator.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Not now")).to_be_focused()
    operator.keyboard.press("Enter")
    expect(operator.get_by_test_id(f"accept-{payment}")).to_be_focused()
    operator.keyboard.press("Enter")
    expect(dialog.get_by_role("button", name="Not now")).to_be_focused()
    operator.keyboard.press("Shift+Tab")
    expect(operator.get_by_test_id("decide")).to_be_focused()
    operator.keyboard.press("Enter")
    expect(operator.get_by_test_id("result")).to_contain_text(f"{ref} is in the queue")


def test_an_operator_sees_no_case_and_nobody_else_sees_the_desk(open_page: Open) -> None:
    operator, patient = open_page(), open_page()
    steps.sign_in_as_operator(operator)
    for address in ("/consultations", "/clinic"):
        operator.goto(address)
        operator.wait_for_url("**/operations")
    steps.sign_up(patient)
    for address in ("/operations", "/operations/payments"):
        patient.goto(address)
        patient.wait_for_url("**/consultations")
