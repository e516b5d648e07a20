"""Adding and removing sessions by hand, moving an expiry: what changes, what is refused, who hears of it."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from app.core import clock
from app.core.errors import AppError, Invalid, NotFound, Refused
from app.core.ids import new_id
from app.core.rls import ServiceDoor
from app.notifications.mailer import Mailer
from app.packs import adjusting, seats
from app.packs import service as packs
from app.packs.models import EntryKind, PackStatus, SeatStatus
from app.settings import Settings
from tests.cast import Cast
from tests.packs.by_hand import WHY, adjust, as_admin, broken, composed, pack
from tests.packs.support import SeatDesk

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def pack_id(cast: Cast) -> UUID:
    return cast.packs["student"]


async def use_up(desk: SeatDesk, pack_id: UUID, count: int = 4) -> None:
    """Use sessions of the pack, as having held them does."""
    async with desk.database.service(ServiceDoor.JOB) as uow, uow.transaction():
        for _ in range(count):
            await packs.add_entry(uow, pack_id, EntryKind.COMPLETE, -1)
        await seats.settle(uow, desk.mentor_id, desk.cast["student"])


async def told(desk: SeatDesk) -> list[dict[str, Any]]:
    rows = await desk.sql("select payload from outbox where payload->>'kind' = 'pack_adjusted' order by id")
    return [row.payload for row in rows]


async def test_adding_changes_total_and_rest_and_nothing_else(desk: SeatDesk, pack_id: UUID) -> None:
    before = await pack(desk.database, pack_id)
    after = await adjust(desk.database, desk.cast, pack_id, 2)
    assert (after.total_sessions, after.remaining_sessions) == (6, 6)
    assert after.expires_at == before.expires_at
    (entry,) = await desk.sql("select * from pack_entries where kind = 'adjust'")
    assert (entry.delta, entry.reason, entry.actor_id) == (2, WHY, desk.cast["admin"])
    (line,) = await desk.sql("select * from audit_log where action = 'adjust_sessions'")
    assert (line.subject_id, line.actor_id) == (pack_id, desk.cast["admin"])
    assert line.before == {"total_sessions": 4, "remaining_sessions": 4}
    assert line.after == {"total_sessions": 6, "remaining_sessions": 6}
    assert await broken(desk.database) == []


async def test_a_used_up_pack_lives_again_and_its_seat_too(desk: SeatDesk, pack_id: UUID) -> None:
    await use_up(desk, pack_id)
    assert await desk.status("student") is SeatStatus.GRACE
    after = await adjust(desk.database, desk.cast, pack_id, 1)
    assert (after.status, after.remaining_sessions, after.total_sessions) == (PackStatus.ACTIVE, 1, 5)
    assert await desk.status("student") is SeatStatus.ACTIVE


async def test_a_seat_that_is_gone_is_taken_anew(desk: SeatDesk, pack_id: UUID) -> None:
    await use_up(desk, pack_id)
    await desk.release("student")
    await adjust(desk.database, desk.cast, pack_id, 1)
    assert await desk.status("student") is SeatStatus.ACTIVE


async def test_without_a_free_seat_nothing_is_added(desk: SeatDesk, pack_id: UUID) -> None:
    await use_up(desk, pack_id)
    await desk.release("student")
    await desk.capacity(1)
    await desk.take("other_student")
    with pytest.raises(Refused) as caught:
        await adjust(desk.database, desk.cast, pack_id, 1)
    assert caught.value.code == "sold_out"
    assert (await pack(desk.database, pack_id)).total_sessions == 4
    assert await told(desk) == []


async def test_removing_the_rest_leaves_the_seat_in_grace(desk: SeatDesk, pack_id: UUID) -> None:
    await use_up(desk, pack_id, 1)
    after = await adjust(desk.database, desk.cast, pack_id, -3)
    assert (after.status, after.remaining_sessions, after.total_sessions) == (PackStatus.DEPLETED, 0, 1)
    assert await desk.status("student") is SeatStatus.GRACE
    assert await broken(desk.database) == []


async def test_what_is_used_or_booked_stays(desk: SeatDesk, pack_id: UUID) -> None:
    await use_up(desk, pack_id, 1)
    await book(desk, pack_id, NOON + timedelta(days=3))
    with pytest.raises(Refused) as caught:
        await adjust(desk.database, desk.cast, pack_id, -3)
    assert (caught.value.code, caught.value.status) == ("sessions_in_use", 422)
    assert caught.value.detail.startswith("3 sessions are left, 1 of them booked: 2 can be taken away.")
    await adjust(desk.database, desk.cast, pack_id, -2)
    assert await broken(desk.database) == []


async def book(desk: SeatDesk, pack_id: UUID, start: datetime) -> UUID:
    """A session of the pack, an hour from `start`."""
    id_ = new_id()
    await desk.sql(
        "insert into sessions (id, mentor_id, student_id, pack_id, status, scheduled_at, ends_at, blocked, booked_at,"
        " version, notes, recording_consent, event_generation, event_sync)"
        " values (:id, :mentor, :student, :pack, 'scheduled', :start, :end, tstzrange(:start, :end), :now, 0, '', false,"
        " 0, 'none')",
        id=id_,
        mentor=desk.mentor_id,
        student=desk.cast["student"],
        pack=pack_id,
        start=start,
        end=start + timedelta(hours=1),
        now=NOON,
    )
    return id_


async def test_a_page_that_is_out_of_date_changes_nothing(desk: SeatDesk, pack_id: UUID) -> None:
    await use_up(desk, pack_id, 1)
    with pytest.raises(Refused) as caught:
        await adjust(desk.database, desk.cast, pack_id, 2, seen=4)
    assert (caught.value.code, caught.value.status) == ("pack_changed", 409)
    assert caught.value.detail.startswith("3 sessions are left by now, not 4.")
    assert (await pack(desk.database, pack_id)).total_sessions == 4


async def test_of_two_admins_at_once_one_adds(desk: SeatDesk, pack_id: UUID) -> None:
    attempts = [adjust(desk.database, desk.cast, pack_id, 2, seen=4) for _ in range(4)]
    answers = await asyncio.gather(*attempts, return_exceptions=True)
    assert [type(answer) for answer in answers].count(Refused) == 3
    assert (await pack(desk.database, pack_id)).total_sessions == 6
    assert len(await told(desk)) == 1


@pytest.mark.parametrize(
    ("count", "reason", "field"),
    [
        (0, WHY, "sessions"),
        (-1, WHY, "sessions"),
        (101, WHY, "sessions"),
        (1, "", "reason"),
        (1, " \n\t ", "reason"),
        (1, "x" * 301, "reason"),
        (1, "a\0b", "reason"),
    ],
)
async def test_odd_input_is_named(desk: SeatDesk, pack_id: UUID, count: int, reason: str, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        async with as_admin(desk.database, desk.cast) as uow:
            await adjusting.add_sessions_to_pack(uow, pack_id, count, reason=reason, seen=4)
    assert list(caught.value.fields) == [field]


async def test_a_pack_holds_at_most_a_thousand(desk: SeatDesk, pack_id: UUID) -> None:
    for _ in range(9):
        await adjust(desk.database, desk.cast, pack_id, 100)
    with pytest.raises(Invalid, match="invalid"):
        await adjust(desk.database, desk.cast, pack_id, 97)
    assert (await adjust(desk.database, desk.cast, pack_id, 96)).total_sessions == 1000


async def test_what_has_ended_is_not_added_to(desk: SeatDesk, pack_id: UUID) -> None:
    for status in ("refunded", "expired"):
        await desk.sql("update session_packs set status = :status where id = :id", status=status, id=pack_id)
        with pytest.raises(Refused) as caught:
            await adjust(desk.database, desk.cast, pack_id, 1)
        assert caught.value.code == "pack_ended"


async def test_a_used_up_pack_whose_time_is_over_is_not_added_to(desk: SeatDesk, pack_id: UUID) -> None:
    """What is added would expire at once, and take the seat in grace with it."""
    await desk.sql("update session_packs set expires_at = :at where id = :id", at=clock.now(), id=pack_id)
    await adjust(desk.database, desk.cast, pack_id, -1)
    await use_up(desk, pack_id, 3)
    with pytest.raises(Refused, match="move its expiry first") as caught:
        await adjust(desk.database, desk.cast, pack_id, 1)
    assert caught.value.code == "pack_ended"
    assert await desk.status("student") is SeatStatus.GRACE


async def test_an_unknown_pack_is_not_found(desk: SeatDesk) -> None:
    with pytest.raises(NotFound):
        async with as_admin(desk.database, desk.cast) as uow:
            await adjusting.add_sessions_to_pack(uow, new_id(), 1, reason=WHY, seen=0)


@pytest.mark.parametrize("who", ["student", "other_student", "mentor", "other_mentor", "anonymous"])
async def test_the_database_lets_nobody_else_add(desk: SeatDesk, pack_id: UUID, who: str) -> None:
    with pytest.raises((AppError, ProgrammingError)):
        async with desk.database.unit_of_work(desk.cast.principal(who)) as uow, uow.transaction():
            await adjusting.add_sessions_to_pack(uow, pack_id, 2, reason=WHY, seen=4)
    assert (await pack(desk.database, pack_id)).total_sessions == 4


async def move(desk: SeatDesk, pack_id: UUID, day: date, zone: str = "America/New_York") -> Any:
    seen = (await pack(desk.database, pack_id)).expires_at
    async with as_admin(desk.database, desk.cast) as uow:
        return await adjusting.change_expiry(uow, pack_id, day, zone, reason=WHY, seen=seen)


async def test_the_expiry_is_the_end_of_a_day_in_a_zone(desk: SeatDesk, pack_id: UUID) -> None:
    with clock.standing_at(NOON):
        after = await move(desk, pack_id, date(2026, 12, 24))
    assert after.expires_at == datetime(2026, 12, 25, 4, 59, 59, tzinfo=UTC)
    assert (after.total_sessions, after.remaining_sessions) == (4, 4)
    (line,) = await desk.sql("select * from audit_log where action = 'change_expiry'")
    assert (line.after["expires_at"], line.after["reason"]) == ("2026-12-25T04:59:59Z", WHY)
    assert await told(desk) != []


async def test_an_expired_pack_lives_again(desk: SeatDesk, pack_id: UUID) -> None:
    await desk.sql(
        "update session_packs set status = 'expired', expires_at = :at where id = :id", at=NOON, id=pack_id
    )
    await desk.release("student")
    with clock.standing_at(NOON + timedelta(days=2)):
        after = await move(desk, pack_id, date(2026, 12, 24))
    assert after.status is PackStatus.ACTIVE
    assert await desk.status("student") is SeatStatus.ACTIVE


async def test_no_booked_session_is_left_beyond_the_expiry(desk: SeatDesk, pack_id: UUID) -> None:
    with clock.standing_at(NOON):
        await book(desk, pack_id, NOON + timedelta(days=3))
        with pytest.raises(Refused) as caught:
            await move(desk, pack_id, date(2026, 11, 25))
        assert caught.value.code == "sessions_beyond"
        await move(desk, pack_id, date(2026, 11, 26))


@pytest.mark.parametrize("day", [date(2026, 11, 22), date(1, 1, 1), date(2031, 11, 29), date.max])
async def test_days_that_are_over_or_too_far_are_named(desk: SeatDesk, pack_id: UUID, day: date) -> None:
    with clock.standing_at(NOON), pytest.raises(Invalid) as caught:
        await move(desk, pack_id, day)
    assert list(caught.value.fields) == ["expires_on"]


async def test_an_expiry_that_was_moved_meanwhile_stays(desk: SeatDesk, pack_id: UUID) -> None:
    with clock.standing_at(NOON):
        seen = (await pack(desk.database, pack_id)).expires_at
        await move(desk, pack_id, date(2026, 12, 24))
        with pytest.raises(Refused) as caught:
            async with as_admin(desk.database, desk.cast) as uow:
                await adjusting.change_expiry(uow, pack_id, date(2026, 12, 28), "UTC", reason=WHY, seen=seen)
    assert caught.value.code == "pack_changed"


async def test_both_read_what_was_changed_and_why(desk: SeatDesk, settings: Settings, pack_id: UUID) -> None:
    await adjust(desk.database, desk.cast, pack_id, -1)
    with clock.standing_at(NOON):
        await move(desk, pack_id, date(2026, 12, 24))
    mailer = Mailer.of(settings)
    subjects = []
    for payload in await told(desk):
        messages = await composed(desk.database, settings, "pack_adjusted", payload)
        mails = [mailer.compose("pack_adjusted", message.address, message.context) for message in messages]
        subjects += [
            (message.address, mail["subject"]) for message, mail in zip(messages, mails, strict=True)
        ]
        assert all((WHY in mail["text"]) is ("entry_id" in payload) for mail in mails)
    assert subjects == [
        ("student@example.test", "1 session fewer with Mentor"),
        ("mentor@example.test", "Student has 1 session fewer with you"),
        ("student@example.test", "Your sessions with Mentor are to be used by Thu 24 Dec 2026"),
        ("mentor@example.test", "Student can use their sessions until Fri 25 Dec 2026"),
    ]


async def test_an_adjustment_waits_for_a_booking_and_sees_it(desk: SeatDesk, pack_id: UUID) -> None:
    async with desk.database.service(ServiceDoor.JOB) as uow, uow.transaction():
        await seats.lock_pair(uow, desk.mentor_id, desk.cast["student"])
        waiting = asyncio.create_task(adjust(desk.database, desk.cast, pack_id, -4, seen=4))
        await uow.session.execute(
            sa.text(
                "insert into sessions (id, mentor_id, student_id, pack_id, status, scheduled_at, ends_at, blocked,"
                " booked_at, version, notes, recording_consent, event_generation, event_sync) values (:id, :mentor,"
                " :student, :pack, 'scheduled', :start, :end, tstzrange(:start, :end), :start, 0, '', false, 0, 'none')"
            ),
            {
                "id": new_id(),
                "mentor": desk.mentor_id,
                "student": desk.cast["student"],
                "pack": pack_id,
                "start": NOON,
                "end": NOON + timedelta(hours=1),
            },
        )
    with pytest.raises(Refused) as caught:
        await waiting
    assert caught.value.code == "sessions_in_use"


@pytest.mark.parametrize("who", ["student", "mentor"])
@pytest.mark.parametrize("gone", ["deleted_at = now()", "role = 'admin'"])
async def test_nothing_is_added_for_who_has_left(desk: SeatDesk, pack_id: UUID, who: str, gone: str) -> None:
    await use_up(desk, pack_id)
    await desk.sql("update seat_reservations set status = 'released', seat_expires_at = null")
    await desk.sql("update session_packs set expires_at = now() where id = :id", id=pack_id)
    await desk.sql(f"update users set {gone} where id = :id", id=desk.cast[who])
    with pytest.raises(Refused) as caught:
        await adjust(desk.database, desk.cast, pack_id, 1)
    assert caught.value.code == "nobody_there"
    found = await pack(desk.database, pack_id)
    with pytest.raises(Refused) as caught:
        async with as_admin(desk.database, desk.cast) as uow:
            await adjusting.change_expiry(
                uow, pack_id, date(2027, 3, 1), "UTC", reason=WHY, seen=found.expires_at
            )
    assert caught.value.code == "nobody_there"
    assert await desk.sql("select 1 from seat_reservations where status <> 'released'") == []
