"""Orders, the money that came for them and went back, and what reconciliation found."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, WithId, choice
from app.payments.gateway import DisputeStatus, Provider


class OrderStatus(StrEnum):
    """What became of the wish to buy; `failed` and `canceled` may still become `paid`."""

    PENDING = "pending"
    PAID = "paid"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    FAILED = "failed"
    CANCELED = "canceled"


class OrderFlag(StrEnum):
    """Why an admin has to look at an order."""

    WRONG_AMOUNT = "wrong_amount"
    WRONG_CURRENCY = "wrong_currency"
    NO_SEAT = "no_seat"
    PARTIAL_REFUND = "partial_refund"
    REFUND_FAILED = "refund_failed"
    DISPUTED = "disputed"


class PaymentStatus(StrEnum):
    """Money that a provider confirmed."""

    PENDING = "pending"
    COMPLETED = "completed"
    REFUNDED = "refunded"
    FAILED = "failed"


class RefundStatus(StrEnum):
    """`requested`: the provider has yet to say that it is done."""

    REQUESTED = "requested"
    COMPLETED = "completed"
    FAILED = "failed"


class RefundOrigin(StrEnum):
    """Who wanted the money to go back."""

    ADMIN = "admin"
    AUTOMATIC = "automatic"
    PROVIDER = "provider"
    DISPUTE = "dispute"


class Order(WithId, Base):
    """The wish to buy one product with one provider; copies price, sessions and validity of that day.

    `total_amount` and `discount_amount` are what was agreed at the start, and what the provider took once it is paid.
    `capturing_at`: somebody takes the money of an approved checkout just now.
    """

    __tablename__ = "orders"
    __table_args__ = (
        sa.Index(
            "uq_orders_open_pair",
            "mentor_id",
            "student_id",
            unique=True,
            postgresql_where=sa.text("status = 'pending'"),
        ),
        sa.Index("ix_orders_flagged", "created_at", postgresql_where=sa.text("flag is not null")),
        sa.UniqueConstraint("provider", "provider_session_id"),
        sa.CheckConstraint("original_amount >= 0", name="original_amount"),
        sa.CheckConstraint("discount_amount between 0 and original_amount", name="discount_amount"),
        sa.CheckConstraint("total_amount >= 0", name="total_amount"),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        sa.CheckConstraint("mentor_id <> student_id", name="pair"),
    )

    mentor_id: Mapped[UUID] = mapped_column(sa.ForeignKey("mentors.id"), index=True)
    student_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"), index=True)
    product_id: Mapped[UUID] = mapped_column(sa.ForeignKey("mentorship_products.id"), index=True)
    pack_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("session_packs.id"), unique=True)
    provider: Mapped[Provider] = mapped_column(choice(Provider, "provider"))
    provider_session_id: Mapped[str | None]
    checkout_url: Mapped[str | None]
    status: Mapped[OrderStatus] = mapped_column(choice(OrderStatus, "status"))
    flag: Mapped[OrderFlag | None] = mapped_column(choice(OrderFlag, "flag"))
    title: Mapped[str]
    sessions: Mapped[int]
    validity_days: Mapped[int]
    currency: Mapped[str] = mapped_column(sa.String(3))
    original_amount: Mapped[int]
    discount_amount: Mapped[int] = mapped_column(default=0)
    tax_amount: Mapped[int] = mapped_column(default=0)
    total_amount: Mapped[int]
    discount_code: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(index=True)
    hold_until: Mapped[datetime]
    capturing_at: Mapped[datetime | None]
    paid_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class Payment(WithId, Base):
    """Money for an order. `refunded_amount` is the sum of its refunds that didn't fail, never more than was paid."""

    __tablename__ = "payments"
    __table_args__ = (
        sa.UniqueConstraint("provider", "provider_payment_id"),
        sa.CheckConstraint("amount >= 0", name="amount"),
        sa.CheckConstraint("refunded_amount between 0 and amount", name="refunded_amount"),
    )

    order_id: Mapped[UUID] = mapped_column(sa.ForeignKey("orders.id"), unique=True)
    provider: Mapped[Provider] = mapped_column(choice(Provider, "provider"))
    provider_payment_id: Mapped[str]
    status: Mapped[PaymentStatus] = mapped_column(choice(PaymentStatus, "status"))
    amount: Mapped[int]
    currency: Mapped[str] = mapped_column(sa.String(3))
    refunded_amount: Mapped[int] = mapped_column(default=0)
    dispute: Mapped[DisputeStatus | None] = mapped_column(choice(DisputeStatus, "dispute"))
    provider_dispute_id: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(index=True)


class Refund(WithId, Base):
    """Money that goes back; `sessions` were taken from the pack for it."""

    __tablename__ = "refunds"
    __table_args__ = (
        sa.UniqueConstraint("payment_id", "provider_refund_id"),
        sa.CheckConstraint("amount >= 0", name="amount"),
        sa.CheckConstraint("sessions >= 0", name="sessions"),
    )

    order_id: Mapped[UUID] = mapped_column(sa.ForeignKey("orders.id"), index=True)
    payment_id: Mapped[UUID] = mapped_column(sa.ForeignKey("payments.id"))
    amount: Mapped[int]
    currency: Mapped[str] = mapped_column(sa.String(3))
    sessions: Mapped[int] = mapped_column(default=0)
    status: Mapped[RefundStatus] = mapped_column(choice(RefundStatus, "status"))
    origin: Mapped[RefundOrigin] = mapped_column(choice(RefundOrigin, "origin"))
    reason: Mapped[str] = mapped_column(default="")
    requested_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id"), index=True)
    provider_refund_id: Mapped[str | None]
    problem: Mapped[str | None]
    requested_at: Mapped[datetime] = mapped_column(index=True)
    settled_at: Mapped[datetime | None]


class ReconciliationRun(WithId, Base):
    """One comparison of our orders with the providers."""

    __tablename__ = "reconciliation_runs"

    requested_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id"), index=True)
    started_at: Mapped[datetime] = mapped_column(index=True)
    finished_at: Mapped[datetime | None]
    checked: Mapped[int] = mapped_column(default=0)


class ReconciliationFinding(WithId, Base):
    """Where an order and its provider differed: what it was, and whether the run could repair it."""

    __tablename__ = "reconciliation_findings"
    __table_args__ = (sa.UniqueConstraint("run_id", "order_id"),)

    run_id: Mapped[UUID] = mapped_column(sa.ForeignKey("reconciliation_runs.id", ondelete="CASCADE"))
    order_id: Mapped[UUID] = mapped_column(sa.ForeignKey("orders.id"), index=True)
    code: Mapped[str]
    repaired: Mapped[bool]
    found_at: Mapped[datetime]
