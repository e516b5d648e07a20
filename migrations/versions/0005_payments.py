"""Orders, payments, refunds, the inbox of webhooks and reconciliation, with who may see them.

The runtime role app only looks: orders are written by the checkout and by what providers say, both on the service's
unit of work. An admin's refund is the exception, and runs as the admin.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

APP, SERVICE = "mentorship_app", "mentorship_service"
ADMIN = "(select app_role()) = 'admin'"
PAIR = f"student_id = (select app_user_id()) or mentor_id = (select app_user_id()) or {ADMIN}"
ORDER = "exists (select 1 from orders o where o.id = order_id)"

# table: {command: condition on the row for the role app}
POLICIES: dict[str, dict[str, str]] = {
    "orders": {"select": PAIR, "update": ADMIN},
    "payments": {"select": ORDER, "update": ADMIN},
    "refunds": {"select": ORDER, "insert": ADMIN},
    "webhook_events": {"select": ADMIN},
    "reconciliation_runs": {"select": ADMIN, "insert": ADMIN},
    "reconciliation_findings": {"select": ADMIN},
}
COLUMNS = {("orders", "update"): "status, flag", ("payments", "update"): "status, refunded_amount"}


def clauses(command: str, rule: str) -> str:
    """The USING and WITH CHECK clauses that a command needs."""
    using = "" if command == "insert" else f"using ({rule})"
    return using if command == "select" else f"{using} with check ({rule})"


def upgrade() -> None:
    make_tables()
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


def make_tables() -> None:
    op.create_table(
        "webhook_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "provider",
            sa.Enum(
                "stripe", "paypal", name="provider", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("provider_event_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("processed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_events")),
        sa.UniqueConstraint(
            "provider", "provider_event_id", name=op.f("uq_webhook_events_provider_provider_event_id")
        ),
    )
    op.create_index(op.f("ix_webhook_events_received_at"), "webhook_events", ["received_at"], unique=False)
    op.create_table(
        "reconciliation_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checked", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["requested_by"], ["users.id"], name=op.f("fk_reconciliation_runs_requested_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation_runs")),
    )
    op.create_index(
        op.f("ix_reconciliation_runs_requested_by"), "reconciliation_runs", ["requested_by"], unique=False
    )
    op.create_index(
        op.f("ix_reconciliation_runs_started_at"), "reconciliation_runs", ["started_at"], unique=False
    )
    op.create_table(
        "orders",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("mentor_id", sa.Uuid(), nullable=False),
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("pack_id", sa.Uuid(), nullable=True),
        sa.Column(
            "provider",
            sa.Enum(
                "stripe", "paypal", name="provider", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("provider_session_id", sa.Text(), nullable=True),
        sa.Column("checkout_url", sa.Text(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "paid",
                "partially_refunded",
                "refunded",
                "failed",
                "canceled",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "flag",
            sa.Enum(
                "wrong_amount",
                "wrong_currency",
                "no_seat",
                "partial_refund",
                "refund_failed",
                "disputed",
                name="flag",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("sessions", sa.Integer(), nullable=False),
        sa.Column("validity_days", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("original_amount", sa.Integer(), nullable=False),
        sa.Column("discount_amount", sa.Integer(), nullable=False),
        sa.Column("tax_amount", sa.Integer(), nullable=False),
        sa.Column("total_amount", sa.Integer(), nullable=False),
        sa.Column("discount_code", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hold_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("capturing_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_orders_currency")),
        sa.CheckConstraint(
            "discount_amount between 0 and original_amount", name=op.f("ck_orders_discount_amount")
        ),
        sa.CheckConstraint("mentor_id <> student_id", name=op.f("ck_orders_pair")),
        sa.CheckConstraint("original_amount >= 0", name=op.f("ck_orders_original_amount")),
        sa.CheckConstraint("total_amount >= 0", name=op.f("ck_orders_total_amount")),
        sa.ForeignKeyConstraint(["mentor_id"], ["mentors.id"], name=op.f("fk_orders_mentor_id")),
        sa.ForeignKeyConstraint(["pack_id"], ["session_packs.id"], name=op.f("fk_orders_pack_id")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["mentorship_products.id"], name=op.f("fk_orders_product_id")
        ),
        sa.ForeignKeyConstraint(["student_id"], ["users.id"], name=op.f("fk_orders_student_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("pack_id", name=op.f("uq_orders_pack_id")),
        sa.UniqueConstraint(
            "provider", "provider_session_id", name=op.f("uq_orders_provider_provider_session_id")
        ),
    )
    op.create_index(op.f("ix_orders_created_at"), "orders", ["created_at"], unique=False)
    op.create_index(op.f("ix_orders_mentor_id"), "orders", ["mentor_id"], unique=False)
    op.create_index(op.f("ix_orders_product_id"), "orders", ["product_id"], unique=False)
    op.create_index(op.f("ix_orders_student_id"), "orders", ["student_id"], unique=False)
    op.create_index(
        "uq_orders_open_pair",
        "orders",
        ["mentor_id", "student_id"],
        unique=True,
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_table(
        "payments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column(
            "provider",
            sa.Enum(
                "stripe", "paypal", name="provider", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("provider_payment_id", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "completed",
                "refunded",
                "failed",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("refunded_amount", sa.Integer(), nullable=False),
        sa.Column(
            "dispute",
            sa.Enum(
                "open", "won", "lost", name="dispute", native_enum=False, create_constraint=True, length=32
            ),
            nullable=True,
        ),
        sa.Column("provider_dispute_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_payments_amount")),
        sa.CheckConstraint("refunded_amount between 0 and amount", name=op.f("ck_payments_refunded_amount")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_payments_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments")),
        sa.UniqueConstraint("order_id", name=op.f("uq_payments_order_id")),
        sa.UniqueConstraint(
            "provider", "provider_payment_id", name=op.f("uq_payments_provider_provider_payment_id")
        ),
    )
    op.create_table(
        "reconciliation_findings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("repaired", sa.Boolean(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_reconciliation_findings_order_id")
        ),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["reconciliation_runs.id"],
            name=op.f("fk_reconciliation_findings_run_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation_findings")),
        sa.UniqueConstraint("run_id", "order_id", name=op.f("uq_reconciliation_findings_run_id_order_id")),
    )
    op.create_index(
        op.f("ix_reconciliation_findings_order_id"), "reconciliation_findings", ["order_id"], unique=False
    )
    op.create_table(
        "refunds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("sessions", sa.Integer(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "requested",
                "completed",
                "failed",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "origin",
            sa.Enum(
                "admin",
                "automatic",
                "provider",
                "dispute",
                name="origin",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("provider_refund_id", sa.Text(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_refunds_amount")),
        sa.CheckConstraint("sessions >= 0", name=op.f("ck_refunds_sessions")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_refunds_order_id")),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_refunds_payment_id")),
        sa.ForeignKeyConstraint(["requested_by"], ["users.id"], name=op.f("fk_refunds_requested_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sa.UniqueConstraint(
            "payment_id", "provider_refund_id", name=op.f("uq_refunds_payment_id_provider_refund_id")
        ),
    )
    op.create_index(op.f("ix_refunds_order_id"), "refunds", ["order_id"], unique=False)
    op.create_index(op.f("ix_refunds_requested_by"), "refunds", ["requested_by"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_refunds_requested_by"), table_name="refunds")
    op.drop_index(op.f("ix_refunds_order_id"), table_name="refunds")
    op.drop_table("refunds")
    op.drop_index(op.f("ix_reconciliation_findings_order_id"), table_name="reconciliation_findings")
    op.drop_table("reconciliation_findings")
    op.drop_table("payments")
    op.drop_index("uq_orders_open_pair", table_name="orders", postgresql_where=sa.text("status = 'pending'"))
    op.drop_index(op.f("ix_orders_student_id"), table_name="orders")
    op.drop_index(op.f("ix_orders_product_id"), table_name="orders")
    op.drop_index(op.f("ix_orders_mentor_id"), table_name="orders")
    op.drop_index(op.f("ix_orders_created_at"), table_name="orders")
    op.drop_table("orders")
    op.drop_index(op.f("ix_reconciliation_runs_started_at"), table_name="reconciliation_runs")
    op.drop_index(op.f("ix_reconciliation_runs_requested_by"), table_name="reconciliation_runs")
    op.drop_table("reconciliation_runs")
    op.drop_index(op.f("ix_webhook_events_received_at"), table_name="webhook_events")
    op.drop_table("webhook_events")
