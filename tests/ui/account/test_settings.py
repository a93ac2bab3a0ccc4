"""Settings without a browser: the profile, and every state of the way to Stripe."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from teleconsult.accounts.models import Role
from teleconsult.accounts.profile import profile
from teleconsult.billing import checkout, gateway
from teleconsult.billing.gateway import GatewayDown
from teleconsult.billing.portal import DOWN
from teleconsult.ui.account.settings_state import Account, Billing
from teleconsult.ui.session import Session
from tests.sandbox_process import Sandbox
from tests.support import full_draft, pending_case, person
from tests.ui.consultation.driving import Tab

pytestmark = pytest.mark.usefixtures("database")


class Settings(Tab):
    """One person's settings page; `sent` keeps what handlers ask for, also when it is a list."""

    def __init__(self, user: uuid.UUID, path: str = "/settings", role: Role = Role.PATIENT) -> None:
        super().__init__(user, path, "Europe/Berlin")
        self.role = role

    def run(self, handler: Any, *arguments: Any) -> list[str]:
        asyncio.run(self.call(handler, *arguments))
        return self.sent

    @property
    def billing(self) -> Billing:
        return asyncio.run(self.state(Billing))

    @property
    def account(self) -> Account:
        return asyncio.run(self.state(Account))

    async def state(self, cls: Any) -> Any:
        found = await super().state(cls)
        (await self.root.get_state(Session)).role = self.role
        return found

    def _note(self, event: Any) -> None:
        for one in event if isinstance(event, list) else [event]:
            super()._note(one)


@pytest.fixture
def jane(sandbox: Sandbox) -> uuid.UUID:
    assert sandbox
    return person()


def paying(user: uuid.UUID) -> Settings:
    """Somebody who has been on Stripe's page, so that there is a customer."""
    checkout.start(user, full_draft(user))
    page = Settings(user)
    page.run(Billing.load)
    return page


def test_before_anything_was_paid(jane: uuid.UUID) -> None:
    page = Settings(jane)
    page.run(Billing.load)
    assert page.billing.phase == "none"


def test_a_customer_without_a_payment_can_manage_billing(jane: uuid.UUID) -> None:
    billing = paying(jane).billing
    assert (billing.phase, billing.amount) == ("ready", "")


def test_the_last_payment_is_named(jane: uuid.UUID) -> None:
    pending_case(jane)
    billing = paying(jane).billing
    assert billing.amount == "€49.00"
    assert billing.paid_on


def test_staff_have_no_billing() -> None:
    page = Settings(person("amara@clinic.example", Role.DERMATOLOGIST), role=Role.DERMATOLOGIST)
    page.run(Billing.load)
    assert page.billing.phase == "staff"


def test_manage_billing_leads_to_the_own_portal(jane: uuid.UUID, sandbox: Sandbox) -> None:
    page = paying(jane)
    (address,) = page.run(Billing.manage)
    assert address.startswith(sandbox.base)
    assert page.billing.opening, "the button keeps turning until the browser has left"
    assert page.billing.problem == ""


def test_a_second_press_opens_no_second_link(jane: uuid.UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    page = paying(jane)
    page.run(Billing.manage)
    monkeypatch.setattr(gateway.Gateway, "create_portal", lambda *_: pytest.fail("a second link was made"))
    assert page.run(Billing.manage) == []


def test_stripe_is_away(jane: uuid.UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise GatewayDown("away")

    page = paying(jane)
    monkeypatch.setattr(gateway.Gateway, "create_portal", away)
    assert page.run(Billing.manage) == []
    assert (page.billing.problem, page.billing.opening) == (DOWN, False)
    page.run(Billing.load)
    assert page.billing.problem == "", "a new visit begins without the old trouble"


def test_back_from_stripe_cleans_the_address_and_says_so(jane: uuid.UUID) -> None:
    page = paying(jane)
    page.run(Billing.manage)
    page.go("/settings?billing=back")
    assert page.run(Billing.load) == ["/settings"]
    page.go("/settings")
    assert page.run(Billing.load) == []
    assert (page.billing.back, page.billing.opening) == (True, False)


def test_somebody_without_a_customer_gets_no_portal_while_others_have_one(
    jane: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    paying(jane)
    monkeypatch.setattr(gateway.Gateway, "create_portal", lambda *_: pytest.fail("a portal was opened"))
    mallory = Settings(person("mallory@example.com"))
    mallory.run(Billing.load)
    assert mallory.run(Billing.manage) == []
    assert mallory.billing.problem == "You haven’t paid for anything yet."


def test_the_profile_is_saved_and_told() -> None:
    jane = person()
    page = Settings(jane)
    page.run(Account.load)
    assert (page.account.phase, page.account.name, page.account.timezone_listed) == ("ready", "Jane", False)
    sent = page.run(Account.save, {"name": "Jane Doe", "timezone": "Europe/Berlin"})
    assert sent == ["Flash.push"]
    assert (profile(jane).name, profile(jane).timezone) == ("Jane Doe", "Europe/Berlin")
    assert (page.account.name, page.account.timezone_listed, page.account.saving) == ("Jane Doe", True, False)


def test_what_cannot_be_saved_is_said_at_its_field() -> None:
    jane = person()
    page = Settings(jane)
    page.run(Account.load)
    page.run(Account.save, {"name": " ", "timezone": "Mars/Olympus"})
    assert list(page.account.problems) == ["name", "timezone"]
    assert not page.account.saving
    assert profile(jane).timezone == "UTC"


def test_a_dermatologist_saves_a_zone_without_a_name() -> None:
    amara = person("amara@clinic.example", Role.DERMATOLOGIST, title="Consultant", registration_no="7412036")
    page = Settings(amara, role=Role.DERMATOLOGIST)
    page.run(Account.load)
    page.run(Account.save, {"name": None, "timezone": "Asia/Tokyo"})
    assert (profile(amara).name, profile(amara).timezone) == ("Amara", "Asia/Tokyo")


def test_consents_are_listed_by_consultation_in_the_order_of_the_form() -> None:
    jane = person()
    first, second = full_draft(jane), full_draft(jane)
    assert first != second
    page = Settings(jane)
    page.run(Account.load)
    assert len(page.account.agreed) == 2
    assert [text[:30] for text in page.account.agreed[0]["texts"]] == [
        "I agree to be assessed remotel", "I agree that my health data is", "I understand this is not for e",
    ]  # fmt: skip


def test_leaving_empties_the_page() -> None:
    page = Settings(person())
    page.run(Account.load)
    page.run(Account.leave)
    assert (page.account.phase, page.account.name, page.account.email) == ("loading", "", "")
