"""Who is inside: seen out when the room closes for them, and only then; kept when words or processes get lost."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

import psycopg
import pytest

from app.booking.models import SessionStatus
from app.core import clock
from app.core.ids import new_id
from app.settings import Settings
from app.video.rooms import QUEUE_LENGTH, TakenSeat
from app.video.words import CHANNEL, Here, payloads
from tests.support.processes import until
from tests.video.sockets import Wire
from tests.video.world import Meeting


async def seen_out(wire: Wire) -> str:
    """The code of a socket that the server ends."""
    last, code = await wire.ended()
    assert last is not None
    assert (last["type"], code) == ("closed", 4410)
    assert last["detail"].endswith(".")
    return str(last["code"])


async def beats(meeting: Meeting, who: str, count: int = 2) -> None:
    """So many looks at the database later."""
    for _ in range(count):
        before = (await meeting.visits(who))[-1].seen_at

        async def seen(since: object = before) -> bool:
            return bool((await meeting.visits(who))[-1].seen_at != since)

        await until("the stay is seen again", seen)


async def test_a_session_that_is_canceled(meeting: Meeting) -> None:
    meeting.hurry()
    mentor, student = await meeting.pair()
    await meeting.desk.sql("update sessions set status = 'canceled', canceled_at = now()")
    assert {await seen_out(mentor), await seen_out(student)} == {"canceled"}
    assert all(stay.left_at for stay in await meeting.visits("mentor") + await meeting.visits("student"))


@pytest.mark.parametrize(("hours", "code"), [(26, "moved"), (-26, "moved")])
async def test_a_session_that_is_moved(meeting: Meeting, hours: int, code: str) -> None:
    meeting.hurry()
    student = await meeting.join("student")
    await meeting.move_to(clock.now() + timedelta(hours=hours))
    assert await seen_out(student) == code


async def test_when_the_door_closes(meeting: Meeting) -> None:
    """At its moment, not at the next look."""
    meeting.hurry(beat_seconds=1000.0)
    await meeting.move_to(clock.now() - timedelta(minutes=90) + timedelta(seconds=2))
    student = await meeting.join("student")
    assert await seen_out(student) == "too_late"


@pytest.mark.parametrize(
    "end_it",
    [
        "delete from web_sessions where user_id = :id",
        "update users set deleted_at = now() where id = :id",
        "update web_sessions set created_at = created_at - interval '99 d', expires_at = now() - interval '1 s'"
        " where user_id = :id",
    ],
)
async def test_somebody_who_is_signed_out(meeting: Meeting, end_it: str) -> None:
    meeting.hurry()
    mentor, student = await meeting.pair()
    await meeting.desk.sql(end_it, id=meeting.desk.cast["student"])
    assert await seen_out(student) == "signed_out"
    assert await mentor.next() == {"type": "gone", "left": True}


@pytest.mark.parametrize("status", [SessionStatus.COMPLETED, SessionStatus.NO_SHOW])
async def test_a_mark_sees_nobody_out(meeting: Meeting, status: SessionStatus) -> None:
    """Nor does its credit, the last of the pack; but who left stays outside."""
    meeting.hurry()
    desk = meeting.desk
    await desk.sql(
        "update session_packs set remaining_sessions = 1 where id = :id", id=meeting.session.pack_id
    )
    mentor, student = await meeting.pair()
    await desk.mark("mentor", meeting.session.id, status)
    await beats(meeting, "student", 3)
    student.say(type="signal", data={"still": "here"})
    assert await mentor.told("signal") == {"type": "signal", "data": {"still": "here"}}
    student.say(type="leave")
    await student.ended()
    headers = {"x-csrftoken": meeting.browsers["student"].http.cookies["csrftoken"]}
    path = f"/api/video/{meeting.session.id}/token"
    again = await meeting.browsers["student"].http.post(path, headers=headers)
    assert again.json()["code"] == "not_scheduled"


async def test_a_process_that_was_killed_says_nothing(meeting: Meeting) -> None:
    """Its sockets' stays are not seen any more, and after a while the others know."""
    meeting.hurry()
    desk, mentor, stay = meeting.desk, await meeting.join("mentor"), new_id()
    values = {"id": stay, "session": meeting.session.id, "user": desk.cast["student"]}
    await desk.sql(
        "insert into session_visits (id, session_id, user_id, joined_at, seen_at)"
        " values (:id, :session, :user, now(), now())",
        **values,
    )
    (said,) = payloads(Here(meeting.session.id, values["user"], stay, "s", asking=False), new_id())
    meeting.rooms.hear(said)
    assert await mentor.next() == {"type": "other", "page": "s"}
    await beats(meeting, "mentor", 3)
    assert mentor.silent()
    await desk.sql(
        "update session_visits set joined_at = :at, seen_at = :at where id = :id", id=stay, at=_ago(46)
    )
    assert await mentor.next() == {"type": "gone", "left": False}
    again = await meeting.join("student", "s")
    assert (await mentor.told("other"))["page"] == "s"
    assert (await again.told("other"))["page"] == "page"


def _ago(seconds: int) -> object:
    return clock.now() - timedelta(seconds=seconds)


async def test_words_that_nobody_heard_are_made_good(meeting: Meeting, admin_url: str) -> None:
    """Two come in while the connection that listens is gone: they find each other when it is back."""
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and query like 'listen%'"
        )
    mentor, student = await meeting.join("mentor", "m"), await meeting.join("student", "s")
    assert (await mentor.told("other"))["page"] == "s"
    assert (await student.told("other"))["page"] == "m"


async def test_a_word_lost_for_one_alone_is_made_good_by_looking(
    meeting: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody hears that the student came: the next look at the database tells of them, and asks."""
    meeting.hurry()
    mentor = await meeting.join("mentor", "m")
    with monkeypatch.context() as deaf:
        deaf.setattr(TakenSeat, "hear", lambda *_: None)
        student = await meeting.join("student", "s")
        await beats(meeting, "student", 1)
    assert (await mentor.told("other"))["page"] == "s"
    assert (await student.told("other"))["page"] == "m"


async def test_what_is_no_word_is_reported_and_harms_nobody(
    meeting: Meeting, caplog: pytest.LogCaptureFixture
) -> None:
    mentor, student = await meeting.pair()
    with caplog.at_level(logging.WARNING):
        await meeting.desk.sql(f"select pg_notify('{CHANNEL}', 'tea')")
        mentor.say(type="signal", data={})
        await student.told("signal")
    assert "not understood on calls: tea" in caplog.text


async def test_frames_that_are_none_once_inside(meeting: Meeting) -> None:
    for wrong in ("{", '{"type": "signal", "data": 5}', '{"type": "join", "token": "x", "page": "x"}'):
        wire = await meeting.join("student")
        wire.say_text(wrong)
        last, code = await wire.ended()
        assert last is not None
        assert (last["type"], last["code"], code) == ("refused", "bad_message", 4403)
    wire = await meeting.join("student")
    wire.say_bytes(b"\x00")
    assert (await wire.ended())[1] == 4403


async def test_a_frame_that_is_too_long(meeting: Meeting) -> None:
    mentor, student = await meeting.pair()
    student.say(type="signal", data={"x": "y" * 65_400})
    assert len((await mentor.told("signal"))["data"]["x"]) == 65_400
    student.say(type="signal", data={"x": "y" * 66_000})
    assert await student.ended() == (None, 1009)


async def test_a_page_that_floods(meeting: Meeting) -> None:
    """A burst of candidates passes; a flood ends the socket, and the other's stays."""
    meeting.hurry(burst=40, frames_per_second=0.001, beat_seconds=10.0)
    mentor, student = await meeting.pair()
    for n in range(39):
        student.say(type="signal", data={"n": n})
    assert [(await mentor.told("signal"))["data"]["n"] for n in range(39)] == list(range(39))
    student.say(type="signal", data={"n": 39})
    assert await seen_out(student) == "too_much"
    assert await mentor.next() == {"type": "gone", "left": True}


async def test_a_page_that_does_not_read_is_closed_and_comes_again(meeting: Meeting) -> None:
    meeting.hurry(beat_seconds=1000.0)
    student = await meeting.join("student")
    (taken,) = next(iter(meeting.rooms._taken.values()))
    for n in range(QUEUE_LENGTH + 1):
        taken.hear(Here(meeting.session.id, meeting.desk.cast["mentor"], new_id(), f"m{n}", asking=False))
    assert await student.ended() == (None, 1013)
    assert meeting.rooms.count == 0


async def test_nobody_is_thrown_out_because_the_database_is_away_for_a_moment(
    meeting: Meeting, admin_url: str
) -> None:
    """Every connection is cut, three times; the sockets stay, and hear each other again."""
    meeting.hurry()
    mentor, student = await meeting.pair()
    for _ in range(3):
        with psycopg.connect(admin_url, autocommit=True) as admin:
            admin.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and usename <> current_user"
            )
        await meeting.desk.database.dispose()
        await beats(meeting, "mentor")
        await beats(meeting, "student")
    await meeting.app.state.listener.listening()

    async def heard() -> bool:
        student.say(type="signal", data={"back": True})
        while not mentor.silent():
            if (await mentor.next())["type"] == "signal":
                return True
        return False

    await until("what one says is heard by the other", heard)


async def test_open_rooms_hold_no_connections(meeting: Meeting, open_settings: Settings) -> None:
    """More sockets than the process has connections, and it goes on answering."""
    count = 2 * open_settings.database_pool_size + 2
    waiting = [await meeting.dial("student") for _ in range(count)]
    mentor, student = await meeting.pair()
    assert all(wire.accepted for wire in waiting)
    mentor.say(type="signal", data={"n": 1})
    assert (await student.told("signal"))["data"] == {"n": 1}
    assert (await meeting.browsers["student"].get("/sessions")).status_code == 200


async def test_nothing_is_left_of_sockets_that_ended(meeting: Meeting) -> None:
    before = {task.get_name() for task in asyncio.all_tasks()}
    for _ in range(3):
        mentor, student = await meeting.pair()
        await mentor.lose()
        student.say(type="leave")
        await student.ended()
    assert meeting.rooms.count == 0
    assert {task.get_name() for task in asyncio.all_tasks()} <= before
    assert all(stay.left_at for stay in await meeting.visits("mentor") + await meeting.visits("student"))
