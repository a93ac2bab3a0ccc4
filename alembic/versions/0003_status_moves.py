"""status moves: the database itself refuses what no state table allows"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# An error of the class of CHECK constraints, and a text without any value of the row but the two states.
REFUSE = "raise exception '% may not become %', old.status, new.status using errcode = 'check_violation'"

CONSULTATION = f"""
create function refuse_consultation_move() returns trigger language plpgsql as $$
begin
    if (old.status, new.status) not in (
        ('DRAFT', 'PENDING'), ('DRAFT', 'CANCELLED'),
        ('PENDING', 'IN_REVIEW'), ('PENDING', 'CANCELLED'),
        ('IN_REVIEW', 'PENDING'), ('IN_REVIEW', 'NEEDS_PHOTOS'), ('IN_REVIEW', 'ANSWERED'), ('IN_REVIEW', 'REJECTED'),
        ('NEEDS_PHOTOS', 'IN_REVIEW'),
        ('ANSWERED', 'CLOSED')
    ) then
        {REFUSE};
    end if;
    return new;
end $$;

create trigger consultation_move before update of status on consultation
for each row when (old.status is distinct from new.status) execute function refuse_consultation_move();

create function refuse_consultation_start() returns trigger language plpgsql as $$
begin
    raise exception 'a consultation begins as a DRAFT' using errcode = 'check_violation';
end $$;

create trigger consultation_start before insert on consultation
for each row when (new.status <> 'DRAFT') execute function refuse_consultation_start();
"""

# Money that has arrived stays arrived; only money under review still waits for a decision. A page that has ended never
# opens again, but money that comes late for it counts.
PAYMENT = f"""
create function refuse_payment_move() returns trigger language plpgsql as $$
begin
    if old.status in ('PAID', 'DUPLICATE', 'RETURNED')
        or (old.status = 'REVIEW' and new.status not in ('PAID', 'DUPLICATE', 'RETURNED'))
        or new.status = 'CREATING'
        or (new.status = 'OPEN' and old.status <> 'CREATING')
    then
        {REFUSE};
    end if;
    return new;
end $$;

create trigger payment_move before update of status on payment
for each row when (old.status is distinct from new.status) execute function refuse_payment_move();
"""


def upgrade() -> None:
    for script in (CONSULTATION, PAYMENT):  # several statements each, which only the driver takes at once
        op.get_bind().connection.driver_connection.execute(script)


def downgrade() -> None:
    op.execute("drop trigger payment_move on payment")
    op.execute("drop trigger consultation_start on consultation")
    op.execute("drop trigger consultation_move on consultation")
    op.execute("drop function refuse_payment_move, refuse_consultation_start, refuse_consultation_move")
