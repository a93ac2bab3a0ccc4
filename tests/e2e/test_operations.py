"""Money that isn't what was agreed: an operator decides, and the patient reads what happens to it."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Locator, Page, expect

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
    fits(operator)
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


def bought(page: Page, product: Product) -> tuple[str, str, str, str]:
    """A patient who has paid: case, its reference, the payment, the patient's e-mail."""
    email = steps.begin(page)
    steps.fill_form(page)
    case = steps.case_id(page)
    steps.to_payment(page)
    steps.pay(page)
    ((payment, _, _, _),) = product.rows(PAYMENT, case)
    return case, product.value("select ref from consultation where id = %s", case), payment, email


def test_a_payment_is_found_by_its_reference(operator: Page, open_page: Open, product: Product) -> None:
    _, ref, _, _ = bought(open_page(), product)
    operator.goto("/operations/payments")
    expect(operator.get_by_text("No payment is open")).to_be_visible()
    assert_no_violations(operator)
    search = operator.get_by_label("Reference or id")
    search.fill("jane@example.com")
    search.press("Enter")
    expect(operator.get_by_text("That is no name of a payment.")).to_be_visible()
    expect(search).to_be_focused()
    search.fill("TC-NOPE1")
    search.press("Enter")
    expect(operator.get_by_text("Nothing here is called TC-NOPE1")).to_be_visible()
    assert_no_violations(operator)
    search.fill(ref.lower())
    search.press("Enter")
    operator.wait_for_url(f"**/operations/payments?ref={ref.lower()}")
    expect(operator.get_by_test_id("payment-head")).to_contain_text("Waiting for a dermatologist")
    expect(operator.get_by_test_id("history")).to_contain_text("€49.00 arrived and counts")
    operator.reload()
    expect(operator.get_by_test_id("payment-head")).to_contain_text(ref)
    assert_no_violations(operator)
    fits(operator)


def test_a_part_of_a_payment_is_returned(operator: Page, open_page: Open, product: Product) -> None:
    patient = open_page()
    case, ref, payment, email = bought(patient, product)
    operator.goto(f"/operations/payments?ref={payment}")
    opener = operator.get_by_test_id(f"refund-{payment}")
    opener.click()
    dialog = operator.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Not now")).to_be_focused()
    operator.keyboard.press("Escape")
    expect(opener).to_be_focused()
    opener.click()
    amount = dialog.get_by_label("Amount")
    expect(amount).to_have_value("49.00")
    amount.fill("9,00")
    operator.get_by_test_id("refund").click()
    expect(dialog.get_by_text("Write an amount like 49.00.")).to_be_visible()
    expect(amount).to_be_focused()
    assert_no_violations(operator)
    assert product.rows("select 1 from refund where payment_id = %s", payment) == []
    amount.fill("9.50")
    dialog.get_by_label("Why?").select_option("goodwill")
    dialog.get_by_label("to confirm").fill(ref)
    operator.get_by_test_id("refund").click()
    result = operator.get_by_test_id("result")
    expect(result).to_contain_text("€9.50 is going back")
    expect(result).to_be_focused()
    expect(operator.get_by_test_id("history")).to_contain_text("€9.50 went back")  # it came by itself
    expect(operator.get_by_test_id(f"attempt-{payment}")).to_contain_text("€39.50")
    assert_no_violations(operator)
    assert product.rows(PAYMENT, case) == [(payment, "PAID", 4900, 950)]
    assert subjects(product, email, 2)[1] == f"Subject: Your refund is on its way, {ref}"
    patient.goto(f"/consultations/{case}")
    expect(patient.get_by_text("€9.50 returned the way you paid")).to_be_visible()


def fits(page: Page) -> None:
    """Nothing is wider than the screen, and on a phone every target is large enough for a finger."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    small = page.evaluate("""[...document.querySelectorAll('main a, main button, main input, main select')]
        .filter(e => e.checkVisibility()).map(e => [e.innerText, e.getBoundingClientRect().height])
        .filter(([_, height]) => height < (innerWidth < 768 ? 44 : 24))""")
    assert small == []


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


def test_the_keyboard_alone_leads_to_the_story_and_back_and_decides(open_page: Open, product: Product) -> None:
    operator, patient = open_page(), open_page()
    _, ref, payment, _ = paid_wrong(patient, product, 5400)
    steps.sign_in_as_operator(operator)
    press(operator, operator.get_by_test_id(f"waiting-{payment}").get_by_role("link", name=ref, exact=True))
    attempt = operator.get_by_test_id(f"attempt-{payment}")
    expect(attempt).to_contain_text("This payment waits for a decision.")
    expect(operator.get_by_test_id(f"refund-{payment}")).to_have_count(0)
    press(operator, attempt.get_by_role("link", name="Decide on the overview"))

    accept = operator.get_by_test_id(f"accept-{payment}")
    press(operator, accept)
    safe = operator.get_by_role("dialog").get_by_role("button", name="Not now")
    expect(safe).to_be_focused()
    operator.keyboard.press("Enter")
    expect(accept).to_be_focused()
    operator.keyboard.press("Enter")
    expect(safe).to_be_focused()
    operator.keyboard.press("Shift+Tab")
    expect(operator.get_by_test_id("decide")).to_be_focused()
    operator.keyboard.press("Enter")
    expect(operator.get_by_test_id("result")).to_contain_text(f"{ref} is in the queue")
    operator.go_back()
    expect(attempt).to_contain_text("Paid")


def press(page: Page, what: Locator) -> None:
    what.focus()
    page.keyboard.press("Enter")


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
