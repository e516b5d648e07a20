"""A desk beside Google: what the calendar holds, and the jobs that a worker would do."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.booking import service
from app.calendars import service as calendars
from app.calendars.events import OwnEvent
from app.calendars.google import SCOPES
from app.core.rls import ServiceDoor
from tests.booking.support import Desk
from tests.support.sandbox import MENTOR, RunningSandbox

PUBLIC_URL = "http://127.0.0.1:8000"


@dataclass(frozen=True)
class GoogleDesk(Desk):
    """A desk whose mentor's calendar is at the sandbox."""

    sandbox: RunningSandbox

    async def sync(self, session_id: UUID, **how: Any) -> None:
        """What `calendar/write` does."""
        await service.sync_calendar(self.database, self.google, session_id, public_url=PUBLIC_URL, **how)

    async def mirror(self, *, full: bool = False) -> None:
        """What `calendar/mirror` does, conflicts noted; the checks it asks for are done."""
        await self.note(await self.listing(full=full))

    async def listing(self, *, full: bool = True) -> list[OwnEvent]:
        """What Google says of our events now, the mirror brought up to date."""
        return await calendars.mirror(self.database, self.google, self.cast["mentor"], full=full)

    async def note(self, seen: list[OwnEvent]) -> None:
        """Note conflicts in an answer of Google's, and do the checks that it leads to."""
        async with self.database.service(ServiceDoor.JOB) as uow:
            await service.note_conflicts(uow, seen)
            await uow.commit()
        for payload in await self.events("calendar/write"):
            if payload.get("check"):
                await self.sync(UUID(payload["session_id"]), check=True)
        await self.sql("update outbox set payload = payload - 'check' where payload ? 'check'")

    async def reconnect(self) -> None:
        """What the mentor does on Google's page."""
        tokens = await asyncio.to_thread(self.sandbox.google_tokens, MENTOR, SCOPES)
        await calendars.connect(
            self.database,
            self.google,
            self.cast["mentor"],
            google_email=MENTOR,
            refresh_token=tokens["refresh_token"],
            scopes=tokens["scope"].split(),
        )

    async def replay(self) -> None:
        """What `calendar/reconnected` does."""
        async with self.database.service(ServiceDoor.JOB) as uow:
            await service.replay_calendar(uow, self.cast["mentor"])
            await uow.commit()

    async def held(self) -> list[dict[str, Any]]:
        """The sessions' events in the calendar that aren't deleted."""
        events = await asyncio.to_thread(self.sandbox.control.events)
        return [event for event in events if event["id"].startswith("session")]

    async def times(self) -> list[tuple[datetime, datetime]]:
        """When they are."""
        return [(_instant(event["start"]), _instant(event["end"])) for event in await self.held()]

    async def busy(self, start: datetime, minutes: int = 60) -> None:
        """Put something of the mentor's own into the calendar."""
        body = {
            "summary": "Own",
            "start": {"dateTime": start.isoformat()},
            "end": {"dateTime": (start + timedelta(minutes=minutes)).isoformat()},
        }
        await asyncio.to_thread(self.sandbox.control.add_event, body)

    async def drag(self, event_id: str, start: datetime) -> None:
        """Move an event by the mentor's hand."""
        body = {
            "start": {"dateTime": start.isoformat()},
            "end": {"dateTime": (start + timedelta(hours=1)).isoformat()},
        }
        await asyncio.to_thread(self.sandbox.control.change_event, event_id, body)

    async def delete(self, event_id: str) -> None:
        """Delete an event by the mentor's hand."""
        await asyncio.to_thread(self.sandbox.control.delete_event, event_id)

    async def chaos(self, **dial: Any) -> None:
        """Turn Google's dial; nothing resets it."""
        await asyncio.to_thread(lambda: self.sandbox.control.chaos("google", **dial))


def _instant(moment: dict[str, str]) -> datetime:
    return datetime.fromisoformat(moment["dateTime"])
