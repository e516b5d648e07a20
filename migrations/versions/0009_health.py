"""The watchdog's one reading: how long things wait to be sent, what failed, who works. For admins and the service."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

APP, SERVICE = "mentorship_app", "mentorship_service"

# `at` and `since` are business time. What waits, by index: events that are due, and those that failed before and were
# put off; an event's waiting begins when it was first due. Deliveries: all that are under way, others since `since`.
READING = """
create function health_reading(at timestamptz, since timestamptz)
returns table (swept_at timestamptz, workers bigint, waiting bigint, oldest timestamptz, oldest_what text,
               dead jsonb, deliveries jsonb)
language sql stable security definer set search_path = public, pg_temp as $$
    with waits as (
        (select o.available_at as since, o.type, o.payload ->> 'kind' as kind from outbox o
          where o.state in ('new', 'queued') and o.available_at <= at order by o.available_at limit 1)
         union all
        (select o.due_at, o.type, o.payload ->> 'kind' from outbox o
          where o.state in ('new', 'queued') and o.due_at <= at order by o.due_at limit 1)
    ), longest as (select * from waits order by since limit 1), gave_up as (
        select d.type, count(*) as events from outbox d where d.state = 'dead' group by d.type
    ), told as (
        select d.state, d.kind, d.channel, coalesce(d.reason, '') as reason, count(*) as messages,
               max(d.created_at) as latest
          from deliveries d where d.state in ('pending', 'sending') group by 1, 2, 3, 4
         union all
        select d.state, d.kind, d.channel, coalesce(d.reason, ''), count(*), max(d.created_at)
          from deliveries d where d.state in ('failed', 'uncertain') and d.created_at >= since group by 1, 2, 3, 4
         union all
        select d.state, d.kind, d.channel, coalesce(d.reason, ''), count(*), max(d.created_at)
          from deliveries d where d.state = 'skipped' and d.created_at >= since group by 1, 2, 3, 4
    )
    select (select w.swept_at from watchdog w), workers_alive(),
           (select count(*) from outbox o where o.state in ('new', 'queued') and o.available_at <= at)
         + (select count(*) from outbox o where o.state in ('new', 'queued') and o.due_at <= at and o.available_at > at),
           (select l.since from longest l), (select coalesce(l.kind, l.type) from longest l),
           (select coalesce(jsonb_object_agg(g.type, g.events), '{}') from gave_up g),
           (select coalesce(jsonb_agg(to_jsonb(t) order by t.state, t.kind, t.channel, t.reason), '[]') from told t)
$$;
"""

ADMINS = """
create function admin_health(at timestamptz, since timestamptz)
returns table (swept_at timestamptz, workers bigint, waiting bigint, oldest timestamptz, oldest_what text,
               dead jsonb, deliveries jsonb)
language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
    if app_role() <> 'admin' then
        raise exception 'for admins' using errcode = 'insufficient_privilege';
    end if;
    return query select * from health_reading(at, since);
end $$;
"""

FUNCTIONS = {
    "health_reading(timestamptz, timestamptz)": SERVICE,
    "admin_health(timestamptz, timestamptz)": APP,
}

# (name, table, columns, condition)
INDEXES: tuple[tuple[str, str, list[str], str], ...] = (
    ("ix_outbox_put_off", "outbox", ["due_at"], "state in ('new', 'queued') and due_at is not null"),
    ("ix_deliveries_under_way", "deliveries", ["created_at"], "state in ('pending', 'sending')"),
    ("ix_deliveries_skipped", "deliveries", ["created_at"], "state = 'skipped'"),
)


def upgrade() -> None:
    op.add_column("outbox", sa.Column("due_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(f"grant update (due_at) on outbox to {APP}")
    for name, table, columns, condition in INDEXES:
        op.create_index(name, table, columns, unique=False, postgresql_where=sa.text(condition))
    op.execute(READING)
    op.execute(ADMINS)
    for function, role in FUNCTIONS.items():
        op.execute(f"revoke execute on function {function} from public")
        op.execute(f"grant execute on function {function} to {role}")


def downgrade() -> None:
    for function in reversed(FUNCTIONS):
        op.execute(f"drop function {function}")
    for name, table, _, condition in reversed(INDEXES):
        op.drop_index(name, table_name=table, postgresql_where=sa.text(condition))
    op.drop_column("outbox", "due_at")
