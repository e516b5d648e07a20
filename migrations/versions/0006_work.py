"""The work around sessions: absences, proposed times, mentees' notes and requests to renew, testimonials, profiles.

With who may see and change them, and the count of completed sessions a mentor.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

APP, SERVICE = "mentorship_app", "mentorship_service"
ADMIN = "(select app_role()) = 'admin'"
SELF = "user_id = (select app_user_id())"
STUDENT = "student_id = (select app_user_id())"
MENTOR = "mentor_id = (select app_user_id())"
PAIR = f"{STUDENT} or {MENTOR} or {ADMIN}"
ANYBODY = "true"
MY_MENTEE = (
    "exists (select 1 from seat_reservations r"
    " where r.mentor_id = (select app_user_id()) and r.student_id = user_id and r.status <> 'released')"
)
OF_SESSION = (
    "exists (select 1 from sessions s where s.id = session_id"
    " and s.mentor_id = move_proposals.mentor_id and s.student_id = move_proposals.student_id)"
)
UNDECIDED = f"{STUDENT} and status = 'pending' and decided_by is null"

# table: {command: condition on the row for the role app}; of two conditions the first says which rows may be changed,
# the second what they may become.
POLICIES: dict[str, dict[str, str | tuple[str, str]]] = {
    "absences": {
        "select": ANYBODY,
        "insert": f"{MENTOR} or {ADMIN}",
        "update": f"{MENTOR} or {ADMIN}",
    },
    "move_proposals": {
        "select": PAIR,
        "insert": f"({MENTOR} or {ADMIN}) and status = 'open' and {OF_SESSION}",
        "update": (PAIR, f"({PAIR}) and status <> 'open'"),
    },
    "mentee_notes": {"select": f"{MENTOR} or {ADMIN}", "insert": MENTOR, "update": MENTOR},
    "renewal_requests": {"select": f"{MENTOR} or {ADMIN}", "insert": MENTOR},
    "testimonials": {
        "select": f"{STUDENT} or {ADMIN}",
        "insert": f"{UNDECIDED} and testimonial_due(pack_id)",
        "update": (f"({STUDENT} and status = 'pending') or {ADMIN}", f"({UNDECIDED}) or {ADMIN}"),
        "delete": STUDENT,
    },
    "student_profiles": {"select": f"{SELF} or {MY_MENTEE} or {ADMIN}", "insert": SELF, "update": SELF},
    "session_counts": {"select": f"{MENTOR} or {ADMIN}"},
}
COLUMNS = {
    ("absences", "update"): "ended_at, days_added",
    ("move_proposals", "update"): "status, decided_at",
    ("testimonials", "update"): "body, status, written_at, decided_at, decided_by",
}

# The counter's row is the last lock of a transaction; whoever books touches none.
COUNTS = """
create function count_completed_sessions() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    was integer := 0;
    is_now integer := 0;
begin
    if tg_op <> 'INSERT' and old.status = 'completed' then was := 1; end if;
    if tg_op <> 'DELETE' and new.status = 'completed' then is_now := 1; end if;
    if was <> is_now then
        insert into session_counts (mentor_id, completed)
        values (coalesce(new.mentor_id, old.mentor_id), greatest(is_now - was, 0))
        on conflict (mentor_id) do update set completed = session_counts.completed + is_now - was;
    end if;
    return null;
end $$;

create trigger count_completed_sessions after insert or update of status or delete on sessions
for each row execute function count_completed_sessions();
"""

# A student's scheduled sessions, with whomever, as ranges like those of mentor_times: for somebody who wants to propose
# a time to them, or for themselves.
STUDENTS = """
create function student_times(student uuid, since timestamptz, until timestamptz) returns text
language sql stable security definer set search_path = public, pg_temp as $$
    select coalesce(string_agg('[' || floor(date_part('epoch', s.scheduled_at))::bigint || ','
                                   || ceil(date_part('epoch', s.ends_at))::bigint || ']', ','), '')
      from sessions s
     where s.student_id = student and s.status = 'scheduled' and s.scheduled_at < until and s.ends_at > since
       and (student = app_user_id() or app_role() = 'admin' or pg_has_role(session_user, 'mentorship_service', 'usage')
            or exists (select 1 from sessions mine
                        where mine.student_id = student and mine.mentor_id = app_user_id()
                          and mine.status = 'scheduled'))
$$;
"""
# Open calendars hear of days that are closed or free again.
ABSENCES = """
create trigger announce_absence after insert or update of ended_at on absences for each row
execute function announce_rules('mentor_id');
"""
# Who has had three sessions of a pack, or all there were, may speak of them.
TESTIMONIALS = """
create function testimonial_due(pack uuid) returns boolean language sql stable as $$
    select coalesce((select count(*) >= min(case p.status when 'depleted' then 1 else 3 end)
                       from session_packs p join sessions s on s.pack_id = p.id and s.status = 'completed'
                      where p.id = pack), false)
$$;

-- The words that everybody may read, with the writer's first name and no ids; a mentor of null is any.
create function approved_testimonials(mentor uuid, most integer)
returns table (mentor_slug text, mentor_name text, student_name text, body text, written_at timestamptz)
language sql stable security definer set search_path = public, pg_temp as $$
    select m.slug, teacher.name, split_part(writer.name, ' ', 1), t.body, t.written_at
      from testimonials t
      join mentors m on m.id = t.mentor_id
      join users teacher on teacher.id = t.mentor_id and teacher.deleted_at is null and teacher.role = 'mentor'
      join users writer on writer.id = t.student_id and writer.deleted_at is null
     where t.status = 'approved' and (mentor is null or t.mentor_id = mentor)
     order by t.written_at desc, t.id desc
     limit least(most, 50)
$$;
"""
TESTIMONIAL_FUNCTIONS = ("testimonial_due(uuid)", "approved_testimonials(uuid, integer)")

# Counts, as `seats_in_use` answers them, of all mentors at once: for lists that are sorted by them.
SEATS = """
create function seat_counts() returns table (mentor_id uuid, active_mentees bigint, live bigint)
language sql stable security definer set search_path = public, pg_temp as $$
    select r.mentor_id, count(*) filter (where r.status in ('active', 'grace')), count(*)
      from seat_reservations r where r.status <> 'released' group by r.mentor_id
$$;
"""


def clauses(command: str, rule: str | tuple[str, str]) -> str:
    """The USING and WITH CHECK clauses that a command needs."""
    before, after = (rule, rule) if isinstance(rule, str) else rule
    using = "" if command == "insert" else f"using ({before})"
    return using if command in ("select", "delete") else f"{using} with check ({after})"


def upgrade() -> None:
    make_tables()
    op.execute(COUNTS)
    op.execute(SEATS)
    op.execute("revoke execute on function seat_counts() from public")
    op.execute(f"grant execute on function seat_counts() to {APP}, {SERVICE}")
    op.execute(STUDENTS)
    op.execute(ABSENCES)
    op.execute("revoke execute on function student_times(uuid, timestamptz, timestamptz) from public")
    op.execute(f"grant execute on function student_times(uuid, timestamptz, timestamptz) to {APP}, {SERVICE}")
    op.execute(TESTIMONIALS)
    for function in TESTIMONIAL_FUNCTIONS:
        op.execute(f"revoke execute on function {function} from public")
        op.execute(f"grant execute on function {function} to {APP}, {SERVICE}")
    for table, rules in POLICIES.items():
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"grant select, insert, update, delete on {table} to {SERVICE}")
        op.execute(f"create policy service on {table} to {SERVICE} using (true) with check (true)")
        for command, rule in rules.items():
            columns = COLUMNS.get((table, command))
            op.execute(f"grant {command}{f' ({columns})' if columns else ''} on {table} to {APP}")
            op.execute(
                f"create policy app_{command} on {table} for {command} to {APP} {clauses(command, rule)}"
            )


def state(name: str, *values: str) -> sa.Enum:
    """A column of a few words, checked by the table."""
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    """An instant."""
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def make_tables() -> None:
    op.create_table(
        "absences",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("mentor_id", sa.Uuid(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("days_added", sa.Integer(), nullable=False),
        at("created_at"),
        at("ended_at", nullable=True),
        sa.CheckConstraint(
            "first_day <= last_day and last_day - first_day < 366", name=op.f("ck_absences_days")
        ),
        sa.CheckConstraint("days_added >= 0", name=op.f("ck_absences_days_added")),
        postgresql.ExcludeConstraint(
            (sa.column("mentor_id"), "="),
            (sa.text("daterange(first_day, last_day, '[]')"), "&&"),
            where=sa.text("ended_at is null"),
            using="gist",
            name="ex_absences_days",
        ),
        sa.ForeignKeyConstraint(
            ["mentor_id"], ["mentors.id"], name=op.f("fk_absences_mentor_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absences")),
    )
    op.create_index("ix_absences_mentor", "absences", ["mentor_id", "last_day"], unique=False)
    op.create_table(
        "move_proposals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("mentor_id", sa.Uuid(), nullable=False),
        sa.Column("student_id", sa.Uuid(), nullable=False),
        at("starts_at"),
        sa.Column("status", state("status", "open", "accepted", "declined", "withdrawn"), nullable=False),
        at("created_at"),
        at("decided_at", nullable=True),
        sa.CheckConstraint(
            "(status = 'open') = (decided_at is null)", name=op.f("ck_move_proposals_decided_at")
        ),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=op.f("fk_move_proposals_session_id")),
        sa.ForeignKeyConstraint(["mentor_id"], ["mentors.id"], name=op.f("fk_move_proposals_mentor_id")),
        sa.ForeignKeyConstraint(["student_id"], ["users.id"], name=op.f("fk_move_proposals_student_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_move_proposals")),
    )
    for column in ("session_id", "mentor_id", "student_id"):
        op.create_index(op.f(f"ix_move_proposals_{column}"), "move_proposals", [column], unique=False)
    op.create_index(
        "uq_move_proposals_open",
        "move_proposals",
        ["session_id"],
        unique=True,
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_table(
        "mentee_notes",
        sa.Column("mentor_id", sa.Uuid(), nullable=False),
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        at("changed_at"),
        sa.CheckConstraint("char_length(body) <= 10000", name=op.f("ck_mentee_notes_body")),
        *pair("mentee_notes"),
        sa.PrimaryKeyConstraint("mentor_id", "student_id", name=op.f("pk_mentee_notes")),
    )
    op.create_table(
        "renewal_requests",
        sa.Column("mentor_id", sa.Uuid(), nullable=False),
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        at("asked_at"),
        *pair("renewal_requests"),
        sa.PrimaryKeyConstraint("mentor_id", "student_id", "day", name=op.f("pk_renewal_requests")),
    )
    for table in ("mentee_notes", "renewal_requests"):
        op.create_index(op.f(f"ix_{table}_student_id"), table, ["student_id"], unique=False)
    make_testimonials()
    op.create_table(
        "student_profiles",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("goals", sa.Text(), nullable=False),
        at("zone_confirmed_at", nullable=True),
        at("put_aside_at", nullable=True),
        sa.CheckConstraint("char_length(about) <= 1000", name=op.f("ck_student_profiles_about")),
        sa.CheckConstraint("char_length(goals) <= 1000", name=op.f("ck_student_profiles_goals")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_student_profiles_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_student_profiles")),
    )
    op.create_table(
        "session_counts",
        sa.Column("mentor_id", sa.Uuid(), nullable=False),
        sa.Column("completed", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["mentor_id"], ["mentors.id"], name=op.f("fk_session_counts_mentor_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("mentor_id", name=op.f("pk_session_counts")),
    )


def pair(table: str) -> tuple[sa.ForeignKeyConstraint, sa.ForeignKeyConstraint]:
    """The mentor and the student that a row is about; it goes with either."""
    return (
        sa.ForeignKeyConstraint(
            ["mentor_id"], ["mentors.id"], name=op.f(f"fk_{table}_mentor_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["student_id"], ["users.id"], name=op.f(f"fk_{table}_student_id"), ondelete="CASCADE"
        ),
    )


def make_testimonials() -> None:
    op.create_table(
        "testimonials",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("pack_id", sa.Uuid(), nullable=False),
        sa.Column("mentor_id", sa.Uuid(), nullable=False),
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("status", state("status", "pending", "approved", "declined"), nullable=False),
        at("written_at"),
        at("decided_at", nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "char_length(body) between 50 and 1000 and body = btrim(body, E' \\t\\n\\r')",
            name=op.f("ck_testimonials_body"),
        ),
        sa.CheckConstraint(
            "(status = 'pending') = (decided_at is null)", name=op.f("ck_testimonials_decided_at")
        ),
        sa.ForeignKeyConstraint(
            ["pack_id", "mentor_id", "student_id"],
            ["session_packs.id", "session_packs.mentor_id", "session_packs.student_id"],
            name=op.f("fk_testimonials_pack_id_mentor_id_student_id"),
        ),
        sa.ForeignKeyConstraint(["mentor_id"], ["mentors.id"], name=op.f("fk_testimonials_mentor_id")),
        sa.ForeignKeyConstraint(["student_id"], ["users.id"], name=op.f("fk_testimonials_student_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["users.id"], name=op.f("fk_testimonials_decided_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_testimonials")),
        sa.UniqueConstraint("pack_id", name=op.f("uq_testimonials_pack_id")),
    )
    op.create_index(
        "ix_testimonials_pack", "testimonials", ["pack_id", "mentor_id", "student_id"], unique=False
    )
    op.create_index(
        "ix_testimonials_mentor", "testimonials", ["mentor_id", "status", "written_at"], unique=False
    )
    op.create_index(
        "ix_testimonials_approved",
        "testimonials",
        ["written_at"],
        unique=False,
        postgresql_where=sa.text("status = 'approved'"),
    )
    for column in ("student_id", "decided_by"):
        op.create_index(op.f(f"ix_testimonials_{column}"), "testimonials", [column], unique=False)


def downgrade() -> None:
    op.execute("drop function student_times(uuid, timestamptz, timestamptz)")
    op.execute("drop function seat_counts()")
    op.execute("drop trigger count_completed_sessions on sessions")
    op.execute("drop function count_completed_sessions()")
    for table in reversed(POLICIES):
        op.drop_table(table)
    for function in TESTIMONIAL_FUNCTIONS:
        op.execute(f"drop function {function}")
