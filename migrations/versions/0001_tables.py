"""tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_role", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("impersonator_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
    )
    op.create_index(op.f("ix_audit_log_actor_id"), "audit_log", ["actor_id"], unique=False)
    op.create_index(op.f("ix_audit_log_at"), "audit_log", ["at"], unique=False)
    op.create_index("ix_audit_log_subject", "audit_log", ["subject_type", "subject_id", "at"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "new",
                "queued",
                "done",
                "dead",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("starts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("available_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_outbox_attempts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("key", name=op.f("uq_outbox_key")),
    )
    op.create_index(
        "ix_outbox_waiting",
        "outbox",
        ["available_at"],
        unique=False,
        postgresql_where=sa.text("state in ('new', 'queued')"),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", postgresql.CITEXT(), nullable=False),
        sa.Column("email_verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column(
            "role",
            sa.Enum(
                "student",
                "mentor",
                "admin",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("theme", sa.Text(), server_default="auto", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("forgotten_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "forgotten_at is null or deleted_at is not null", name=op.f("ck_users_forgotten_at")
        ),
        sa.CheckConstraint("theme in ('auto', 'light', 'dark')", name=op.f("ck_users_theme")),
        sa.CheckConstraint(
            "position('@' in email) > 1 and char_length(email) <= 254", name=op.f("ck_users_email")
        ),
        sa.CheckConstraint("char_length(name) between 1 and 120", name=op.f("ck_users_name")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )
    op.create_table(
        "access_tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("char_length(name) between 1 and 80", name=op.f("ck_access_tokens_name")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_access_tokens_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_access_tokens_token_hash")),
    )
    op.create_index(op.f("ix_access_tokens_user_id"), "access_tokens", ["user_id"], unique=False)
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "channel",
            sa.Enum("email", "discord", name="channel", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("recipient_id", sa.Uuid(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "pending",
                "sending",
                "sent",
                "failed",
                "skipped",
                "uncertain",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("rendered", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("provider_id", sa.Text(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["recipient_id"], ["users.id"], name=op.f("fk_deliveries_recipient_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint(
            "event_id", "channel", "recipient_id", name=op.f("uq_deliveries_event_id_channel_recipient_id")
        ),
    )
    op.create_index(op.f("ix_deliveries_created_at"), "deliveries", ["created_at"], unique=False)
    op.create_index(op.f("ix_deliveries_recipient_id"), "deliveries", ["recipient_id"], unique=False)
    op.create_table(
        "email_tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "verify_email",
                "reset_password",
                "invitation",
                name="purpose",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_email_tokens_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_email_tokens_token_hash")),
    )
    op.create_index(op.f("ix_email_tokens_user_id"), "email_tokens", ["user_id"], unique=False)
    op.create_table(
        "idempotency_keys",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("response", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_idempotency_keys_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "route", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(op.f("ix_idempotency_keys_created_at"), "idempotency_keys", ["created_at"], unique=False)
    op.create_table(
        "mentors",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", postgresql.CITEXT(), nullable=False),
        sa.Column("headline", sa.Text(), nullable=False),
        sa.Column("bio", sa.Text(), nullable=False),
        sa.Column("max_active_students", sa.Integer(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("working_hours", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("notice_minutes", sa.Integer(), nullable=False),
        sa.Column("horizon_days", sa.Integer(), nullable=False),
        sa.Column("session_minutes", sa.Integer(), nullable=False),
        sa.Column("step_minutes", sa.Integer(), nullable=False),
        sa.Column("buffer_before_minutes", sa.Integer(), nullable=False),
        sa.Column("buffer_after_minutes", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name=op.f("ck_mentors_slug")),
        sa.CheckConstraint(
            "buffer_after_minutes between 0 and 240", name=op.f("ck_mentors_buffer_after_minutes")
        ),
        sa.CheckConstraint(
            "buffer_before_minutes between 0 and 240", name=op.f("ck_mentors_buffer_before_minutes")
        ),
        sa.CheckConstraint("horizon_days between 1 and 365", name=op.f("ck_mentors_horizon_days")),
        sa.CheckConstraint(
            "max_active_students between 0 and 10000", name=op.f("ck_mentors_max_active_students")
        ),
        sa.CheckConstraint("notice_minutes between 0 and 43200", name=op.f("ck_mentors_notice_minutes")),
        sa.CheckConstraint("session_minutes between 15 and 480", name=op.f("ck_mentors_session_minutes")),
        sa.CheckConstraint("step_minutes between 5 and 240", name=op.f("ck_mentors_step_minutes")),
        sa.ForeignKeyConstraint(["id"], ["users.id"], name=op.f("fk_mentors_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mentors")),
        sa.UniqueConstraint("slug", name=op.f("uq_mentors_slug")),
    )
    op.create_table(
        "oauth_states",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("state_hash", sa.LargeBinary(), nullable=False),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("verifier", sa.Text(), nullable=False),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_oauth_states_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oauth_states")),
        sa.UniqueConstraint("state_hash", name=op.f("uq_oauth_states_state_hash")),
    )
    op.create_index(op.f("ix_oauth_states_expires_at"), "oauth_states", ["expires_at"], unique=False)
    op.create_index(op.f("ix_oauth_states_user_id"), "oauth_states", ["user_id"], unique=False)
    op.create_table(
        "user_identities",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "provider",
            sa.Enum(
                "google", "discord", name="provider", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_user_identities_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_identities")),
        sa.UniqueConstraint("provider", "subject", name=op.f("uq_user_identities_provider_subject")),
        sa.UniqueConstraint("user_id", "provider", name=op.f("uq_user_identities_user_id_provider")),
    )
    op.create_table(
        "web_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.Column("impersonator_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["impersonator_id"],
            ["users.id"],
            name=op.f("fk_web_sessions_impersonator_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_web_sessions_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_web_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_web_sessions_token_hash")),
    )
    op.create_index(op.f("ix_web_sessions_expires_at"), "web_sessions", ["expires_at"], unique=False)
    op.create_index(
        op.f("ix_web_sessions_impersonator_id"), "web_sessions", ["impersonator_id"], unique=False
    )
    op.create_index(op.f("ix_web_sessions_user_id"), "web_sessions", ["user_id"], unique=False)
    op.create_table(
        "calendar_connections",
        sa.Column("mentor_id", sa.Uuid(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "connected", "revoked", name="state", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("google_email", sa.Text(), nullable=False),
        sa.Column("google_calendar_id", sa.Text(), nullable=False),
        sa.Column("left_calendar_id", sa.Text(), nullable=True),
        sa.Column("calendars", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("google_refresh_token", sa.LargeBinary(), nullable=False),
        sa.Column("sync_token", sa.Text(), nullable=True),
        sa.Column("synced_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("calendar_time_zone", sa.Text(), nullable=True),
        sa.Column("mirror_version", sa.Integer(), nullable=False),
        sa.Column("mirrored_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("channel_id", sa.Text(), nullable=True),
        sa.Column("channel_resource_id", sa.Text(), nullable=True),
        sa.Column("channel_token_hash", sa.LargeBinary(), nullable=True),
        sa.Column("channel_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("connected_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["mentor_id"], ["mentors.id"], name=op.f("fk_calendar_connections_mentor_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("mentor_id", name=op.f("pk_calendar_connections")),
        sa.UniqueConstraint("channel_id", name=op.f("uq_calendar_connections_channel_id")),
    )
    op.create_table(
        "date_overrides",
        sa.Column("mentor_id", sa.Uuid(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("intervals", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["mentor_id"], ["mentors.id"], name=op.f("fk_date_overrides_mentor_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("mentor_id", "date", name=op.f("pk_date_overrides")),
    )
    op.create_table(
        "mentorship_products",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("mentor_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("price_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("sessions_per_pack", sa.Integer(), nullable=False),
        sa.Column("validity_days", sa.Integer(), nullable=False),
        sa.Column("stripe_price_id", sa.Text(), nullable=True),
        sa.Column("paypal_product_id", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_mentorship_products_currency")),
        sa.CheckConstraint("char_length(title) between 1 and 120", name=op.f("ck_mentorship_products_title")),
        sa.CheckConstraint("price_minor >= 0", name=op.f("ck_mentorship_products_price_minor")),
        sa.CheckConstraint(
            "sessions_per_pack between 1 and 100", name=op.f("ck_mentorship_products_sessions_per_pack")
        ),
        sa.CheckConstraint(
            "validity_days between 1 and 365", name=op.f("ck_mentorship_products_validity_days")
        ),
        sa.ForeignKeyConstraint(
            ["mentor_id"], ["mentors.id"], name=op.f("fk_mentorship_products_mentor_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mentorship_products")),
        sa.UniqueConstraint("paypal_product_id", name=op.f("uq_mentorship_products_paypal_product_id")),
        sa.UniqueConstraint("stripe_price_id", name=op.f("uq_mentorship_products_stripe_price_id")),
    )
    op.create_index(
        op.f("ix_mentorship_products_mentor_id"), "mentorship_products", ["mentor_id"], unique=False
    )
    op.create_table(
        "seat_reservations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("mentor_id", sa.Uuid(), nullable=False),
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "offered",
                "held",
                "active",
                "grace",
                "released",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("seat_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("offered_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(status in ('offered', 'held', 'grace')) = (seat_expires_at is not null)",
            name=op.f("ck_seat_reservations_seat_expires_at"),
        ),
        sa.ForeignKeyConstraint(["mentor_id"], ["mentors.id"], name=op.f("fk_seat_reservations_mentor_id")),
        sa.ForeignKeyConstraint(["student_id"], ["users.id"], name=op.f("fk_seat_reservations_student_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seat_reservations")),
    )
    op.create_index(op.f("ix_seat_reservations_mentor_id"), "seat_reservations", ["mentor_id"], unique=False)
    op.create_index(
        op.f("ix_seat_reservations_seat_expires_at"), "seat_reservations", ["seat_expires_at"], unique=False
    )
    op.create_index(
        op.f("ix_seat_reservations_student_id"), "seat_reservations", ["student_id"], unique=False
    )
    op.create_index(
        "uq_seat_reservations_live_pair",
        "seat_reservations",
        ["mentor_id", "student_id"],
        unique=True,
        postgresql_where=sa.text("status <> 'released'"),
    )
    op.create_table(
        "waitlist",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("mentor_id", sa.Uuid(), nullable=False),
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "outcome",
            sa.Enum(
                "seated",
                "lapsed",
                "left",
                "removed",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.CheckConstraint("(left_at is null) = (outcome is null)", name=op.f("ck_waitlist_left")),
        sa.ForeignKeyConstraint(["mentor_id"], ["mentors.id"], name=op.f("fk_waitlist_mentor_id")),
        sa.ForeignKeyConstraint(["student_id"], ["users.id"], name=op.f("fk_waitlist_student_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waitlist")),
    )
    op.create_index(op.f("ix_waitlist_mentor_id"), "waitlist", ["mentor_id"], unique=False)
    op.create_index(op.f("ix_waitlist_student_id"), "waitlist", ["student_id"], unique=False)
    op.create_index(
        "uq_waitlist_waiting_pair",
        "waitlist",
        ["mentor_id", "student_id"],
        unique=True,
        postgresql_where=sa.text("left_at is null"),
    )
    op.create_table(
        "busy_windows",
        sa.Column("mentor_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("span", postgresql.TSTZRANGE(), nullable=False),
        sa.CheckConstraint("not isempty(span)", name=op.f("ck_busy_windows_span")),
        sa.ForeignKeyConstraint(
            ["mentor_id"],
            ["calendar_connections.mentor_id"],
            name=op.f("fk_busy_windows_mentor_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("mentor_id", "event_id", name=op.f("pk_busy_windows")),
    )
    op.create_index(
        "ix_busy_windows_span", "busy_windows", ["mentor_id", "span"], unique=False, postgresql_using="gist"
    )
    op.create_table(
        "seat_entries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("seat_id", sa.Uuid(), nullable=False),
        sa.Column("mentor_id", sa.Uuid(), nullable=False),
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "offered",
                "held",
                "active",
                "grace",
                "released",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["seat_id"], ["seat_reservations.id"], name=op.f("fk_seat_entries_seat_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seat_entries")),
    )
    op.create_index(op.f("ix_seat_entries_mentor_id"), "seat_entries", ["mentor_id"], unique=False)
    op.create_index(op.f("ix_seat_entries_seat_id"), "seat_entries", ["seat_id"], unique=False)
    op.create_index(op.f("ix_seat_entries_student_id"), "seat_entries", ["student_id"], unique=False)
    op.create_table(
        "session_packs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("mentor_id", sa.Uuid(), nullable=False),
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "active",
                "depleted",
                "expired",
                "refunded",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("frozen", sa.Boolean(), nullable=False),
        sa.Column("total_sessions", sa.Integer(), nullable=False),
        sa.Column("remaining_sessions", sa.Integer(), nullable=False),
        sa.Column("scheduled_sessions", sa.Integer(), nullable=False),
        sa.Column("purchased_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("import_key", sa.Text(), nullable=True),
        sa.CheckConstraint("mentor_id <> student_id", name=op.f("ck_session_packs_pair")),
        sa.CheckConstraint(
            "scheduled_sessions >= 0 and scheduled_sessions <= remaining_sessions",
            name=op.f("ck_session_packs_credit"),
        ),
        sa.CheckConstraint("total_sessions >= 0", name=op.f("ck_session_packs_total_sessions")),
        sa.ForeignKeyConstraint(["mentor_id"], ["mentors.id"], name=op.f("fk_session_packs_mentor_id")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["mentorship_products.id"], name=op.f("fk_session_packs_product_id")
        ),
        sa.ForeignKeyConstraint(["student_id"], ["users.id"], name=op.f("fk_session_packs_student_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session_packs")),
        sa.UniqueConstraint("import_key", name=op.f("uq_session_packs_import_key")),
        sa.UniqueConstraint(
            "id", "mentor_id", "student_id", name=op.f("uq_session_packs_id_mentor_id_student_id")
        ),
    )
    op.create_index(op.f("ix_session_packs_expires_at"), "session_packs", ["expires_at"], unique=False)
    op.create_index("ix_session_packs_mentor", "session_packs", ["mentor_id", "student_id"], unique=False)
    op.create_index("ix_session_packs_pair", "session_packs", ["student_id", "mentor_id"], unique=False)
    op.create_index(op.f("ix_session_packs_product_id"), "session_packs", ["product_id"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("mentor_id", sa.Uuid(), nullable=False),
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("pack_id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "scheduled",
                "completed",
                "canceled",
                "no_show",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("scheduled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("blocked", postgresql.TSTZRANGE(), nullable=False),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("canceled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("canceled_by", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("recording_url", sa.Text(), nullable=True),
        sa.Column("recording_consent", sa.Boolean(), nullable=False),
        sa.Column("google_calendar_event_id", sa.Text(), nullable=True),
        sa.Column("event_generation", sa.Integer(), nullable=False),
        sa.Column("event_version", sa.Integer(), nullable=True),
        sa.Column(
            "event_sync",
            sa.Enum(
                "none",
                "pending",
                "written",
                "failed",
                name="event_sync",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("event_claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "conflict",
            sa.Enum(
                "moved", "deleted", name="conflict", native_enum=False, create_constraint=True, length=32
            ),
            nullable=True,
        ),
        sa.Column("conflict_start", sa.DateTime(timezone=True), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.column("mentor_id"), "="),
            (sa.column("blocked"), "&&"),
            where=sa.text("status = 'scheduled'"),
            using="gist",
            name="ex_sessions_mentor_blocked",
        ),
        postgresql.ExcludeConstraint(
            (sa.column("student_id"), "="),
            (sa.text("tstzrange(scheduled_at, ends_at)"), "&&"),
            where=sa.text("status = 'scheduled'"),
            using="gist",
            name="ex_sessions_student_own",
        ),
        sa.CheckConstraint(
            "(status = 'canceled') = (canceled_at is not null)", name=op.f("ck_sessions_canceled_at")
        ),
        sa.CheckConstraint(
            "(status in ('completed', 'no_show')) = (completed_at is not null)",
            name=op.f("ck_sessions_completed_at"),
        ),
        sa.CheckConstraint(
            "recording_url is null or recording_url ~ '^https://'", name=op.f("ck_sessions_recording_url")
        ),
        sa.CheckConstraint("blocked @> tstzrange(scheduled_at, ends_at)", name=op.f("ck_sessions_blocked")),
        sa.CheckConstraint("char_length(notes) <= 10000", name=op.f("ck_sessions_notes")),
        sa.CheckConstraint("scheduled_at < ends_at", name=op.f("ck_sessions_length")),
        sa.ForeignKeyConstraint(["mentor_id"], ["mentors.id"], name=op.f("fk_sessions_mentor_id")),
        sa.ForeignKeyConstraint(
            ["pack_id", "mentor_id", "student_id"],
            ["session_packs.id", "session_packs.mentor_id", "session_packs.student_id"],
            name=op.f("fk_sessions_pack_id_mentor_id_student_id"),
        ),
        sa.ForeignKeyConstraint(["student_id"], ["users.id"], name=op.f("fk_sessions_student_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("google_calendar_event_id", name=op.f("uq_sessions_google_calendar_event_id")),
    )
    op.create_index(
        "ix_sessions_event_pending",
        "sessions",
        ["booked_at"],
        unique=False,
        postgresql_where=sa.text("event_sync = 'pending'"),
    )
    op.create_index("ix_sessions_mentor", "sessions", ["mentor_id", "scheduled_at"], unique=False)
    op.create_index("ix_sessions_pack", "sessions", ["pack_id", "mentor_id", "student_id"], unique=False)
    op.create_index(
        "ix_sessions_student",
        "sessions",
        ["student_id", "scheduled_at"],
        unique=False,
        postgresql_include=["id", "mentor_id", "status"],
    )
    op.create_index(
        "ix_sessions_unmarked",
        "sessions",
        ["ends_at"],
        unique=False,
        postgresql_where=sa.text("status = 'scheduled'"),
    )
    op.create_table(
        "pack_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("pack_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "purchase",
                "grant",
                "complete",
                "no_show",
                "late_cancel",
                "reversal",
                "adjust",
                "refund",
                "expire",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("delta", sa.Integer(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("delta <> 0", name=op.f("ck_pack_entries_delta")),
        sa.ForeignKeyConstraint(["actor_id"], ["users.id"], name=op.f("fk_pack_entries_actor_id")),
        sa.ForeignKeyConstraint(["pack_id"], ["session_packs.id"], name=op.f("fk_pack_entries_pack_id")),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=op.f("fk_pack_entries_session_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pack_entries")),
    )
    op.create_index(op.f("ix_pack_entries_actor_id"), "pack_entries", ["actor_id"], unique=False)
    op.create_index(op.f("ix_pack_entries_pack_id"), "pack_entries", ["pack_id"], unique=False)
    op.create_index(op.f("ix_pack_entries_session_id"), "pack_entries", ["session_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_pack_entries_session_id"), table_name="pack_entries")
    op.drop_index(op.f("ix_pack_entries_pack_id"), table_name="pack_entries")
    op.drop_index(op.f("ix_pack_entries_actor_id"), table_name="pack_entries")
    op.drop_table("pack_entries")
    op.drop_index(
        "ix_sessions_unmarked", table_name="sessions", postgresql_where=sa.text("status = 'scheduled'")
    )
    op.drop_index("ix_sessions_student", table_name="sessions")
    op.drop_index("ix_sessions_pack", table_name="sessions")
    op.drop_index("ix_sessions_mentor", table_name="sessions")
    op.drop_index(
        "ix_sessions_event_pending", table_name="sessions", postgresql_where=sa.text("event_sync = 'pending'")
    )
    op.drop_table("sessions")
    op.drop_index(op.f("ix_session_packs_product_id"), table_name="session_packs")
    op.drop_index("ix_session_packs_pair", table_name="session_packs")
    op.drop_index("ix_session_packs_mentor", table_name="session_packs")
    op.drop_index(op.f("ix_session_packs_expires_at"), table_name="session_packs")
    op.drop_table("session_packs")
    op.drop_index(op.f("ix_seat_entries_student_id"), table_name="seat_entries")
    op.drop_index(op.f("ix_seat_entries_seat_id"), table_name="seat_entries")
    op.drop_index(op.f("ix_seat_entries_mentor_id"), table_name="seat_entries")
    op.drop_table("seat_entries")
    op.drop_index("ix_busy_windows_span", table_name="busy_windows", postgresql_using="gist")
    op.drop_table("busy_windows")
    op.drop_index(
        "uq_waitlist_waiting_pair", table_name="waitlist", postgresql_where=sa.text("left_at is null")
    )
    op.drop_index(op.f("ix_waitlist_student_id"), table_name="waitlist")
    op.drop_index(op.f("ix_waitlist_mentor_id"), table_name="waitlist")
    op.drop_table("waitlist")
    op.drop_index(
        "uq_seat_reservations_live_pair",
        table_name="seat_reservations",
        postgresql_where=sa.text("status <> 'released'"),
    )
    op.drop_index(op.f("ix_seat_reservations_student_id"), table_name="seat_reservations")
    op.drop_index(op.f("ix_seat_reservations_seat_expires_at"), table_name="seat_reservations")
    op.drop_index(op.f("ix_seat_reservations_mentor_id"), table_name="seat_reservations")
    op.drop_table("seat_reservations")
    op.drop_index(op.f("ix_mentorship_products_mentor_id"), table_name="mentorship_products")
    op.drop_table("mentorship_products")
    op.drop_table("date_overrides")
    op.drop_table("calendar_connections")
    op.drop_index(op.f("ix_web_sessions_impersonator_id"), table_name="web_sessions")
    op.drop_index(op.f("ix_web_sessions_user_id"), table_name="web_sessions")
    op.drop_index(op.f("ix_web_sessions_expires_at"), table_name="web_sessions")
    op.drop_table("web_sessions")
    op.drop_table("user_identities")
    op.drop_index(op.f("ix_oauth_states_user_id"), table_name="oauth_states")
    op.drop_index(op.f("ix_oauth_states_expires_at"), table_name="oauth_states")
    op.drop_table("oauth_states")
    op.drop_table("mentors")
    op.drop_index(op.f("ix_idempotency_keys_created_at"), table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_index(op.f("ix_email_tokens_user_id"), table_name="email_tokens")
    op.drop_table("email_tokens")
    op.drop_index(op.f("ix_deliveries_recipient_id"), table_name="deliveries")
    op.drop_index(op.f("ix_deliveries_created_at"), table_name="deliveries")
    op.drop_table("deliveries")
    op.drop_index(op.f("ix_access_tokens_user_id"), table_name="access_tokens")
    op.drop_table("access_tokens")
    op.drop_table("users")
    op.drop_index(
        "ix_outbox_waiting", table_name="outbox", postgresql_where=sa.text("state in ('new', 'queued')")
    )
    op.drop_table("outbox")
    op.drop_index("ix_audit_log_subject", table_name="audit_log")
    op.drop_index(op.f("ix_audit_log_at"), table_name="audit_log")
    op.drop_index(op.f("ix_audit_log_actor_id"), table_name="audit_log")
    op.drop_table("audit_log")
