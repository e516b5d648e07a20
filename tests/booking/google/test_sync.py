"""The mentor's calendar follows the session: by state, once, whatever happens in between."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from app.booking.models import SessionStatus
from app.booking.service import SessionFacts
from app.calendars import service as calendars
from app.core.outbox import Busy, Retry
from tests.booking.google.desk import GoogleDesk


@pytest.fixture
async def booked(desk: GoogleDesk) -> SessionFacts:
    return (await desk.book("student", (await desk.offers("student"))[0])).session


def hour(start: datetime) -> tuple[datetime, datetime]:
    return start, start + timedelta(hours=1)


async def test_book_move_cancel_and_back(desk: GoogleDesk, booked: SessionFacts) -> None:
    await desk.sync(booked.id)
    (event,) = await desk.held()
    assert event["id"] == calendars.event_id(booked.id, 0)
    assert event["summary"] == "Session with Student"
    row = await desk.session(booked.id)
    assert (row.event_sync, row.event_version) == ("written", 0)
    assert row.google_calendar_event_id == event["id"]
    other = (await desk.offers("student"))[4]
    await desk.move("student", booked.id, other)
    assert (await desk.session(booked.id)).event_sync == "pending"
    await desk.sync(booked.id)
    assert await desk.times() == [hour(other)]
    assert (await desk.held())[0]["id"] == event["id"]
    await desk.cancel("student", booked.id)
    await desk.sync(booked.id)
    assert await desk.held() == []
    row = await desk.session(booked.id)
    assert (row.event_sync, row.google_calendar_event_id) == ("written", None)
    await desk.mark("mentor", booked.id, SessionStatus.SCHEDULED)
    await desk.sync(booked.id)
    assert await desk.times() == [hour(other)]
    assert (await desk.held())[0]["id"] == calendars.event_id(booked.id, 1)


async def test_twice_is_once(desk: GoogleDesk, booked: SessionFacts) -> None:
    await desk.sync(booked.id)
    asked = len(desk.sandbox.control.requests("google"))
    await desk.sync(booked.id)
    assert len(desk.sandbox.control.requests("google")) == asked
    assert await desk.times() == [hour(booked.start)]


async def test_canceled_before_it_was_ever_written(desk: GoogleDesk, booked: SessionFacts) -> None:
    await desk.cancel("student", booked.id)
    await desk.sync(booked.id)
    assert await desk.held() == []
    assert (await desk.session(booked.id)).event_sync == "written"


async def test_without_google_nothing_is_pending(desk: GoogleDesk) -> None:
    start = (await desk.offers("other_student", mentor="other_mentor"))[0]
    booked = (await desk.book("other_student", start, mentor="other_mentor")).session
    await desk.sync(booked.id)
    assert (await desk.session(booked.id)).event_sync == "none"
    assert await desk.events("calendar/write") == []


async def test_one_writer_at_a_time(desk: GoogleDesk, booked: SessionFacts) -> None:
    await desk.chaos(latency_ms=300)
    done = await asyncio.gather(*(desk.sync(booked.id) for _ in range(5)), return_exceptions=True)
    assert sum(outcome is None for outcome in done) == 1
    assert {type(outcome) for outcome in done if outcome is not None} == {Busy}
    assert await desk.times() == [hour(booked.start)]


@pytest.mark.parametrize("match", ["POST", "GET", "PATCH"])
async def test_an_answer_that_was_lost_is_no_second_event(
    desk: GoogleDesk, booked: SessionFacts, match: str
) -> None:
    """The work was done at Google, its answer never came: the next attempt finds it."""
    if match != "POST":
        await desk.sync(booked.id)
        await desk.move("student", booked.id, (await desk.offers("student"))[4])
    wanted = (await desk.session(booked.id)).scheduled_at
    await desk.chaos(error_rate=1, status=500, after=True, match=match, count=1)
    with pytest.raises(Retry):
        await desk.sync(booked.id)
    await desk.sync(booked.id)
    assert await desk.times() == [hour(wanted)]
    assert (await desk.session(booked.id)).event_sync == "written"


async def test_a_removal_whose_answer_was_lost(desk: GoogleDesk, booked: SessionFacts) -> None:
    await desk.sync(booked.id)
    await desk.cancel("student", booked.id)
    await desk.chaos(error_rate=1, status=500, after=True, match="DELETE", count=1)
    with pytest.raises(Retry):
        await desk.sync(booked.id)
    await desk.sync(booked.id)
    assert await desk.held() == []


@pytest.mark.parametrize("delay_ms", [0, 5, 20, 40, 80, 120, 200, 300])
async def test_killed_at_any_moment_the_next_one_finishes(
    desk: GoogleDesk, booked: SessionFacts, delay_ms: int
) -> None:
    """Cancelling the task leaves what a SIGKILL leaves: no cleaning up, a claim that must run out."""
    await desk.chaos(latency_ms=60)
    work = asyncio.create_task(desk.sync(booked.id))
    await asyncio.wait([work], timeout=delay_ms / 1000)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    await desk.sql("update sessions set event_claimed_until = now() - interval '1 second'")
    await desk.sync(booked.id)
    assert await desk.times() == [hour(booked.start)]
    assert (await desk.session(booked.id)).event_sync == "written"


async def test_a_claim_keeps_others_out_until_it_ends(desk: GoogleDesk, booked: SessionFacts) -> None:
    await desk.sql("update sessions set event_claimed_until = now() + interval '9 seconds'")
    with pytest.raises(Retry) as caught:
        await desk.sync(booked.id)
    assert 0 < caught.value.after_seconds <= 9
    assert await desk.held() == []


async def test_a_move_while_it_is_written_is_written_too(desk: GoogleDesk, booked: SessionFacts) -> None:
    goal = (await desk.offers("student"))[6]
    await desk.chaos(latency_ms=400, match="POST")
    writing = asyncio.create_task(desk.sync(booked.id))
    await _claimed(desk, booked.id)
    await desk.move("student", booked.id, goal)
    await writing
    assert await desk.times() == [hour(goal)]
    assert (await desk.session(booked.id)).event_version == 1


async def test_a_cancellation_while_it_is_written_leaves_nothing(
    desk: GoogleDesk, booked: SessionFacts
) -> None:
    await desk.chaos(latency_ms=400, match="POST")
    writing = asyncio.create_task(desk.sync(booked.id))
    await _claimed(desk, booked.id)
    await desk.cancel("student", booked.id)
    await writing
    assert await desk.held() == []


async def _claimed(desk: GoogleDesk, session_id: UUID) -> None:
    """Return once somebody has claimed the session."""
    async with asyncio.timeout(10):
        for _ in iter(int, 1):
            if (await desk.session(session_id)).event_claimed_until is not None:
                return
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("status", [400, 404])
async def test_a_refusal_is_final_and_told_once(desk: GoogleDesk, booked: SessionFacts, status: int) -> None:
    await desk.chaos(error_rate=1, status=status, match="calendar/v3")
    await desk.sync(booked.id)
    await desk.sync(booked.id)
    assert (await desk.session(booked.id)).event_sync == "failed"
    assert [event["kind"] for event in await desk.events("notification/send")] == [
        "session_booked",
        "calendar_failed",
    ]


async def test_the_last_attempt_gives_up_and_a_later_one_starts_anew(
    desk: GoogleDesk, booked: SessionFacts
) -> None:
    await desk.chaos(error_rate=1, status=503)
    await desk.sync(booked.id, last_attempt=True)
    assert (await desk.session(booked.id)).event_sync == "failed"
    await desk.chaos()
    await desk.replay()
    await desk.sync(booked.id)
    assert await desk.times() == [hour(booked.start)]


async def test_a_look_that_failed_to_the_end_leaves_what_was_written(
    desk: GoogleDesk, booked: SessionFacts
) -> None:
    await desk.sync(booked.id)
    await desk.chaos(error_rate=1, status=503)
    await desk.sync(booked.id, check=True, last_attempt=True)
    row = await desk.session(booked.id)
    assert (row.event_sync, row.event_claimed_until, row.conflict) == ("written", None, None)
    assert [event["kind"] for event in await desk.events("notification/send")] == ["session_booked"]


async def test_revoked_waits_and_is_written_after_reconnecting(
    desk: GoogleDesk, booked: SessionFacts
) -> None:
    await desk.chaos(revoke=True)
    await desk.sync(booked.id)
    row = await desk.session(booked.id)
    assert (row.event_sync, row.event_claimed_until) == ("pending", None)
    await desk.chaos()
    await desk.reconnect()
    await desk.replay()
    await desk.sync(booked.id)
    assert await desk.times() == [hour(booked.start)]


async def test_disconnected_meanwhile_there_is_nothing_to_write(
    desk: GoogleDesk, booked: SessionFacts
) -> None:
    await calendars.disconnect(desk.database, desk.google, desk.cast["mentor"])
    await desk.sync(booked.id)
    assert (await desk.session(booked.id)).event_sync == "none"
    await desk.reconnect()
    await desk.replay()
    await desk.sync(booked.id)
    assert await desk.times() == [hour(booked.start)]


async def test_what_we_cleared_ourselves_is_no_conflict(desk: GoogleDesk, booked: SessionFacts) -> None:
    """Back to a calendar used before: our events there are deleted, by us, and their ids used up."""
    await desk.sync(booked.id)
    await desk.delete((await desk.held())[0]["id"])
    await desk.replay()
    await desk.sync(booked.id)
    row = await desk.session(booked.id)
    assert (row.conflict, row.event_generation, row.event_sync) == (None, 1, "written")
    assert await desk.times() == [hour(booked.start)]
