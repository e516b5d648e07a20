"""Row-level security on every table, and what each of the two runtime roles may do at all."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

APP, SERVICE = "mentorship_app", "mentorship_service"

ADMIN = "(select app_role()) = 'admin'"
SELF = "user_id = (select app_user_id())"
SIGNED_IN = f"{SELF} or impersonator_id = (select app_user_id())"
STUDENT = "student_id = (select app_user_id())"
MENTOR = "mentor_id = (select app_user_id())"
PAIR = f"{STUDENT} or {MENTOR} or {ADMIN}"
PACK = "exists (select 1 from session_packs p where p.id = pack_id)"
ANYBODY = "true"
# A session used is one line of the ledger; credit comes from admins and the service, back from the mentor alone.
MENTORS_PACK = (
    "exists (select 1 from session_packs p where p.id = pack_id and p.mentor_id = (select app_user_id()))"
)
USED = (
    f"{PACK} and ({ADMIN} or (actor_id = (select app_user_id()) and session_id is not null and ("
    "(kind = 'late_cancel' and delta = -1)"
    f" or ({MENTORS_PACK} and ((kind in ('complete', 'no_show') and delta = -1) or (kind = 'reversal' and delta = 1))))))"
)

# table: {command: condition on the row for the role app}; what isn't listed the role app can't do. Of two conditions
# the first says which rows may be locked and changed, the second what they may become.
POLICIES: dict[str, dict[str, str | tuple[str, str]]] = {
    "users": {
        "select": f"id = (select app_user_id()) or {ADMIN}",
        "update": f"id = (select app_user_id()) or {ADMIN}",
    },
    "user_identities": {"select": f"{SELF} or {ADMIN}", "delete": SELF},
    "web_sessions": {"select": SIGNED_IN, "update": SIGNED_IN, "delete": SIGNED_IN},
    "access_tokens": {"select": SELF, "insert": SELF, "update": SELF, "delete": SELF},
    "email_tokens": {},
    "oauth_states": {},
    "mentors": {"select": ANYBODY, "update": f"id = (select app_user_id()) or {ADMIN}"},
    "date_overrides": {
        "select": ANYBODY,
        "insert": f"{MENTOR} or {ADMIN}",
        "update": f"{MENTOR} or {ADMIN}",
        "delete": f"{MENTOR} or {ADMIN}",
    },
    "mentorship_products": {
        "select": f"active or {MENTOR} or {ADMIN}",
        "insert": f"{MENTOR} or {ADMIN}",
        "update": f"{MENTOR} or {ADMIN}",
    },
    "session_packs": {"select": PAIR, "insert": ADMIN, "update": (PAIR, f"{MENTOR} or {ADMIN}")},
    "pack_entries": {"select": PACK, "insert": USED},
    "seat_reservations": {
        "select": PAIR,
        "insert": ADMIN,
        "update": (PAIR, f"({STUDENT} and status <> 'active') or {MENTOR} or {ADMIN}"),
    },
    "seat_entries": {"select": PAIR},
    "waitlist": {
        "select": PAIR,
        "insert": f"({STUDENT} or {ADMIN}) and offered_at is null and left_at is null",
        "update": (PAIR, f"({PAIR}) and left_at is not null"),
    },
    "calendar_connections": {"select": f"{MENTOR} or {ADMIN}"},
    "busy_windows": {"select": f"{MENTOR} or {ADMIN}"},
    "sessions": {"select": PAIR, "insert": PAIR, "update": PAIR},
    "outbox": {"select": ADMIN, "insert": ANYBODY},
    "deliveries": {"select": f"recipient_id = (select app_user_id()) or {ADMIN}"},
    "audit_log": {"select": ADMIN, "insert": "actor_id is not distinct from (select app_user_id())"},
    "idempotency_keys": {"select": SELF, "insert": SELF, "update": SELF},
    "saq_jobs": {},
    "saq_stats": {},
    "saq_versions": {},
}

# Columns, where the role app may see or change less than the row.
COLUMNS = {
    (
        "calendar_connections",
        "select",
    ): "mentor_id, state, google_email, google_calendar_id, calendars, synced_until, mirrored_at, last_error,"
    " channel_expires_at, connected_at",
    (
        "deliveries",
        "select",
    ): "id, event_id, kind, channel, recipient_id, state, attempts, provider_id, last_error, created_at, sent_at",
    ("session_packs", "update"): "status, frozen, total_sessions, expires_at",
    ("seat_reservations", "update"): "status, seat_expires_at, offered_until, held_until, changed_at",
    ("waitlist", "update"): "left_at, outcome",
    ("users", "update"): "name, password_hash, time_zone, theme",
    ("web_sessions", "update"): "last_seen_at",
    ("access_tokens", "update"): "last_used_at",
}

FUNCTIONS = (
    "app_user_id()",
    "app_role()",
    "authenticate(bytea, boolean, timestamptz)",
    "mentor_times(uuid, timestamptz, timestamptz)",
    "seats_in_use(uuid)",
    "waitlist_length(uuid)",
    "seats_open_to(uuid, uuid)",
    "waitlist_position(uuid)",
    "workers_alive()",
    "booking_situation(uuid, uuid, timestamptz, timestamptz, timestamptz)",
    "announce_slots(uuid, tstzrange)",
    "session_history(uuid)",
)
SERVICE_FUNCTIONS = ("next_due_at(timestamptz)", "work_left(timestamptz)")


def condition(command: str, rule: str | tuple[str, str]) -> str:
    """The USING and WITH CHECK clauses that a command needs."""
    before, after = (rule, rule) if isinstance(rule, str) else rule
    parts = []
    if command != "insert":
        parts.append(f"using ({before})")
    if command in ("insert", "update"):
        parts.append(f"with check ({after})")
    return " ".join(parts)


def upgrade() -> None:
    op.execute("revoke all on schema public from public")
    op.execute(f"grant usage on schema public to {APP}, {SERVICE}")
    op.execute("revoke execute on all functions in schema public from public")
    for table, rules in POLICIES.items():
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"grant select, insert, update, delete on {table} to {SERVICE}")
        op.execute(f"create policy service on {table} to {SERVICE} using (true) with check (true)")
        for command, rule in rules.items():
            columns = COLUMNS.get((table, command))
            op.execute(f"grant {command}{f' ({columns})' if columns else ''} on {table} to {APP}")
            op.execute(
                f"create policy app_{command} on {table} for {command} to {APP} {condition(command, rule)}"
            )
    op.execute(f"grant usage on all sequences in schema public to {SERVICE}")
    op.execute(f"grant select on people to {APP}, {SERVICE}")
    for function in FUNCTIONS:
        op.execute(f"grant execute on function {function} to {APP}, {SERVICE}")
    for function in SERVICE_FUNCTIONS:
        op.execute(f"grant execute on function {function} to {SERVICE}")


def downgrade() -> None:
    for function in (*FUNCTIONS, *SERVICE_FUNCTIONS):
        op.execute(f"revoke execute on function {function} from {APP}, {SERVICE}")
    op.execute(f"revoke all on people from {APP}, {SERVICE}")
    op.execute(f"revoke all on all sequences in schema public from {SERVICE}")
    for table, rules in POLICIES.items():
        for command in rules:
            op.execute(f"drop policy app_{command} on {table}")
        op.execute(f"drop policy service on {table}")
        op.execute(f"revoke all on {table} from {APP}, {SERVICE}")
        op.execute(f"alter table {table} disable row level security")
    op.execute("grant execute on all functions in schema public to public")
    op.execute(f"revoke usage on schema public from {APP}, {SERVICE}")
    op.execute("grant usage on schema public to public")
