"""What the overview says: every figure, trouble, reason, question and result in words."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from teleconsult.billing import rules
from teleconsult.billing.desk import Overview
from teleconsult.billing.invariants import Violation
from teleconsult.billing.pulse import Pulse
from teleconsult.billing.quarantine import Decision, Dismissal, Item, Kind
from teleconsult.db import utcnow
from teleconsult.ui.operations import addresses, decisions, words
from tests.support import fresh_settings

CALM = Pulse(
    oldest_job_age=None, worker_age=4, stuck_payments=0, stuck_age=None, quarantined=0, last_event_age=26, swept=0
)
NOW = utcnow()
PAYMENT = Item(
    Kind.PAYMENT, "0b0c", "amount", NOW - timedelta(hours=3), "€54.00", 5400, "eur", "TC-7Q4M", "pi_1",
    ("accept", "refund"), asked="€49.00", writes=True,
)  # fmt: skip
REFUND = replace(PAYMENT, kind=Kind.REFUND, reason="lost_or_stolen_card", amount="€10.00", acts=("refund", "dismiss"))
EVENT = Item(
    Kind.EVENT, "evt_1", "unmatched", NOW, "", None, None, "", None, ("dismiss",), event_type="charge.dispute.created"
)
STRAY = replace(EVENT, reason="unknown", amount="€49.00", amount_minor=4900, payment_intent="pi_2", acts=("refund",))


def seen(**changes: Any) -> Overview:
    return Overview(replace(CALM, **changes), {"OPEN": 2, "CREATING": 1, "PROCESSING": 0, "REVIEW": 0}, ())


def tile(label: str, overview: Overview, broken: tuple[Violation, ...] | None = ()) -> tuple[str, str, str]:
    found = {t["label"]: t for t in words.tiles(overview, broken)}[label]
    return found["value"], found["note"], found["tone"]


def test_the_skeleton_has_the_labels_of_the_figures() -> None:
    assert tuple(t["label"] for t in words.tiles(seen(), None)) == words.LABELS


@pytest.mark.parametrize(("seconds", "said"), [
    (-3, "0 s"), (0, "0 s"), (59.9, "59 s"), (60, "1 min"), (7199, "119 min"), (7200, "2 h"), (86_400, "24 h"),
    (172_799, "47 h"), (172_800, "2 days"),
])  # fmt: skip
def test_an_age_never_sounds_longer_than_it_is(seconds: float, said: str) -> None:
    assert words.age(seconds) == said


def test_when_all_is_well_nothing_has_the_colour_of_trouble() -> None:
    assert {t["tone"] for t in words.tiles(seen(), ())} == {"ok", "neutral"}
    assert words.troubles(CALM) == []


@pytest.mark.parametrize(("label", "changes", "told", "todo"), [
    ("Worker’s last sign", {"worker_age": 121}, ("2 min", "It should be seconds", "danger"), "teleconsult worker"),
    ("Worker’s last sign", {"worker_age": None}, ("None", "It should be seconds", "danger"), "teleconsult worker"),
    ("Oldest job", {"oldest_job_age": 901}, ("15 min", "It should be under 15 min", "danger"), "log"),
    ("Stuck attempts", {"stuck_payments": 2, "stuck_age": 7300},
     ("2", "Up to 2 h past their time", "danger"), "stripe reconcile"),
    ("Last Stripe event", {"swept": 1}, ("26 s", "1 payment came without one", "danger"), "stripe doctor"),
])  # fmt: skip
def test_a_figure_that_is_off_says_so_and_what_to_do(
    label: str, changes: dict[str, Any], told: tuple[str, str, str], todo: str
) -> None:
    assert tile(label, seen(**changes)) == told
    (trouble,) = words.troubles(replace(CALM, **changes))
    assert todo in trouble["text"] + trouble["command"]


@pytest.mark.parametrize(("label", "changes"), [
    ("Worker’s last sign", {"worker_age": 120}), ("Oldest job", {"oldest_job_age": 900}),
])  # fmt: skip
def test_a_figure_within_its_bound_is_fine(label: str, changes: dict[str, Any]) -> None:
    assert tile(label, seen(**changes))[2] == "ok"
    assert words.troubles(replace(CALM, **changes)) == []


def test_a_late_job_is_no_second_trouble_while_no_worker_is_there() -> None:
    assert len(words.troubles(replace(CALM, worker_age=None, oldest_job_age=9999))) == 1
    assert [words.headline(n) for n in (1, 2)] == ["One thing needs you", "2 things need you"]


def test_the_two_figures_that_must_be_nought_are_those_of_the_last_check() -> None:
    paid, unpaid = "Paid, not pending", "Pending, not paid"
    assert [tile(label, seen(), None)[0] for label in (paid, unpaid)] == ["–", "–"]
    assert [tile(label, seen()) for label in (paid, unpaid)] == [("0", "As it must be", "ok")] * 2
    broken = (Violation("I1", "x", ("a",), 2), Violation("I1", "y", ("b",), 1), Violation("I2", "z", ("c",), 4))
    assert tile(paid, seen(), broken) == ("3", "It must be 0", "danger")
    assert tile(unpaid, seen(), broken) == ("4", "It must be 0", "danger")
    assert words.proof(broken, "14:33")["title"] == "2 promises of money are broken"
    assert words.proof(broken[:2], "14:33")["title"] == "A promise of money is broken"
    assert words.proof((), "14:33") == {"checked": "14:33", "title": "All 13 promises of money hold", "fine": True}
    assert [b["count"] for b in words.broken_ones(broken)] == ["2 times", "Once", "4 times"]


def test_payments_under_way_name_the_banks() -> None:
    assert tile("Payments open", seen()) == ("3", "Pages at Stripe", "neutral")
    banks = replace(seen(), under_way={"OPEN": 2, "PROCESSING": 1})
    assert tile("Payments open", banks) == ("3", "1 with a bank", "neutral")


# ── Why something waits ────────────────────────────────────────────────────────────────────────────


def why(item: Item) -> tuple[str, str]:
    row = decisions.row(item, "Europe/Berlin", NOW)
    return row["title"], row["why"]


def test_a_line_tells_why_how_much_and_since_when() -> None:
    row = decisions.row(PAYMENT, "Europe/Berlin", NOW)
    assert why(PAYMENT) == ("Another amount was paid", "€49.00 was asked for and €54.00 arrived.")
    assert (row["amount"], row["age"], row["ref"]) == ("€54.00", "3 h", "TC-7Q4M")
    assert row["href"] == "/operations/payments?ref=TC-7Q4M"
    assert (row["accept"], row["give_back"], row["aside"]) == (True, True, False)


def test_money_that_never_came_is_said_to_be_nothing() -> None:
    free = replace(PAYMENT, amount="€0.00", amount_minor=0)
    assert why(free)[1] == "€49.00 was asked for and nothing arrived."


def test_a_line_about_an_event_has_no_story() -> None:
    row = decisions.row(EVENT, "Europe/Berlin", NOW)
    assert (row["href"], row["ref"], row["amount"], row["name"]) == ("", "", "None", "evt_1")
    assert why(EVENT)[1] == "charge.dispute.created. For an hour nothing here has matched it."
    assert why(STRAY) == (
        "Money nobody here knows", "€49.00 was paid on a page that belongs to none of our consultations.",
    )  # fmt: skip


def test_a_refund_that_failed_says_the_banks_reason() -> None:
    told = ("A refund failed", "€10.00 should have gone back, but the card was lost or stolen.")
    assert why(REFUND) == told
    assert why(replace(REFUND, reason="new_code"))[1].endswith("but Stripe says: new_code.")
    of_event = replace(STRAY, reason="lost_or_stolen_card")
    assert why(of_event) == ("A refund failed", "€49.00 should have gone back, but the card was lost or stolen.")


def test_every_check_a_payment_can_fail_has_its_words() -> None:
    expected = rules.Expected(4900, "eur", livemode=False, consultation_id="c")
    right = rules.Claimed("payment", 4900, "eur", livemode=False, reference="c")
    assert rules.mismatch(expected, right) == ""
    wrong: list[dict[str, Any]] = [
        {"mode": "setup"}, {"livemode": True}, {"amount_minor": 1}, {"currency": "usd"}, {"reference": "d"},
    ]  # fmt: skip
    assert {rules.mismatch(expected, replace(right, **change)) for change in wrong} == set(decisions.REVIEW)


# ── Before and after ───────────────────────────────────────────────────────────────────────────────


def test_accepting_says_price_promise_and_letter() -> None:
    asked = decisions.question("accept", PAYMENT, 48)
    assert (asked["title"], asked["confirm"]) == ("Accept €54.00 for TC-7Q4M?", "Accept €54.00")
    assert "due in 48 hours" in asked["text"]
    assert "goes back instead" in asked["text"]
    assert asked["mail"].startswith("The patient gets an e-mail")


@pytest.mark.parametrize(("item", "title", "mail"), [
    (PAYMENT, "Return €54.00 of TC-7Q4M?", "The patient gets an e-mail when Stripe has taken the refund."),
    (REFUND, "Return €10.00 of TC-7Q4M?", "The patient gets an e-mail when Stripe has taken the refund."),
    (replace(REFUND, writes=False), "Return €10.00 of TC-7Q4M?", "Nobody gets an e-mail."),
    (STRAY, "Return €49.00?", "We don’t know who paid, so nobody gets an e-mail."),
    (replace(PAYMENT, amount_minor=0, writes=False), "Close the payment of TC-7Q4M?", "Nobody gets an e-mail."),
])  # fmt: skip
def test_returning_says_whose_money_and_who_is_written_to(item: Item, title: str, mail: str) -> None:
    asked = decisions.question("refund", item, 48)
    assert (asked["title"], asked["mail"]) == (title, mail)


def test_putting_aside_moves_nothing() -> None:
    assert decisions.question("dismiss", REFUND, 48)["title"] == "Put the refund of TC-7Q4M aside?"
    assert "No money moves" in decisions.question("dismiss", EVENT, 48)["text"]
    assert set(decisions.DISMISSALS) == set(Dismissal)


@pytest.mark.parametrize(("decision", "item", "title"), [
    (Decision("queued"), PAYMENT, "TC-7Q4M is in the queue"),
    (Decision("returned", refund_id=None), PAYMENT, "The payment of TC-7Q4M is closed"),
    (Decision("dismissed"), EVENT, "Put aside"),
])  # fmt: skip
def test_what_came_of_it(decision: Decision, item: Item, title: str) -> None:
    assert decisions.result(decision, item)["title"] == title


def test_what_came_of_money_that_goes_back() -> None:
    made = uuid.uuid4()
    assert decisions.result(Decision("returned", made), PAYMENT)["title"] == "€54.00 is going back"
    assert decisions.result(Decision("duplicate_payment", made), PAYMENT)["title"] == "€54.00 goes back by itself"


def everything_said() -> Iterable[str]:
    items = [PAYMENT, REFUND, EVENT, STRAY]
    for item, reason in product(items, [*decisions.REVIEW, *decisions.FAILED, *decisions.EVENTS, "other"]):
        yield from why(replace(item, reason=reason))
    for item in items:
        for act in item.acts:
            yield from decisions.question(act, item, 48).values()
    yield from decisions.DISMISSALS.values()
    for trouble in words.troubles(replace(CALM, oldest_job_age=9999, stuck_payments=2, stuck_age=9, swept=2)):
        yield from trouble.values()


@pytest.mark.parametrize("said", sorted(set(everything_said())))
def test_the_words_are_calm_and_whole(said: str) -> None:
    assert not re.search(r"!|[Oo]ops|[{}']|\bNone\b(?! )|null|[.]{2}|  ", said), said


# ── Where it leads ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("key", "base", "payment", "event"), [
    ("sk_test_1", "", "https://dashboard.stripe.com/test/payments/pi_1", "https://dashboard.stripe.com/test/events/evt_1"),
    ("sk_live_1", "", "https://dashboard.stripe.com/payments/pi_1", "https://dashboard.stripe.com/events/evt_1"),
    ("sk_test_1", "http://127.0.0.1:8110", "http://127.0.0.1:8110/?find=pi_1", "http://127.0.0.1:8110/events?about=evt_1"),
])  # fmt: skip
def test_a_payment_is_found_where_its_money_is(key: str, base: str, payment: str, event: str) -> None:
    fresh_settings(STRIPE_SECRET_KEY=key, STRIPE_WEBHOOK_SECRET="whsec_1", STRIPE_API_BASE=base)
    assert [addresses.at_stripe(thing) for thing in ("pi_1", "evt_1")] == [payment, event]
    assert [addresses.at_stripe(other) for other in (None, "", "cs_1", "0b0c")] == ["", "", "", ""]


def test_a_name_can_not_leave_its_place_in_an_address() -> None:
    assert addresses.payment("a&b=c#d/é") == "/operations/payments?ref=a%26b%3Dc%23d%2F%C3%A9"
