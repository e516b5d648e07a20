"""Moving a session: the rules of a booking again, with its own time and credit free."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from app.booking.models import SessionStatus
from app.core import clock
from app.core.errors import Forbidden, NotFound
from app.core.templating import iso
from tests.booking.support import Desk, refused


async def test_a_move_changes_time_and_version_and_tells_both_times(desk: Desk) -> None:
    offers = await desk.offers("student")
    booked = (await desk.book("student", offers[0])).session
    moved = await desk.move("student", booked.id, offers[4])
    assert (moved.id, moved.start, moved.end) == (booked.id, offers[4], offers[4] + timedelta(hours=1))
    row = await desk.session(booked.id)
    assert (row.version, row.blocked.lower) == (1, offers[4])
    told = (await desk.events("notification/send"))[-1]
    assert (told["kind"], told["before"], told["start"]) == ("session_moved", iso(offers[0]), iso(offers[4]))
    assert offers[0] in await desk.offers("student")


async def test_half_an_hour_later_is_no_collision_with_itself(desk: Desk) -> None:
    offers = await desk.offers("student")
    start, later = next(pair for pair in pairwise(offers) if pair[1] - pair[0] == timedelta(minutes=30))
    booked = (await desk.book("student", start)).session
    assert (await desk.move("student", booked.id, later)).start == later


async def test_the_last_credit_is_enough_to_move(desk: Desk) -> None:
    await desk.sql("update session_packs set remaining_sessions = 1")
    offers = await desk.offers("student")
    booked = (await desk.book("student", offers[0])).session
    await refused("no_credit", desk.book("student", offers[4]))
    assert (await desk.move("student", booked.id, offers[4])).start == offers[4]
    pack = await desk.pack(booked.pack_id)
    assert (pack.remaining_sessions, pack.scheduled_sessions) == (1, 1)


async def test_the_pack_is_chosen_again(desk: Desk) -> None:
    offers = await desk.offers("student")
    late = next(start for start in offers if start > clock.now() + timedelta(days=6))
    booked = (await desk.book("student", late)).session
    short = await desk.grant("student", days=5)
    moved = await desk.move("student", booked.id, offers[0])
    assert moved.pack_id == short
    counts = [(await desk.pack(id_)).scheduled_sessions for id_ in (short, booked.pack_id)]
    assert counts == [1, 0]
    assert (await desk.move("student", booked.id, late)).pack_id == booked.pack_id


async def test_a_taken_time_leaves_the_session_where_it_was(desk: Desk) -> None:
    other = await desk.student()
    offers = await desk.offers("student")
    booked = (await desk.book("student", offers[0])).session
    await desk.book(other, offers[4])
    error = await refused("slot_taken", desk.move("student", booked.id, offers[4]))
    assert "keeps its time" in error.detail
    assert (await desk.session(booked.id)).scheduled_at == offers[0]


async def test_moving_to_where_it_is_changes_nothing(desk: Desk) -> None:
    start = (await desk.offers("student"))[0]
    booked = (await desk.book("student", start)).session
    assert await desk.move("student", booked.id, start) == booked
    assert (await desk.session(booked.id)).version == 0


async def test_a_repeated_move_is_one_move(desk: Desk) -> None:
    offers = await desk.offers("student")
    booked = (await desk.book("student", offers[0])).session
    first = await desk.move("student", booked.id, offers[4], key="k")
    back = await desk.move("student", booked.id, offers[0], key="other")
    assert await desk.move("student", booked.id, offers[4], key="k") == first
    assert (await desk.session(booked.id)).scheduled_at == back.start == offers[0]
    await refused("idempotency_mismatch", desk.move("student", booked.id, offers[6], key="k"))


async def test_until_exactly_24_hours_before(desk: Desk) -> None:
    offers = await desk.offers("student")
    booked = (await desk.book("student", offers[0])).session
    with clock.standing_at(offers[0] - timedelta(hours=24)):
        assert (await desk.move("student", booked.id, offers[6])).start == offers[6]
    with clock.standing_at(offers[6] - timedelta(hours=24) + timedelta(seconds=1)):
        await refused("too_late", desk.move("student", booked.id, offers[-1]))
    with clock.standing_at(offers[6]):
        await refused("already_started", desk.move("student", booked.id, offers[-1]))


async def test_a_canceled_session_stays_where_it_is(desk: Desk) -> None:
    offers = await desk.offers("student")
    booked = (await desk.book("student", offers[0])).session
    await desk.cancel("student", booked.id)
    await refused("not_scheduled", desk.move("student", booked.id, offers[2]))
    assert (await desk.session(booked.id)).status is SessionStatus.CANCELED


@pytest.mark.parametrize("who", ["other_student", "new_student"])
async def test_others_find_nothing_to_move(desk: Desk, who: str) -> None:
    offers = await desk.offers("student")
    booked = (await desk.book("student", offers[0])).session
    with pytest.raises(NotFound):
        await desk.move(who, booked.id, offers[2])


@pytest.mark.parametrize("who", ["mentor", "other_mentor", "admin"])
async def test_only_students_move(desk: Desk, who: str) -> None:
    offers = await desk.offers("student")
    booked = (await desk.book("student", offers[0])).session
    with pytest.raises(Forbidden):
        await desk.move(who, booked.id, offers[2])
