"""The waitlist: first come, first served, whatever else happens to the seats at the same time."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.core import clock
from app.core.errors import NotFound, Refused
from app.core.ids import new_id
from app.mentors import service as mentors
from app.mentors.rules import Profile
from app.packs import waitlist
from app.packs.models import SeatStatus
from tests.packs.support import SeatDesk

DAY = timedelta(hours=24)


@pytest.fixture
async def full(desk: SeatDesk) -> SeatDesk:
    """The student has the mentor's only seat."""
    await desk.capacity(1)
    return desk


async def refused(code: str, attempt: object) -> None:
    with pytest.raises(Refused) as caught:
        await attempt  # type: ignore[misc]
    assert caught.value.code == code


async def test_waiting_is_for_those_who_can_not_buy(desk: SeatDesk) -> None:
    await refused("seat_free", desk.join("new_student"))
    await refused("has_seat", desk.join("student"))
    async with desk.database.unit_of_work(desk.student("new_student")) as uow:
        with pytest.raises(NotFound):
            await waitlist.join(uow, new_id(), desk.cast["new_student"])
    await desk.capacity(1)
    await desk.join("new_student")
    assert list(await desk.places(left=False)) == [desk.cast["new_student"]]


async def test_joining_at_once_is_joining_once(full: SeatDesk) -> None:
    await asyncio.gather(*(full.join("new_student") for _ in range(8)))
    rows = await full.sql("select student_id from waitlist")
    assert [row.student_id for row in rows] == [full.cast["new_student"]]


async def test_two_seats_go_to_the_first_two_in_order(desk: SeatDesk) -> None:
    first, second, third, *others = await desk.newcomers(5)
    await desk.capacity(3)
    for id_ in others:
        await desk.take(id_)
    for id_ in (first, second, third):
        await desk.join(id_)
    for id_ in others:
        await desk.release(id_)
    offers = await asyncio.gather(*(desk.offer() for _ in range(4)))
    assert sorted(offers) == [0, 0, 0, 2]
    assert [await desk.status(id_) for id_ in (first, second, third)] == [
        SeatStatus.OFFERED,
        SeatStatus.OFFERED,
        None,
    ]
    assert await desk.told() == ["seat_offered"] * 2


async def test_nobody_jumps_the_queue(full: SeatDesk) -> None:
    waiting, late = await full.newcomers(2)
    await full.join(waiting)
    await full.release("student")
    # The seat is free, and not yet offered: it is kept for who waits, who may also just buy.
    await refused("sold_out", full.hold(late))
    await full.join(late)
    await full.hold(waiting)
    assert await full.status(waiting) is SeatStatus.HELD
    assert await full.offer() == 0


async def test_who_did_not_pay_after_all_keeps_their_place(full: SeatDesk) -> None:
    waiting, next_ = await full.newcomers(2)
    await full.join(waiting)
    await full.join(next_)
    await full.release("student")
    await full.hold(waiting)
    assert await full.offer() == 0
    await full.give_back(waiting)
    assert await full.offer() == 1
    assert await full.status(waiting) is SeatStatus.OFFERED
    assert await full.told() == ["seat_offered"]


async def test_an_offer_lapses_and_goes_to_the_next(full: SeatDesk) -> None:
    first, second = await full.newcomers(2)
    await full.join(first)
    await full.join(second)
    await full.release("student")
    began = clock.now()
    with clock.standing_at(began):
        await full.offer()
    with clock.standing_at(began + DAY - timedelta(seconds=1)):
        await full.expire()
        assert await full.status(first) is SeatStatus.OFFERED
    with clock.standing_at(began + DAY):
        await full.expire()
        await full.expire()
        assert (await full.status(first), await full.offer()) == (None, 1)
    assert await full.status(second) is SeatStatus.OFFERED
    assert (await full.places(left=True))[first].outcome == "lapsed"
    assert await full.told() == ["seat_offered", "offer_lapsed", "seat_offered"]


async def test_a_deleted_account_keeps_its_place_and_keeps_nobody_waiting(full: SeatDesk) -> None:
    first, second, third = await full.newcomers(3)
    await full.join(first)
    await full.join(second)
    await full.sql(f"update users set deleted_at = now() where id = '{first}' returning id")
    await full.release("student")
    await full.offer()
    assert (await full.status(first), await full.status(second)) == (None, SeatStatus.OFFERED)
    await full.capacity(2)
    open_to = f"select seats_open_to('{full.cast['mentor']}', '{third}') as seats"
    assert [row.seats for row in await full.sql(open_to)] == [1]
    await full.sql(f"update users set deleted_at = null where id = '{first}' returning id")
    assert [row.seats for row in await full.sql(open_to)] == [0]
    await full.offer()
    assert await full.status(first) is SeatStatus.OFFERED


async def test_an_offer_that_ends_during_the_checkout_lapses_with_it(full: SeatDesk) -> None:
    (waiting,) = await full.newcomers(1)
    await full.join(waiting)
    await full.release("student")
    began = clock.now()
    with clock.standing_at(began):
        await full.offer()
    with clock.standing_at(began + DAY - timedelta(minutes=5)):
        await full.hold(waiting)
    with clock.standing_at(began + DAY - timedelta(minutes=1)):
        await full.give_back(waiting)
        assert await full.status(waiting) is SeatStatus.OFFERED
        await full.hold(waiting)
    with clock.standing_at(began + DAY + timedelta(minutes=10)):
        await full.expire()
        assert await full.status(waiting) is SeatStatus.HELD  # they may be paying just now
        await full.give_back(waiting)
    assert await full.status(waiting) is None
    assert await full.told() == ["seat_offered", "offer_lapsed"]


async def test_leaving_an_offer_gives_the_seat_to_the_next(full: SeatDesk) -> None:
    first, second = await full.newcomers(2)
    await full.join(first)
    await full.join(second)
    await full.release("student")
    await full.offer()
    await full.leave(first)
    assert await full.offer() == 1
    assert await full.status(second) is SeatStatus.OFFERED
    with pytest.raises(NotFound):
        await full.leave(first)


async def test_leaving_during_the_checkout_keeps_the_checkout(full: SeatDesk) -> None:
    (waiting,) = await full.newcomers(1)
    await full.join(waiting)
    await full.release("student")
    await full.offer()
    await full.hold(waiting)
    await full.leave(waiting)
    assert await full.status(waiting) is SeatStatus.HELD
    await full.give_back(waiting)
    assert await full.status(waiting) is None
    assert "offer_lapsed" not in await full.told()


@pytest.mark.parametrize("round_", range(5))
async def test_leaving_and_offering_at_once_leaves_no_seat_behind(full: SeatDesk, round_: int) -> None:
    first, second = await full.newcomers(2)
    await full.join(first)
    await full.join(second)
    await full.release("student")
    await asyncio.gather(full.leave(first), full.offer(), full.offer())
    await full.offer()
    assert await full.status(first) is None
    assert await full.status(second) is SeatStatus.OFFERED


async def test_more_seats_are_offered_at_once(full: SeatDesk) -> None:
    first, second, third = await full.newcomers(3)
    for id_ in (first, second, third):
        await full.join(id_)
    async with full.database.unit_of_work(full.cast.principal("mentor")) as uow, uow.transaction():
        await mentors.change_profile(uow, full.mentor_id, Profile("", "", 3))
    events = await full.sql("select payload->>'mentor_id' as id from outbox where type = 'seats/offer'")
    assert {row.id for row in events} == {str(full.mentor_id)}
    assert await full.offer() == 2
    assert [await full.status(id_) for id_ in (first, second, third)] == ["offered", "offered", None]
    # Fewer seats take nothing from anybody, and are not filled again.
    await full.capacity(1)
    await full.release("student")
    assert await full.offer() == 0


async def test_who_is_given_a_pack_while_waiting_waits_no_longer(full: SeatDesk) -> None:
    waiting, next_ = await full.newcomers(2)
    await full.join(waiting)
    await full.join(next_)
    await full.capacity(2)
    await full.take(waiting)
    assert (await full.places(left=True))[waiting].outcome == "seated"
    # Given at the very moment they joined: their place is found and ended by the next look.
    await full.sql("update waitlist set left_at = null, outcome = null where student_id = :id", id=waiting)
    await full.capacity(3)
    assert await full.offer() == 1
    assert list(await full.places(left=False)) == [next_]


async def test_joining_has_somebody_look_for_a_seat(full: SeatDesk) -> None:
    """A seat that is released between the look and the joining found nobody waiting."""
    await full.join("new_student")
    rows = await full.sql("select 1 from outbox where type = 'seats/offer'")
    assert len(rows) == 1


@pytest.mark.parametrize("by", ["mentor", "admin"])
async def test_removal_is_told_and_traced(full: SeatDesk, by: str) -> None:
    first, second = await full.newcomers(2)
    await full.join(first)
    await full.join(second)
    await full.remove(first, by)
    assert (await full.places(left=True))[first].outcome == "removed"
    assert await full.told() == ["waitlist_removed"]
    (entry,) = await full.sql("select actor_id, action, after from audit_log where subject_type = 'waitlist'")
    assert (entry.actor_id, entry.action, entry.after) == (
        full.cast[by],
        "leave_waitlist",
        {"outcome": "removed"},
    )


@pytest.mark.parametrize("by", ["other_mentor", "new_student", "other_student", "anonymous"])
async def test_nobody_else_removes_anybody(full: SeatDesk, by: str) -> None:
    await full.join("new_student")
    with pytest.raises(NotFound):
        await full.remove("new_student", by)
    assert list(await full.places(left=False)) == [full.cast["new_student"]]


async def named(desk: SeatDesk, who: str) -> list[tuple[str, str | None]]:
    """Name and address of the new student, as far as somebody may know them."""
    query = sa.text("select name, email from people where id = :id")
    async with desk.database.unit_of_work(desk.cast.principal(who)) as uow:
        rows = await uow.session.execute(query, {"id": desk.cast["new_student"]})
        return [(row.name, row.email) for row in rows]


async def test_a_mentor_learns_the_names_of_those_who_wait(full: SeatDesk) -> None:
    await full.join("new_student")
    assert await named(full, "mentor") == [("New Student", None)]
    assert await named(full, "other_mentor") == await named(full, "student") == []
    await full.leave("new_student")
    assert await named(full, "mentor") == []


@pytest.mark.parametrize("gone", ["deleted_at = now()", "role = 'admin'"])
@pytest.mark.parametrize("who", ["mentor", "new_student"])
async def test_who_left_neither_offers_nor_is_offered(full: SeatDesk, who: str, gone: str) -> None:
    await full.join("new_student")
    await full.sql(f"update users set {gone} where id = :id", id=full.cast[who])
    await full.sql("update seat_reservations set status = 'released'")
    assert await full.offer() == 0
    assert await full.told() == []
    await full.sql(
        "update users set deleted_at = null, role = :was where id = :id",
        was=who.removeprefix("new_"),
        id=full.cast[who],
    )
    assert await full.offer() == 1
