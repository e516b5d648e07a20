"""Mentors' settings in the database, as each role: mentors change their own and nobody else's."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from app.core import clock
from app.core.db import Database
from app.core.errors import NotFound
from app.mentors import repository, service
from app.mentors.rules import Override, Profile
from tests import cast as casting
from tests.cast import Cast

MORNING = dt.datetime(2027, 3, 9, 8, 0, tzinfo=dt.UTC)
NOBODY_ELSE = ("other_mentor", "student", "anonymous")


@pytest.fixture
async def cast(database: Database) -> Cast:
    return await casting.make(database)


async def settings(database: Database, cast: Cast, person: str = "mentor") -> service.Settings:
    async with database.unit_of_work(cast.principal(person)) as uow:
        return await service.settings(uow, cast["mentor"])


async def test_what_is_saved_is_read_again(database: Database, cast: Cast) -> None:
    before = (await settings(database, cast)).availability
    assert before.hours == {day: [(540, 720), (810, 1080)] for day in range(1, 6)}
    wanted = dataclasses.replace(
        before, hours={7: [(0, 1440)]}, time_zone="Asia/Kathmandu", notice_hours=0, buffer_after_minutes=15
    )
    async with database.unit_of_work(cast.principal("mentor")) as uow:
        await service.change_availability(uow, cast["mentor"], wanted)
        await uow.commit()
    assert (await settings(database, cast)).availability == wanted
    async with database.unit_of_work(cast.principal("mentor")) as uow:
        await service.change_availability(uow, cast["mentor"], dataclasses.replace(wanted, hours=None))
        await uow.commit()
    assert (await settings(database, cast)).availability.hours is None


async def test_overrides_of_days_gone_by_are_not_shown(database: Database, cast: Cast) -> None:
    async with database.unit_of_work(cast.principal("mentor")) as uow:
        for day in (8, 9, 11):
            await service.put_override(uow, cast["mentor"], Override(dt.date(2027, 3, day), [(60, 120)]))
        await service.put_override(uow, cast["mentor"], Override(dt.date(2027, 3, 11), []))
        await uow.commit()
    with clock.standing_at(MORNING):
        found = (await settings(database, cast)).overrides
    assert found == [Override(dt.date(2027, 3, 9), [(60, 120)]), Override(dt.date(2027, 3, 11), [])]


async def test_seats_taken_are_counted(database: Database, cast: Cast) -> None:
    assert (await settings(database, cast)).seats_used == 1


@pytest.mark.parametrize("person", NOBODY_ELSE)
async def test_nobody_else_changes_anything(database: Database, cast: Cast, person: str) -> None:
    before = await settings(database, cast)
    async with database.unit_of_work(cast.principal(person)) as uow:
        with pytest.raises(NotFound):
            await service.change_availability(uow, cast["mentor"], before.availability)
        await uow.rollback()
        with pytest.raises(NotFound):
            await service.change_profile(uow, cast["mentor"], Profile("Mine", "", 0))
        await uow.rollback()
        with pytest.raises(NotFound):
            await service.remove_override(uow, cast["mentor"], dt.date(2027, 3, 9))
    assert await settings(database, cast) == before


async def test_somebody_without_a_profile_has_no_settings(database: Database, cast: Cast) -> None:
    async with database.unit_of_work(cast.principal("admin")) as uow:
        with pytest.raises(NotFound):
            await service.settings(uow, cast["student"])


async def test_mentors_are_found_by_their_address(database: Database, cast: Cast) -> None:
    async with database.unit_of_work(cast.principal("anonymous")) as uow:
        found = await repository.by_slug(uow, "MENTOR")
        assert found is not None
        assert found.id == cast["mentor"]
        assert await repository.by_slug(uow, "nobody") is None
        assert await repository.by_id(uow, cast["student"]) is None


@pytest.mark.parametrize(
    ("zone", "date"), [("Pacific/Kiritimati", 10), ("Europe/Lisbon", 9), ("Pacific/Pago_Pago", 8)]
)
def test_today_depends_on_the_zone(zone: str, date: int) -> None:
    with clock.standing_at(dt.datetime(2027, 3, 9, 10, 30, tzinfo=dt.UTC)):
        assert service.today(zone) == dt.date(2027, 3, date)
