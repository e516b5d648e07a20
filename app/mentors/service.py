"""What mentors set: when they teach, for how many, and how they are introduced."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from whenever import Instant

from app.core import audit, clock
from app.core.errors import NotFound
from app.core.unit_of_work import UnitOfWork
from app.mentors import repository
from app.mentors.hours import WallInterval
from app.mentors.models import Mentor
from app.mentors.rules import Availability, Override, Profile


@dataclass(frozen=True)
class Settings:
    """Everything that a mentor sees of their own on the settings page; `overrides` from their today on."""

    slug: str
    availability: Availability
    overrides: list[Override]
    profile: Profile
    seats_used: int


async def settings(uow: UnitOfWork, mentor_id: UUID) -> Settings:
    """The mentor's settings. Raises NotFound for somebody who is no mentor."""
    mentor = await _mentor(uow, mentor_id)
    rows = await repository.overrides_from(uow, mentor_id, today(mentor.time_zone))
    return Settings(
        slug=mentor.slug,
        availability=availability_of(mentor),
        overrides=[Override(row.date, [_interval(pair) for pair in row.intervals]) for row in rows],
        profile=Profile(mentor.headline, mentor.bio, mentor.max_active_students),
        seats_used=await repository.seats_in_use(uow, mentor_id),
    )


async def change_availability(uow: UnitOfWork, mentor_id: UUID, wanted: Availability) -> None:
    """Save when and how the mentor teaches; sessions already booked keep their times. Raises NotFound."""
    values = {
        "time_zone": wanted.time_zone,
        "working_hours": None if wanted.hours is None else _stored(wanted.hours),
        "notice_minutes": wanted.notice_hours * 60,
        "horizon_days": wanted.horizon_days,
        "session_minutes": wanted.session_minutes,
        "step_minutes": wanted.step_minutes,
        "buffer_before_minutes": wanted.buffer_before_minutes,
        "buffer_after_minutes": wanted.buffer_after_minutes,
    }
    await _change(uow, mentor_id, values)


async def change_profile(uow: UnitOfWork, mentor_id: UUID, wanted: Profile) -> None:
    """Save introduction and number of seats; fewer than are taken only stops new ones. Raises NotFound."""
    before = (await _mentor(uow, mentor_id)).max_active_students
    values = {
        "headline": wanted.headline,
        "bio": wanted.bio,
        "max_active_students": wanted.max_active_students,
    }
    await _change(uow, mentor_id, values)
    if before != wanted.max_active_students:
        await audit.record(
            uow,
            "change_seats",
            "mentors",
            mentor_id,
            before={"max_active_students": before},
            after={"max_active_students": wanted.max_active_students},
        )
        await uow.emit("seats/offer", {"mentor_id": mentor_id})


async def put_override(uow: UnitOfWork, mentor_id: UUID, wanted: Override) -> None:
    """Keep other hours for one date, in place of earlier ones for it."""
    await repository.put_override(uow, mentor_id, wanted.date, [list(pair) for pair in wanted.intervals])


async def remove_override(uow: UnitOfWork, mentor_id: UUID, day: dt.date) -> None:
    """Let the weekly hours hold on that date again. Raises NotFound if there is no override."""
    if not await repository.drop_override(uow, mentor_id, day):
        raise NotFound("That day follows the weekly hours already.")


async def local_today(uow: UnitOfWork, mentor_id: UUID) -> dt.date:
    """Today's date where the mentor is. Raises NotFound."""
    return today((await _mentor(uow, mentor_id)).time_zone)


def today(time_zone: str) -> dt.date:
    """The date in a zone at this moment of business time."""
    return Instant(clock.now()).to_tz(time_zone).date().to_stdlib()


def availability_of(mentor: Mentor) -> Availability:
    """A mentor's row as the settings have it; a notice that isn't whole hours is rounded up."""
    return Availability(
        time_zone=mentor.time_zone,
        hours=None if mentor.working_hours is None else _hours(mentor.working_hours),
        notice_hours=-(-mentor.notice_minutes // 60),
        horizon_days=mentor.horizon_days,
        session_minutes=mentor.session_minutes,
        step_minutes=mentor.step_minutes,
        buffer_before_minutes=mentor.buffer_before_minutes,
        buffer_after_minutes=mentor.buffer_after_minutes,
    )


async def _mentor(uow: UnitOfWork, mentor_id: UUID) -> Mentor:
    mentor = await repository.by_id(uow, mentor_id)
    if mentor is None:
        raise NotFound
    return mentor


async def _change(uow: UnitOfWork, mentor_id: UUID, values: dict[str, Any]) -> None:
    if not await repository.change(uow, mentor_id, values):
        raise NotFound


def _stored(hours: dict[int, list[WallInterval]]) -> dict[str, list[list[int]]]:
    return {str(day): [list(pair) for pair in spans] for day, spans in hours.items()}


def _hours(stored: dict[str, list[list[int]]]) -> dict[int, list[WallInterval]]:
    return {int(day): [_interval(pair) for pair in spans] for day, spans in stored.items()}


def _interval(pair: list[int]) -> WallInterval:
    start, end = pair
    return start, end
