"""Live updates: from a commit in the database to the frames that a browser reads."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from app.booking.http.events import frames
from app.booking.live import QUEUE_LENGTH, Change, Hub, everything
from app.booking.models import SessionStatus
from app.core.ids import new_id
from app.core.listener import Listener
from app.settings import Settings
from tests.booking.conftest import Visit
from tests.booking.support import Desk


@pytest.fixture
async def hub(settings: Settings) -> AsyncIterator[Hub]:
    listener = Listener(settings.direct_url)
    hub = Hub(listener)
    async with listener.running():
        async with asyncio.timeout(10):
            await listener.listening()
        yield hub


async def heard(queue: asyncio.Queue[Change | None], count: int = 1) -> list[tuple[datetime, datetime]]:
    """The next ranges of a stream."""
    found = []
    async with asyncio.timeout(10):
        for _ in range(count):
            change = await queue.get()
            assert change is not None
            found.append((datetime.fromtimestamp(change.start, UTC), datetime.fromtimestamp(change.end, UTC)))
    return found


async def test_a_booking_a_move_and_a_cancellation(desk: Desk, hub: Hub) -> None:
    await desk.sql("update mentors set buffer_after_minutes = 10")
    offers = await desk.offers("student")
    hour = timedelta(minutes=70)
    with hub.subscribed(desk.cast["mentor"]) as queue, hub.subscribed(desk.cast["other_mentor"]) as other:
        booked = (await desk.book("student", offers[0])).session
        assert await heard(queue) == [(offers[0], offers[0] + hour)]
        await desk.move("student", booked.id, offers[6])
        assert await heard(queue, 2) == [(offers[0], offers[0] + hour), (offers[6], offers[6] + hour)]
        await desk.cancel("student", booked.id)
        assert await heard(queue) == [(offers[6], offers[6] + hour)]
        await desk.mark("mentor", booked.id, SessionStatus.SCHEDULED)
        assert await heard(queue) == [(offers[6], offers[6] + hour)]
        await desk.sql("update sessions set notes = 'x'")
        assert queue.empty()
        assert other.empty()


async def test_a_booking_that_was_refused_is_not_heard(desk: Desk, hub: Hub) -> None:
    offers = await desk.offers("student")
    with hub.subscribed(desk.cast["mentor"]) as queue:
        await asyncio.gather(desk.book("student", offers[0] + timedelta(minutes=1)), return_exceptions=True)
        await desk.book("student", offers[4])
        assert await heard(queue) == [(offers[4], offers[4] + timedelta(hours=1))]


async def test_the_mirror_and_the_mentors_rules_are_heard(desk: Desk, hub: Hub) -> None:
    mentor = desk.cast["mentor"]
    first, last = datetime(2026, 12, 1, 9, tzinfo=UTC), datetime(2026, 12, 3, 11, tzinfo=UTC)
    with hub.subscribed(mentor) as queue:
        await desk.sql(
            "insert into calendar_connections (mentor_id, state, google_email, google_calendar_id, calendars,"
            " google_refresh_token, mirror_version, connected_at)"
            " values (:id, 'connected', 'm@example.test', 'm', '[]', '', 0, now())",
            id=mentor,
        )
        await heard(queue)
        await desk.sql(
            "insert into busy_windows (mentor_id, event_id, span) values"
            " (:id, 'a', tstzrange(:first, :first + interval '1 hour')),"
            " (:id, 'b', tstzrange(:last - interval '1 hour', :last))",
            id=mentor,
            first=first,
            last=last,
        )
        assert await heard(queue) == [(first, last)]
        await desk.sql("delete from busy_windows where event_id = 'b'")
        assert await heard(queue) == [(last - timedelta(hours=1), last)]
        await desk.sql("update mentors set headline = 'New' where id = :id", id=mentor)
        await desk.sql("update mentors set notice_minutes = 60 where id = :id", id=mentor)
        ((since, until),) = await heard(queue)
        assert since < first < last < until
        await desk.sql("insert into date_overrides values (:id, '2026-12-24', '[]')", id=mentor)
        await heard(queue)
        await desk.sql("delete from date_overrides")
        await heard(queue)


async def test_frames_of_a_stream(hub: Hub) -> None:
    mentor = new_id()
    stream = frames(hub, mentor, keep_alive_seconds=0.05)
    assert await anext(stream) == "retry: 3000\n\n"
    hub.publish(Change(mentor, 1_800_000_000, 1_800_003_600))
    event = await anext(stream)
    head, data = event.strip().split("\n")
    assert head == "event: slots"
    assert json.loads(data.removeprefix("data: ")) == {
        "start": "2027-01-15T08:00:00Z",
        "end": "2027-01-15T09:00:00Z",
    }
    assert await anext(stream) == ": still here\n\n"
    hub.close()
    assert [frame async for frame in stream] == []
    assert [frame async for frame in frames(hub, mentor)] == ["retry: 3000\n\n"]


async def test_a_stream_that_cannot_keep_up_is_told_once_about_everything(hub: Hub) -> None:
    mentor = new_id()
    with hub.subscribed(mentor) as queue:
        for number in range(QUEUE_LENGTH + 1):
            hub.publish(Change(mentor, number, number + 1))
        assert queue.qsize() == 1
        assert queue.get_nowait() == everything(mentor)
        for number in range(QUEUE_LENGTH):
            hub.publish(Change(mentor, number, number + 1))
        hub.close()
        assert [queue.get_nowait() for _ in range(queue.qsize())] == [everything(mentor), None]


async def test_a_lost_connection_comes_back_and_says_that_something_may_have_been_missed(
    desk: Desk, hub: Hub, admin_url: str
) -> None:
    mentor = desk.cast["mentor"]
    with hub.subscribed(mentor) as queue:
        with psycopg.connect(admin_url, autocommit=True) as admin:
            admin.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and query = 'listen slots'"
            )
        async with asyncio.timeout(10):
            assert await queue.get() == everything(mentor)
        start = (await desk.offers("student"))[0]
        await desk.book("student", start)
        assert await heard(queue) == [(start, start + timedelta(hours=1))]


async def test_nothing_is_left_of_a_stream_that_ended(hub: Hub) -> None:
    stream = frames(hub, new_id())
    await anext(stream)
    assert hub.open_streams == 1
    await stream.aclose()  # type: ignore[attr-defined]
    assert hub.open_streams == 0


@pytest.mark.parametrize(
    ("who", "status"),
    [("anonymous", 401), ("admin", 403)],
)
async def test_who_may_not_listen(desk: Desk, visit: Visit, who: str, status: int) -> None:
    browser = await visit(who)
    answer = await browser.fragment(f"/events?mentor_id={desk.cast['mentor']}")
    assert answer.status_code == status


@pytest.mark.parametrize("who", ["student", "mentor"])
async def test_what_may_not_be_listened_to(desk: Desk, visit: Visit, who: str) -> None:
    browser = await visit(who)
    assert (await browser.get(f"/events?mentor_id={new_id()}")).status_code == 404
    assert (await browser.get("/events?mentor_id=x")).status_code == 400
    assert (await browser.get("/events")).status_code == 400
