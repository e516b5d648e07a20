"""Meetings by video: tokens of the room, who was there, who agrees to a recording, and marks that students dispute."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

APP, SERVICE = "mentorship_app", "mentorship_service"
ADMIN = "(select app_role()) = 'admin'"
SELF = "user_id = (select app_user_id())"
STUDENT = "student_id = (select app_user_id())"
MENTOR = "mentor_id = (select app_user_id())"
PAIR = f"{STUDENT} or {MENTOR} or {ADMIN}"
SEES_SESSION = "exists (select 1 from sessions s where s.id = session_id)"
OWN_SESSION = (
    "exists (select 1 from sessions s"
    " where s.id = session_id and (select app_user_id()) in (s.student_id, s.mentor_id))"
)
AS_MARKED = (
    "exists (select 1 from sessions s where s.id = session_id and s.status = session_disputes.marked and s.version = session_disputes.version"
    " and s.mentor_id = session_disputes.mentor_id and s.student_id = session_disputes.student_id)"
)

# table: {command: condition on the row for the role app}; of two conditions the first says which rows may be changed,
# the second what they may become. Evidence is written by neither of the two it speaks of: by the service alone.
POLICIES: dict[str, dict[str, str | tuple[str, str]]] = {
    "call_tokens": {"insert": f"{SELF} and used_at is null and {OWN_SESSION}"},
    "session_visits": {"select": SEES_SESSION},
    "recording_consents": {
        "select": SEES_SESSION,
        "insert": f"{SELF} and {OWN_SESSION}",
        "delete": SELF,
    },
    "session_disputes": {
        "select": PAIR,
        "insert": f"{STUDENT} and status = 'open' and decided_by is null and answer = '' and {AS_MARKED}",
        "update": (
            f"({PAIR}) and status = 'open'",
            f"decided_by = (select app_user_id()) and (({STUDENT} and status = 'withdrawn' and answer = '')"
            f" or ({MENTOR} and status = 'upheld' and answer = '') or {ADMIN})",
        ),
    },
}
COLUMNS = {("session_disputes", "update"): "status, decided_at, decided_by, answer"}

# The session's row is locked first: two who agree at the same moment each count the other.
CONSENT = """
create function count_recording_consents() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    about uuid := case when tg_op = 'DELETE' then old.session_id else new.session_id end;
    agreed boolean;
begin
    perform 1 from sessions where id = about for no key update;
    select count(distinct c.user_id) = 2 into agreed
      from recording_consents c join sessions s on s.id = c.session_id and c.user_id in (s.student_id, s.mentor_id)
     where c.session_id = about;
    update sessions
       set recording_consent = agreed,
           recording_url = case when agreed then recording_url end,
           recording_expires_at = case when agreed then recording_expires_at end
     where id = about and recording_consent <> agreed;
    return null;
end $$;

create trigger count_recording_consents after insert or delete on recording_consents
for each row execute function count_recording_consents();

create function guard_recording_consent() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if (select count(distinct c.user_id) from recording_consents c
         where c.session_id = new.id and c.user_id in (new.student_id, new.mentor_id)) < 2 then
        raise exception 'nobody agrees in the name of another' using errcode = 'check_violation';
    end if;
    return new;
end $$;

create trigger guard_recording_consent before insert or update of recording_consent on sessions
for each row when (new.recording_consent) execute function guard_recording_consent();
"""


def at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    """An instant."""
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def choice(name: str, *values: str) -> sa.Enum:
    """A column of a few words, checked by the table."""
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    _rooms()
    _recordings()
    _disputes()
    op.execute(CONSENT)
    for table, rules in POLICIES.items():
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"grant select, insert, update, delete on {table} to {SERVICE}")
        op.execute(f"create policy service on {table} to {SERVICE} using (true) with check (true)")
        for command, rule in rules.items():
            _allow(table, command, rule)


def _allow(table: str, command: str, rule: str | tuple[str, str]) -> None:
    columns = COLUMNS.get((table, command))
    op.execute(f"grant {command}{f' ({columns})' if columns else ''} on {table} to {APP}")
    if isinstance(rule, tuple):
        clause = f"using ({rule[0]}) with check ({rule[1]})"
    else:
        clause = f"with check ({rule})" if command == "insert" else f"using ({rule})"
    op.execute(f"create policy app_{command} on {table} for {command} to {APP} {clause}")


def _rooms() -> None:
    op.create_table(
        "call_tokens",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        at("issued_at"),
        at("expires_at"),
        at("used_at", nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("issued_at < expires_at", name=op.f("ck_call_tokens_expires_at")),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=op.f("fk_call_tokens_session_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_call_tokens_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_call_tokens_token_hash")),
    )
    for column in ("session_id", "user_id", "expires_at"):
        op.create_index(op.f(f"ix_call_tokens_{column}"), "call_tokens", [column], unique=False)
    op.create_table(
        "session_visits",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        at("joined_at"),
        at("seen_at"),
        at("left_at", nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("joined_at <= seen_at", name=op.f("ck_session_visits_seen_at")),
        sa.CheckConstraint("left_at >= joined_at", name=op.f("ck_session_visits_left_at")),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=op.f("fk_session_visits_session_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_session_visits_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session_visits")),
    )
    op.create_index("ix_session_visits_session", "session_visits", ["session_id", "joined_at"], unique=False)
    op.create_index(op.f("ix_session_visits_user_id"), "session_visits", ["user_id"], unique=False)


def _recordings() -> None:
    op.create_table(
        "recording_consents",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        at("agreed_at"),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_recording_consents_session_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_recording_consents_user_id")),
        sa.PrimaryKeyConstraint("session_id", "user_id", name=op.f("pk_recording_consents")),
    )
    op.create_index(op.f("ix_recording_consents_user_id"), "recording_consents", ["user_id"], unique=False)
    op.add_column("sessions", at("recording_expires_at", nullable=True))
    op.create_check_constraint(
        op.f("ck_sessions_recording_consent"), "sessions", "recording_url is null or recording_consent"
    )
    op.create_check_constraint(
        op.f("ck_sessions_recording_expires_at"),
        "sessions",
        "(recording_url is null) = (recording_expires_at is null)",
    )


def _disputes() -> None:
    op.create_table(
        "session_disputes",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("marked", choice("marked", "completed", "no_show"), nullable=False),
        sa.Column("mentor_id", sa.Uuid(), nullable=False),
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("status", choice("status", "open", "upheld", "rejected", "withdrawn"), nullable=False),
        at("opened_at"),
        at("decided_at", nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("answer", sa.Text(), server_default="", nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("char_length(reason) <= 1000", name=op.f("ck_session_disputes_reason")),
        sa.CheckConstraint("char_length(answer) <= 1000", name=op.f("ck_session_disputes_answer")),
        sa.CheckConstraint(
            "(status = 'open') = (decided_at is null)", name=op.f("ck_session_disputes_decided_at")
        ),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=op.f("fk_session_disputes_session_id")),
        sa.ForeignKeyConstraint(["mentor_id"], ["mentors.id"], name=op.f("fk_session_disputes_mentor_id")),
        sa.ForeignKeyConstraint(["student_id"], ["users.id"], name=op.f("fk_session_disputes_student_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["users.id"], name=op.f("fk_session_disputes_decided_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session_disputes")),
    )
    op.create_index("uq_session_disputes_marking", "session_disputes", ["session_id", "version"], unique=True)
    op.create_index(
        "ix_session_disputes_open",
        "session_disputes",
        ["opened_at"],
        postgresql_where=sa.text("status = 'open'"),
    )
    for column in ("mentor_id", "student_id", "decided_by"):
        op.create_index(op.f(f"ix_session_disputes_{column}"), "session_disputes", [column], unique=False)


def downgrade() -> None:
    op.execute("drop trigger guard_recording_consent on sessions")
    op.execute("drop function guard_recording_consent()")
    op.execute("drop trigger count_recording_consents on recording_consents")
    op.execute("drop function count_recording_consents()")
    op.drop_constraint(op.f("ck_sessions_recording_expires_at"), "sessions")
    op.drop_constraint(op.f("ck_sessions_recording_consent"), "sessions")
    op.drop_column("sessions", "recording_expires_at")
    for table in reversed(POLICIES):
        op.drop_table(table)
