"""Whatever order news comes in, however often, and whatever times it bears: it ends in one state."""

from __future__ import annotations

import itertools
import uuid
from collections import Counter
from typing import Any

import pytest

from teleconsult.billing import webhook
from teleconsult.billing.models import Payment
from teleconsult.billing.objects import Event
from tests.billing.conftest import Alert
from tests.billing.deliveries import attempt, consultation, event, mails, payments, session
from tests.support import full_draft, person

pytestmark = pytest.mark.usefixtures("patient", "alerts")

UNPAID = {"payment_status": "unpaid"}
OVER = {"status": "expired", "payment_status": "unpaid", "payment_intent": None}


def news(page: Payment) -> dict[str, dict[str, Any]]:
    """One event of each kind about a page."""
    money = {"object": "charge", "id": "ch_1", "payment_intent": f"pi_{page.id.hex}", "amount_refunded": 4900}
    back = {"object": "refund", "id": f"re_{page.id.hex}", "payment_intent": money["payment_intent"], "amount": 4900}
    return {
        "completed": event(session(page, **UNPAID)),
        "succeeded": event(session(page), "checkout.session.async_payment_succeeded"),
        "failed": event(session(page, **UNPAID), "checkout.session.async_payment_failed"),
        "expired": event(session(page, **OVER), "checkout.session.expired"),
        "refunded": event(money, "charge.refunded"),
        "returning": event({**back, "status": "pending"}, "refund.created"),
        "returned": event({**back, "status": "succeeded"}, "refund.updated"),
    }


def ends(kinds: tuple[str, ...]) -> Counter[tuple[Any, ...]]:
    """The states that all orders of these events end in. Each comes twice, and its time says the opposite order."""
    found: Counter[tuple[Any, ...]] = Counter()
    for number, order in enumerate(itertools.permutations(kinds)):
        draft = full_draft(person(f"p{number}@example.com"))
        told = news(attempt(draft))
        for moment, kind in enumerate([*order, *order]):
            webhook.apply(Event.model_validate({**told[kind], "created": 1_700_000_000 - moment}))
        [payment] = payments(draft)
        found[payment.status, payment.refunded_minor, payment.refund_status, consultation(draft).status] += 1
    return found


def test_every_order_of_money_that_came_late_and_went_back_ends_in_one_state() -> None:
    kinds = ("completed", "succeeded", "failed", "expired", "refunded")
    assert ends(kinds) == {("PAID", 4900, "succeeded", "CANCELLED"): 120}
    told = Counter(mail.kind for mail in mails())
    assert told["payment_received"] == 120, "once for each"


def test_every_order_of_a_refund_that_takes_days_ends_in_one_state() -> None:
    kinds = ("succeeded", "refunded", "returning", "returned")
    assert ends(kinds) == {("PAID", 4900, "succeeded", "CANCELLED"): 24}
    assert Counter(mail.kind for mail in mails()) == {"payment_received": 24, "refund_sent": 24}


@pytest.mark.parametrize(
    ("kinds", "end"),
    [
        (("completed", "succeeded"), ("PAID", 0, None, "PENDING")),
        (("succeeded", "expired"), ("PAID", 0, None, "PENDING")),
        (("completed", "failed"), ("FAILED", 0, None, "DRAFT")),
        (("completed", "expired"), ("PROCESSING", 0, None, "DRAFT")),
        (("completed", "failed", "expired"), ("FAILED", 0, None, "DRAFT")),
        (("completed", "failed", "succeeded"), ("PAID", 0, None, "PENDING")),
    ],
)
def test_every_order_of_fewer_events(kinds: tuple[str, ...], end: tuple[Any, ...]) -> None:
    assert set(ends(kinds)) == {end}


def test_a_page_that_was_given_up_is_not_taken_up_beside_another(patient: uuid.UUID, alerts: list[Alert]) -> None:
    """An attempt whose time was up turns out to be complete: its money counts when it comes, and until then not."""
    draft = full_draft(patient)
    first = attempt(draft, status="EXPIRED")
    attempt(draft, attempt=2)
    told = news(first)
    assert webhook.apply(Event.model_validate(told["completed"])).body == {"outcome": "noop"}
    assert webhook.apply(Event.model_validate(told["succeeded"])).body == {"outcome": "processed"}
    assert [p.status for p in payments(draft)] == ["PAID", "OPEN"]
    assert alerts == []
