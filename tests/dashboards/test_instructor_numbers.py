"""The numbers on a mentor's dashboard, against SQL that was written apart from the product's."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

from app.calendars.models import CalendarConnection
from app.core import clock
from app.core.db import Database
from app.core.ids import new_id
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Role
from app.dashboards import instructor
from tests import cast as casting
from tests.booking.conftest import Visit
from tests.cast import Cast
from tests.dashboards.instructor_worlds import MentorWorld

FIGURES = """
select (select count(*) from seat_reservations where mentor_id = :mentor and status in ('active', 'grace')) as mentees,
       (select greatest(0, m.max_active_students - count(r.id)) from mentors m
          left join seat_reservations r on r.mentor_id = m.id and r.status <> 'released'
         where m.id = :mentor group by m.max_active_students) as open,
       (select coalesce(-sum(e.delta), 0) from pack_entries e join session_packs p on p.id = e.pack_id
         where p.mentor_id = :mentor and e.session_id is not null) as used,
       (select coalesce(sum(e.delta), 0) from pack_entries e join session_packs p on p.id = e.pack_id
         where p.mentor_id = :mentor and p.status = 'active' and p.expires_at > :now) as left,
       (select count(*) from sessions where mentor_id = :mentor and status = 'scheduled'
                                        and scheduled_at <= :now) as unmarked
"""
LOW = """
select s.student_id, u.name, s.status
  from seat_reservations s join users u on u.id = s.student_id
 where s.mentor_id = :mentor and (s.status = 'grace' or s.status = 'active' and (
       select coalesce(sum(e.delta) filter (where p.status = 'active' and p.expires_at > :now), 0) = 1
              and (select sum(total_sessions) > 1 from session_packs t
                    where t.mentor_id = s.mentor_id and t.student_id = s.student_id)
         from session_packs p join pack_entries e on e.pack_id = p.id
        where p.mentor_id = s.mentor_id and p.student_id = s.student_id))
"""
AROUND = """
select id from sessions where mentor_id = :mentor and {} order by scheduled_at {}, id limit 5
"""
UPCOMING = AROUND.format("status = 'scheduled' and scheduled_at > :now", "asc")
RECENT = AROUND.format("status <> 'canceled' and scheduled_at <= :now", "desc")


async def asked(database: Database, cast: Cast, now: datetime, query: str) -> list[Any]:
    async with database.service(ServiceDoor.SEED) as uow:
        return list((await uow.session.execute(sa.text(query), {"mentor": cast["mentor"], "now": now})).all())


def tile(page: str, name: str) -> int:
    found = re.search(rf'id="figure-{name}">(\d+)', page)
    assert found, name
    return int(found[1])


@pytest.mark.parametrize("seed", range(1, 7))
async def test_random_pasts(database: Database, cast: Cast, visit: Visit, seed: int) -> None:
    now = clock.now()
    async with database.service(ServiceDoor.SEED) as uow, uow.transaction():
        await MentorWorld(uow, cast["mentor"], now, Random(seed)).students(12)
        await MentorWorld(uow, cast["other_mentor"], now, Random(-seed)).students(3)
    (figures,) = await asked(database, cast, now, FIGURES)
    low = await asked(database, cast, now, LOW)
    browser = await visit("mentor")
    with clock.standing_at(now):
        page = (await browser.get("/instructor/dashboard")).text
        part = (await browser.fragment("/instructor/dashboard/figures")).text
    for text in (page, part):
        shown = {name: tile(text, name) for name in ("mentees", "open", "used", "left")}
        assert shown == {name: getattr(figures, name) for name in shown}
        block = text.partition('id="low"')[2].partition("</section>")[0]
        assert {row.name for row in low} == set(re.findall(r"<h3><a [^>]*>([^<]+)</a>", block))
        assert (f"{figures.unmarked} session" in text) is bool(figures.unmarked)
    rows = re.findall(r'<article id="session-([0-9a-f-]+)"', page)
    ahead = await asked(database, cast, now, UPCOMING)
    behind = await asked(database, cast, now, RECENT)
    assert rows == [str(row.id) for row in (*ahead, *behind)]
    table = page.partition('id="mentees"')[2].partition("</table>")[0]
    assert len(re.findall(r'<th scope="row">', table)) == min(figures.mentees, instructor.MENTEES)


async def test_a_studio_without_anybody_says_what_will_be_here(
    visit: Visit, database: Database, cast: Cast
) -> None:
    cast.ids["new_mentor"] = new_id()
    async with database.service(ServiceDoor.SEED) as uow, uow.transaction():
        await casting.add_user(uow, cast["new_mentor"], "new@example.test", "New Mentor", Role.MENTOR)
        await casting.add_mentor(uow, cast["new_mentor"], "new-mentor", "UTC", None)
    page = (await (await visit("new_mentor")).get("/instructor/dashboard")).text
    for words in (
        "Your mentees will be here",
        "Nobody is down to a last session",
        "Sessions that have begun will be here",
        "The sessions that your mentees book will be here",
        "Sessions that you mark will be drawn here",
        "What students pay for your packs will be drawn here",
    ):
        assert words in page


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (None, "Connect</a>"),
        ("connected", "Connected"),
        ("revoked", "Reconnect</a>"),
    ],
)
async def test_the_calendars_state(
    database: Database, cast: Cast, visit: Visit, state: str | None, words: str
) -> None:
    if state is not None:
        async with database.service(ServiceDoor.SEED) as uow, uow.transaction():
            now = clock.now()
            await uow.session.execute(
                sa.insert(CalendarConnection).values(
                    mentor_id=cast["mentor"],
                    state=state,
                    google_email="m@example.test",
                    google_calendar_id="m@example.test",
                    google_refresh_token=b"",
                    connected_at=now,
                    mirrored_at=now,
                )
            )
    page = (await (await visit("mentor")).get("/instructor/dashboard")).text
    block = page.partition('class="calendar-state"')[2].partition("</section>")[0]
    assert words in block
    assert ("/auth/google?purpose=calendar" in block) is (state != "connected")


async def test_several_currencies_are_never_added_up(database: Database, cast: Cast, visit: Visit) -> None:
    now = clock.now()
    async with database.service(ServiceDoor.SEED) as uow, uow.transaction():
        world = MentorWorld(uow, cast["mentor"], now, Random(4), [now - timedelta(days=40)])
        await uow.session.execute(
            sa.text(
                "insert into mentorship_products (id, mentor_id, title, description, price_minor, currency,"
                " sessions_per_pack, validity_days, active, created_at)"
                " values (:id, :id, 'Pack', '', 1, 'EUR', 4, 45, true, :now)"
            ),
            {"id": cast["mentor"], "now": now},
        )
        pair = {"mentor_id": cast["mentor"], "student_id": cast["student"]}
        await world.money(20, cast["mentor"], pair)
    page = (await (await visit("mentor")).get("/instructor/dashboard")).text
    assert re.findall(r'<figure class="chart" id="chart-income-(\w+)"', page) == ["eur", "jpy", "usd"]
