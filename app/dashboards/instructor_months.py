"""What happened in each of a mentor's last months: sessions held and missed, and money by currency.

A month is one of the calendar in the mentor's zone, so it begins where that wall clock begins it: months with a change
of the clocks are an hour longer or shorter, and what happens near midnight counts where it was seen to happen.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, TypeAlias
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute
from whenever import Date, Instant, ZonedDateTime

from app.booking.models import Session, SessionStatus
from app.core.unit_of_work import UnitOfWork
from app.payments.models import Order, Payment, PaymentStatus, Refund, RefundStatus

COUNT: Final = 12
_NAMES: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_RECEIVED: Final = (PaymentStatus.COMPLETED, PaymentStatus.REFUNDED)


Instants: TypeAlias = InstrumentedAttribute[datetime]


class Month(msgspec.Struct, frozen=True):
    """A calendar month in some zone, half-open in UTC."""

    year: int
    number: int
    start: datetime
    end: datetime

    @property
    def name(self) -> str:
        """`November 2026`."""
        return f"{_NAMES[self.number - 1]} {self.year}"

    @property
    def short(self) -> str:
        """`Nov`."""
        return _NAMES[self.number - 1][:3]


class Sessions(msgspec.Struct, frozen=True):
    """Sessions that began in a month, by what became of them."""

    completed: int = 0
    no_show: int = 0


def last_months(now: datetime, zone: str, count: int = COUNT) -> tuple[Month, ...]:
    """The `count` months up to the one that `now` is in, the oldest first, by the wall clock of `zone`."""
    today = Instant(now).to_tz(zone).date()
    days = [today.replace(day=1).add(months=ahead) for ahead in range(1 - count, 2)]
    starts = [_start_of_month(day, zone) for day in days]
    return tuple(
        Month(year=day.year, number=day.month, start=start, end=end)
        for day, start, end in zip(days, starts, starts[1:], strict=False)
    )


def _start_of_month(day: Date, zone: str) -> datetime:
    """The first instant of the day's month, whatever the clock shows then: midnight may be skipped."""
    noon = ZonedDateTime(day.year, day.month, 15, 12, tz=zone, disambiguation="compatible")
    return noon.start_of("month").to_instant().to_stdlib().astimezone(UTC)


async def sessions(uow: UnitOfWork, mentor_id: UUID, months: Sequence[Month]) -> list[Sessions]:
    """For each month the mentor's sessions that were held or missed, by their start."""
    month = _month(Session.scheduled_at, months)
    held = sa.func.count().filter(Session.status == SessionStatus.COMPLETED)
    missed = sa.func.count().filter(Session.status == SessionStatus.NO_SHOW)
    query = (
        sa.select(month, held.label("completed"), missed.label("no_show"))
        .where(Session.mentor_id == mentor_id, *_within(Session.scheduled_at, months))
        .group_by(month)
    )
    found = {
        row.month: Sessions(row.completed, row.no_show) for row in (await uow.session.execute(query)).all()
    }
    return [found.get(number, Sessions()) for number in range(1, len(months) + 1)]


async def income(uow: UnitOfWork, mentor_id: UUID, months: Sequence[Month]) -> dict[str, list[int]]:
    """By currency, in its minor units, for each month: what was paid for the mentor's packs less what went back then.

    Payments count when they arrived, refunds when they were asked for unless they failed; never across currencies.
    """
    theirs = Order.mentor_id == mentor_id
    paid = (
        sa.select(Payment.currency, _month(Payment.created_at, months), Payment.amount.label("amount"))
        .join(Order, Order.id == Payment.order_id)
        .where(theirs, Payment.status.in_(_RECEIVED), *_within(Payment.created_at, months))
    )
    back = (
        sa.select(Refund.currency, _month(Refund.requested_at, months), (-Refund.amount).label("amount"))
        .join(Order, Order.id == Refund.order_id)
        .where(theirs, Refund.status != RefundStatus.FAILED, *_within(Refund.requested_at, months))
    )
    moved = paid.union_all(back).subquery()
    total = sa.func.sum(moved.c.amount, type_=sa.BigInteger)
    query = sa.select(moved.c.currency, moved.c.month, sa.cast(total, sa.BigInteger).label("amount"))
    query = query.group_by(moved.c.currency, moved.c.month).order_by(moved.c.currency)
    found: dict[str, list[int]] = {}
    for row in (await uow.session.execute(query)).all():
        found.setdefault(row.currency, [0] * len(months))[row.month - 1] = row.amount
    return found


def _month(at: Instants, months: Sequence[Month]) -> sa.Label[int]:
    """Which of the months `at` lies in, counted from 1."""
    borders = sa.literal([month.start for month in months], ARRAY(sa.DateTime(timezone=True)))
    return sa.func.width_bucket(at, borders, type_=sa.Integer).label("month")


def _within(at: Instants, months: Sequence[Month]) -> tuple[sa.ColumnElement[bool], ...]:
    return at >= months[0].start, at < months[-1].end
