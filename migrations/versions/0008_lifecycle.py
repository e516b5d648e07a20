"""What is told to whom and how: notifications turned off, addresses that take no mail, Discord accounts, reminders of a
start, the watchdog."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

APP, SERVICE = "mentorship_app", "mentorship_service"
ADMIN = "(select app_role()) = 'admin'"
SELF = "user_id = (select app_user_id())"

# table: {command: condition on the row for the role app}; what isn't listed the role app can't do.
POLICIES: dict[str, dict[str, str]] = {
    "notification_opt_outs": {"select": f"{SELF} or {ADMIN}", "insert": SELF, "delete": SELF},
    "watchdog": {"select": ADMIN},
}
CLAUSES = {"select": "using ({})", "insert": "with check ({})", "delete": "using ({})"}


def at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    """An instant."""
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def choice(name: str, *values: str) -> sa.Enum:
    """A column of a few words, checked by the table."""
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    op.create_table(
        "notification_opt_outs",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("channel", choice("channel", "email", "discord"), nullable=False),
        at("since"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_notification_opt_outs_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "kind", "channel", name=op.f("pk_notification_opt_outs")),
    )
    op.create_table(
        "watchdog",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        at("swept_at", nullable=True),
        at("alerted_at", nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_watchdog_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watchdog")),
    )
    op.add_column("sessions", sa.Column("start_version", sa.Integer(), server_default="0", nullable=False))
    op.add_column("users", at("mail_paused_at", nullable=True))
    op.add_column(
        "users", sa.Column("mail_paused_reason", choice("mail_paused_reason", "bounced", "complained"))
    )
    op.create_check_constraint(
        op.f("ck_users_mail_paused_at"), "users", "(mail_paused_at is null) = (mail_paused_reason is null)"
    )
    op.add_column("user_identities", sa.Column("name", sa.Text(), nullable=True))
    op.add_column("user_identities", at("closed_at", nullable=True))
    op.drop_constraint(op.f("ck_webhook_events_provider"), "webhook_events")
    op.create_check_constraint(
        op.f("ck_webhook_events_provider"), "webhook_events", "provider in ('stripe', 'paypal', 'resend')"
    )
    # Who reads mail says whether it arrives: they, or an admin, have it sent again.
    op.execute(f"grant update (mail_paused_at, mail_paused_reason) on users to {APP}")
    op.create_index(
        "ix_users_mail_paused",
        "users",
        ["mail_paused_at"],
        postgresql_where=sa.text("mail_paused_at is not null"),
    )
    op.create_index(op.f("ix_deliveries_provider_id"), "deliveries", ["provider_id"])
    op.add_column("deliveries", sa.Column("reason", sa.Text(), nullable=True))
    op.execute(f"grant select (reason) on deliveries to {APP}")
    for table, rules in POLICIES.items():
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"grant select, insert, update, delete on {table} to {SERVICE}")
        op.execute(f"create policy service on {table} to {SERVICE} using (true) with check (true)")
        for command, rule in rules.items():
            op.execute(f"grant {command} on {table} to {APP}")
            op.execute(
                f"create policy app_{command} on {table} for {command} to {APP} {CLAUSES[command].format(rule)}"
            )


def downgrade() -> None:
    op.drop_column("deliveries", "reason")
    op.drop_index(op.f("ix_deliveries_provider_id"), "deliveries")
    op.drop_constraint(op.f("ck_webhook_events_provider"), "webhook_events")
    op.execute("delete from webhook_events where provider = 'resend'")
    op.create_check_constraint(
        op.f("ck_webhook_events_provider"), "webhook_events", "provider in ('stripe', 'paypal')"
    )
    op.drop_column("user_identities", "closed_at")
    op.drop_column("user_identities", "name")
    op.drop_constraint(op.f("ck_users_mail_paused_at"), "users")
    op.drop_column("users", "mail_paused_reason")
    op.drop_column("users", "mail_paused_at")
    op.drop_column("sessions", "start_version")
    op.drop_table("watchdog")
    op.drop_table("notification_opt_outs")
