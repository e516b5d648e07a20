"""What the tables enforce by themselves: ledger sums, history, append-only rows, notifications of the outbox."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

IDENTITY = """
create function app_user_id() returns uuid language sql stable parallel safe
return nullif(current_setting('app.user_id', true), '')::uuid;

create function app_role() returns text language sql stable parallel safe
return coalesce(nullif(current_setting('app.role', true), ''), 'anonymous');
"""

APPEND_ONLY = """
create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end $$;

create trigger append_only before update or delete on pack_entries for each row execute function refuse_change();
create trigger append_only before update or delete on seat_entries for each row execute function refuse_change();
create trigger append_only before update or delete on audit_log for each row execute function refuse_change();
"""

# A session must stop being scheduled before its credit is spent: the check `credit` holds after every statement.
LEDGER = """
create function apply_pack_entry() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update session_packs
       set remaining_sessions = remaining_sessions + new.delta,
           status = case when status in ('active', 'depleted')
                         then case when remaining_sessions + new.delta = 0 then 'depleted' else 'active' end
                         else status end
     where id = new.pack_id;
    return null;
end $$;

create trigger apply_pack_entry after insert on pack_entries
for each row execute function apply_pack_entry();

create function count_scheduled_sessions() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if tg_op = 'UPDATE' and old.pack_id = new.pack_id
       and (old.status = 'scheduled') = (new.status = 'scheduled') then
        return null;
    end if;
    if tg_op <> 'INSERT' and old.status = 'scheduled' then
        update session_packs set scheduled_sessions = scheduled_sessions - 1 where id = old.pack_id;
    end if;
    if tg_op <> 'DELETE' and new.status = 'scheduled' then
        update session_packs set scheduled_sessions = scheduled_sessions + 1 where id = new.pack_id;
    end if;
    return null;
end $$;

create trigger count_scheduled_sessions after insert or update or delete on sessions
for each row execute function count_scheduled_sessions();
"""

SEATS = """
create function record_seat_entry() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if tg_op = 'INSERT' or old.status <> new.status then
        insert into seat_entries (seat_id, mentor_id, student_id, status, at)
        values (new.id, new.mentor_id, new.student_id, new.status, new.changed_at);
    end if;
    return null;
end $$;

create trigger record_seat_entry after insert or update on seat_reservations
for each row execute function record_seat_entry();

-- A seat that becomes live needs room. The mentors' rows are locked first, as everybody does who takes a seat; counted
-- is once a statement, so that many seats can be taken at a time.
create function guard_capacity() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    wanted uuid[];
begin
    if tg_op = 'INSERT' then
        select array_agg(distinct t.mentor_id) into wanted from taken t where t.status <> 'released';
    else
        select array_agg(distinct t.mentor_id) into wanted from taken t join before b on b.id = t.id
         where t.status <> 'released' and b.status = 'released';
    end if;
    if wanted is null then
        return null;
    end if;
    perform 1 from mentors m where m.id = any(wanted) order by m.id for no key update;
    if exists (select 1 from mentors m
                where m.id = any(wanted)
                  and m.max_active_students < (select count(*) from seat_reservations r
                                                where r.mentor_id = m.id and r.status <> 'released')) then
        raise exception 'no seat is free' using errcode = 'check_violation', constraint = 'seat_capacity';
    end if;
    return null;
end $$;

create trigger guard_capacity_of_new after insert on seat_reservations
referencing new table as taken for each statement execute function guard_capacity();
create trigger guard_capacity after update on seat_reservations
referencing old table as before new table as taken for each statement execute function guard_capacity();
"""

OUTBOX = """
create function announce_outbox() returns trigger language plpgsql as $$
begin
    perform pg_notify('outbox', '');
    return null;
end $$;

create trigger announce_outbox after insert on outbox for each statement execute function announce_outbox();
"""

# Everything below answers with ranges, counts or states, never with somebody else's ids.
QUESTIONS = """
-- Asked by every request: plpgsql keeps its plan over the calls, which makes it twice as fast.
create function authenticate(secret bytea, bearer boolean, at timestamptz)
returns table (id uuid, name text, email text, verified boolean, role text, time_zone text, theme text,
               seen_at timestamptz, impersonator_id uuid, bound_id text, bound_role text)
language plpgsql volatile security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select u.id, u.name, u.email::text, u.email_verified_at is not null, u.role::text, u.time_zone, u.theme,
           c.seen_at, c.impersonator_id,
           set_config('app.user_id', u.id::text, true), set_config('app.role', u.role::text, true)
      from (select t.user_id, t.last_used_at as seen_at, null::uuid as impersonator_id
              from access_tokens t where bearer and t.token_hash = secret and t.expires_at > at
             union all
            select s.user_id, s.last_seen_at, s.impersonator_id
              from web_sessions s where not bearer and s.token_hash = secret and s.expires_at > at) c
      join users u on u.id = c.user_id
     where u.deleted_at is null
       and (c.impersonator_id is null
            or (u.role <> 'admin' and exists (select 1 from users a where a.id = c.impersonator_id
                                                and a.role = 'admin' and a.deleted_at is null)));
end $$;

-- Ranges as [start, end] in epoch seconds, rounded outwards, comma-separated: half the price of rows or JSON.
create function mentor_times(mentor uuid, since timestamptz, until timestamptz, out name text, out calendar text,
                             out mirrored_at bigint, out busy text, out blocked text)
language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
    select u.name into name from users u join mentors m on m.id = u.id where u.id = mentor and u.deleted_at is null;
    select c.state, floor(date_part('epoch', c.mirrored_at))::bigint into calendar, mirrored_at
      from calendar_connections c where c.mentor_id = mentor;
    select coalesce(string_agg('[' || floor(date_part('epoch', lower(b.span)))::bigint || ','
                                   || ceil(date_part('epoch', upper(b.span)))::bigint || ']', ','), '') into busy
      from busy_windows b
     where b.mentor_id = mentor and b.span && tstzrange(since, until);
    select coalesce(string_agg('[' || floor(date_part('epoch', lower(s.blocked)))::bigint || ','
                                   || ceil(date_part('epoch', upper(s.blocked)))::bigint || ']', ','), '') into blocked
      from sessions s
     where s.mentor_id = mentor and s.status = 'scheduled' and s.blocked && tstzrange(since, until);
end $$;

create function seats_in_use(mentor uuid) returns integer
language sql stable security definer set search_path = public, pg_temp as $$
    select count(*)::integer from seat_reservations r where r.mentor_id = mentor and r.status <> 'released'
$$;

-- Places of deleted accounts count for nothing until they are restored.
create function waitlist_length(mentor uuid) returns integer
language sql stable security definer set search_path = public, pg_temp as $$
    select count(*)::integer from waitlist w join users u on u.id = w.student_id and u.deleted_at is null
     where w.mentor_id = mentor and w.left_at is null and w.offered_at is null
$$;

-- Seats that a student may take: none is free while as many others have waited longer.
create function seats_open_to(mentor uuid, student uuid) returns integer
language sql stable security definer set search_path = public, pg_temp as $$
    select m.max_active_students
         - (select count(*)::integer from seat_reservations r where r.mentor_id = mentor and r.status <> 'released')
         - (select count(*)::integer from waitlist w join users u on u.id = w.student_id and u.deleted_at is null
             where w.mentor_id = mentor and w.left_at is null and w.offered_at is null
               and not exists (select 1 from waitlist mine
                                where mine.mentor_id = mentor and mine.student_id = student and mine.left_at is null
                                  and (mine.joined_at, mine.id) <= (w.joined_at, w.id)))
      from mentors m where m.id = mentor
$$;

create function waitlist_position(mentor uuid) returns integer
language sql stable security definer set search_path = public, pg_temp as $$
    select count(*)::integer
      from waitlist mine
      join waitlist w on w.mentor_id = mine.mentor_id and w.left_at is null and w.offered_at is null
                     and (w.joined_at, w.id) <= (mine.joined_at, mine.id)
      join users u on u.id = w.student_id and u.deleted_at is null
     where mine.mentor_id = mentor and mine.student_id = app_user_id() and mine.left_at is null
$$;
"""

# Names of people; whether public pages list them as mentors (not those invited who never came, nor those whom only admins
# still see); and the e-mail only where it may be seen: own, an admin's view, a mentee while the seat lives.
PEOPLE = """
create view people with (security_barrier) as
select u.id, u.name, u.time_zone, u.role = 'mentor' and u.deleted_at is null and u.email_verified_at is not null as listed,
       case when u.id = (select app_user_id()) or (select app_role()) in ('admin') or (select pg_has_role('mentorship_service', 'usage'))
                 or exists (select 1 from seat_reservations r
                             where r.student_id = u.id and r.mentor_id = (select app_user_id()) and r.status <> 'released')
            then u.email::text end as email
  from users u
 where u.id = (select app_user_id())
    or (select app_role()) = 'admin'
    or (select pg_has_role('mentorship_service', 'usage'))
    or (u.deleted_at is null and exists (select 1 from mentors m where m.id = u.id))
    or exists (select 1 from session_packs p where p.student_id = u.id and p.mentor_id = (select app_user_id()))
    or exists (select 1 from seat_reservations r where r.student_id = u.id and r.mentor_id = (select app_user_id()))
    or exists (select 1 from waitlist w where w.student_id = u.id and w.mentor_id = (select app_user_id()) and w.left_at is null);
"""

# One document a question, for the slot engine: every page with times asks it, so that its plan is kept (plpgsql) and
# one round trip is enough. It runs as the asker: row-level security decides about packs, seat and own sessions.
SITUATION = """
create function booking_situation(mentor uuid, student uuid, since timestamptz, till timestamptz,
                                  horizon_from timestamptz) returns text
language plpgsql stable as $$
declare
    m mentors%rowtype;
    times record;
    until timestamptz;
begin
    select * into m from mentors where id = mentor;
    until := greatest(till, horizon_from + make_interval(days => m.horizon_days + 1));
    select * into times from mentor_times(mentor, since, until);
    if times.name is null then
        return null;
    end if;
    return '{"mentor":' || json_build_object(
            'id', mentor, 'name', times.name, 'slug', m.slug, 'time_zone', m.time_zone, 'hours', m.working_hours,
            'overrides', coalesce((select json_object_agg(o.date, o.intervals) from date_overrides o
                                    where o.mentor_id = mentor
                                      and o.date between since::date - 1 and until::date + 1), '{}'),
            'away', coalesce((select json_agg(json_build_array(a.first_day, a.last_day)) from absences a
                               where a.mentor_id = mentor and a.ended_at is null
                                 and a.last_day >= since::date - 1 and a.first_day <= until::date + 1), '[]'),
            'calendar', times.calendar, 'mirrored_at', times.mirrored_at,
            'notice_minutes', m.notice_minutes, 'horizon_days', m.horizon_days,
            'session_minutes', m.session_minutes, 'step_minutes', m.step_minutes,
            'buffer_before_minutes', m.buffer_before_minutes, 'buffer_after_minutes', m.buffer_after_minutes)
        || ',"busy":[' || times.busy || '],"blocked":[' || times.blocked || '],"own":'
        || (select coalesce(json_agg(json_build_object(
                    'id', s.id, 'mentor_id', s.mentor_id, 'pack_id', s.pack_id,
                    'start', floor(date_part('epoch', s.scheduled_at))::bigint,
                    'end', ceil(date_part('epoch', s.ends_at))::bigint,
                    'blocked', json_build_array(floor(date_part('epoch', lower(s.blocked)))::bigint,
                                                ceil(date_part('epoch', upper(s.blocked)))::bigint))), '[]')
              from sessions s
             where s.student_id = student and s.status = 'scheduled' and s.scheduled_at < until and s.ends_at > since)
        || ',"packs":'
        || (select coalesce(json_agg(json_build_object(
                    'id', k.id, 'status', k.status, 'frozen', k.frozen, 'total', k.total_sessions,
                    'remaining', k.remaining_sessions, 'scheduled', k.scheduled_sessions,
                    'purchased_at', floor(date_part('epoch', k.purchased_at))::bigint,
                    'expires_at', ceil(date_part('epoch', k.expires_at))::bigint)), '[]')
              from session_packs k where k.student_id = student and k.mentor_id = mentor)
        || ',"seat":'
        || coalesce((select json_build_object('status', t.status,
                                              'expires_at', floor(date_part('epoch', t.seat_expires_at))::bigint)::text
                       from seat_reservations t
                      where t.student_id = student and t.mentor_id = mentor and t.status <> 'released'), 'null')
        || '}';
end $$;
"""

# Open pages hear in which range the offers of a mentor changed, and ask again: no ids but the mentor's are told.
SLOTS_CHANGED = """
create function announce_slots(mentor uuid, range tstzrange) returns void language sql as $$
    select pg_notify('slots', json_build_object(
        'mentor_id', mentor,
        'start', floor(extract(epoch from lower(range)))::bigint,
        'end', ceil(extract(epoch from upper(range)))::bigint)::text)
     where not isempty(range)
$$;

create function announce_session() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and (old.status = 'scheduled') = (new.status = 'scheduled') and old.blocked = new.blocked then
        return null;
    end if;
    if tg_op = 'UPDATE' and old.status = 'scheduled' then
        perform announce_slots(old.mentor_id, old.blocked);
    end if;
    if new.status = 'scheduled' then
        perform announce_slots(new.mentor_id, new.blocked);
    end if;
    return null;
end $$;

create trigger announce_session after insert or update on sessions for each row execute function announce_session();

create function announce_busy_windows() returns trigger language plpgsql as $$
begin
    perform announce_slots(mentor_id, tstzrange(min(lower(span)), max(upper(span)))) from changed group by mentor_id;
    return null;
end $$;

create trigger announce_new_busy_windows after insert on busy_windows
referencing new table as changed for each statement execute function announce_busy_windows();
create trigger announce_old_busy_windows after delete on busy_windows
referencing old table as changed for each statement execute function announce_busy_windows();
create trigger announce_left_busy_windows after update on busy_windows
referencing old table as changed for each statement execute function announce_busy_windows();
create trigger announce_moved_busy_windows after update on busy_windows
referencing new table as changed for each statement execute function announce_busy_windows();

create function announce_rules() returns trigger language plpgsql as $$
begin
    perform announce_slots((to_jsonb(coalesce(new, old)) ->> tg_argv[0])::uuid, tstzrange('2000-01-01', '2100-01-01'));
    return null;
end $$;

create trigger announce_rules after update on mentors for each row
when ((old.time_zone, old.working_hours, old.notice_minutes, old.horizon_days, old.session_minutes, old.step_minutes,
       old.buffer_before_minutes, old.buffer_after_minutes)
      is distinct from
      (new.time_zone, new.working_hours, new.notice_minutes, new.horizon_days, new.session_minutes, new.step_minutes,
       new.buffer_before_minutes, new.buffer_after_minutes))
execute function announce_rules('id');
create trigger announce_state after insert or update of state on calendar_connections for each row
execute function announce_rules('mentor_id');
create trigger announce_override after insert or update or delete on date_overrides for each row
execute function announce_rules('mentor_id');
"""

# What happened to a session so far, for the two people it belongs to.
HISTORY = """
create function session_history(session uuid)
returns table (at timestamptz, actor_id uuid, actor_role text, action text, before jsonb, after jsonb)
language sql stable security definer set search_path = public, pg_temp as $$
    select a.at, a.actor_id, a.actor_role, a.action, a.before, a.after
      from audit_log a
     where a.subject_type = 'sessions' and a.subject_id = session
       and (app_role() = 'admin'
            or exists (select 1 from sessions s
                        where s.id = session and app_user_id() in (s.student_id, s.mentor_id)))
     order by a.at, a.id
$$;
"""

TIME = """
create function next_due_at(after timestamptz) returns timestamptz
language sql stable security definer set search_path = public, pg_temp as $$
    select min(due) from (
        select min(o.available_at) as due from outbox o where o.state in ('new', 'queued') and o.available_at > after
        union all
        select min(s.ends_at + interval '48 hours') from sessions s
         where s.status = 'scheduled' and s.ends_at + interval '48 hours' > after
    ) dues
$$;

create function work_left(as_of timestamptz) returns bigint
language sql stable security definer set search_path = public, pg_temp as $$
    select (select count(*) from outbox o where o.state in ('new', 'queued') and o.available_at <= as_of)
         + (select count(*) from sessions s
             where s.status = 'scheduled' and s.ends_at + interval '48 hours' <= as_of)
$$;
"""

DOWN = """
drop function work_left(timestamptz);
drop function next_due_at(timestamptz);
drop function session_history(uuid);
drop trigger announce_override on date_overrides;
drop trigger announce_state on calendar_connections;
drop trigger announce_rules on mentors;
drop function announce_rules();
drop trigger announce_moved_busy_windows on busy_windows;
drop trigger announce_left_busy_windows on busy_windows;
drop trigger announce_old_busy_windows on busy_windows;
drop trigger announce_new_busy_windows on busy_windows;
drop function announce_busy_windows();
drop trigger announce_session on sessions;
drop function announce_session();
drop function announce_slots(uuid, tstzrange);
drop function booking_situation(uuid, uuid, timestamptz, timestamptz, timestamptz);
drop view people;
drop function waitlist_position(uuid);
drop function seats_open_to(uuid, uuid);
drop function waitlist_length(uuid);
drop function seats_in_use(uuid);
drop function mentor_times(uuid, timestamptz, timestamptz);
drop function authenticate(bytea, boolean, timestamptz);
drop trigger announce_outbox on outbox;
drop function announce_outbox();
drop trigger guard_capacity on seat_reservations;
drop trigger guard_capacity_of_new on seat_reservations;
drop function guard_capacity();
drop trigger record_seat_entry on seat_reservations;
drop function record_seat_entry();
drop trigger count_scheduled_sessions on sessions;
drop function count_scheduled_sessions();
drop trigger apply_pack_entry on pack_entries;
drop function apply_pack_entry();
drop trigger append_only on audit_log;
drop trigger append_only on seat_entries;
drop trigger append_only on pack_entries;
drop function refuse_change();
drop function app_role();
drop function app_user_id();
"""


def upgrade() -> None:
    for part in (
        IDENTITY,
        APPEND_ONLY,
        LEDGER,
        SEATS,
        OUTBOX,
        QUESTIONS,
        PEOPLE,
        SITUATION,
        SLOTS_CHANGED,
        HISTORY,
        TIME,
    ):
        op.execute(part)


def downgrade() -> None:
    op.execute(DOWN)
