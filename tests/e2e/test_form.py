"""The form without a mouse, on a phone, and while the network or the server is away."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.e2e import steps
from tests.e2e.conftest import PHONE, Open
from tests.e2e.product import Product

CUT = "net::ERR_"
"""What the browser itself writes into its console while it can't reach a server."""

FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"


def test_without_a_mouse(page: Page) -> None:
    steps.begin(page)
    tab_to(page, "site")
    page.keyboard.type("Right cheek")
    answer(page, "concern", "A rash")
    answer(page, "duration", "Weeks", presses=1)
    tick(page, "symptoms", "itch")
    answer(page, "sleep", "No")
    tab_to(page, "story")
    page.keyboard.type(steps.STORY)
    tick(page, "flags", "none")
    press_continue(page, "photos")

    steps.add_photos(page)

    for part, value in (("day", "27"), ("month", "3"), ("year", "1991")):
        tab_to(page, f"dob_{part}")
        page.keyboard.type(value)
    answer(page, "sex", "Female")
    answer(page, "pregnant", "No")
    answer(page, "allergies", "None that I know of")
    answer(page, "medicines", "None")
    tick(page, "conditions", "none")
    answer(page, "skin_cancer", "Nobody")
    press_continue(page, "review")

    for kind in ("care", "data", "urgent"):
        tick(page, f"consent-{kind}", "yes")
    tab_until(page, "document.activeElement.dataset.testid === 'pay-button'")
    page.keyboard.press("Enter")
    page.wait_for_url("**/c/pay/**")


def tab_until(page: Page, there: str) -> None:
    """Press Tab until this holds in the page."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate(there):
            return
    raise AssertionError(f"Tab never reached: {there}")


def tab_to(page: Page, name: str) -> None:
    """The control of that name."""
    tab_until(page, f"document.activeElement.name === '{name}'")


def answer(page: Page, name: str, label: str, presses: int = 0) -> None:
    """Choose one of several: Space takes the first, arrows go on from there."""
    tab_to(page, name)
    page.keyboard.press("Space")
    for _ in range(presses):
        page.keyboard.press("ArrowRight")
    chosen = page.locator(f"input[name={name}]:checked")
    expect(chosen).to_be_focused()
    expect(page.locator("label", has=chosen)).to_have_text(label)


def tick(page: Page, name: str, value: str) -> None:
    """Tick one box."""
    tab_until(page, f"document.activeElement.name === '{name}' && document.activeElement.value === '{value}'")
    page.keyboard.press("Space")
    expect(page.locator(f"input[name={name}][value={value}]")).to_be_checked()


def press_continue(page: Page, step: str) -> None:
    """The button that leads on."""
    tab_until(page, "document.activeElement.textContent.startsWith('Continue to')")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/consultations/*/{step}")


def test_on_a_phone_nothing_is_wider_than_the_screen(open_page: Open) -> None:
    page = open_page(viewport=PHONE, has_touch=True, is_mobile=True)
    for address, heading in (("/", "dermatologist"), ("/sign-in", "Sign in"), ("/sign-up", "Create your account")):
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_contain_text(heading)
        assert_fits(page)
    steps.begin(page)
    assert_fits(page)
    for step in (steps.fill_skin, steps.add_photos, steps.fill_health):
        step(page)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert_fits(page)
    steps.consent(page)
    steps.to_payment(page)
    assert_fits(page)
    steps.pay(page)
    assert_fits(page)
    page.get_by_role("link", name="View").click()
    expect(page.get_by_test_id("waiting")).to_be_visible()
    assert_fits(page)
    page.goto("/settings")
    expect(page.get_by_test_id("manage-billing")).to_be_visible()
    assert_fits(page)


def assert_fits(page: Page) -> None:
    assert page.evaluate(FITS), f"{page.url} scrolls sideways"


def test_what_is_typed_while_the_network_is_away_is_saved_later(open_page: Open, product: Product) -> None:
    page = open_page(expect=CUT)
    steps.begin(page)
    page.get_by_label("Where is it?").select_option("right_cheek")
    page.wait_for_url(lambda url: "/new/" not in url)
    page.context.set_offline(offline=True)
    story = page.get_by_label("Describe it in your own words")
    story.press_sequentially(steps.STORY[:30])
    page.context.set_offline(offline=False)
    story.press_sequentially(steps.STORY[30:])
    assert_kept(page, product)


def test_what_is_typed_while_the_server_restarts_is_saved_later(open_page: Open, product: Product) -> None:
    page = open_page(expect=CUT)
    steps.begin(page)
    page.get_by_label("Where is it?").select_option("right_cheek")
    page.wait_for_url(lambda url: "/new/" not in url)
    story = page.get_by_label("Describe it in your own words")
    story.press_sequentially(steps.STORY[:20])
    product.restart(lambda: story.press_sequentially(steps.STORY[20:]))
    assert_kept(page, product)


def assert_kept(page: Page, product: Product) -> None:
    """In the field, in the database, and there again after a reload."""
    case = steps.case_id(page)
    story = page.get_by_label("Describe it in your own words")
    expect(story).to_have_value(steps.STORY)
    story.blur()
    expect(page.get_by_test_id("autosave-status")).to_contain_text("Saved")
    for _ in range(300):
        if product.value("select intake ->> 'story' from consultation where id = %s", case) == steps.STORY:
            break
        page.wait_for_timeout(100)
    page.reload()
    expect(page.get_by_label("Describe it in your own words")).to_have_value(steps.STORY)
    expect(page.get_by_label("Where is it?")).to_have_value("right_cheek")
