"""An admin at work on packs and seats, and the invariants that must hold whatever they do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.core.db import Database
from app.core.rls import ServiceDoor
from app.core.unit_of_work import UnitOfWork
from app.notifications.service import Message
from app.packs import adjusting
from app.packs.models import SessionPack
from app.packs.notices import NOTICES
from app.settings import Settings
from tests.cast import Cast

WHY = "Agreed on the phone"

# What was imported says how many sessions there were once; its ledger begins with those that were left.
BROKEN = """
select k.id from session_packs k
 where k.remaining_sessions <> coalesce((select sum(e.delta) from pack_entries e where e.pack_id = k.id), 0)
    or k.scheduled_sessions <> (select count(*) from sessions s where s.pack_id = k.id and s.status = 'scheduled')
    or k.scheduled_sessions > k.remaining_sessions
    or k.total_sessions < k.remaining_sessions
    or coalesce(k.import_key, '') not like 'import:%' and k.total_sessions <> (select coalesce(sum(e.delta), 0) from pack_entries e
                             where e.pack_id = k.id and e.kind in ('purchase', 'grant', 'adjust'))
    or (k.status = 'active') <> (k.remaining_sessions > 0 and k.status not in ('expired', 'refunded'))
"""
CROWDED = """
select m.id from mentors m
 where (select count(*) from seat_reservations r where r.mentor_id = m.id and r.status <> 'released')
       > m.max_active_students
"""
# The rule of the domain, written anew: credit or a booked session keep a seat active, used up packs leave it in grace.
UNRULED = """
select r.id from seat_reservations r
 where r.status in ('active', 'grace')
   and exists (select 1 from session_packs k where k.mentor_id = r.mentor_id and k.student_id = r.student_id)
   and (r.status = 'active') <> exists (
        select 1 from session_packs k where k.mentor_id = r.mentor_id and k.student_id = r.student_id
           and ((k.status = 'active' and k.remaining_sessions > 0) or k.scheduled_sessions > 0))
"""


@asynccontextmanager
async def as_admin(database: Database, cast: Cast) -> AsyncIterator[UnitOfWork]:
    """A unit of work of the admin's, under row-level security; committed at the end."""
    async with database.unit_of_work(cast.principal("admin")) as uow, uow.transaction():
        yield uow


async def pack(database: Database, pack_id: UUID) -> SessionPack:
    """The pack as it is."""
    async with database.service(ServiceDoor.JOB) as uow:
        return await uow.session.get_one(SessionPack, pack_id)


async def adjust(
    database: Database, cast: Cast, pack_id: UUID, delta: int, seen: int | None = None
) -> SessionPack:
    """Add or remove sessions, having seen what is there."""
    if seen is None:
        seen = (await pack(database, pack_id)).remaining_sessions
    change = adjusting.add_sessions_to_pack if delta > 0 else adjusting.remove_sessions_from_pack
    async with as_admin(database, cast) as uow:
        return await change(uow, pack_id, abs(delta), reason=WHY, seen=seen)


async def broken(database: Database) -> list[Any]:
    """Packs, mentors and seats that break an invariant: none."""
    async with database.service(ServiceDoor.JOB) as uow:
        return [
            (name, row)
            for name, query in (("pack", BROKEN), ("mentor", CROWDED), ("seat", UNRULED))
            for row in (await uow.session.execute(sa.text(query))).all()
        ]


async def composed(
    database: Database, settings: Settings, kind: str, payload: Mapping[str, Any]
) -> list[Message]:
    """What the event of a notification sends to whom."""
    async with database.service(ServiceDoor.JOB) as uow:
        return await NOTICES[kind](uow, settings, payload)
