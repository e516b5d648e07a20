"""A series with a mentor who has Google: one question about all of its weeks, one event for each session."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from app.booking import service
from app.booking.service import BookedSeries
from app.core.errors import Unavailable
from tests.booking.google.desk import GoogleDesk
from tests.booking.support import WEEK, refused


@pytest.fixture
async def starts(desk: GoogleDesk) -> list[datetime]:
    await desk.sql("update session_packs set expires_at = now() + interval '90 days'")
    offers = set(await desk.offers("student", days=40))
    found = ([start + number * WEEK for number in range(4)] for start in sorted(offers))
    return next(series for series in found if offers.issuperset(series))


async def book(desk: GoogleDesk, starts: Sequence[datetime]) -> BookedSeries:
    async with desk.database.unit_of_work(desk.principal("student")) as uow:
        return await service.book_series(
            uow, desk.database, desk.google, mentor_id=desk.cast["mentor"], starts=starts
        )


async def asked(desk: GoogleDesk) -> int:
    """How often Google was asked for events so far."""
    found = await asyncio.to_thread(desk.sandbox.control.requests, "google")
    return sum(one["method"] == "GET" and one["path"].endswith("/events") for one in found)


async def test_google_is_asked_once_and_gets_every_session(desk: GoogleDesk, starts: list[datetime]) -> None:
    before = await asked(desk)
    booked = await book(desk, starts)
    assert await asked(desk) == before + 1
    for event in await desk.events("calendar/write"):
        await desk.sync(event["session_id"])
    assert [start for start, _ in sorted(await desk.times())] == starts
    rows = [await desk.session(session.id) for session in booked.sessions]
    assert {row.event_sync for row in rows} == {"written"}


async def test_an_event_that_the_mirror_missed_books_nothing(
    desk: GoogleDesk, starts: list[datetime]
) -> None:
    await desk.busy(starts[2] + timedelta(minutes=30))
    error = await refused("slot_taken", book(desk, starts))
    assert error.extra["reason"] == "busy"
    assert await desk.scheduled() == []
    assert starts[2] not in await desk.offers("student", days=40)


@pytest.mark.parametrize("dial", [{"error_rate": 1, "status": 503}, {"latency_ms": 5000}])
async def test_google_out_of_reach_books_nothing(
    desk: GoogleDesk, starts: list[datetime], dial: dict[str, int]
) -> None:
    await desk.chaos(**dial)
    with pytest.raises(Unavailable) as caught:
        await book(desk, starts)
    assert caught.value.code == "calendar_unavailable"
    assert (await desk.scheduled(), await desk.events()) == ([], [])
