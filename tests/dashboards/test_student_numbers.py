"""The numbers on a student's dashboard, against SQL that was written apart from the product's."""

from __future__ import annotations

import html
import re
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from app.core import clock
from app.core.db import Database
from app.core.rls import ServiceDoor
from app.dashboards import student
from tests.booking.conftest import Visit
from tests.cast import Cast
from tests.dashboards.student_worlds import fill

# A line a mentor: what the brief's words mean, in the plainest SQL there is.
BY_MENTOR = """
with pairs as (
    select mentor_id from session_packs where student_id = :student
    union
    select mentor_id from seat_reservations where student_id = :student and status in ('active', 'grace'))
select p.mentor_id,
       (select count(*) from sessions s
         where s.mentor_id = p.mentor_id and s.student_id = :student and s.status = 'completed') as completed,
       (select coalesce(sum(total_sessions), 0) from session_packs k
         where k.mentor_id = p.mentor_id and k.student_id = :student) as total,
       (select coalesce(sum(e.delta), 0) from pack_entries e join session_packs k on k.id = e.pack_id
         where k.mentor_id = p.mentor_id and k.student_id = :student and k.status = 'active'
           and k.expires_at > :now) as remaining,
       (select max(scheduled_at) from sessions s
         where s.mentor_id = p.mentor_id and s.student_id = :student and s.status = 'completed') as last_session,
       (select min(scheduled_at) from sessions s
         where s.mentor_id = p.mentor_id and s.student_id = :student and s.status = 'scheduled'
           and s.scheduled_at > :now) as next_session,
       (select expires_at from session_packs k
         where k.mentor_id = p.mentor_id and k.student_id = :student
         order by k.status = 'active' and k.expires_at > :now desc,
                  case when k.status = 'active' and k.expires_at > :now then k.expires_at else k.purchased_at end desc
         limit 1) as pack_expires_at,
       (select status from seat_reservations r
         where r.mentor_id = p.mentor_id and r.student_id = :student) as seat_status
  from pairs p
"""
NAMES = ("completed", "total", "remaining", "last_session", "next_session", "pack_expires_at", "seat_status")


async def expected(database: Database, cast: Cast, now: datetime) -> dict[Any, dict[str, Any]]:
    async with database.service(ServiceDoor.SEED) as uow:
        rows = await uow.session.execute(sa.text(BY_MENTOR), {"student": cast["student"], "now": now})
        return {row["mentor_id"]: {name: row[name] for name in NAMES} for row in rows.mappings()}


def is_low(row: dict[str, Any]) -> bool:
    return bool((row["remaining"] == 1 and row["total"] > 1) or row["seat_status"] == "grace")


@pytest.mark.parametrize("seed", range(1, 9))
async def test_random_pasts(database: Database, cast: Cast, visit: Visit, seed: int) -> None:
    now = clock.now()
    await fill(database, cast["student"], now, seed, mentors=7)
    await fill(database, cast["other_student"], now, seed + 50, mentors=3)
    rows = await expected(database, cast, now)
    with clock.standing_at(now):
        async with database.unit_of_work(cast.principal("student")) as uow:
            board = await student.read(uow, cast["student"], now)
        page = (await (await visit("student")).get("/dashboard")).text
    seen = {
        one.relation.mentor_id: {name: getattr(one.relation, name) for name in NAMES}
        for one in board.instructors
    }
    assert seen == rows
    figures = {
        "left": sum(row["remaining"] for row in rows.values()),
        "held": sum(row["completed"] for row in rows.values()),
        "Active": sum(row["seat_status"] in ("active", "grace") for row in rows.values()),
        "renew": sum(map(is_low, rows.values())),
    }
    tiles = dict(re.findall(r"<dt>([^<]+)</dt><dd>(\d+)</dd>", page))
    shown = {word: int(tiles[label]) for word in figures for label in tiles if word in label.split()}
    assert shown == figures
    for id_, row in rows.items():
        card = page.partition(f'aria-labelledby="instructor-{id_}"')[2].partition("</article>")[0]
        words = " ".join(html.unescape(re.sub(r"<[^>]+>", "", card)).split())
        assert f"{row['remaining']} of {row['total']} session" in words
    assert page.count("banner-renew") == figures["renew"]
