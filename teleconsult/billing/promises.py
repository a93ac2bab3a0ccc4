"""What must hold in the database at every moment: each promise as one question that finds the rows which break it.

Plain SQL, because each question looks at whole tables at once and should be readable beside the table of states. Every
question answers with one column, the opaque id of what is wrong; `:now` is the present.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Promise:
    """One promise: its number among the invariants of money, what is wrong where it is broken, and where to look."""

    code: str
    sentence: str
    broken: str
    given: str = ""
    """A WITH clause that the question stands on."""


_CHAIN = """
    with moved as (
        select object_id, id, case action
            when 'drafted' then 'DRAFT' when 'submitted' then 'PENDING' when 'claimed' then 'IN_REVIEW'
            when 'released' then 'PENDING' when 'answered' then 'ANSWERED' when 'cancelled' then 'CANCELLED'
            when 'photos_asked' then 'NEEDS_PHOTOS' when 'photos_supplied' then 'IN_REVIEW'
            when 'rejected' then 'REJECTED' when 'closed' then 'CLOSED'
        end as state
        from audit_log where object_type = 'consultation'
    ), chain as (
        select object_id, state, lead(state) over (partition by object_id order by id) as next
        from moved where state is not null
    )
"""
"""The states a consultation went through by its audit log, each with the one after it; null after the last."""

PROMISES = (
    Promise(
        "I1",
        "A paid attempt is not the one its consultation was queued by.",
        """
        select p.id from payment p join consultation c on c.id = p.consultation_id
        where p.status = 'PAID' and c.paid_payment_id is distinct from p.id
        """,
    ),
    Promise(
        "I1",
        "Money that buys nothing is neither going back nor waiting for an operator.",
        """
        select p.id from payment p
        where p.status in ('DUPLICATE', 'RETURNED') and p.refunded_minor < p.received_minor
            and p.refund_status is distinct from 'failed' and p.dispute_status is distinct from 'lost'
            and not exists (select from refund r where r.payment_id = p.id and r.status = 'superseded')
            and p.received_minor > (
                select coalesce(sum(r.amount_minor), 0) from refund r
                where r.payment_id = p.id and r.status in ('requested', 'pending', 'succeeded')
            )
        """,
    ),
    Promise(
        "I1",
        "A refund was promised, and neither a job nor the sweep has taken it up.",
        """
        select r.id from refund r
        where r.status = 'requested' and r.updated_at < :now - interval '2 hours' and not exists (
            select from procrastinate_jobs j
            where j.task_name = 'billing.refund' and j.status in ('todo', 'doing')
                and j.args->>'refund_id' = cast(r.id as text)
        )
        """,
    ),
    Promise(
        "I2",
        "A consultation left DRAFT without a payment of its own that Stripe confirmed.",
        """
        select c.id from consultation c left join payment p on p.id = c.paid_payment_id
        where c.status not in ('DRAFT', 'CANCELLED') and (
            p.id is null or p.status <> 'PAID' or p.consultation_id <> c.id or p.user_id <> c.user_id
            or p.stripe_session_id is null or p.settled_by is null
        )
        """,
    ),
    Promise(
        "I2",
        "A draft is marked as paid.",
        "select id from consultation where status = 'DRAFT' and paid_payment_id is not null",
    ),
    Promise(
        "I3",
        "One payment had its effect more than once.",
        """
        select object_id from audit_log where action in ('submitted', 'payment_paid', 'payment_duplicate')
        group by object_id, action having count(*) > 1
        """,
    ),
    Promise(
        "I4",
        "Two attempts share one payment at Stripe.",
        """
        select stripe_payment_intent_id from payment where stripe_payment_intent_id is not null
        group by stripe_payment_intent_id having count(*) > 1
        """,
    ),
    Promise(
        "I4",
        "One payment was confirmed by more than one e-mail.",
        """
        select min(cast(id as text)) from notice where kind = 'payment_received'
        group by facts->>'ref' having count(*) > 1
        """,
    ),
    Promise(
        "I5",
        "An attempt has received money and does not stand where money leads, or the other way round.",
        """
        select id from payment
        where (paid_at is not null) <> (status in ('PAID', 'DUPLICATE', 'REVIEW', 'RETURNED'))
        """,
    ),
    Promise(
        "I5",
        "A dispute that is open or lost does not hold its case.",
        """
        select c.id from consultation c join payment p on p.id = c.paid_payment_id
        where c.status in ('PENDING', 'IN_REVIEW', 'NEEDS_PHOTOS') and c.hold_reason is null
            and p.dispute_status not in ('won', 'prevented', 'warning_closed')
        """,
    ),
    Promise(
        "I6",
        "A consultation keeps more than one payment.",
        """
        select consultation_id from payment where status = 'PAID' group by consultation_id having count(*) > 1
        """,
    ),
    Promise(
        "I7",
        "A consultation shows another price than was paid.",
        """
        select c.id from consultation c join payment p on p.id = c.paid_payment_id
        where (c.price_minor, c.currency) is distinct from (p.received_minor, p.received_currency)
        """,
    ),
    Promise(
        "I7",
        "Another amount than was asked for counts as paid, and no operator has accepted it.",
        """
        select id from payment where status = 'PAID' and settled_by <> 'operator'
            and (received_minor, received_currency) is distinct from (amount_minor, currency)
        """,
    ),
    Promise(
        "I8",
        "A consultation has more than one attempt that can still be paid.",
        """
        select consultation_id from payment where status in ('CREATING', 'OPEN', 'PROCESSING')
        group by consultation_id having count(*) > 1
        """,
    ),
    Promise(
        "I9",
        "More was returned than was paid, or a finished refund returned nothing.",
        """
        select id from payment
        where refunded_minor not between 0 and received_minor or refund_status = 'succeeded' and refunded_minor = 0
        """,
    ),
    Promise(
        "I9",
        "The refunds of a payment don't agree with what has been returned of it.",
        """
        select p.id from payment p join (
            select payment_id, sum(amount_minor) filter (where requested_by <> 'stripe') as promised,
                sum(amount_minor) filter (where status = 'succeeded') as done
            from refund where status in ('requested', 'pending', 'succeeded') group by payment_id
        ) r on r.payment_id = p.id
        where r.promised > p.received_minor or r.done > p.refunded_minor
        """,
    ),
    Promise(
        "I9",
        "A fully refunded case still waits to be answered.",
        """
        select c.id from consultation c join payment p on p.id = c.paid_payment_id
        where c.status in ('PENDING', 'IN_REVIEW', 'NEEDS_PHOTOS') and c.hold_reason is null
            and p.refunded_minor = p.received_minor and p.received_minor > 0
        """,
    ),
    Promise(
        "I10",
        "An attempt hangs although its page ended long ago: the sweep does not do its work.",
        """
        select id from payment
        where status in ('CREATING', 'OPEN') and expires_at < :now - interval '13 hours'
            or status = 'PROCESSING' and created_at < :now - interval '30 days'
        """,
    ),
    Promise(
        "I11",
        "An event was accepted and its effect is not there.",
        """
        select w.id from processed_webhook w left join payment p on p.id = w.payment_id
        where w.outcome = '' or w.outcome in ('processed', 'duplicate_payment')
            and w.type in ('checkout.session.completed', 'checkout.session.async_payment_succeeded')
            and (p.id is null or p.paid_at is null)
        """,
    ),
    Promise(
        "I12",
        "Money waits for a decision and nobody knows why.",
        "select id from payment where status = 'REVIEW' and coalesce(review_reason, '') = ''",
    ),
    Promise(
        "I12",
        "News about a payment was kept for later, and later has come.",
        """
        select w.id from processed_webhook w
        join payment p on p.stripe_payment_intent_id = w.stripe_payment_intent_id
        where w.outcome = 'unmatched' and w.resolution is null and p.paid_at is not null
        """,
    ),
    Promise(
        "I13",
        "A consultation is not where its audit log says.",
        """
        select c.id from consultation c left join chain on chain.object_id = c.id and chain.next is null
        where chain.state is distinct from c.status
        """,
        _CHAIN,
    ),
    Promise(
        "I13",
        "A consultation made a move that no table of states allows.",
        """
        select distinct object_id from chain where next is not null and (state, next) not in (
            ('DRAFT', 'PENDING'), ('DRAFT', 'CANCELLED'),
            ('PENDING', 'IN_REVIEW'), ('PENDING', 'CANCELLED'),
            ('IN_REVIEW', 'PENDING'), ('IN_REVIEW', 'NEEDS_PHOTOS'), ('IN_REVIEW', 'ANSWERED'),
            ('IN_REVIEW', 'REJECTED'), ('NEEDS_PHOTOS', 'IN_REVIEW'), ('ANSWERED', 'CLOSED')
        )
        """,
        _CHAIN,
    ),
    Promise(
        "I13",
        "A payment is not where its audit log says.",
        """
        select p.id from payment p left join (
            select object_id, array_agg(cast(action as text)) as acts from audit_log
            where action in (
                'payment_paid', 'payment_duplicate', 'payment_review', 'payment_unassigned', 'payment_returned'
            ) group by object_id
        ) a on a.object_id = p.id
        where p.status in ('PAID', 'DUPLICATE', 'REVIEW', 'RETURNED') and (a.acts is null
            or p.status <> 'RETURNED' and not 'payment_' || lower(p.status) = any (a.acts)
            or p.status = 'RETURNED' and not a.acts && array['payment_unassigned', 'payment_returned']
        )
        or p.status not in ('PAID', 'DUPLICATE', 'REVIEW', 'RETURNED') and a.acts is not null
        or p.status <> 'PAID' and 'payment_paid' = any (a.acts)
        """,
    ),
)
