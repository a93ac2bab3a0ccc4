"""From the queue to the answer that the patient reads: two people in two browsers."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.e2e import steps
from tests.e2e.conftest import Open
from tests.e2e.product import Product

ANSWER = {
    "Impression": "Contact dermatitis of the right cheek",
    "Explanation": "The dry, red patch fits a reaction to something that touches the skin there.",
    "Plan": "Stop the new cream\nWash with water only for two weeks",
    "See a doctor in person if": "It spreads quickly or you get a fever.",
}


def test_a_dermatologist_answers_and_the_patient_reads_it(open_page: Open, product: Product) -> None:
    patient, doctor = open_page(), open_page()
    steps.begin(patient)
    steps.fill_form(patient)
    case = steps.case_id(patient)
    ref = product.value("select ref from consultation where id = %s", case)
    steps.sign_in_as_dermatologist(doctor)
    expect(doctor.get_by_role("heading", name="Queue")).to_be_visible()
    expect(doctor.get_by_test_id(f"queue-row-{ref}")).to_have_count(0)

    steps.to_payment(patient)
    steps.pay(patient)
    doctor.get_by_test_id(f"queue-claim-{ref}").click()
    doctor.wait_for_url(f"**/clinic/{case}")
    write(doctor)
    doctor.get_by_test_id("answer-publish").click()
    doctor.get_by_role("dialog").get_by_role("button", name="Sign and send").click()
    doctor.wait_for_url(lambda url: case not in url)
    assert product.value("select status from consultation where id = %s", case) == "ANSWERED"

    patient.goto("/consultations")
    patient.get_by_role("link", name="Read answer").click()
    answer = patient.get_by_test_id("answer")
    expect(answer).to_contain_text("Likely contact dermatitis of the right cheek")
    for line in "\n".join(ANSWER.values()).split("\n")[1:]:
        expect(answer).to_contain_text(line)
    expect(answer).to_contain_text("Dr. Amara Lindqvist")


def write(page: Page) -> None:
    """The answer's fields."""
    for label, text in ANSWER.items():
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("group", name="How certain?").get_by_text("Likely", exact=True).click()
