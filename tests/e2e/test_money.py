"""What a patient reads while money moves after the payment page: a bank that takes days, a dispute, refunds."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from teleconsult.ops import build, postgres
from tests.e2e import product as products
from tests.e2e import steps
from tests.e2e.product import Product
from tests.sandbox_process import free_port

IBAN = "DE89370400440532013000"


@pytest.fixture(scope="module")
def product() -> Generator[Product]:
    """One that takes direct debits, too."""
    build.ensure()
    folder = Path(tempfile.mkdtemp(prefix="teleconsult-e2e-"))
    (folder / ".env").write_text("STRIPE_PAYMENT_METHODS=card,sepa_debit\n")
    running = products.start(folder, free_port())
    yield running
    running.stop()
    postgres.remove(running.data)
    shutil.rmtree(folder)


def session_of(product: Product, case: str) -> str:
    return product.value(
        "select stripe_session_id from payment where consultation_id = %s order by attempt desc limit 1", case
    )


def to_the_bank(page: Page, product: Product) -> str:
    """A new patient pays by direct debit and comes back; the bank has not answered. Which consultation it is."""
    steps.begin(page)
    steps.fill_form(page)
    case = steps.case_id(page)
    steps.to_payment(page)
    order = {"method": "sepa_debit", "iban": IBAN}
    done = product.sandbox(f"/_sandbox/sessions/{session_of(product, case)}/pay", order)
    page.goto(done["redirect_url"])
    expect(page.get_by_test_id("payment-banner")).to_contain_text("Your bank is confirming your payment")
    return case


def bank_says(page: Page, product: Product, case: str, outcome: str) -> None:
    product.sandbox(f"/_sandbox/sessions/{session_of(product, case)}/async", {"outcome": outcome})
    page.goto("/consultations")


def test_a_bank_that_takes_days_and_says_yes(page: Page, product: Product) -> None:
    case = to_the_bank(page, product)
    expect(page.get_by_role("main")).to_contain_text("That can take some days.")
    page.get_by_role("link", name="View").click()
    expect(page.get_by_test_id("confirming")).to_contain_text("Please don’t pay again.")
    page.goto(f"/consultations/{case}/review")
    expect(page.get_by_test_id("payment-news")).to_contain_text("Your bank is confirming your payment")
    expect(page.get_by_role("main")).to_contain_text("An answer within 48 hours, once the payment is confirmed")
    expect(page.get_by_test_id("pay-button")).to_have_count(0)
    expect(page.get_by_role("button", name="Discard draft")).to_be_hidden()

    bank_says(page, product, case, "succeeded")
    expect(page.get_by_test_id("payment-banner")).to_contain_text("Payment received")
    page.get_by_role("link", name="View").click()
    expect(page.get_by_test_id("payment-timeline")).to_contain_text("Your bank began to confirm €49.00")
    expect(page.get_by_test_id("payment-timeline")).to_contain_text("You paid €49.00")


def test_a_bank_that_says_no_leaves_a_draft_to_pay(page: Page, product: Product) -> None:
    case = to_the_bank(page, product)
    bank_says(page, product, case, "failed")
    expect(page.get_by_role("main")).to_contain_text("Your bank didn’t make the payment. Nothing was charged.")
    page.get_by_test_id("payment-banner").get_by_role("link", name="Continue to payment").click()
    expect(page.get_by_test_id("payment-news")).to_contain_text("you can pay again")
    steps.to_payment(page)
    steps.pay(page)


def test_a_dispute_and_a_refund_are_told_step_by_step(page: Page, product: Product) -> None:
    steps.begin(page)
    steps.fill_form(page)
    case = steps.case_id(page)
    steps.to_payment(page)
    steps.pay(page)
    intent = product.value("select stripe_payment_id from consultation where id = %s", case)

    dispute = product.sandbox(f"/_sandbox/payments/{intent}/dispute", {"reason": "product_not_received"})
    page.goto("/consultations")
    expect(page.get_by_role("main")).to_contain_text("On hold while your bank looks into the payment.")
    page.get_by_role("link", name="View").click()
    expect(page.get_by_test_id("on-hold")).to_contain_text("goes on when your bank has decided")
    product.sandbox(f"/_sandbox/disputes/{dispute['dispute']['id']}", {"status": "won"})
    page.reload()
    expect(page.get_by_test_id("payment-timeline")).to_contain_text("the payment stands")
    expect(page.get_by_test_id("on-hold")).to_have_count(0)

    product.sandbox(f"/_sandbox/payments/{intent}/refund", {"amount": 900})
    page.reload()
    expect(page.get_by_test_id("payment-timeline")).to_contain_text("€9.00 returned the way you paid")
    product.sandbox(f"/_sandbox/payments/{intent}/refund", {})
    page.reload()
    expect(page.get_by_role("main")).to_contain_text("€49.00 went back to you, the way you paid.")
