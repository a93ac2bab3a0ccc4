"""`teleconsult invariants`: what operators see of the promises of money."""

from __future__ import annotations

from sqlalchemy import text

from teleconsult.db import transaction
from tests.money.test_stocktaking import Shop
from tests.ops.stripe.conftest import Command


def break_one(shop: Shop) -> None:
    with transaction() as tx:
        tx.connection().execute(text("delete from audit_log where object_id = :i"), {"i": shop.unpaid})


def test_all_is_well(shop: Shop, command: Command) -> None:
    assert shop
    told = command("invariants")
    assert (told.code, told.out) == (0, "All promises of money hold in the database and at Stripe.\n")
    assert command("invariants", "--json").facts == {"ok": True, "violations": [], "waiting": []}


def test_a_broken_promise_is_told_with_its_ids_and_by_the_exit_code(shop: Shop, command: Command) -> None:
    break_one(shop)
    told = command("invariants", "--without-stripe")
    assert told.code == 1
    assert told.out.splitlines() == ["I13 A consultation is not where its audit log says. (1)", f"      {shop.unpaid}"]
    told = command("invariants", "--json")
    assert told.code == 1
    [violation] = told.facts["violations"]
    assert (told.facts["ok"], violation["code"], violation["ids"]) == (False, "I13", [str(shop.unpaid)])


def test_money_in_quarantine_is_shown_and_is_no_fault(shop: Shop, command: Command) -> None:
    with transaction() as tx:
        tx.connection().execute(text("update payment set status = 'REVIEW', review_reason = 'x', paid_at = now()"
                                     " where stripe_session_id = :s"), {"s": shop.page})  # fmt: skip
        tx.connection().execute(text("insert into audit_log (at, actor_role, action, object_type, object_id, detail)"
                                     " select now(), 'system', 'payment_review', 'payment', id, '{}' from payment"
                                     " where status = 'REVIEW'"))  # fmt: skip
    told = command("stripe", "invariants", "--without-stripe")
    assert told.code == 0
    assert "In quarantine, waiting for an operator: 1" in told.out


def test_stripe_out_of_reach_is_a_refusal_and_no_verdict(shop: Shop, command: Command) -> None:
    shop.sandbox.call("POST", "/_sandbox/faults", {"operation": "*", "kind": "500", "times": 9})
    told = command("invariants")
    assert (told.code, told.out) == (2, "")
    assert "Stripe doesn’t answer" in told.err
