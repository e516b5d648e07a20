"""What the tests of `/instructor/settings` post, look at and arrange."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Range

from app.calendars.models import BusyWindow, CalendarConnection, CalendarState
from app.core.db import Database
from app.core.rls import ServiceDoor
from app.mentors.models import Mentor
from tests.cast import Cast

PAGE = "/instructor/settings"
TUESDAY = datetime(2027, 3, 9, 8, 0, tzinfo=UTC)
HOURS: dict[str, Any] = {
    "time_zone": "Europe/Lisbon",
    "session_minutes": "60",
    "step_minutes": "30",
    "notice_hours": "24",
    "horizon_days": "60",
    "buffer_before_minutes": "0",
    "buffer_after_minutes": "0",
    "monday_start": ["09:00", "13:30", ""],
    "monday_end": ["12:00", "18:00", ""],
}


async def stored(database: Database, cast: Cast) -> Mentor:
    async with database.service(ServiceDoor.JOB) as uow:
        mentor = await uow.session.get(Mentor, cast["mentor"])
        assert mentor is not None
        return mentor


async def connect(database: Database, cast: Cast, **values: Any) -> None:
    """A connection whose mirror knows one busy hour, on Thursday from 9 to 10."""
    row = {
        "mentor_id": cast["mentor"],
        "state": CalendarState.CONNECTED,
        "google_email": "studio@example.test",
        "google_calendar_id": "studio@example.test",
        "google_refresh_token": b"sealed",
        "connected_at": TUESDAY,
        "mirrored_at": TUESDAY,
        **values,
    }
    hour = Range(TUESDAY + timedelta(days=2, hours=1), TUESDAY + timedelta(days=2, hours=2))
    async with database.service(ServiceDoor.SEED) as uow:
        await uow.session.execute(sa.insert(CalendarConnection).values(row))
        await uow.session.execute(
            sa.insert(BusyWindow).values(mentor_id=cast["mentor"], event_id="x", span=hour)
        )
        await uow.commit()


def offered(html: str) -> dict[str, list[str]]:
    """The preview's days and their wall times."""
    preview = html[html.index('id="preview"') :]
    days = re.findall(r"<h3>(\w+ \d+ \w+).*?</h3>\s*<p[^>]*>(.*?)</p>", preview, re.DOTALL)
    return {day: re.findall(r">(\d\d:\d\d)</time>", starts) for day, starts in days}
