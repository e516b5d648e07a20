"""The queue's own tables, made here so that starting processes don't race to make them (SAQ 0.26, its schema 3)."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        create table saq_versions (version int);
        insert into saq_versions (version) values (3);

        create table saq_jobs (
            key text primary key,
            lock_key serial not null,
            job bytea not null,
            queue text not null,
            status text not null,
            priority smallint not null default 0,
            group_key text,
            scheduled bigint not null default extract(epoch from now()),
            expire_at bigint
        );
        create index saq_jobs_status_queue_group_key_idx on saq_jobs (status, queue, group_key);
        create index saq_jobs_status_queue_priority_scheduled_idx on saq_jobs (status, queue, priority, scheduled);

        create table saq_stats (
            worker_id text primary key,
            stats jsonb,
            expire_at bigint,
            metadata jsonb,
            queue_key text
        );
        create index saq_stats_expire_at_idx on saq_stats (expire_at);
        create index saq_stats_queue_key_idx on saq_stats (queue_key);

        create function workers_alive() returns bigint
        language sql stable security definer set search_path = public, pg_temp as $$
            select count(*) from saq_stats where expire_at >= extract(epoch from now())
        $$;
    """)


def downgrade() -> None:
    op.execute("""
        drop function workers_alive();
        drop table saq_stats;
        drop table saq_jobs;
        drop table saq_versions;
    """)
