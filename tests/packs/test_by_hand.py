"""Packs and seats that an admin gives or takes: once, within the capacity, told to both, written down."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from app.core.errors import AppError, Invalid, NotFound, Refused
from app.core.ids import new_id
from app.notifications.mailer import Mailer
from app.packs import by_hand as giving
from app.packs.models import SeatStatus
from app.settings import Settings
from tests.packs.by_hand import WHY, as_admin, broken, composed, pack
from tests.packs.support import SeatDesk
from tests.packs.test_adjusting import NOON, book, use_up


async def grant_pack(desk: SeatDesk, who: str = "new_student", *, key: str = "form:1", **more: Any) -> bool:
    async with as_admin(desk.database, desk.cast) as uow:
        wish: dict[str, Any] = {"sessions": 3, "days": 30, "reason": WHY} | more
        return await giving.grant_pack(uow, desk.mentor_id, desk.cast[who], key=key, **wish)


async def grant_seat(desk: SeatDesk, who: str = "new_student") -> None:
    async with as_admin(desk.database, desk.cast) as uow:
        await giving.grant_seat(uow, desk.mentor_id, desk.cast[who], reason=WHY)


async def release(desk: SeatDesk, seen: SeatStatus = SeatStatus.ACTIVE, who: str = "student") -> None:
    seat = next(seat for seat in await desk.seats() if seat.student_id == desk.cast[who])
    async with as_admin(desk.database, desk.cast) as uow:
        await giving.release_seat(uow, seat.id, reason=WHY, seen=seen)


async def refused(attempt: Any) -> str:
    with pytest.raises(Refused) as caught:
        await attempt
    return caught.value.code


async def audited(desk: SeatDesk, action: str) -> Any:
    return await desk.sql("select * from audit_log where action = :action order by id", action=action)


async def test_a_pack_is_given_once_however_often_the_form_is_posted(desk: SeatDesk) -> None:
    answers = await asyncio.gather(*(grant_pack(desk) for _ in range(4)))
    assert sorted(answers) == [False, False, False, True]
    (given,) = await desk.sql(
        "select * from session_packs where student_id = :id", id=desk.cast["new_student"]
    )
    assert (given.total_sessions, given.remaining_sessions) == (3, 3)
    (entry,) = await desk.sql("select * from pack_entries where pack_id = :id", id=given.id)
    assert (entry.kind, entry.delta, entry.reason, entry.actor_id) == ("grant", 3, WHY, desk.cast["admin"])
    assert len(await audited(desk, "grant_pack")) == 1
    assert await desk.status("new_student") is SeatStatus.ACTIVE
    assert await broken(desk.database) == []


@pytest.mark.parametrize(
    ("wish", "field"), [({"sessions": 0}, "sessions"), ({"days": 366}, "days"), ({"reason": " "}, "reason")]
)
async def test_a_pack_of_odd_measures_is_named(desk: SeatDesk, wish: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        await grant_pack(desk, **wish)
    assert list(caught.value.fields) == [field]


async def test_no_pack_without_a_seat(desk: SeatDesk) -> None:
    await desk.capacity(1)
    assert await refused(grant_pack(desk)) == "sold_out"
    assert await audited(desk, "grant_pack") == []


async def test_a_seat_is_given_to_who_waits_and_their_waiting_ends(desk: SeatDesk) -> None:
    await desk.capacity(1)
    await desk.join("new_student")
    assert await refused(grant_seat(desk)) == "sold_out"
    await desk.capacity(2)
    await grant_seat(desk)
    assert await desk.status("new_student") is SeatStatus.ACTIVE
    assert (await desk.places(left=True))[desk.cast["new_student"]].outcome == "seated"
    assert await refused(grant_seat(desk)) == "has_seat"
    (line,) = await audited(desk, "grant_seat")
    assert (line.before, line.after) == (None, {"status": "active", "reason": WHY})


async def test_a_grace_and_an_offer_become_a_seat(desk: SeatDesk) -> None:
    await use_up(desk, desk.cast.packs["student"])
    await grant_seat(desk, "student")
    assert await desk.status("student") is SeatStatus.ACTIVE
    await desk.capacity(1)
    await desk.join("other_student")
    await desk.capacity(2)
    await desk.offer()
    await grant_seat(desk, "other_student")
    assert await desk.status("other_student") is SeatStatus.ACTIVE
    assert await desk.places(left=False) == {}


async def test_the_last_seat_goes_to_one_of_many(desk: SeatDesk) -> None:
    await desk.capacity(2)
    students = await desk.newcomers(6)

    async def give(student_id: Any) -> None:
        async with as_admin(desk.database, desk.cast) as uow:
            await giving.grant_seat(uow, desk.mentor_id, student_id, reason=WHY)

    answers = await asyncio.gather(*(give(id_) for id_ in students), return_exceptions=True)
    assert [answer.code for answer in answers if isinstance(answer, Refused)] == ["sold_out"] * 5
    assert len(await desk.seats()) == 2


async def test_a_released_seat_goes_to_who_waits_and_the_sessions_stay(desk: SeatDesk) -> None:
    await desk.capacity(1)
    await desk.join("new_student")
    await release(desk)
    assert await desk.status("student") is None
    assert (await pack(desk.database, desk.cast.packs["student"])).remaining_sessions == 4
    (line,) = await audited(desk, "release_seat")
    assert (line.before, line.after) == ({"status": "active"}, {"status": "released", "reason": WHY})
    assert (await desk.sql("select 1 from outbox where type = 'seats/offer' and state = 'new'")) != []
    await desk.offer()
    assert await desk.status("new_student") is SeatStatus.OFFERED


async def test_a_seat_with_booked_sessions_stays(desk: SeatDesk) -> None:
    await book(desk, desk.cast.packs["student"], NOON)
    assert await refused(release(desk)) == "has_sessions"


async def test_offers_and_holds_have_their_own_way_out(desk: SeatDesk) -> None:
    await desk.hold("new_student")
    assert await refused(release(desk, SeatStatus.HELD, "new_student")) == "seat_held"
    await desk.give_back("new_student")
    await desk.capacity(1)
    await desk.join("new_student")
    await desk.capacity(2)
    await desk.offer()
    assert await refused(release(desk, SeatStatus.OFFERED, "new_student")) == "seat_offered"


async def test_a_seat_that_changed_meanwhile_stays(desk: SeatDesk) -> None:
    assert await refused(release(desk, SeatStatus.GRACE)) == "seat_changed"
    (seat,) = await desk.seats()
    await desk.release("student")
    await desk.take("student")
    with pytest.raises(Refused) as caught:
        async with as_admin(desk.database, desk.cast) as uow:
            await giving.release_seat(uow, seat.id, reason=WHY, seen=SeatStatus.ACTIVE)
    assert caught.value.detail.startswith("The seat is released by now.")


async def test_what_nobody_knows_is_not_found(desk: SeatDesk) -> None:
    async with as_admin(desk.database, desk.cast) as uow:
        with pytest.raises(NotFound):
            await giving.release_seat(uow, new_id(), reason=WHY, seen=SeatStatus.ACTIVE)
        with pytest.raises(NotFound):
            await giving.grant_seat(uow, new_id(), desk.cast["student"], reason=WHY)


@pytest.mark.parametrize("who", ["student", "other_student", "other_mentor", "anonymous"])
async def test_the_database_lets_nobody_else_release(desk: SeatDesk, who: str) -> None:
    (seat,) = await desk.seats()
    with pytest.raises(AppError):
        async with desk.database.unit_of_work(desk.cast.principal(who)) as uow, uow.transaction():
            await giving.release_seat(uow, seat.id, reason=WHY, seen=SeatStatus.ACTIVE)
    assert await desk.status("student") is SeatStatus.ACTIVE


async def test_both_are_told_what_becomes_of_the_sessions(desk: SeatDesk, settings: Settings) -> None:
    await release(desk)
    await grant_seat(desk, "student")
    mailer = Mailer.of(settings)
    told = []
    for kind in ("seat_taken", "seat_granted"):
        (event,) = await desk.sql("select payload from outbox where payload->>'kind' = :kind", kind=kind)
        for message in await composed(desk.database, settings, kind, event.payload):
            mail = mailer.compose(kind, message.address, message.context)
            told.append((message.address, mail["subject"]))
            assert "4 sessions" in mail["text"]
    assert told == [
        ("student@example.test", "Your seat with Mentor was released"),
        ("mentor@example.test", "The seat of Student was released"),
        ("student@example.test", "You have a seat with Mentor"),
        ("mentor@example.test", "Student has a seat with you"),
    ]
