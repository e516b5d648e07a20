"""What the tests of calendars look at and turn: the mirror in the database, the calendar at Google."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.calendars import service
from app.calendars.events import Listing
from app.calendars.google import Google
from app.calendars.models import BusyWindow, CalendarConnection
from app.core.db import Database
from app.core.models import OutboxEvent
from app.core.rls import ServiceDoor
from app.settings import Settings
from tests.cast import Cast
from tests.support.sandbox import RunningSandbox

Span = tuple[datetime, datetime]


def soon(days: int, hour: int = 9, minute: int = 0) -> datetime:
    """So many days from today, at that hour UTC."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(days=days, hours=hour, minutes=minute)


def timed(start: datetime, minutes: int = 60, **more: Any) -> dict[str, Any]:
    """An event of Google's from an instant on."""
    end = start + timedelta(minutes=minutes)
    return {
        "summary": "Something of the mentor's",
        "start": {"dateTime": start.isoformat()},
        "end": {"dateTime": end.isoformat()},
        **more,
    }


class LateGoogle(Google):
    """The adapter, whose first answer to a full listing is on its way until `delivered` is set."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.answered, self.delivered = asyncio.Event(), asyncio.Event()

    async def list_events(self, token: str, calendar_id: str, start: datetime, end: datetime) -> Listing:
        """Google answers at once, the answer arrives later."""
        listing = await super().list_events(token, calendar_id, start, end)
        self.answered.set()
        await self.delivered.wait()
        return listing


@dataclass
class World:
    """The platform's side and Google's side of one mentor's calendar."""

    database: Database
    google: Google
    sandbox: RunningSandbox
    cast: Cast

    @property
    def mentor_id(self) -> UUID:
        """The connected mentor."""
        return self.cast["mentor"]

    async def mirror(self, full: bool = False) -> list[service.OwnEvent]:
        """Bring the mirror up to date."""
        return await service.mirror(self.database, self.google, self.mentor_id, full=full)

    async def busy_live(self, start: datetime, end: datetime) -> list[Span]:
        """The live check, as instants."""
        spans = await service.busy_live(
            self.database, self.google, self.mentor_id, int(start.timestamp()), int(end.timestamp())
        )
        return [(datetime.fromtimestamp(a, UTC), datetime.fromtimestamp(b, UTC)) for a, b in spans]

    async def connection(self) -> CalendarConnection | None:
        """The connection as stored."""
        async with self.database.service(ServiceDoor.JOB) as uow:
            return await uow.session.get(CalendarConnection, self.mentor_id)

    async def change(self, **values: Any) -> None:
        """Change the stored connection."""
        query = sa.update(CalendarConnection).where(CalendarConnection.mentor_id == self.mentor_id)
        async with self.database.service(ServiceDoor.JOB) as uow:
            await uow.session.execute(query.values(**values))
            await uow.commit()

    async def windows(self) -> dict[str, Span]:
        """The mirror, by event id."""
        async with self.database.service(ServiceDoor.JOB) as uow:
            rows = await uow.session.execute(sa.select(BusyWindow.event_id, BusyWindow.span))
            return {event_id: (span.lower, span.upper) for event_id, span in rows}

    async def emitted(self, type_: str) -> list[dict[str, Any]]:
        """The payloads of the outbox's events of a type, oldest first."""
        query = sa.select(OutboxEvent.payload).where(OutboxEvent.type == type_).order_by(OutboxEvent.id)
        async with self.database.service(ServiceDoor.JOB) as uow:
            return list((await uow.session.execute(query)).scalars())

    async def told(self) -> list[dict[str, Any]]:
        """The notifications about calendars."""
        return [one for one in await self.emitted("notification/send") if one["kind"].startswith("calendar_")]

    def requests(self, part: str) -> list[dict[str, Any]]:
        """What the platform sent to Google whose path contains `part`, oldest first."""
        return [one for one in self.sandbox.control.requests("google") if part in one["path"]]
