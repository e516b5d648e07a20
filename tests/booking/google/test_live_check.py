"""Booking with a mentor who has Google: the mirror offers, the live check may only take away."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from app.core.errors import Unavailable
from tests.booking.google.desk import GoogleDesk
from tests.booking.support import refused


async def test_a_booking_waits_for_the_calendar(desk: GoogleDesk) -> None:
    start = (await desk.offers("student"))[0]
    booked = (await desk.book("student", start)).session
    assert (await desk.session(booked.id)).event_sync == "pending"
    assert [event["session_id"] for event in await desk.events("calendar/write")] == [str(booked.id)]


async def test_an_event_that_the_mirror_missed_is_found_at_the_last_moment(desk: GoogleDesk) -> None:
    start = (await desk.offers("student"))[0]
    await desk.busy(start + timedelta(minutes=30))
    error = await refused("slot_taken", desk.book("student", start))
    assert error.extra["reason"] == "busy"
    assert await desk.scheduled() == []
    assert start not in await desk.offers("student")


async def test_what_the_mirror_knows_is_refused_without_asking(desk: GoogleDesk) -> None:
    start = (await desk.offers("student"))[0]
    await desk.busy(start)
    await desk.mirror()
    await desk.chaos(error_rate=1, status=503)
    error = await refused("slot_taken", desk.book("student", start))
    assert error.extra["reason"] == "busy"


async def test_buffers_reach_for_events_too(desk: GoogleDesk) -> None:
    await desk.sql("update mentors set buffer_after_minutes = 15")
    start = (await desk.offers("student"))[0]
    await desk.busy(start + timedelta(minutes=60))
    error = await refused("slot_taken", desk.book("student", start))
    assert error.extra["reason"] == "buffer"


@pytest.mark.parametrize("dial", [{"error_rate": 1, "status": 503}, {"latency_ms": 5000}])
async def test_google_out_of_reach_books_nothing(desk: GoogleDesk, dial: dict[str, int]) -> None:
    start = (await desk.offers("student"))[0]
    await desk.chaos(**dial)
    with pytest.raises(Unavailable) as caught:
        await desk.book("student", start, key="k")
    assert caught.value.code == "calendar_unavailable"
    assert await desk.scheduled() == []
    assert await desk.events() == []
    await desk.chaos()
    assert (await desk.book("student", start, key="k")).created


async def test_a_revoked_grant_blocks_booking_until_it_is_back(desk: GoogleDesk) -> None:
    start = (await desk.offers("student"))[0]
    booked = (await desk.book("student", start)).session
    await desk.chaos(revoke=True)
    with pytest.raises(Unavailable):
        await desk.book("student", start + timedelta(hours=1))
    await refused("calendar_revoked", desk.book("student", start + timedelta(hours=1)))
    await refused("calendar_revoked", desk.move("student", booked.id, start + timedelta(hours=1)))
    assert (await desk.cancel("student", booked.id)).status == "canceled"


async def test_moving_by_half_an_hour_is_no_collision_with_our_own_event(desk: GoogleDesk) -> None:
    start = (await desk.offers("student"))[0]
    booked = (await desk.book("student", start)).session
    await desk.sync(booked.id)
    await desk.mirror(full=True)
    later = start + timedelta(minutes=30)
    assert (await desk.move("student", booked.id, later)).start == later


async def test_a_crowd_asks_google_a_few_times(desk: GoogleDesk) -> None:
    students = [await desk.student(number) for number in range(8)]
    start = (await desk.offers(students[0]))[0]
    before = len(desk.sandbox.control.requests("google"))
    answers = await asyncio.gather(*(desk.book(id_, start) for id_ in students), return_exceptions=True)
    assert sum(not isinstance(answer, Exception) for answer in answers) == 1
    assert len(desk.sandbox.control.requests("google")) - before <= 4
    assert len(await desk.scheduled()) == 1
