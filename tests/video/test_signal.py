"""Two in a room: how they learn of each other, what passes between them, and what is written down."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

import pytest

from app.core import clock
from tests.video.world import Meeting


async def test_two_meet_exchange_and_leave(meeting: Meeting) -> None:
    mentor = await meeting.dial("mentor")
    mentor.say(type="join", token=await meeting.token("mentor"), page="m")
    joined = await mentor.told("joined")
    ((visit, joined_at, seen_at, left_at),) = await meeting.visits("mentor")
    assert joined["visit"] == str(visit)
    assert joined["initiator"] is True
    ends = datetime.fromisoformat(joined["ends_at"])
    assert datetime.fromisoformat(joined["closes_at"]) == ends + timedelta(minutes=30)
    assert joined_at == seen_at
    assert left_at is None
    assert await mentor.next() == {"type": "consent", "mine": False, "both": False}

    student = await meeting.dial("student")
    student.say(type="join", token=await meeting.token("student"), page="s")
    assert (await student.told("joined"))["initiator"] is False
    assert await mentor.next() == {"type": "other", "page": "s"}
    assert await student.told("other") == {"type": "other", "page": "m"}

    offer = {"description": {"type": "offer", "sdp": "v=0\r\n"}, "n": 1, "umlaut": "ü\u0000\U0001f600"}
    mentor.say(type="signal", data=offer)
    assert await student.next() == {"type": "signal", "data": offer}
    student.say(type="signal", data={"answer": True})
    assert await mentor.next() == {"type": "signal", "data": {"answer": True}}

    student.say(type="leave")
    assert await student.ended() == (None, 1000)
    assert await mentor.next() == {"type": "gone", "left": True}
    (stay,) = await meeting.visits("student")
    assert stay.joined_at <= stay.seen_at == stay.left_at <= clock.now()
    assert [stay.left_at for stay in await meeting.visits("mentor")] == [None]


@pytest.mark.parametrize("size", [1, 7_000, 9_000, 60_000])
async def test_signals_of_any_length_arrive_whole_and_in_order(meeting: Meeting, size: int) -> None:
    """Longer than a notification holds, and incompressible."""
    mentor, student = await meeting.pair()
    sent = [{"n": n, "sdp": secrets.token_urlsafe(size)[:size]} for n in range(3)]
    for data in sent:
        mentor.say(type="signal", data=data)
    assert [(await student.next())["data"] for _ in sent] == sent


async def test_nobody_there_nothing_said(meeting: Meeting) -> None:
    """What is said before the other came isn't kept for them, nor told to oneself."""
    mentor = await meeting.join("mentor")
    mentor.say(type="signal", data={"early": True})
    student = await meeting.join("student")
    await mentor.told("other")
    await student.told("other")
    mentor.say(type="signal", data={"late": True})
    assert await student.next() == {"type": "signal", "data": {"late": True}}
    assert mentor.silent()


async def test_a_lost_connection_and_the_way_back(meeting: Meeting) -> None:
    """The other is told that the line is lost, not that somebody left; the same page comes back with a new token."""
    mentor, student = await meeting.pair()
    await student.lose()
    assert await mentor.next() == {"type": "gone", "left": False}
    again = await meeting.join("student", "s")
    assert await mentor.next() == {"type": "other", "page": "s"}
    assert await again.told("other") == {"type": "other", "page": "m"}
    first, second = await meeting.visits("student")
    assert first.left_at is not None
    assert second.left_at is None


async def test_two_tabs_of_one_person_the_older_is_told(meeting: Meeting) -> None:
    mentor, older = await meeting.pair()
    newer = await meeting.join("student", "s2")
    assert await older.ended() == ({"type": "replaced"}, 4409)
    assert await mentor.next() == {"type": "other", "page": "s2"}
    assert (await newer.told("other"))["page"] == "m"
    newer.say(type="signal", data={"from": "newer"})
    assert await mentor.next() == {"type": "signal", "data": {"from": "newer"}}
    mentor.say(type="signal", data={"to": "newer"})
    assert await newer.next() == {"type": "signal", "data": {"to": "newer"}}
    assert mentor.silent()
    first, second = await meeting.visits("student")
    assert (first.left_at is None, second.left_at is None) == (False, True)


async def test_consent_is_told_as_it_comes_and_goes(meeting: Meeting) -> None:
    mentor, student = await meeting.pair()
    path = f"/sessions/{meeting.session.id}/recording-consent"
    for who, agree, told in (
        ("mentor", "1", ((True, False), (False, False))),
        ("student", "1", ((True, True), (True, True))),
        ("mentor", "", ((False, False), (True, False))),
    ):
        answer = await meeting.browsers[who].post(path, {"agree": agree})
        assert answer.status_code == 303
        for wire, (mine, both) in zip((mentor, student), told, strict=True):
            assert await wire.next() == {"type": "consent", "mine": mine, "both": both}
    again = await meeting.dial("student")
    again.say(type="join", token=await meeting.token("student"), page="s")
    await again.told("joined")
    assert await again.next() == {"type": "consent", "mine": True, "both": False}


async def test_a_stay_is_seen_for_as_long_as_it_lasts(meeting: Meeting) -> None:
    meeting.hurry()
    await meeting.join("mentor")
    (before,) = await meeting.visits("mentor")
    while True:
        (stay,) = await meeting.visits("mentor")
        if stay.seen_at > before.seen_at:
            break
    assert (stay.joined_at, stay.left_at) == (before.joined_at, None)
