"""What a mentor looks at before being away: read at one moment, planned, and how many packs and students it is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from app.absences import repository
from app.absences.plan import Concerned, Ground, Planned, Wish, losing_days
from app.absences.rules import Days, touches
from app.booking import proposals_repository, proposals_times
from app.booking import repository as booking
from app.booking.slots import blocked_range
from app.core import clock
from app.core.unit_of_work import UnitOfWork


@dataclass(frozen=True)
class Preview:
    """What an absence would do, or did. `packs`: those that get days, and how many. `had`: how many packs got some of its
    days before. `holders`: students with a pack that loses days. `told`: the students who hear of it."""

    wish: Wish
    mentor_zone: str
    planned: list[Planned]
    packs: dict[UUID, int]
    had: int
    holders: int
    told: list[UUID]


def of(ground: Ground, wish: Wish, planned: list[Planned]) -> Preview:
    """The preview of a plan. Who has a pack that loses days, or a session on them, is told."""
    losing = losing_days(ground, wish)
    holders = {student for student, packs in ground.packs.items() if any(pack.id in losing for pack in packs)}
    concerned = {one.student_id for one in ground.sessions}
    return Preview(
        wish=wish,
        mentor_zone=ground.mentor.mentor.time_zone,
        planned=planned,
        packs={pack: days for pack, days in losing.items() if wish.extend and days},
        had=sum(wish.extend and days < wish.days.count for days in losing.values()),
        holders=len(holders),
        told=sorted(holders | concerned),
    )


async def ground(uow: UnitOfWork, days: Days, *, lock: bool = False) -> Ground:
    """What the plan of the mentor that `uow` is bound to stands on. `lock`: the sessions stay as they are found."""
    now, mentor_id = clock.now(), uow.user_id
    mentor = await booking.situation(uow, mentor_id, None, now, now, horizon_from=now)
    sessions = await _concerned(uow, days, mentor.mentor.time_zone, now, lock=lock)
    students = sorted({one.student_id for one in sessions})
    promised = await proposals_repository.open_times(uow.session, mentor_id)
    rules = mentor.mentor.rules
    return Ground(
        mentor=mentor,
        sessions=sessions,
        packs=await repository.spendable(uow.session, mentor_id, now),
        seats=await repository.seats(uow.session, mentor_id),
        taken=await proposals_times.taken_by(uow, students, now, now + mentor.mentor.horizon),
        promised={id_: blocked_range(rules, int(start.timestamp())) for id_, start in promised},
        given=await repository.given(uow.session, mentor_id, days),
        now=int(now.timestamp()),
    )


async def _concerned(uow: UnitOfWork, days: Days, zone: str, now: datetime, *, lock: bool) -> list[Concerned]:
    """Sessions still to come on the days."""
    span = days.span(zone)
    if span is None:
        return []
    since, until = instant(span[0]), instant(span[1])
    found = await repository.sessions_between(uow.session, uow.user_id, since, until, lock=lock)
    return [
        one
        for one in found
        if one.session.start > now.timestamp() and touches(days, zone, one.session.start, one.session.end)
    ]


def instant(seconds: int) -> datetime:
    """Epoch seconds as an aware UTC datetime."""
    return datetime.fromtimestamp(seconds, UTC)
