"""figures: health and metrics stay cheap however much history there is"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_payment_quarantined",
        "payment",
        ["created_at"],
        postgresql_where=sa.text("status = 'REVIEW' or refund_status = 'failed'"),
    )
    op.create_index("ix_payment_swept", "payment", ["paid_at"], postgresql_where=sa.text("settled_by = 'sweep'"))
    op.create_index("ix_payment_begun", "payment", ["created_at", "status"])
    op.create_index(
        "ix_procrastinate_jobs_failed", "procrastinate_jobs", ["id"], postgresql_where=sa.text("status = 'failed'")
    )


def downgrade() -> None:
    op.drop_index("ix_procrastinate_jobs_failed", table_name="procrastinate_jobs")
    for name in ("ix_payment_begun", "ix_payment_swept", "ix_payment_quarantined"):
        op.drop_index(name, table_name="payment")
