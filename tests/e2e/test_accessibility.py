"""No violation that axe-core can find, on every page of a patient's way, at both widths."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e import steps
from tests.e2e.conftest import DESKTOP, PHONE, Open
from tests.e2e.product import Product
from tests.e2e.test_answer import write

PUBLIC = ("/", "/sign-in", "/sign-up", "/help", "/privacy", "/terms", "/complaints", "/imprint")


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def page(request: pytest.FixtureRequest, open_page: Open) -> Page:
    # With reduced motion nothing fades, so that no colour is measured half-way.
    return open_page(viewport=request.param, reduced_motion="reduce")


def assert_no_violations(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_text("Loading")).to_have_count(0)
    assert violations(page) == [], page.url


def violations(page: Page) -> list[tuple[str, list[Any]]]:
    """Each broken rule with the elements that break it."""
    found = Axe().run(page).response["violations"]
    return [(v["id"], [node["target"] for node in v["nodes"]]) for v in found]


def test_public_pages(page: Page) -> None:
    for address in PUBLIC:
        page.goto(address)
        assert_no_violations(page)


def test_a_patients_pages(page: Page) -> None:
    steps.sign_up(page)
    assert_no_violations(page)
    page.goto("/settings")
    expect(page.get_by_text("You haven’t paid for anything yet")).to_be_visible()
    assert_no_violations(page)

    page.goto("/consultations/new/skin")
    expect(page.get_by_label("Where is it?")).to_be_visible()
    page.get_by_role("button", name="Continue to").click()
    expect(page.get_by_text("There is a problem")).to_be_visible()
    assert_no_violations(page)
    for step in (steps.fill_skin, steps.add_photos, steps.fill_health):
        assert_no_violations(page)
        step(page)
    assert_no_violations(page)

    steps.consent(page)
    steps.to_payment(page)
    steps.pay(page)
    assert_no_violations(page)
    page.get_by_role("link", name="View").click()
    expect(page.get_by_test_id("waiting")).to_be_visible()
    assert_no_violations(page)


def test_the_clinics_pages_and_the_answer(page: Page, open_page: Open, product: Product) -> None:
    patient = open_page()
    steps.begin(patient)
    steps.fill_form(patient)
    case = steps.case_id(patient)
    steps.to_payment(patient)
    steps.pay(patient)

    steps.sign_in_as_dermatologist(page)
    ref = product.value("select ref from consultation where id = %s", case)
    claim = page.get_by_test_id(f"queue-claim-{ref}")
    expect(claim).to_be_visible()
    assert_no_violations(page)
    claim.click()
    page.wait_for_url(f"**/clinic/{case}")
    write(page)
    assert_no_violations(page)
    for opens, closes in (("Preview", "Close"), ("Sign and send", "Sign and send")):
        page.get_by_role("button", name=opens, exact=True).click()
        expect(page.get_by_role("dialog")).to_be_visible()
        assert_no_violations(page)
        page.get_by_role("dialog").get_by_role("button", name=closes).first.click()
    page.wait_for_url(lambda url: case not in url)

    patient.goto(f"/consultations/{case}")
    expect(patient.get_by_test_id("answer")).to_be_visible()
    assert_no_violations(patient)


def test_an_address_with_nothing_at_it(open_page: Open) -> None:
    page = open_page(expect="404 (Not Found)")
    page.goto("/nothing-here")
    assert_no_violations(page)


def test_axe_finds_what_is_wrong(page: Page) -> None:
    """Negative control, on a page of its own: one that React is still taking over would lose the button again."""
    page.set_content("<html lang='en'><title>One</title><main><h1>One</h1><button></button></main></html>")
    assert "button-name" in [rule for rule, _ in violations(page)]
