"""tables"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_role", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("object_type", sa.String(), nullable=False),
        sa.Column("object_id", sa.Uuid(), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
    )
    op.create_index(op.f("ix_audit_log_actor_id"), "audit_log", ["actor_id"], unique=False)
    op.create_index(op.f("ix_audit_log_at"), "audit_log", ["at"], unique=False)
    op.create_index(op.f("ix_audit_log_object_id"), "audit_log", ["object_id"], unique=False)
    op.create_table(
        "notice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(length=254), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    op.create_table(
        "user",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("registration_no", sa.String(length=40), nullable=False),
        sa.Column("stripe_customer_id", sa.String(), nullable=True),
        sa.Column("stripe_customer_generation", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role in ('patient', 'dermatologist', 'operator')", name=op.f("ck_user_role")),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_user_email_lower")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        sa.UniqueConstraint("email", name=op.f("uq_user_email")),
        sa.UniqueConstraint("stripe_customer_id", name=op.f("uq_user_stripe_customer_id")),
    )
    op.create_table(
        "consultation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ref", sa.String(length=12), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("intake", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("user_notes", sa.String(), nullable=False),
        sa.Column("price_minor", sa.Integer(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("paid_payment_id", sa.Uuid(), nullable=True),
        sa.Column("stripe_payment_id", sa.String(), nullable=True),
        sa.Column("hold_reason", sa.String(), nullable=True),
        sa.Column("claimed_by", sa.Uuid(), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer_read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("discarded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status <> 'IN_REVIEW' or claimed_by is not null", name=op.f("ck_consultation_claimed")),
        sa.CheckConstraint(
            "status in ('DRAFT', 'CANCELLED') or paid_payment_id is not null", name=op.f("ck_consultation_paid")
        ),
        sa.CheckConstraint(
            "status in ('DRAFT', 'PENDING', 'IN_REVIEW', 'NEEDS_PHOTOS', 'ANSWERED', 'CLOSED', 'REJECTED', 'CANCELLED')",
            name=op.f("ck_consultation_status"),
        ),
        sa.CheckConstraint(
            "status not in ('PENDING', 'IN_REVIEW') or due_at is not null", name=op.f("ck_consultation_due")
        ),
        sa.ForeignKeyConstraint(["claimed_by"], ["user.id"], name=op.f("fk_consultation_claimed_by")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_consultation_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consultation")),
        sa.UniqueConstraint("paid_payment_id", name=op.f("uq_consultation_paid_payment_id")),
        sa.UniqueConstraint("ref", name=op.f("uq_consultation_ref")),
    )
    op.create_index(op.f("ix_consultation_claimed_by"), "consultation", ["claimed_by"], unique=False)
    op.create_index(
        "ix_consultation_queue",
        "consultation",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("status = 'PENDING'"),
    )
    op.create_index(op.f("ix_consultation_user_id"), "consultation", ["user_id"], unique=False)
    op.create_table(
        "user_session",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_user_session_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_session")),
    )
    op.create_index(op.f("ix_user_session_user_id"), "user_session", ["user_id"], unique=False)
    op.create_table(
        "answer",
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("impression", sa.String(), nullable=False),
        sa.Column("certainty", sa.String(), nullable=False),
        sa.Column("explanation", sa.String(), nullable=False),
        sa.Column("plan", sa.String(), nullable=False),
        sa.Column("medicine", sa.String(), nullable=False),
        sa.Column("medicine_use", sa.String(), nullable=False),
        sa.Column("safety_net", sa.String(), nullable=False),
        sa.Column("signed_name", sa.String(), nullable=False),
        sa.Column("signed_title", sa.String(), nullable=False),
        sa.Column("signed_registration_no", sa.String(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["author_id"], ["user.id"], name=op.f("fk_answer_author_id")),
        sa.ForeignKeyConstraint(["consultation_id"], ["consultation.id"], name=op.f("fk_answer_consultation_id")),
        sa.PrimaryKeyConstraint("consultation_id", name=op.f("pk_answer")),
    )
    op.create_index(op.f("ix_answer_author_id"), "answer", ["author_id"], unique=False)
    op.create_table(
        "consent",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("text_sha256", sa.String(length=64), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["consultation.id"], name=op.f("fk_consent_consultation_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index("uq_consent_given", "consent", ["consultation_id", "kind"], unique=True)
    op.create_table(
        "payment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("amount_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=True),
        sa.Column("request", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.Column("stripe_session_id", sa.String(), nullable=True),
        sa.Column("stripe_payment_intent_id", sa.String(), nullable=True),
        sa.Column("session_url", sa.String(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_by", sa.String(), nullable=True),
        sa.Column("refunded_minor", sa.Integer(), nullable=False),
        sa.Column("refund_status", sa.String(), nullable=True),
        sa.Column("dispute_status", sa.String(), nullable=True),
        sa.Column("review_reason", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status in ('CANCELLED', 'CREATING', 'DUPLICATE', 'EXPIRED', 'FAILED', 'OPEN', 'PAID', 'PROCESSING', 'REVIEW')",
            name=op.f("ck_payment_status"),
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_payment_amount")),
        sa.CheckConstraint("refunded_minor between 0 and amount_minor", name=op.f("ck_payment_refunded")),
        sa.ForeignKeyConstraint(["consultation_id"], ["consultation.id"], name=op.f("fk_payment_consultation_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_payment_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
        sa.UniqueConstraint("consultation_id", "attempt", name=op.f("uq_payment_consultation_id_attempt")),
        sa.UniqueConstraint("consultation_id", "id", name=op.f("uq_payment_consultation_id_id")),
        sa.UniqueConstraint("stripe_session_id", name=op.f("uq_payment_stripe_session_id")),
    )
    op.create_index(op.f("ix_payment_consultation_id"), "payment", ["consultation_id"], unique=False)
    op.create_index(op.f("ix_payment_stripe_payment_intent_id"), "payment", ["stripe_payment_intent_id"], unique=False)
    op.create_index(
        "ix_payment_unsettled",
        "payment",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("status in ('CREATING', 'OPEN', 'PROCESSING')"),
    )
    op.create_index(op.f("ix_payment_user_id"), "payment", ["user_id"], unique=False)
    op.create_index(
        "uq_payment_live",
        "payment",
        ["consultation_id"],
        unique=True,
        postgresql_where=sa.text("status in ('CREATING', 'OPEN', 'PROCESSING')"),
    )
    op.create_index(
        "uq_payment_paid", "payment", ["consultation_id"], unique=True, postgresql_where=sa.text("status = 'PAID'")
    )
    op.create_table(
        "photo",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("consultation_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("store_key", sa.String(), nullable=False),
        sa.Column("source_sha256", sa.String(length=64), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("quality", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["consultation_id"], ["consultation.id"], name=op.f("fk_photo_consultation_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_photo_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photo")),
        sa.UniqueConstraint("store_key", name=op.f("uq_photo_store_key")),
    )
    op.create_index(op.f("ix_photo_consultation_id"), "photo", ["consultation_id"], unique=False)
    op.create_index(op.f("ix_photo_user_id"), "photo", ["user_id"], unique=False)
    op.create_index(
        "uq_photo_content",
        "photo",
        ["consultation_id", "source_sha256"],
        unique=True,
        postgresql_where=sa.text("removed_at is null"),
    )
    op.create_table(
        "processed_webhook",
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("api_version", sa.String(), nullable=True),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("detail", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_processed_webhook_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_processed_webhook")),
    )
    op.create_index(op.f("ix_processed_webhook_payment_id"), "processed_webhook", ["payment_id"], unique=False)
    op.create_index(op.f("ix_processed_webhook_received_at"), "processed_webhook", ["received_at"], unique=False)
    op.create_foreign_key(
        "fk_consultation_paid_payment", "consultation", "payment", ["id", "paid_payment_id"], ["consultation_id", "id"]
    )


def downgrade() -> None:
    op.drop_constraint("fk_consultation_paid_payment", "consultation", type_="foreignkey")
    op.drop_index(op.f("ix_processed_webhook_received_at"), table_name="processed_webhook")
    op.drop_index(op.f("ix_processed_webhook_payment_id"), table_name="processed_webhook")
    op.drop_table("processed_webhook")
    op.drop_index("uq_photo_content", table_name="photo", postgresql_where=sa.text("removed_at is null"))
    op.drop_index(op.f("ix_photo_user_id"), table_name="photo")
    op.drop_index(op.f("ix_photo_consultation_id"), table_name="photo")
    op.drop_table("photo")
    op.drop_index("uq_payment_paid", table_name="payment", postgresql_where=sa.text("status = 'PAID'"))
    op.drop_index(
        "uq_payment_live",
        table_name="payment",
        postgresql_where=sa.text("status in ('CREATING', 'OPEN', 'PROCESSING')"),
    )
    op.drop_index(op.f("ix_payment_user_id"), table_name="payment")
    op.drop_index(
        "ix_payment_unsettled",
        table_name="payment",
        postgresql_where=sa.text("status in ('CREATING', 'OPEN', 'PROCESSING')"),
    )
    op.drop_index(op.f("ix_payment_stripe_payment_intent_id"), table_name="payment")
    op.drop_index(op.f("ix_payment_consultation_id"), table_name="payment")
    op.drop_table("payment")
    op.drop_index("uq_consent_given", table_name="consent")
    op.drop_table("consent")
    op.drop_index(op.f("ix_answer_author_id"), table_name="answer")
    op.drop_table("answer")
    op.drop_index(op.f("ix_user_session_user_id"), table_name="user_session")
    op.drop_table("user_session")
    op.drop_index(op.f("ix_consultation_user_id"), table_name="consultation")
    op.drop_index("ix_consultation_queue", table_name="consultation", postgresql_where=sa.text("status = 'PENDING'"))
    op.drop_index(op.f("ix_consultation_claimed_by"), table_name="consultation")
    op.drop_table("consultation")
    op.drop_table("user")
    op.drop_table("notice")
    op.drop_index(op.f("ix_audit_log_object_id"), table_name="audit_log")
    op.drop_index(op.f("ix_audit_log_at"), table_name="audit_log")
    op.drop_index(op.f("ix_audit_log_actor_id"), table_name="audit_log")
    op.drop_table("audit_log")
