"""What a student without sessions would be offered, also with settings that aren't saved yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Final
from uuid import UUID

import msgspec
from whenever import Instant

from app.booking import repository, slots
from app.booking.situation import MentorView, Situation
from app.booking.slots import Slot
from app.core import clock
from app.core.templating import day_in
from app.core.unit_of_work import UnitOfWork
from app.mentors.rules import Availability

DAYS_SHOWN: Final = 7
_STRETCH: Final = timedelta(days=28)

REVOKED: Final = "Nothing for now: Google Calendar has to be connected again before anybody can book."
NEVER_OPEN: Final = "Nothing yet. Add hours, or connect Google Calendar and offer every free time."
NOTHING_FREE: Final = (
    "Nothing is free within {days} days: hours, calendar, notice and buffers leave no room for a session."
)


@dataclass(frozen=True)
class Day:
    """A local date of the mentor's and what is offered on it; `starts` are UTC."""

    label: str
    starts: list[datetime]

    @property
    def count(self) -> int:
        """How many starts."""
        return len(self.starts)


@dataclass(frozen=True)
class Preview:
    """As templates/mentors/_preview.html takes it: the next days with offers, or why there are none."""

    zone: str
    days: list[Day]
    problem: str | None = None
    unsaved: bool = False


async def preview(uow: UnitOfWork, mentor_id: UUID, unsaved: Availability | None = None) -> Preview:
    """What the mentor's students would be offered, by the saved settings or by unsaved ones.

    Raises NotFound.
    """
    now = clock.now()
    days = unsaved.horizon_days if unsaved else 0
    until = now + timedelta(days=days)
    situation = await repository.situation(uow, mentor_id, None, now, until, horizon_from=now)
    mentor = situation.mentor if unsaved is None else _with(situation.mentor, unsaved)
    shown = [] if mentor.calendar == "revoked" else _days(mentor, situation, int(now.timestamp()))
    problem = None if shown else _problem(mentor)
    return Preview(mentor.time_zone, shown, problem, unsaved is not None)


def unreadable(zone: str, problem: str) -> Preview:
    """In place of a preview: what is wrong with the fields."""
    return Preview(zone, [], problem, True)


def _with(mentor: MentorView, unsaved: Availability) -> MentorView:
    return msgspec.structs.replace(
        mentor,
        time_zone=unsaved.time_zone,
        hours=unsaved.hours,
        notice_minutes=unsaved.notice_hours * 60,
        horizon_days=unsaved.horizon_days,
        session_minutes=unsaved.session_minutes,
        step_minutes=unsaved.step_minutes,
        buffer_before_minutes=unsaved.buffer_before_minutes,
        buffer_after_minutes=unsaved.buffer_after_minutes,
    )


def _days(mentor: MentorView, situation: Situation, now: int) -> list[Day]:
    """The first days with offers.

    Weeks are looked at one after the other: the first ones are enough as a rule.
    """
    days: list[Day] = []
    for label, group in groupby(_offers(mentor, situation, now), lambda slot: _label(slot, mentor.time_zone)):
        if len(days) == DAYS_SHOWN:
            break
        days.append(Day(label, [datetime.fromtimestamp(slot.start, UTC) for slot in group]))
    return days


def _offers(mentor: MentorView, situation: Situation, now: int) -> Iterator[Slot]:
    rules, snapshot = mentor.rules, situation.snapshot(None)
    stretch = int(_STRETCH.total_seconds())
    for start in range(now, now + mentor.horizon_days * 86_400, stretch):
        yield from slots.offered(rules, snapshot, now, start, start + stretch)


def _label(slot: Slot, zone: str) -> str:
    """`Tue 24 Nov`."""
    return day_in(Instant.from_timestamp(slot.start).to_stdlib(), zone).rpartition(" ")[0]


def _problem(mentor: MentorView) -> str:
    if mentor.calendar == "revoked":
        return REVOKED
    return NEVER_OPEN if mentor.rules.never_open else NOTHING_FREE.format(days=mentor.horizon_days)
