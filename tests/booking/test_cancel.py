"""Canceling: who may, what it costs, and what the others hear."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.booking.models import SessionStatus
from app.core import clock
from app.core.errors import Forbidden, NotFound
from tests.booking.support import Desk, refused


async def test_24_hours_before_the_credit_goes_back(desk: Desk) -> None:
    start = (await desk.offers("student"))[0]
    booked = (await desk.book("student", start)).session
    with clock.standing_at(start - timedelta(hours=24)):
        canceled = await desk.cancel("student", booked.id)
    assert canceled.status is SessionStatus.CANCELED
    pack = await desk.pack(booked.pack_id)
    assert (pack.remaining_sessions, pack.scheduled_sessions) == (4, 0)
    row = await desk.session(booked.id)
    assert (row.version, row.canceled_by) == (1, "student")
    assert start in await desk.offers("student")


async def test_later_the_credit_is_used(desk: Desk) -> None:
    start = (await desk.offers("student"))[0]
    booked = (await desk.book("student", start)).session
    with clock.standing_at(start - timedelta(hours=24) + timedelta(seconds=1)):
        await desk.cancel("student", booked.id)
    pack = await desk.pack(booked.pack_id)
    assert (pack.remaining_sessions, pack.scheduled_sessions) == (3, 0)
    assert await desk.sql("select kind, delta, session_id from pack_entries where kind = 'late_cancel'") == [
        ("late_cancel", -1, booked.id)
    ]
    assert (await desk.events("notification/send"))[-1]["used"] is True


async def test_the_last_credit_used_late_ends_in_grace(desk: Desk) -> None:
    await desk.sql("update session_packs set remaining_sessions = 1")
    start = (await desk.offers("student"))[0]
    booked = (await desk.book("student", start)).session
    with clock.standing_at(start - timedelta(hours=1)):
        await desk.cancel("student", booked.id)
    seats = await desk.sql(
        "select status from seat_reservations where student_id = :id", id=desk.cast["student"]
    )
    assert seats == [("grace",)]


async def test_a_mentor_gives_the_credit_back_and_time_to_use_it(desk: Desk) -> None:
    start = (await desk.offers("student"))[0]
    booked = (await desk.book("student", start)).session
    await desk.sql("update session_packs set expires_at = :end", end=start + timedelta(hours=2))
    with clock.standing_at(start - timedelta(minutes=1)):
        await desk.cancel("mentor", booked.id)
        left = (await desk.pack(booked.pack_id)).expires_at - clock.now()
    assert left == timedelta(days=14)
    pack = await desk.pack(booked.pack_id)
    assert (pack.remaining_sessions, pack.scheduled_sessions) == (4, 0)
    told = (await desk.events("notification/send"))[-1]
    assert (told["kind"], told["used"], told["actor_role"]) == ("session_canceled", False, "mentor")


async def test_a_longer_pack_stays_as_long_as_it_was(desk: Desk) -> None:
    start = (await desk.offers("student"))[0]
    booked = (await desk.book("student", start)).session
    before = (await desk.pack(booked.pack_id)).expires_at
    await desk.cancel("mentor", booked.id)
    assert (await desk.pack(booked.pack_id)).expires_at == before


@pytest.mark.parametrize("who", ["student", "mentor"])
async def test_a_session_that_has_begun_is_not_canceled(desk: Desk, who: str) -> None:
    start = (await desk.offers("student"))[0]
    booked = (await desk.book("student", start)).session
    with clock.standing_at(start):
        await refused("already_started", desk.cancel(who, booked.id))
    assert (await desk.session(booked.id)).version == 0


@pytest.mark.parametrize("who", ["student", "mentor"])
async def test_twice_is_refused_and_costs_nothing_more(desk: Desk, who: str) -> None:
    start = (await desk.offers("student"))[0]
    booked = (await desk.book("student", start)).session
    await desk.cancel("student", booked.id)
    with clock.standing_at(start - timedelta(hours=1)):
        await refused("not_scheduled", desk.cancel(who, booked.id))
    assert (await desk.pack(booked.pack_id)).remaining_sessions == 4


@pytest.mark.parametrize(
    ("who", "error"), [("other_student", NotFound), ("other_mentor", NotFound), ("admin", Forbidden)]
)
async def test_others_cancel_nothing(desk: Desk, who: str, error: type[Exception]) -> None:
    booked = (await desk.book("student", (await desk.offers("student"))[0])).session
    with pytest.raises(error):
        await desk.cancel(who, booked.id)
