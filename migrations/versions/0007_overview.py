"""What admins see at a glance, and may have tried again: figures over everything, and dead events of the outbox.

Row-level security looks at every row by itself; figures over all of them come from functions that answer admins alone,
with counts.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

APP, SERVICE = "mentorship_app", "mentorship_service"
ADMIN = "(select app_role()) = 'admin'"

OVERVIEW = """
create function admin_overview(since timestamptz, until timestamptz)
returns table (students bigint, active_mentees bigint, seats_open bigint, seats bigint, waiting bigint,
               completed bigint, scheduled bigint, income jsonb, flagged_orders bigint, dead_jobs bigint,
               revoked_calendars bigint, undelivered bigint, testimonials bigint, conflicts bigint)
language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
    if app_role() <> 'admin' then
        raise exception 'for admins' using errcode = 'insufficient_privilege';
    end if;
    return query
    with live as (
        select r.mentor_id, count(*) as taken, count(*) filter (where r.status in ('active', 'grace')) as mentees
          from seat_reservations r where r.status <> 'released' group by r.mentor_id
    ), places as (
        select coalesce(sum(l.mentees), 0)::bigint as mentees,
               coalesce(sum(greatest(0, m.max_active_students - coalesce(l.taken, 0)))
                        filter (where u.deleted_at is null and u.role = 'mentor'), 0)::bigint as free,
               coalesce(sum(m.max_active_students)
                        filter (where u.deleted_at is null and u.role = 'mentor'), 0)::bigint as capacity
          from mentors m join users u on u.id = m.id left join live l on l.mentor_id = m.id
    ), month as (
        select count(*) filter (where s.status = 'completed') as held,
               count(*) filter (where s.status = 'scheduled') as planned
          from sessions s where s.scheduled_at >= since and s.scheduled_at < until
    ), money as (
        select p.currency, p.amount::bigint as amount from payments p
         where p.status in ('completed', 'refunded') and p.created_at >= since and p.created_at < until
         union all
        select f.currency, -f.amount::bigint from refunds f
         where f.status <> 'failed' and f.requested_at >= since and f.requested_at < until
    ), sums as (select m.currency, sum(m.amount)::bigint as amount from money m group by m.currency)
    select (select count(*) from users u where u.role = 'student' and u.deleted_at is null),
           places.mentees, places.free, places.capacity,
           (select count(distinct w.student_id) from waitlist w where w.left_at is null and w.offered_at is null),
           month.held, month.planned,
           (select coalesce(jsonb_object_agg(sums.currency, sums.amount), '{}') from sums),
           (select count(*) from orders o where o.flag is not null),
           (select count(*) from outbox o where o.state = 'dead'),
           (select count(*) from calendar_connections c where c.state = 'revoked'),
           (select count(*) from deliveries d where d.state in ('failed', 'uncertain')),
           (select count(*) from testimonials t where t.status = 'pending'),
           (select count(*) from sessions s where s.status = 'scheduled' and s.conflict is not null)
      from places, month;
end $$;
"""

# The queue's own tables are nobody's to read; `oldest` is when the event that has waited longest could have begun.
QUEUE = """
create function admin_queue(at timestamptz)
returns table (waiting bigint, later bigint, handed_over bigint, dead bigint, oldest timestamptz,
               jobs_queued bigint, jobs_active bigint, workers bigint)
language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
    if app_role() <> 'admin' then
        raise exception 'for admins' using errcode = 'insufficient_privilege';
    end if;
    return query
    select count(*) filter (where o.state = 'new' and o.available_at <= at),
           count(*) filter (where o.state = 'new' and o.available_at > at),
           count(*) filter (where o.state = 'queued'),
           (select count(*) from outbox d where d.state = 'dead'),
           min(o.available_at) filter (where o.available_at <= at),
           (select count(*) from saq_jobs j where j.status = 'queued'),
           (select count(*) from saq_jobs j where j.status in ('active', 'aborting')),
           workers_alive()
      from outbox o where o.state in ('new', 'queued');
end $$;
"""
FUNCTIONS = ("admin_overview(timestamptz, timestamptz)", "admin_queue(timestamptz)")

# (name, table, columns, condition)
INDEXES: tuple[tuple[str, str, list[str], str | None], ...] = (
    ("ix_sessions_when", "sessions", ["scheduled_at", "status"], None),
    (
        "ix_sessions_conflict",
        "sessions",
        ["scheduled_at"],
        "conflict is not null and status = 'scheduled'",
    ),
    ("ix_outbox_dead", "outbox", ["type", "available_at"], "state = 'dead'"),
    ("ix_deliveries_undelivered", "deliveries", ["created_at"], "state in ('failed', 'uncertain')"),
    ("ix_orders_flagged", "orders", ["created_at"], "flag is not null"),
    ("ix_payments_created_at", "payments", ["created_at"], None),
    ("ix_refunds_requested_at", "refunds", ["requested_at"], None),
)


def upgrade() -> None:
    for name, table, columns, condition in INDEXES:
        where = sa.text(condition) if condition else None
        op.create_index(name, table, columns, unique=False, postgresql_where=where)
    op.execute(OVERVIEW)
    op.execute(QUEUE)
    for function in FUNCTIONS:
        op.execute(f"revoke execute on function {function} from public")
        op.execute(f"grant execute on function {function} to {APP}")
    op.execute(f"grant update (state, attempts, starts, available_at, queued_at) on outbox to {APP}")
    op.execute(
        f"create policy app_update on outbox for update to {APP}"
        f" using ({ADMIN} and state = 'dead') with check ({ADMIN} and state = 'new')"
    )


def downgrade() -> None:
    op.execute("drop policy app_update on outbox")
    op.execute(f"revoke update (state, attempts, starts, available_at, queued_at) on outbox from {APP}")
    for function in FUNCTIONS:
        op.execute(f"drop function {function}")
    for name, table, _, condition in reversed(INDEXES):
        where = sa.text(condition) if condition else None
        op.drop_index(name, table_name=table, postgresql_where=where)
