"""What mentors do to our events in Google is shown to them, told once, and never followed silently."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.booking.models import SessionStatus
from app.booking.service import SessionFacts
from tests.booking.google.desk import GoogleDesk


@pytest.fixture
async def written(desk: GoogleDesk) -> SessionFacts:
    booked = (await desk.book("student", (await desk.offers("student"))[0])).session
    await desk.sync(booked.id)
    await desk.mirror()
    return booked


async def conflicts_told(desk: GoogleDesk) -> list[str]:
    told = await desk.events("notification/send")
    return [event["conflict"] for event in told if event["kind"] == "calendar_conflict"]


async def test_nothing_happened_nothing_is_said(desk: GoogleDesk, written: SessionFacts) -> None:
    await desk.mirror(full=True)
    assert (await desk.session(written.id)).conflict is None
    assert await conflicts_told(desk) == []


async def test_a_dragged_event_becomes_a_conflict_told_once(desk: GoogleDesk, written: SessionFacts) -> None:
    there = written.start + timedelta(hours=2)
    await desk.drag((await desk.held())[0]["id"], there)
    await desk.mirror()
    await desk.mirror(full=True)
    row = await desk.session(written.id)
    assert (row.conflict, row.conflict_start, row.scheduled_at) == ("moved", there, written.start)
    assert await desk.times() == [(there, there + timedelta(hours=1))]
    assert await conflicts_told(desk) == ["moved"]


async def test_keeping_our_time_puts_the_event_back(desk: GoogleDesk, written: SessionFacts) -> None:
    await desk.drag((await desk.held())[0]["id"], written.start + timedelta(hours=2))
    await desk.mirror()
    await desk.mark("mentor", written.id, SessionStatus.SCHEDULED)
    await desk.sync(written.id)
    assert await desk.times() == [(written.start, written.end)]
    await desk.mirror(full=True)
    row = await desk.session(written.id)
    assert (row.conflict, row.event_sync) == (None, "written")
    assert await conflicts_told(desk) == ["moved"]


async def test_a_deleted_event_is_written_anew_if_the_time_is_kept(
    desk: GoogleDesk, written: SessionFacts
) -> None:
    await desk.delete((await desk.held())[0]["id"])
    await desk.mirror()
    row = await desk.session(written.id)
    assert (row.conflict, row.status) == ("deleted", SessionStatus.SCHEDULED)
    assert await conflicts_told(desk) == ["deleted"]
    await desk.mark("mentor", written.id, SessionStatus.SCHEDULED)
    await desk.sync(written.id)
    assert await desk.times() == [(written.start, written.end)]
    await desk.mirror(full=True)
    assert (await desk.session(written.id)).conflict is None


async def test_dragged_back_it_is_no_conflict_any_more(desk: GoogleDesk, written: SessionFacts) -> None:
    event_id = (await desk.held())[0]["id"]
    await desk.drag(event_id, written.start + timedelta(hours=2))
    await desk.mirror()
    await desk.drag(event_id, written.start)
    await desk.mirror()
    row = await desk.session(written.id)
    assert (row.conflict, row.conflict_start) == (None, None)


async def test_dragged_on_it_is_told_again(desk: GoogleDesk, written: SessionFacts) -> None:
    event_id = (await desk.held())[0]["id"]
    for hours in (2, 3):
        await desk.drag(event_id, written.start + timedelta(hours=hours))
        await desk.mirror()
    assert (await desk.session(written.id)).conflict_start == written.start + timedelta(hours=3)
    assert await conflicts_told(desk) == ["moved", "moved"]


async def test_canceling_ends_the_conflict_and_the_event(desk: GoogleDesk, written: SessionFacts) -> None:
    await desk.drag((await desk.held())[0]["id"], written.start + timedelta(hours=2))
    await desk.mirror()
    await desk.mark("mentor", written.id, SessionStatus.CANCELED)
    await desk.sync(written.id)
    assert await desk.held() == []
    assert (await desk.session(written.id)).conflict is None


async def test_the_students_move_replaces_the_mentors(desk: GoogleDesk, written: SessionFacts) -> None:
    await desk.drag((await desk.held())[0]["id"], written.start + timedelta(hours=2))
    await desk.mirror()
    goal = (await desk.offers("student"))[-1]
    await desk.move("student", written.id, goal)
    await desk.sync(written.id)
    assert await desk.times() == [(goal, goal + timedelta(hours=1))]
    assert (await desk.session(written.id)).conflict is None


async def test_our_own_removal_is_no_conflict(desk: GoogleDesk, written: SessionFacts) -> None:
    await desk.cancel("student", written.id)
    await desk.sync(written.id)
    await desk.mirror()
    assert (await desk.session(written.id)).conflict is None
    assert await conflicts_told(desk) == []


async def test_an_old_answer_of_googles_concludes_nothing(desk: GoogleDesk, written: SessionFacts) -> None:
    """A listing from before a move is looked at after it was written: the event itself is asked for."""
    before = await desk.listing()
    goal = (await desk.offers("student"))[-1]
    await desk.move("student", written.id, goal)
    await desk.sync(written.id)
    await desk.note(before)
    row = await desk.session(written.id)
    assert (row.conflict, row.event_sync) == (None, "written")
    assert await desk.times() == [(goal, goal + timedelta(hours=1))]
