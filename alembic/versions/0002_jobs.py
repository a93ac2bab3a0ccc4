"""jobs: Procrastinate's own tables and functions, as the pinned version ships them"""

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def run(script: str) -> None:
    """Several statements with percent signs in them: past SQLAlchemy's parameter handling, on the same transaction."""
    op.get_bind().connection.driver_connection.execute(script)


def upgrade() -> None:
    run(SchemaManager.get_schema())


def downgrade() -> None:
    run(
        """
        drop table procrastinate_events, procrastinate_periodic_defers, procrastinate_jobs, procrastinate_workers cascade;
        do $$ declare f record; begin
            for f in select oid::regprocedure as name from pg_proc where proname like 'procrastinate%' loop
                execute format('drop function %s cascade', f.name);
            end loop;
        end $$;
        drop type procrastinate_job_to_defer_v1, procrastinate_job_status, procrastinate_job_event_type cascade;
        """
    )
