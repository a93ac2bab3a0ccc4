"""refunds as rows, what was received, and what an operator needs to know of an event"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

OLD = "'CANCELLED', 'CREATING', 'DUPLICATE', 'EXPIRED', 'FAILED', 'OPEN', 'PAID', 'PROCESSING', 'REVIEW'"
NEW = OLD.replace("'REVIEW'", "'RETURNED', 'REVIEW'")
RECEIVED = "'PAID', 'DUPLICATE', 'REVIEW'"


def upgrade() -> None:
    op.add_column("payment", sa.Column("received_minor", sa.Integer(), server_default="0", nullable=False))
    op.add_column("payment", sa.Column("received_currency", sa.String(length=3), nullable=True))
    op.add_column("payment", sa.Column("stripe_dispute_id", sa.String(), nullable=True))
    op.add_column("payment", sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        f"update payment set received_minor = amount_minor, received_currency = currency where status in ({RECEIVED})"
    )
    _checks(NEW, "refunded_minor between 0 and received_minor")
    op.create_check_constraint(op.f("ck_payment_received"), "payment", "received_minor >= 0")
    op.create_table(
        "refund",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("event_id", sa.String(length=255), nullable=True),
        sa.Column("stripe_payment_intent_id", sa.String(), nullable=False),
        sa.Column("amount_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("operator_id", sa.Uuid(), nullable=True),
        sa.Column("key", sa.String(), nullable=True),
        sa.Column("stripe_refund_id", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("failure", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status in ('failed', 'pending', 'requested', 'succeeded', 'superseded')", name=op.f("ck_refund_status")
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_refund_amount")),
        sa.CheckConstraint("num_nonnulls(payment_id, event_id) = 1", name=op.f("ck_refund_origin")),
        sa.CheckConstraint("(key is null) = (requested_by = 'stripe')", name=op.f("ck_refund_key")),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_refund_payment_id")),
        sa.ForeignKeyConstraint(["operator_id"], ["user.id"], name=op.f("fk_refund_operator_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund")),
        sa.UniqueConstraint("key", name=op.f("uq_refund_key")),
        sa.UniqueConstraint("stripe_refund_id", name=op.f("uq_refund_stripe_refund_id")),
    )
    op.create_index(op.f("ix_refund_payment_id"), "refund", ["payment_id"])
    op.create_index(
        "uq_refund_event",
        "refund",
        ["event_id"],
        unique=True,
        postgresql_where=sa.text("status in ('pending', 'requested', 'succeeded')"),
    )
    op.create_index(
        "ix_refund_unfinished",
        "refund",
        ["updated_at"],
        postgresql_where=sa.text("status in ('pending', 'requested')"),
    )
    # Promises made before there were rows keep the key they were promised under.
    op.execute(
        "insert into refund (id, payment_id, stripe_payment_intent_id, amount_minor, currency, reason, requested_by,"
        " key, status, created_at, updated_at)"
        " select gen_random_uuid(), id, stripe_payment_intent_id, amount_minor, currency, 'duplicate', 'system',"
        " 'refund:' || id, refund_status, updated_at, updated_at from payment"
        " where refund_status in ('requested', 'pending') and stripe_payment_intent_id is not null"
    )
    _ledger()


def _checks(statuses: str, refunded: str) -> None:
    for name, condition in {"status": f"status in ({statuses})", "refunded": refunded}.items():
        op.drop_constraint(op.f(f"ck_payment_{name}"), "payment", type_="check")
        op.create_check_constraint(op.f(f"ck_payment_{name}"), "payment", condition)


def _ledger() -> None:
    for column in (
        sa.Column("secret", sa.SmallInteger(), nullable=True),
        sa.Column("object_id", sa.String(length=255), nullable=True),
        sa.Column("stripe_payment_intent_id", sa.String(length=255), nullable=True),
        sa.Column("amount_minor", sa.Integer(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("resolution", sa.String(), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.Uuid(), nullable=True),
    ):
        op.add_column("processed_webhook", column)
    op.create_foreign_key(
        op.f("fk_processed_webhook_resolved_by"), "processed_webhook", "user", ["resolved_by"], ["id"]
    )
    op.create_index(
        op.f("ix_processed_webhook_stripe_payment_intent_id"), "processed_webhook", ["stripe_payment_intent_id"]
    )
    op.create_index(
        "ix_processed_webhook_open",
        "processed_webhook",
        ["received_at"],
        postgresql_where=sa.text("outcome in ('quarantined', 'unmatched') and resolution is null"),
    )
    op.execute(
        "update processed_webhook set stripe_payment_intent_id = detail, detail = '' where outcome = 'unmatched'"
    )


def downgrade() -> None:
    op.drop_index("ix_processed_webhook_open", table_name="processed_webhook")
    op.drop_index(op.f("ix_processed_webhook_stripe_payment_intent_id"), table_name="processed_webhook")
    op.drop_constraint(op.f("fk_processed_webhook_resolved_by"), "processed_webhook", type_="foreignkey")
    op.execute(
        "update processed_webhook set detail = coalesce(stripe_payment_intent_id, '') where outcome = 'unmatched'"
    )
    for name in (
        "secret", "object_id", "stripe_payment_intent_id", "amount_minor", "currency", "resolution", "resolved_at",
        "resolved_by",
    ):  # fmt: skip
        op.drop_column("processed_webhook", name)
    op.drop_table("refund")
    op.drop_constraint(op.f("ck_payment_received"), "payment", type_="check")
    op.execute("alter table payment disable trigger payment_move")  # the older tables have no word for it
    op.execute("update payment set status = 'DUPLICATE' where status = 'RETURNED'")
    op.execute("alter table payment enable trigger payment_move")
    op.execute("update payment set refunded_minor = amount_minor where refunded_minor > amount_minor")
    _checks(OLD, "refunded_minor between 0 and amount_minor")
    for name in ("received_minor", "received_currency", "stripe_dispute_id", "checked_at"):
        op.drop_column("payment", name)
