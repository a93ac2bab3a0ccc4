"""Hypothesis invents what can happen to money, and every promise holds after each of its stories."""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import text

from teleconsult.billing import rules, settle, webhook
from teleconsult.db import transaction
from tests.money.machine import Trade

RUNS, STEPS = int(os.environ.get("MONEY_RUNS", "300")), int(os.environ.get("MONEY_STEPS", "30"))
"""Longer: MONEY_RUNS=5000 MONEY_STEPS=60. The same again: MONEY_SEED, as it was printed."""

REACHED = {
    *(f"payment {state}" for state in ("PAID", "DUPLICATE", "EXPIRED")),
    *(f"case {state}" for state in ("DRAFT", "PENDING", "IN_REVIEW", "CANCELLED")),
    *(f"settled by {who}" for who in ("webhook", "landing", "sweep")),
    *(f"event {outcome}" for outcome in ("processed", "noop", "duplicate_payment")),
    "dispute needs_response",
    "refund succeeded",
}
"""Where three hundred stories lead, if they are worth anything; to most of it a hundred times."""


def run(machine: type[Trade], number: int, runs: int, *phases: Phase) -> None:
    run_state_machine_as_test(
        seed(number)(machine),
        settings=settings(
            max_examples=runs,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=[Phase.generate, *phases],
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.timeout(0)
def test_every_story_ends_with_every_promise_kept(trade: type[Trade], capsys: pytest.CaptureFixture[str]) -> None:
    number = int(os.environ.get("MONEY_SEED", random.SystemRandom().getrandbits(32)))
    with capsys.disabled():
        print(f"\nMONEY_SEED={number} MONEY_RUNS={RUNS} MONEY_STEPS={STEPS}")  # noqa: T201 - to run it again
    run(trade, number, RUNS, Phase.shrink)
    with capsys.disabled():
        print(", ".join(f"{what} {count}" for what, count in sorted(trade.seen.items())))  # noqa: T201
    assert set(trade.seen) >= REACHED or RUNS < 300


# ── Negative controls: with a safeguard taken away, the stories find it ────────────────────────────


CONTROL_SEED, CONTROL_RUNS = 7, 200


def found_without(trade: type[Trade]) -> str:
    """What the stories find against us. Nothing in so many runs fails here."""
    with pytest.raises(AssertionError):
        run(trade, CONTROL_SEED, CONTROL_RUNS)
    return "\n".join(trade.wrong)


def test_without_the_check_of_the_amount(trade: type[Trade], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "mismatch", lambda _expected, _claimed: "")
    assert "Another amount than was asked for counts as paid" in found_without(trade)


def test_without_the_refund_of_a_second_payment(trade: type[Trade], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settle, "refund_later", lambda _tx, _payment, *_reason: None)
    assert "is paid and DUPLICATE" in found_without(trade)


def test_without_the_ledger(trade: type[Trade], monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate in front of everything: the row of an earlier delivery is taken for nothing."""
    row = webhook._ledger_row

    def open_gate(event: webhook.Event) -> object:
        with transaction() as tx:
            tx.connection().execute(text("delete from processed_webhook where id = :id"), {"id": event.id})
        return row(event)

    monkeypatch.setattr(webhook, "_ledger_row", open_gate)
    assert "a second time" in found_without(trade)
