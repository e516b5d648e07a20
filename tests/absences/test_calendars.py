"""What students' calendars show of an absence, and when open ones hear of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from app.booking.live import Hub
from app.core import clock
from app.core.listener import Listener
from app.core.templating import iso
from app.settings import Settings
from app.site import forgetting
from tests.absences.support import AwayDesk
from tests.booking.conftest import Visit


async def test_the_calendar_says_that_the_mentor_is_away(away: AwayDesk, visit: Visit) -> None:
    days = away.days(7, 3)
    await away.confirm(days)
    student = await visit("student")
    middle = days.first + timedelta(days=1)
    html = (await student.get(f"/calendar?mentor_id={away.desk.cast['mentor']}&day={middle}")).text
    assert '<p class="lead">Mentor is away.</p>' in html
    assert "<span>Mentor is away.</span>" in html
    where = f"/api/mentors/{away.desk.cast['mentor']}/availability"
    window = f"?start={middle}T12:00:00Z&end={middle}T18:00:00Z&explain=1"
    answer = (await student.get(where + window)).json()
    assert answer["slots"] == []
    assert {closed["reason"] for closed in answer["closed"]} == {"away"}


async def test_open_calendars_hear_of_going_and_of_coming_back(away: AwayDesk, settings: Settings) -> None:
    listener, mentor = Listener(settings.direct_url), away.desk.cast["mentor"]
    hub = Hub(listener)
    async with listener.running():
        async with asyncio.timeout(10):
            await listener.listening()
        with hub.subscribed(mentor) as queue, hub.subscribed(away.desk.cast["other_mentor"]) as other:
            await away.confirm(away.days())
            async with asyncio.timeout(10):
                going = await queue.get()
            await away.end((await away.absences())[0].id)
            async with asyncio.timeout(10):
                coming = await queue.get()
            assert going is not None
            assert going == coming
            assert going.end - going.start > 50 * 365 * 86_400
            assert other.empty()


@pytest.mark.parametrize("who", ["student", "mentor"])
async def test_after_an_absence_people_can_leave_for_good(away: AwayDesk, who: str) -> None:
    days, desk = away.days(), away.desk
    booked = await away.booked_on(days)
    await away.confirm(days, extend=True)
    await desk.cancel("student", booked.id)
    await desk.sql("update session_packs set expires_at = :now", now=clock.now() - timedelta(days=1))
    await forgetting.leave(desk.database, desk.google, desk.principal(who), desk.cast[who])
    payloads = await away.told("mentor_away")
    assert [set(payload) for payload in payloads] == [
        {"kind", "absence_id", "student_id", "days_added", "expires_at", "sessions"}
    ]
    assert payloads[0]["sessions"][0]["start"] == iso(booked.start)
