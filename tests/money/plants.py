"""Each promise of money broken on purpose, as somebody at the database, or a bug, could break it."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import text

from teleconsult.billing import invariants
from teleconsult.billing.invariants import Violation
from teleconsult.db import transaction
from tests.money.world import World


class Plant(NamedTuple):
    """One broken promise."""

    code: str
    sentence: str
    """How the violation begins."""
    names: str
    """The id that must be named, as a field of the world; empty where it is known to nobody before."""
    sql: str
    also: tuple[str, ...] = ()
    """Codes of other promises that can't hold then."""


# The database would refuse most of these: its guards stand aside for a transaction that is undone.
UNGUARD = (
    "set local session_replication_role = replica",
    "drop index uq_payment_live, uq_payment_paid",
    "alter table consultation drop constraint ck_consultation_paid, drop constraint ck_consultation_due",
    "alter table payment drop constraint ck_payment_refunded",
)


def planted(plant: Plant, world: World) -> list[Violation]:
    """What is found while the promise is broken. Afterwards nothing has happened."""
    with transaction() as tx, tx.begin_nested() as undone:
        for statement in (*UNGUARD, plant.sql.format(**vars(world))):
            touched = tx.connection().execute(text(statement)).rowcount
        assert touched >= 1, "the plant did not take root"
        found = invariants.in_database(tx)
        undone.rollback()
    return found


ANOTHER_ATTEMPT = """
    insert into payment (id, consultation_id, user_id, attempt, status, amount_minor, currency, livemode, request,
        expires_at, refunded_minor, received_minor, received_currency, created_at, updated_at, paid_at,
        stripe_payment_intent_id)
    select gen_random_uuid(), consultation_id, user_id, attempt + 7, {status}, amount_minor, currency, livemode,
        request, expires_at, 0, received_minor, received_currency, created_at, updated_at, {paid_at}, {intent}
    from payment where id = '{id}'
"""

PLANTS = [
    Plant(
        "I1", "A paid attempt is not", "{paid.id}",
        "update consultation set paid_payment_id = null, status = 'CANCELLED' where id = '{paid.consultation_id}'",
        also=("I13",),
    ),
    Plant(
        "I1", "Money that buys nothing", "{duplicate.id}",
        "delete from refund where payment_id = '{duplicate.id}'",
    ),
    Plant(
        "I1", "Money that buys nothing", "{duplicate.id}",
        "update refund set amount_minor = 4899 where payment_id = '{duplicate.id}'",
    ),
    Plant(
        "I1", "A refund was promised", "{refund}",
        """
        with lost as (delete from procrastinate_jobs where task_name = 'billing.refund' returning 1)
        update refund set updated_at = now() - interval '3 hours'
        """,
    ),
    Plant(
        "I1", "A refund was promised", "{refund}",
        """
        with given_up as (
            update procrastinate_jobs set status = 'failed' where task_name = 'billing.refund' returning 1
        ) update refund set updated_at = now() - interval '3 hours'
        """,
    ),
    Plant(
        "I2", "A consultation left DRAFT without", "{paid.consultation_id}",
        "update consultation set paid_payment_id = null where id = '{paid.consultation_id}'",
        also=("I1",),
    ),
    Plant(
        "I2", "A consultation left DRAFT without", "{paid.consultation_id}",
        "update payment set settled_by = null where id = '{paid.id}'",
    ),
    Plant(
        "I2", "A consultation left DRAFT without", "{paid.consultation_id}",
        "update payment set stripe_session_id = null where id = '{paid.id}'",
    ),
    Plant(
        "I2", "A consultation left DRAFT without", "{paid.consultation_id}",
        "update payment set user_id = '{open.user_id}' where id = '{paid.id}'",
    ),
    Plant(
        "I2", "A draft is marked as paid", "{paid.consultation_id}",
        "update consultation set status = 'DRAFT' where id = '{paid.consultation_id}'",
        also=("I13",),
    ),
    Plant(
        "I3", "One payment had its effect", "{paid.id}",
        """
        insert into audit_log (at, actor_role, action, object_type, object_id, detail)
        select at, actor_role, action, object_type, object_id, detail from audit_log
        where action = 'payment_paid' and object_id = '{paid.id}'
        """,
    ),
    Plant(
        "I4", "Two attempts share", "{paid.stripe_payment_intent_id}",
        ANOTHER_ATTEMPT.format(
            status="'EXPIRED'", paid_at="null", intent="stripe_payment_intent_id", id="{paid.id}"
        ),
    ),
    Plant(
        "I4", "One payment was confirmed by", "",
        """
        insert into notice (id, kind, recipient, facts, created_at)
        select gen_random_uuid(), n.kind, n.recipient, n.facts, n.created_at
        from notice n join consultation c on c.ref = n.facts->>'ref'
        where n.kind = 'payment_received' and c.id = '{paid.consultation_id}'
        """,
    ),
    Plant(
        "I5", "An attempt has received money", "{review.id}",
        "update payment set status = 'EXPIRED' where id = '{review.id}'",
        also=("I13",),
    ),
    Plant(
        "I5", "A dispute that is open", "{disputed.consultation_id}",
        "update consultation set hold_reason = null where id = '{disputed.consultation_id}'",
    ),
    Plant(
        "I6", "A consultation keeps more", "{paid.consultation_id}",
        ANOTHER_ATTEMPT.format(status="'PAID'", paid_at="paid_at", intent="null", id="{paid.id}"),
        also=("I1", "I13"),
    ),
    Plant(
        "I7", "A consultation shows another", "{paid.consultation_id}",
        "update consultation set price_minor = 4901 where id = '{paid.consultation_id}'",
    ),
    Plant(
        "I7", "Another amount than was asked", "{paid.id}",
        "update payment set amount_minor = 4901 where id = '{paid.id}'",
    ),
    Plant(
        "I8", "A consultation has more than one", "{open.consultation_id}",
        ANOTHER_ATTEMPT.format(status="'CREATING'", paid_at="null", intent="null", id="{open.id}"),
    ),
    Plant(
        "I9", "More was returned", "{duplicate.id}",
        "update payment set refunded_minor = 4901 where id = '{duplicate.id}'",
    ),
    Plant(
        "I9", "More was returned", "{paid.id}",
        "update payment set refund_status = 'succeeded' where id = '{paid.id}'",
    ),
    Plant(
        "I9", "A fully refunded case", "{paid.consultation_id}",
        "update payment set refunded_minor = amount_minor where id = '{paid.id}'",
    ),
    Plant(
        "I9", "The refunds of a payment", "{duplicate.id}",
        "update refund set amount_minor = 4901 where payment_id = '{duplicate.id}'",
    ),
    Plant(
        "I9", "The refunds of a payment", "{duplicate.id}",
        "update refund set status = 'succeeded' where payment_id = '{duplicate.id}'",
    ),
    Plant(
        "I10", "An attempt hangs", "{open.id}",
        "update payment set expires_at = now() - interval '2 days' where id = '{open.id}'",
    ),
    Plant(
        "I11", "An event was accepted", "",
        "update processed_webhook set outcome = '' where id = (select max(id) from processed_webhook)",
    ),
    Plant(
        "I11", "An event was accepted", "",
        "update payment set paid_at = null, status = 'OPEN' where id = '{paid.id}'",
        also=("I2", "I13"),
    ),
    Plant(
        "I12", "Money waits for a decision", "{review.id}",
        "update payment set review_reason = null where id = '{review.id}'",
    ),
    Plant(
        "I12", "News about a payment", "",
        """
        insert into processed_webhook
            (id, type, livemode, created, received_at, outcome, detail, stripe_payment_intent_id)
        values
            ('evt_late', 'charge.refunded', false, now(), now(), 'unmatched', '', '{paid.stripe_payment_intent_id}')
        """,
    ),
    Plant(
        "I13", "A consultation is not where", "{draft}",
        "update consultation set status = 'CANCELLED' where id = '{draft}'",
    ),
    Plant(
        "I13", "A consultation made a move", "{draft}",
        """
        insert into audit_log (at, actor_role, action, object_type, object_id, detail)
        select now(), 'system', act, 'consultation', '{draft}', '{{}}'
        from unnest(array['claimed', 'drafted']) with ordinality as a (act, n) order by n
        """,
    ),
    Plant(
        "I13", "A payment is not where", "{duplicate.id}",
        "update payment set status = 'REVIEW', review_reason = 'x' where id = '{duplicate.id}'",
    ),
]  # fmt: skip
