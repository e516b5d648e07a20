"""Booking on the real database: what is written, what is refused with which code, what a repetition answers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.core import clock
from app.core.errors import NotFound
from app.core.ids import new_id
from app.core.templating import iso
from tests.booking.support import Desk, refused


async def test_a_booking_is_one_session_one_credit_and_the_events_that_follow(desk: Desk) -> None:
    start = (await desk.offers("student"))[0]
    booked = await desk.book("student", start)
    assert booked.created
    assert (booked.session.start, booked.session.end) == (start, start + timedelta(hours=1))
    row = await desk.session(booked.session.id)
    assert (row.blocked.lower, row.blocked.upper) == (start, start + timedelta(hours=1))
    assert (row.version, row.event_sync, row.status) == (0, "none", "scheduled")
    pack = await desk.pack(booked.session.pack_id)
    assert (pack.remaining_sessions, pack.scheduled_sessions) == (4, 1)
    told = await desk.events("notification/send")
    assert [(event["kind"], event["start"]) for event in told] == [("session_booked", iso(start))]
    assert await desk.events("calendar/write") == []
    assert start not in await desk.offers("student")


async def test_buffers_in_force_are_stored_and_kept(desk: Desk) -> None:
    await desk.sql("update mentors set buffer_before_minutes = 10, buffer_after_minutes = 20")
    start = (await desk.offers("student"))[3]
    booked = await desk.book("student", start)
    await desk.sql("update mentors set buffer_before_minutes = 0, buffer_after_minutes = 0")
    row = await desk.session(booked.session.id)
    assert row.blocked.lower == start - timedelta(minutes=10)
    assert row.blocked.upper == start + timedelta(minutes=80)
    other = await desk.student()
    assert start + timedelta(hours=1) not in await desk.offers(other)


async def test_what_is_not_offered_is_refused_with_the_reason(desk: Desk) -> None:
    offers = await desk.offers("student")
    first = offers[0]
    off_step = await refused("slot_not_offered", desk.book("student", first + timedelta(minutes=7)))
    assert (off_step.extra, off_step.status) == ({"reason": "not_a_slot"}, 422)
    half = await refused("slot_not_offered", desk.book("student", first + timedelta(milliseconds=500)))
    assert half.extra == {"reason": "not_a_slot"}
    soon = await refused("slot_not_offered", desk.book("student", first - timedelta(days=3)))
    assert soon.extra["reason"] in ("too_soon", "outside_hours")
    night = first.replace(hour=3, minute=0)
    assert (await refused("slot_not_offered", desk.book("student", night))).extra == {
        "reason": "outside_hours"
    }
    with pytest.raises(NotFound):
        await desk.book("student", first, mentor=new_id())


async def test_taken_times_are_refused_and_change_nothing(desk: Desk) -> None:
    offers = await desk.offers("student")
    await desk.book("student", offers[2])
    other = await desk.student()
    error = await refused("slot_taken", desk.book(other, offers[2]))
    assert (error.status, error.extra) == (409, {"reason": "booked"})
    assert "Nothing was booked" in error.detail
    assert len(await desk.scheduled()) == 1


async def test_a_student_is_in_one_place_at_a_time(desk: Desk) -> None:
    await desk.sql(
        "update mentors set time_zone = 'UTC', working_hours ="
        " (select jsonb_object_agg(day, cast('[[540, 1080]]' as jsonb)) from generate_series(1, 7) day)"
    )
    start = (await desk.offers("student"))[0]
    await desk.book("student", start)
    await desk.grant("student", mentor="other_mentor")
    await refused("own_session", desk.book("student", start, mentor="other_mentor"))


@pytest.mark.parametrize(
    ("arrange", "code"),
    [
        ("update session_packs set frozen = true", "pack_not_active"),
        ("update session_packs set status = 'refunded'", "pack_not_active"),
        ("update session_packs set status = 'expired'", "pack_expired"),
        ("update session_packs set expires_at = now() - interval '1 second'", "pack_expired"),
        ("update session_packs set expires_at = now() + interval '10 minutes'", "pack_expired"),
        ("update session_packs set remaining_sessions = 0, status = 'depleted'", "no_credit"),
        (
            "update seat_reservations set status = 'grace', seat_expires_at = now() + interval '1 day'",
            "seat_not_active",
        ),
        ("update seat_reservations set status = 'released'", "seat_not_active"),
    ],
)
async def test_each_lack_has_its_own_code(desk: Desk, arrange: str, code: str) -> None:
    start = (await desk.offers("student"))[0]
    await desk.sql(arrange)
    await refused(code, desk.book("student", start))


async def test_without_any_pack_there_is_nothing_to_book_from(desk: Desk) -> None:
    start = (await desk.offers("new_student"))[0]
    await refused("pack_not_active", desk.book("new_student", start))


async def test_the_pack_that_expires_first_pays_while_it_is_valid(desk: Desk) -> None:
    short = await desk.grant("student", days=5)
    offers = await desk.offers("student")
    late = [start for start in offers if start > clock.now() + timedelta(days=5)]
    first = await desk.book("student", late[0])
    assert first.session.pack_id == desk.cast.packs["student"]
    second = await desk.book("student", offers[0])
    assert second.session.pack_id == short
    third = await desk.book("student", offers[2])
    assert third.session.pack_id == desk.cast.packs["student"]


async def test_the_same_key_books_once(desk: Desk) -> None:
    offers = await desk.offers("student")
    first = await desk.book("student", offers[0], key="k")
    again = await desk.book("student", offers[0], key="k")
    assert again == first
    await refused("idempotency_mismatch", desk.book("student", offers[2], key="k"))
    await desk.cancel("student", first.session.id)
    assert await desk.book("student", offers[0], key="k") == first
    assert len(await desk.scheduled()) == 0


async def test_a_key_means_something_else_for_somebody_else(desk: Desk) -> None:
    other = await desk.student()
    offers = await desk.offers("student")
    first = await desk.book("student", offers[0], key="k")
    second = await desk.book(other, offers[2], key="k")
    assert first.session.id != second.session.id


async def test_a_refusal_is_not_remembered(desk: Desk) -> None:
    offers = await desk.offers("student")
    await desk.sql("update session_packs set frozen = true")
    await refused("pack_not_active", desk.book("student", offers[0], key="k"))
    await desk.sql("update session_packs set frozen = false")
    assert (await desk.book("student", offers[0], key="k")).created


async def test_a_key_starts_anew_after_a_day(desk: Desk) -> None:
    offers = await desk.offers("student", days=20)
    first = await desk.book("student", offers[0], key="k")
    with clock.standing_at(clock.now() + timedelta(hours=25)):
        second = await desk.book("student", offers[-1], key="k")
    assert first.session.id != second.session.id


async def test_without_a_key_the_same_wish_is_the_same_session(desk: Desk) -> None:
    start = (await desk.offers("student"))[0]
    first = await desk.book("student", start)
    again = await desk.book("student", start)
    assert (again.created, again.session) == (False, first.session)
    assert len(await desk.events("notification/send")) == 1
