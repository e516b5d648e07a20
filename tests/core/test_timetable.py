"""What happens by time alone: once a span, however many workers there are."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import InternalError

from app.core import clock, outbox
from app.core.db import Database
from app.core.models import OutboxEvent
from app.core.rls import ServiceDoor
from app.core.timetable import Every, Timetable

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
TABLE = (Every("test/hourly", 3600), Every("test/nightly", 86_400, offset_seconds=3 * 3600))


async def claim(database: Database, now: datetime) -> list[UUID]:
    async with database.service(ServiceDoor.JOB) as uow:
        claimed = await outbox.claim_due(uow, now)
        await uow.commit()
    return claimed


async def types(database: Database, now: datetime, workers: int = 3) -> list[str]:
    """What is claimed after each worker wrote what it holds for due at `now`."""
    timetables = [Timetable(TABLE) for _ in range(workers)]

    async def write(timetable: Timetable) -> None:
        async with database.service(ServiceDoor.JOB) as uow:
            await timetable.write_due(uow, now)
            await timetable.write_due(uow, now)

    with clock.standing_at(now):
        await asyncio.gather(*(write(timetable) for timetable in timetables))
        claimed = await claim(database, now)
    async with database.service(ServiceDoor.JOB) as uow:
        query = sa.select(OutboxEvent.type).where(OutboxEvent.id.in_(claimed)).order_by(OutboxEvent.type)
        return list(await uow.session.scalars(query))


async def test_once_a_span(database: Database) -> None:
    assert await types(database, NOW) == ["test/hourly", "test/nightly"]
    assert await types(database, NOW + timedelta(minutes=59)) == []
    assert await types(database, NOW + timedelta(minutes=60)) == ["test/hourly"]
    assert await types(database, NOW + timedelta(hours=17, minutes=59)) == ["test/hourly"]
    assert await types(database, NOW + timedelta(hours=18)) == ["test/hourly", "test/nightly"]


async def test_a_long_absence_is_made_up_for_once(database: Database) -> None:
    await types(database, NOW)
    assert await types(database, NOW + timedelta(days=30)) == ["test/hourly", "test/nightly"]


async def test_a_failed_write_is_written_later(database: Database) -> None:
    timetable = Timetable(TABLE)
    async with database.unit_of_work() as uow:
        await uow.session.execute(sa.text("set transaction read only"))
        with pytest.raises(InternalError, match="read-only"):
            await timetable.write_due(uow, NOW)
    with clock.standing_at(NOW):
        async with database.service(ServiceDoor.JOB) as uow:
            await timetable.write_due(uow, NOW)
    assert len(await claim(database, NOW)) == 2
