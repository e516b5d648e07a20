"""Packs that expire: who is told before and after, what keeps one from it, and that it happens once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from app.booking.models import SessionStatus
from app.core import clock
from app.core.rls import ServiceDoor
from app.packs import service
from app.packs.models import EntryKind, PackStatus, SeatStatus
from tests.packs.studio import DAY, HOUR, Studio

WARNED = ("pack_expiring_week", "pack_expiring_day")
SECOND = timedelta(seconds=1)


def to_both(kind: str, what: str = "told") -> list[tuple[str, str, str]]:
    return [(kind, "student", what), (kind, "mentor", what)]


def to_student(kind: str, what: str = "told") -> list[tuple[str, str, str]]:
    return [(kind, "student", what)]


async def ledger(studio: Studio) -> list[tuple[str, int]]:
    """Every line but sales and sessions."""
    rows = await studio.sql(
        "select kind, delta from pack_entries where kind in ('expire', 'reversal', 'refund') order by at, id"
    )
    return [(row.kind, row.delta) for row in rows]


async def expire(studio: Studio, pack_id: UUID) -> None:
    """What one more worker does."""
    with clock.standing_at(studio.now):
        async with studio.database.service(ServiceDoor.JOB) as uow, uow.transaction():
            await service.expire(uow, pack_id)


async def test_a_student_is_told_a_week_and_a_day_before_and_both_at_the_end(studio: Studio) -> None:
    pack_id = await studio.buy("student", 4, 45)
    ends = studio.now + 45 * DAY
    await studio.live(ends - 7 * DAY - SECOND)
    assert await studio.told() == []
    await studio.live(ends - 7 * DAY)
    assert await studio.told() == to_student("pack_expiring_week")
    await studio.live(ends - SECOND)
    assert await studio.told(*WARNED) == to_student("pack_expiring_week") + to_student("pack_expiring_day")
    assert (await studio.pack(pack_id)).status is PackStatus.ACTIVE
    await studio.live(ends)
    assert await studio.told("pack_expired", "seat_released") == to_both("pack_expired")
    pack = await studio.pack(pack_id)
    assert (pack.status, pack.remaining_sessions) == (PackStatus.EXPIRED, 0)
    assert await ledger(studio) == [("expire", -4)]
    assert await studio.seat("student") is None


async def test_nobody_is_told_of_a_pack_that_is_used_up(studio: Studio) -> None:
    await studio.use(await studio.buy("student", 1, 45))
    await studio.live(studio.now + 50 * DAY)
    assert {what for *_, what in await studio.told(*WARNED)} == {"outdated"}
    assert await studio.told("pack_expired") == []
    assert await ledger(studio) == []


async def test_a_short_pack_has_no_week_to_be_told_of(studio: Studio) -> None:
    await studio.buy("student", 1, 7)
    await studio.live(studio.now + 8 * DAY)
    assert await studio.told(*WARNED) == to_student("pack_expiring_day")


async def test_an_expiry_that_moved_is_told_when_it_comes(studio: Studio) -> None:
    pack_id = await studio.buy("student", 2, 10)
    first = studio.now + 10 * DAY
    await studio.live(studio.now + HOUR)
    await studio.move_expiry(pack_id, (first + 10 * DAY).date())
    await studio.live(first + 5 * DAY)
    assert await studio.told(*WARNED) == [
        *to_student("pack_expiring_week", "outdated"),
        *to_student("pack_expiring_day", "outdated"),
        *to_student("pack_expiring_week"),
    ]
    assert (await studio.pack(pack_id)).status is PackStatus.ACTIVE
    await studio.live(first + 12 * DAY)
    assert (await studio.pack(pack_id)).status is PackStatus.EXPIRED
    assert await studio.told("pack_expired") == to_both("pack_expired")


async def test_days_that_a_mentor_leaves_count(studio: Studio) -> None:
    pack_id = await studio.buy("student", 2, 10)
    await studio.live(studio.now + 9 * DAY)
    await studio.leave_days(pack_id, 14)
    before = len(await studio.told(*WARNED))
    await studio.live(studio.now + 14 * DAY - SECOND)
    assert (await studio.pack(pack_id)).status is PackStatus.ACTIVE
    # The day's warning fell due before its pack got longer; both come once more for the new end.
    assert (await studio.told(*WARNED))[before:] == to_student("pack_expiring_week") + to_student(
        "pack_expiring_day"
    )
    await studio.live(studio.now + SECOND)
    assert (await studio.pack(pack_id)).status is PackStatus.EXPIRED


@pytest.mark.parametrize("status", [SessionStatus.COMPLETED, SessionStatus.NO_SHOW])
async def test_a_booked_session_keeps_the_pack_until_it_is_marked(
    studio: Studio, status: SessionStatus
) -> None:
    pack_id = await studio.buy("student", 3, 10)
    ends = studio.now + 10 * DAY
    session_id = await studio.book(pack_id, ends - HOUR)
    await studio.live(ends + DAY)
    pack = await studio.pack(pack_id)
    assert (pack.status, pack.remaining_sessions) == (PackStatus.ACTIVE, 3)
    assert await studio.seat("student") == (SeatStatus.ACTIVE, None)
    await studio.mark(session_id, status)
    await studio.work()
    assert await ledger(studio) == [("expire", -2)]
    assert await studio.told("pack_expired", "renewal_reminder") == to_both("pack_expired")
    assert await studio.seat("student") is None


async def test_a_last_session_marked_after_the_end_leaves_a_grace(studio: Studio) -> None:
    pack_id = await studio.buy("student", 1, 10)
    session_id = await studio.book(pack_id, studio.now + 10 * DAY - HOUR)
    await studio.live(studio.now + 11 * DAY)
    await studio.mark(session_id, SessionStatus.COMPLETED)
    await studio.work()
    assert await studio.seat("student") == (SeatStatus.GRACE, studio.now + 72 * HOUR)
    assert await studio.told("pack_expired") == []


async def test_one_of_several_packs_expires_and_the_seat_stays(studio: Studio) -> None:
    first = await studio.buy("student", 2, 10)
    await studio.buy("student", 2, 30)
    await studio.live(studio.now + 11 * DAY)
    assert (await studio.pack(first)).status is PackStatus.EXPIRED
    assert await studio.seat("student") == (SeatStatus.ACTIVE, None)
    (row, _) = [row for row in await studio.deliveries() if row.kind == "pack_expired"]
    assert (row.payload["sessions"], row.payload["seat"]) == (2, "active")


async def test_the_seat_goes_into_grace_where_the_pack_bought_last_was_used(studio: Studio) -> None:
    await studio.buy("student", 2, 10)
    studio.now += HOUR
    await studio.use(await studio.buy("student", 1, 30))
    await studio.live(studio.now + 10 * DAY)
    seat = await studio.seat("student")
    assert seat is not None
    assert seat[0] is SeatStatus.GRACE
    assert await studio.told("pack_expired", "final_renewal_notice") == [
        *to_both("final_renewal_notice"),
        *to_both("pack_expired"),
    ]


async def test_late_after_downtime_it_expires_once(studio: Studio) -> None:
    pack_id = await studio.buy("student", 4, 10)
    await studio.work()
    studio.now += 30 * DAY
    await studio.work()
    await expire(studio, pack_id)
    assert await ledger(studio) == [("expire", -4)]
    assert await studio.told("pack_expired") == to_both("pack_expired")
    assert await studio.told(*WARNED) == [
        *to_student("pack_expiring_week", "late"),
        *to_student("pack_expiring_day", "late"),
    ]


async def test_two_workers_expire_it_once(studio: Studio) -> None:
    pack_id = await studio.buy("student", 4, 10)
    studio.now += 10 * DAY
    await asyncio.gather(*(expire(studio, pack_id) for _ in range(4)))
    assert await ledger(studio) == [("expire", -4)]
    await studio.work()
    assert await studio.told("pack_expired") == to_both("pack_expired")


async def test_it_is_not_expired_before_its_time(studio: Studio) -> None:
    pack_id = await studio.buy("student", 4, 10)
    studio.now += 10 * DAY - SECOND
    await expire(studio, pack_id)
    assert await ledger(studio) == []


async def test_an_expired_pack_whose_expiry_is_moved_has_its_sessions_again(studio: Studio) -> None:
    pack_id = await studio.buy("student", 4, 10)
    await studio.use(pack_id)
    await studio.live(studio.now + 11 * DAY)
    assert await studio.seat("student") is None
    for round_ in range(2):
        day = (studio.now + 3 * DAY).date()
        await studio.move_expiry(pack_id, day)
        await studio.work()
        pack = await studio.pack(pack_id)
        assert (pack.status, pack.remaining_sessions, pack.total_sessions) == (PackStatus.ACTIVE, 3, 4)
        assert await studio.seat("student") == (SeatStatus.ACTIVE, None)
        await studio.live(studio.now + 5 * DAY)
        assert (await studio.pack(pack_id)).status is PackStatus.EXPIRED
        assert len(await studio.told("pack_expired")) == 2 * (round_ + 2)
    assert await ledger(studio) == [("expire", -3), ("reversal", 3)] * 2 + [("expire", -3)]


async def test_revived_before_it_was_told_an_expiry_is_outdated(studio: Studio) -> None:
    pack_id = await studio.buy("student", 4, 10)
    studio.now += 10 * DAY
    await expire(studio, pack_id)
    await studio.move_expiry(pack_id, (studio.now + 3 * DAY).date())
    await studio.work()
    assert await studio.told("pack_expired") == to_both("pack_expired", "outdated")


async def test_a_frozen_pack_stands_still_and_comes_back_with_time(studio: Studio) -> None:
    pack_id = await studio.buy("student", 4, 10)
    await studio.freeze(pack_id, True)
    await studio.live(studio.now + 60 * DAY)
    assert (await studio.pack(pack_id)).status is PackStatus.ACTIVE
    assert await studio.told("pack_expired", "seat_released") == []
    assert {what for *_, what in await studio.told(*WARNED)} == {"outdated"}
    await studio.freeze(pack_id, False)
    pack = await studio.pack(pack_id)
    assert pack.expires_at == studio.now + 14 * DAY
    await studio.live(studio.now + 14 * DAY)
    assert await ledger(studio) == [("expire", -4)]
    assert [what for *_, what in await studio.told(*WARNED)] == ["outdated"] * 2 + ["told"] * 2


async def test_a_dispute_that_is_won_soon_changes_no_expiry(studio: Studio) -> None:
    pack_id = await studio.buy("student", 4, 45)
    before = (await studio.pack(pack_id)).expires_at
    await studio.freeze(pack_id, True)
    await studio.freeze(pack_id, False)
    assert (await studio.pack(pack_id)).expires_at == before


async def test_a_lost_dispute_takes_the_sessions_as_a_refund(studio: Studio) -> None:
    pack_id = await studio.buy("student", 4, 10)
    await studio.freeze(pack_id, True)
    await studio.live(studio.now + 60 * DAY)
    assert await studio.refund(pack_id) == 4
    await studio.live(studio.now + DAY)
    assert await ledger(studio) == [("refund", -4)]
    assert (await studio.pack(pack_id)).status is PackStatus.REFUNDED
    assert await studio.seat("student") is None


async def test_an_expired_pack_can_still_be_refunded_without_sessions(studio: Studio) -> None:
    pack_id = await studio.buy("student", 4, 10)
    await studio.live(studio.now + 11 * DAY)
    assert await studio.refund(pack_id) == 0
    assert (await studio.pack(pack_id)).status is PackStatus.REFUNDED
    assert await ledger(studio) == [("expire", -4)]


async def test_sessions_that_a_failed_refund_gives_back_late_expire(studio: Studio) -> None:
    pack_id = await studio.buy("student", 4, 10)
    taken = await studio.refund(pack_id)
    await studio.live(studio.now + 20 * DAY)
    assert await studio.told("pack_expired") == []
    await studio.revive(pack_id, taken)
    await studio.work()
    assert await ledger(studio) == [("refund", -4), ("reversal", 4), ("expire", -4)]
    assert await studio.seat("student") is None


async def test_they_expire_even_where_no_seat_is_free_for_them(studio: Studio) -> None:
    await studio.capacity(1)
    pack_id = await studio.buy("student", 4, 10)
    taken = await studio.refund(pack_id)
    await studio.live(studio.now + 20 * DAY)
    await studio.buy("other_student", 4, 45)
    assert not await studio.revive(pack_id, taken)
    await studio.work()
    assert (await studio.pack(pack_id)).status is PackStatus.EXPIRED


async def test_who_is_paying_keeps_the_seat_that_would_go(studio: Studio) -> None:
    await studio.capacity(1)
    await studio.buy("student", 4, 10)
    await studio.join("other_student")
    ends = studio.now + 10 * DAY
    await studio.live(ends - SECOND)
    await studio.hold("student")
    await studio.live(ends + timedelta(minutes=30))
    assert await studio.told("pack_expired", "seat_offered") == []
    second = await studio.buy("student", 4, 45)
    await studio.live(ends + DAY)
    assert await studio.told("pack_expired", "seat_offered") == to_both("pack_expired")
    assert (await studio.pack(second)).remaining_sessions == 4
    assert await studio.seat("student") == (SeatStatus.ACTIVE, None)


@pytest.mark.parametrize("said", [True, False])
async def test_who_does_not_pay_loses_it_when_the_hold_ends(studio: Studio, said: bool) -> None:
    pack_id = await studio.buy("student", 4, 10)
    await studio.live(studio.now + 10 * DAY - SECOND)
    await studio.hold("student")
    held_until = studio.now + timedelta(minutes=35)
    await studio.live(studio.now + timedelta(minutes=5))
    if said:
        await studio.give_back("student")
    else:
        await studio.live(held_until)
    await studio.work()
    assert (await studio.pack(pack_id)).status is PackStatus.EXPIRED
    assert await studio.seat("student") is None


async def test_a_purchase_and_an_expiry_at_once_leave_a_seat_and_the_new_pack(studio: Studio) -> None:
    for who in ("student", "other_student", "new_student"):
        pack_id = await studio.buy(who, 4, 10)
        studio.now += 10 * DAY
        bought, *_ = await asyncio.gather(
            studio.buy(who, 4, 45), expire(studio, pack_id), expire(studio, pack_id)
        )
        await studio.work()
        assert (await studio.pack(pack_id)).status is PackStatus.EXPIRED
        assert (await studio.pack(bought)).status is PackStatus.ACTIVE
        assert await studio.seat(who) == (SeatStatus.ACTIVE, None)
        await studio.refund(bought)


async def test_a_mark_and_an_expiry_at_once_take_each_session_once(studio: Studio) -> None:
    pack_id = await studio.buy("student", 3, 10)
    session_id = await studio.book(pack_id, studio.now + 10 * DAY - HOUR)
    studio.now += 10 * DAY
    marked = studio.mark(session_id, SessionStatus.COMPLETED)
    await asyncio.gather(marked, *(expire(studio, pack_id) for _ in range(3)))
    await studio.work()
    (spent,) = await studio.sql("select sum(delta) from pack_entries where pack_id = :id", id=pack_id)
    assert spent[0] == 0
    assert await ledger(studio) == [("expire", -2)]


async def test_nothing_is_booked_from_what_expired(studio: Studio) -> None:
    pack_id = await studio.buy("student", 2, 10)
    studio.now += 10 * DAY
    start = studio.now - HOUR
    booked, _ = await asyncio.gather(
        studio.book(pack_id, start), expire(studio, pack_id), return_exceptions=True
    )
    await studio.work()
    pack = await studio.pack(pack_id)
    assert (pack.status, pack.scheduled_sessions, pack.remaining_sessions) == (
        (PackStatus.EXPIRED, 0, 0) if isinstance(booked, BaseException) else (PackStatus.ACTIVE, 1, 2)
    )


async def test_a_new_pack_has_everything_scheduled(studio: Studio) -> None:
    pack_id = await studio.buy("student", 2, 20, EntryKind.GRANT)
    waits = await studio.sql(
        "select coalesce(payload->>'kind', type) as what, available_at from outbox where available_at > :now"
        " and payload->>'pack_id' = :id order by available_at",
        now=studio.now,
        id=str(pack_id),
    )
    assert [(row.what, row.available_at - studio.now) for row in waits] == [
        ("pack_expiring_week", 13 * DAY),
        ("pack_expiring_day", 19 * DAY),
        ("packs/expire", 20 * DAY),
    ]
