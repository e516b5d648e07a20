"""Months as the mentor's wall clock has them, and what happened in each, against SQL written apart from the product's."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from whenever import Instant

from app.core.db import Database
from app.core.rls import ServiceDoor
from app.core.zones import zone_choices
from app.dashboards import instructor_months
from app.dashboards.instructor_months import Month, last_months
from app.packs import service as packs
from tests.cast import Cast
from tests.dashboards.instructor_worlds import MentorWorld
from tests.site.selling import on_sale

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
# Clocks change on, or within hours of, the first of a month in some of them; others are far from UTC.
ZONES = (
    "Europe/Lisbon",
    "America/New_York",
    "America/Havana",
    "Asia/Kolkata",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
)
HELD = """
select to_char(scheduled_at at time zone :zone, 'YYYY-MM') as month, status, count(*) as number
  from sessions where mentor_id = :mentor and status in ('completed', 'no_show') group by 1, 2
"""
MONEY = """
select to_char(at at time zone :zone, 'YYYY-MM') as month, currency, sum(amount)::bigint as amount
  from (select p.created_at as at, p.currency, p.amount from payments p join orders o on o.id = p.order_id
         where o.mentor_id = :mentor and p.status in ('completed', 'refunded')
        union all
        select r.requested_at, r.currency, -r.amount from refunds r join orders o on o.id = r.order_id
         where o.mentor_id = :mentor and r.status <> 'failed') moved
 group by 1, 2
"""


def key(month: Month) -> str:
    return f"{month.year}-{month.number:02}"


@given(
    st.integers(157_766_400, 4_070_908_800),
    st.sampled_from(zone_choices()),
    st.integers(1, 24),
)
def test_months_follow_each_other_up_to_today(seconds: int, zone: str, count: int) -> None:
    now = datetime.fromtimestamp(seconds, UTC)
    months = last_months(now, zone, count)
    assert len(months) == count
    assert months[-1].start <= now < months[-1].end
    for month, following in pairwise(months):
        assert month.end == following.start
        assert (following.year * 12 + following.number) - (month.year * 12 + month.number) == 1
    for month in months:
        first = Instant(month.start).to_tz(zone)
        before = Instant(month.start - timedelta(microseconds=1)).to_tz(zone)
        assert (first.year, first.month) == (month.year, month.number)
        assert (before.year, before.month) != (month.year, month.number)


def test_a_month_may_begin_after_midnight_and_be_an_hour_shorter() -> None:
    paraguay = last_months(datetime(2017, 10, 20, tzinfo=UTC), "America/Asuncion", 2)[-1]
    assert paraguay.start == datetime(
        2017, 10, 1, 4, tzinfo=UTC
    )  # 00:00 to 01:00 on 1 October 2017 never was
    march = last_months(datetime(2026, 3, 20, tzinfo=UTC), "Europe/Lisbon", 1)[0]
    assert march.end - march.start == timedelta(days=31, hours=-1)


@pytest.mark.parametrize("zone", ZONES)
async def test_what_happened_in_each(database: Database, cast: Cast, zone: str) -> None:
    months = last_months(NOW, zone)
    borders = [month.start for month in months] + [months[-1].end]
    changes = [NOW - timedelta(days=days) for days in (30, 23, 240, 254)]  # the clocks of the North
    product_id = await on_sale(database, cast)
    async with database.service(ServiceDoor.SEED) as uow, uow.transaction():
        world = MentorWorld(uow, cast["mentor"], NOW, Random(zone), borders + changes)
        pair: dict[str, Any] = {"mentor_id": cast["mentor"], "student_id": cast["student"]}
        plenty = await packs.grant(uow, **pair, sessions=200, validity_days=365)
        await world.sessions(150, plenty, pair)
        await world.money(60, product_id, pair)
        theirs: dict[str, Any] = {"mentor_id": cast["other_mentor"], "student_id": cast["other_student"]}
        other = await packs.grant(uow, **theirs, sessions=100, validity_days=365)
        await world.sessions(20, other, theirs)
        await world.money(10, product_id, theirs)
    held, money = await asked(database, cast["mentor"], zone)
    async with database.unit_of_work(cast.principal("mentor")) as uow:
        sessions = await instructor_months.sessions(uow, cast["mentor"], months)
        income = await instructor_months.income(uow, cast["mentor"], months)
    assert sum(one.completed + one.no_show for one in sessions) > 50
    for month, one in zip(months, sessions, strict=True):
        assert one.completed == held[key(month), "completed"]
        assert one.no_show == held[key(month), "no_show"]
    assert set(income) == {"EUR", "USD", "JPY"}
    for currency, amounts in income.items():
        assert amounts == [money[key(month), currency] for month in months]


async def asked(database: Database, mentor_id: UUID, zone: str) -> tuple[Counter[Any], Counter[Any]]:
    """The same as the database's own calendar tells it."""
    values = {"mentor": mentor_id, "zone": zone}
    async with database.service(ServiceDoor.SEED) as uow:
        held = (await uow.session.execute(sa.text(HELD), values)).all()
        money = (await uow.session.execute(sa.text(MONEY), values)).all()
    return (
        Counter({(row.month, row.status): row.number for row in held}),
        Counter({(row.month, row.currency): row.amount for row in money}),
    )


@pytest.mark.parametrize("who", ["other_mentor", "student", "anonymous"])
async def test_others_see_nothing_of_it(database: Database, cast: Cast, who: str) -> None:
    months = last_months(NOW, "UTC")
    product_id = await on_sale(database, cast)
    async with database.service(ServiceDoor.SEED) as uow, uow.transaction():
        world = MentorWorld(uow, cast["mentor"], NOW, Random(1), [NOW])
        pair: dict[str, Any] = {"mentor_id": cast["mentor"], "student_id": cast["new_student"]}
        plenty = await packs.grant(uow, **pair, sessions=20, validity_days=365)
        await world.sessions(10, plenty, pair)
        await world.money(10, product_id, pair)
    async with database.unit_of_work(cast.principal(who)) as uow:
        found = await instructor_months.sessions(uow, cast["mentor"], months)
        assert not any(one.completed or one.no_show for one in found)
        assert await instructor_months.income(uow, cast["mentor"], months) == {}
