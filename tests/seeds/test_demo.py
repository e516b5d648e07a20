"""The demo is what its table promises, and making it twice changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app import wiring
from app.core import watchdog
from app.core.db import Database
from app.core.errors import NotFound
from app.core.rls import ServiceDoor
from app.seeds.cast import LISBON
from app.seeds.demo import seed_demo
from app.seeds.former import PACKS
from app.seeds.load import seed_load
from app.settings import Settings
from tests import cast as casting
from tests.support.sandbox import RunningSandbox, running_sandbox

CURRENT = """
select u.email, p.total_sessions, p.remaining_sessions, p.status, s.status as seat,
       (select count(*) from sessions x where x.pack_id = p.id and x.status = 'completed') as completed
  from session_packs p join users u on u.id = p.student_id
  join seat_reservations s on s.student_id = p.student_id and s.mentor_id = p.mentor_id
 where u.email like 'student%' order by u.email
"""
FORMER = """
select p.status, r.status as seat, count(distinct p.id), count(*) filter (where x.status = 'completed'),
       count(*) filter (where x.status = 'no_show')
  from orders o join session_packs p on p.id = o.pack_id join sessions x on x.pack_id = p.id
  join lateral (select status from seat_reservations s where s.mentor_id = p.mentor_id and s.student_id = p.student_id
                 order by (s.status = 'released') limit 1) r on true
 group by 1, 2
"""
WAITING = """
select type, payload ->> 'kind' as kind, case when payload ? 'anchor_at' then payload ->> 'session_id' end as session_id,
       available_at > now() as is_ahead
  from outbox where state = 'new'
"""
BOOKED = "select cast(id as text) as id from sessions where status = 'scheduled' and scheduled_at > now() + interval '1 day'"
REMINDERS = ("session_reminder_day", "session_reminder_hour")
MINUTE = timedelta(minutes=1)
SESSIONS = [4 for _ in PACKS]
MISSED = sum(len(pack.missed) for pack in PACKS)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


async def rows(database: Database, query: str) -> list[Any]:
    async with database.service(ServiceDoor.SEED) as uow:
        return list((await uow.session.execute(sa.text(query))).all())


async def test_the_demo_tells_its_stories(
    settings: Settings, database: Database, sandbox: RunningSandbox
) -> None:
    fields = {name.lower(): value for name, value in sandbox.platform_settings().items()}
    platform = wiring.build(replace(settings, **fields))
    assert await seed_demo(platform)
    assert not await seed_demo(platform)
    assert [tuple(row) for row in await rows(database, CURRENT)] == [
        ("student-last@example.test", 4, 1, "active", "active", 3),
        ("student@example.test", 4, 3, "active", "active", 1),
    ]
    former = await rows(database, FORMER)
    assert [tuple(row) for row in former] == [
        ("depleted", "released", len(PACKS), sum(SESSIONS) - MISSED, MISSED)
    ]
    seats = "select m.max_active_students, seats_in_use(m.id), waitlist_length(m.id) from mentors m join users u using (id)"
    assert [tuple(row) for row in await rows(database, f"{seats} where email = '{LISBON}'")] == [(3, 2, 0)]
    assert [tuple(row) for row in await rows(database, f"{seats} where email like '%kolkata%'")] == [
        (2, 2, 3)
    ]
    assert [
        tuple(row) for row in await rows(database, "select state, google_email from calendar_connections")
    ] == [("connected", LISBON)]
    waiting = await rows(database, WAITING)
    assert {"calendar/mirror", "calendar/reconnected"} <= {row.type for row in waiting}
    rooms = ("calendar/", "seats/", "packs/", "product/", "discord/")
    assert all(row.is_ahead for row in waiting if not row.type.startswith(rooms)), "the past was told"
    booked = await rows(database, BOOKED)
    assert len(booked) >= 10
    reminders = [(row.session_id, row.kind) for row in waiting if row.session_id]
    assert sorted(reminders) == sorted((row.id, kind) for row in booked for kind in REMINDERS)
    assert {"pack_expiring_week", "pack_expiring_day"} <= {row.kind for row in waiting}
    async with database.service(ServiceDoor.JOB) as uow:
        assert (await watchdog.read(uow)).waited < MINUTE, "people are alerted of a past that was made up"
    assert not (await asyncio.to_thread(sandbox.control.mailbox))
    await platform.database.dispose()


async def test_load_students_have_packs_and_tokens(database: Database) -> None:
    mentor = (await casting.make(database)).email("mentor")
    secrets = await seed_load(database, 5, mentor, 2, tokens=True)
    assert len(set(secrets)) == 5
    assert await seed_load(database, 5, mentor, 2) == []
    owned = (
        "select count(*), sum(remaining_sessions) from session_packs p join users u on u.id = p.student_id"
    )
    assert [tuple(row) for row in await rows(database, f"{owned} where email like 'load-%'")] == [(10, 20)]


async def test_load_needs_a_mentor(database: Database) -> None:
    student = (await casting.make(database)).email("student")
    with pytest.raises(NotFound, match=student):
        await seed_load(database, 1, student, 1)
