-- A school in full swing, set by set. Values: mentors, students, sessions (of each student), now.
-- Every student is one mentor's mentee, in packs of four. What triggers would do row by row is done at the end.
create temporary table pairs on commit drop as
select n, n %% %(mentors)s as mentor, place %% 20 as kind, place,
       case when place %% 20 < 12 then 'active' when place %% 20 = 12 then 'grace' else 'released' end as seat
  from (select n, n / %(mentors)s as place from generate_series(0, %(students)s - 1) n) numbered;

create temporary table held on commit drop as
select p.n, p.mentor, p.kind, p.seat, k, k / 4 as pack, last, status,
       case when status = 'scheduled' then date_trunc('hour', %(now)s) + make_interval(days => 2, hours => p.place)
            else date_trunc('hour', %(now)s) - make_interval(days => (%(sessions)s - k) * 9, hours => p.n %% 97) end as at
  from pairs p
 cross join generate_series(0, %(sessions)s - 1) k
 cross join lateral (select k / 4 = (%(sessions)s - 1) / 4 as last) l
 cross join lateral (select case
       when not last then case k %% 8 when 3 then 'canceled' when 6 then 'no_show' else 'completed' end
       when p.seat = 'grace' then 'completed'
       when p.seat = 'active' and k %% 4 = 3 then case when p.kind %% 3 = 0 then 'scheduled' else 'canceled' end
       else case when k %% 4 < p.kind %% 4 then 'completed' else 'canceled' end end as status) s;

insert into users (id, email, email_verified_at, name, role, time_zone, created_at)
select ('00000000-0000-7000-8001-' || lpad(to_hex(n), 12, '0'))::uuid, format('mentor-%%s@load.example.test', n), %(now)s,
       format('Mentor %%s', md5(n::text)), 'mentor', 'Europe/Lisbon', %(now)s - make_interval(hours => n)
  from generate_series(0, %(mentors)s - 1) n
 union all
select ('00000000-0000-7000-8002-' || lpad(to_hex(n), 12, '0'))::uuid, format('student-%%s@load.example.test', n), %(now)s,
       format('Student %%s', md5(n::text)), 'student', 'UTC', %(now)s - make_interval(mins => n)
  from generate_series(0, %(students)s - 1) n;

insert into mentors (id, slug, headline, bio, max_active_students, time_zone, notice_minutes, horizon_days,
                     session_minutes, step_minutes, buffer_before_minutes, buffer_after_minutes, created_at)
select ('00000000-0000-7000-8001-' || lpad(to_hex(n), 12, '0'))::uuid, format('crowd-%%s', n), '', '',
       %(students)s / %(mentors)s + n %% 40, 'Europe/Lisbon', 1440, 60, 60, 30, 0, 0, %(now)s
  from generate_series(0, %(mentors)s - 1) n;

insert into seat_reservations (id, mentor_id, student_id, status, seat_expires_at, created_at, changed_at)
select ('00000000-0000-7000-8003-' || lpad(to_hex(n), 12, '0'))::uuid,
       ('00000000-0000-7000-8001-' || lpad(to_hex(mentor), 12, '0'))::uuid,
       ('00000000-0000-7000-8002-' || lpad(to_hex(n), 12, '0'))::uuid,
       seat, case seat when 'grace' then %(now)s + interval '2 days' end, %(now)s, %(now)s
  from pairs order by n;

insert into session_packs (id, mentor_id, student_id, status, frozen, total_sessions, remaining_sessions,
                           scheduled_sessions, purchased_at, expires_at)
select ('00000000-0000-7000-8004-' || lpad(to_hex(n * 100 + pack), 12, '0'))::uuid,
       ('00000000-0000-7000-8001-' || lpad(to_hex(mentor), 12, '0'))::uuid,
       ('00000000-0000-7000-8002-' || lpad(to_hex(n), 12, '0'))::uuid,
       case when used = 4 then 'depleted' when spendable then 'active' else 'expired' end, false, 4,
       case when spendable then 4 - used else 0 end, scheduled, first - interval '3 days',
       case when spendable then %(now)s + make_interval(days => 20 + n::int %% 20) else least(%(now)s, latest + interval '6 days') end
  from (select n, mentor, pack, min(at) as first, max(at) as latest, bool_or(last) and bool_or(seat = 'active') as spendable,
               count(*) filter (where status in ('completed', 'no_show')) as used,
               count(*) filter (where status = 'scheduled') as scheduled
          from held group by n, mentor, pack) packs
 order by first;

-- As they came to be: those of a mentor lie far apart.
insert into sessions (id, mentor_id, student_id, pack_id, status, scheduled_at, ends_at, blocked, booked_at, completed_at,
                      canceled_at, canceled_by, version, notes, recording_consent, event_generation, event_sync)
select ('00000000-0000-7000-8005-' || lpad(to_hex(n * 100 + k), 12, '0'))::uuid,
       ('00000000-0000-7000-8001-' || lpad(to_hex(mentor), 12, '0'))::uuid,
       ('00000000-0000-7000-8002-' || lpad(to_hex(n), 12, '0'))::uuid,
       ('00000000-0000-7000-8004-' || lpad(to_hex(n * 100 + pack), 12, '0'))::uuid,
       status, at, at + interval '1 hour', tstzrange(at, at + interval '1 hour'), at - interval '5 days',
       case when status in ('completed', 'no_show') then at + interval '1 hour' end,
       case when status = 'canceled' then at - interval '2 days' end, case when status = 'canceled' then 'mentor' end,
       0, '', false, 0, 'none'
  from held order by at, n;

insert into pack_entries (id, pack_id, session_id, kind, delta, reason, at)
select gen_random_uuid(), id, null::uuid, 'purchase', 4, '', purchased_at from session_packs where id between '00000000-0000-7000-8004-000000000000' and '00000000-0000-7000-8004-ffffffffffff'
 union all
select gen_random_uuid(), pack_id, id, case status when 'completed' then 'complete' else 'no_show' end, -1, '', completed_at
  from sessions where status in ('completed', 'no_show') and id between '00000000-0000-7000-8005-000000000000' and '00000000-0000-7000-8005-ffffffffffff'
 union all
select gen_random_uuid(), p.id, null, 'expire', -(4 - u.used), '', p.expires_at
  from session_packs p
  join (select s.pack_id, count(*) filter (where s.status in ('completed', 'no_show'))::int as used
          from sessions s group by s.pack_id) u on u.pack_id = p.id
 where p.status = 'expired' and p.id between '00000000-0000-7000-8004-000000000000' and '00000000-0000-7000-8004-ffffffffffff';

insert into seat_entries (seat_id, mentor_id, student_id, status, at)
select id, mentor_id, student_id, status, changed_at from seat_reservations
 where id between '00000000-0000-7000-8003-000000000000' and '00000000-0000-7000-8003-ffffffffffff';

insert into session_counts (mentor_id, completed)
select mentor_id, count(*) from sessions
 where status = 'completed' and id between '00000000-0000-7000-8005-000000000000' and '00000000-0000-7000-8005-ffffffffffff'
 group by mentor_id;
