"""What one asker is offered by one mentor, and why not the rest: the slot engine on one situation."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Final
from uuid import UUID

from app.booking import repository, rules, slots
from app.booking.refusals import Refusal
from app.booking.situation import MentorView, Situation
from app.booking.slots import Sifted, Slot, Snapshot
from app.core import clock
from app.core.unit_of_work import Role, UnitOfWork

REVOKED: Final = "calendar_revoked"
MARGIN: Final = int(repository.MARGIN.total_seconds())


@dataclass(frozen=True)
class Offers:
    """A situation at a moment of business time. Instants are epoch seconds, windows half-open.

    `student`: the asker could book here if rules allow; others only look.
    """

    situation: Situation
    now: int
    student: bool
    _known: dict[tuple[int, int], Sifted] = field(default_factory=dict, compare=False, repr=False)

    @property
    def mentor(self) -> MentorView:
        """The mentor asked about."""
        return self.situation.mentor

    @cached_property
    def refusal(self) -> Refusal | None:
        """Why this asker can book nothing at all."""
        return rules.standing(self.situation, self.now, unchanged="") if self.student else None

    @property
    def bookable(self) -> bool:
        """True if the asker can book what is offered."""
        return self.student and self.refusal is None

    @property
    def revoked(self) -> bool:
        """True while the mentor's calendar can't be asked: nothing is offered then."""
        return self.mentor.calendar == "revoked"

    @cached_property
    def _snapshot(self) -> Snapshot:
        return self.situation.snapshot(rules.valid_until(self.situation.packs, self.now))

    def between(self, start: int, end: int) -> list[Slot]:
        """Slots on offer that start in the window; for those who can't book anything the mentor's free times."""
        return [] if self.revoked else self._sifted(start, end).offered

    def closed(self, start: int, end: int) -> list[tuple[int, int, str]]:
        """Times that are not on offer as (start, end, first reason), sorted."""
        found = self._sifted(start, end)
        if not self.revoked:
            return [*found.closed]
        return sorted([*found.closed, *((slot.start, slot.end, REVOKED) for slot in found.offered)])

    def _sifted(self, start: int, end: int) -> Sifted:
        known = self._known.get((start, end))
        if known is None:
            known = slots.sift(self.mentor.rules, self._near(start, end), self.now, start, end)
            self._known[start, end] = known
        return known

    def _near(self, start: int, end: int) -> Snapshot:
        """What can matter in the window: sorting what lies elsewhere would cost more than a day's slots do."""
        since, until, all_ = start - MARGIN, end + MARGIN, self._snapshot
        return Snapshot(
            busy=[span for span in all_.busy if span[0] < until and span[1] > since],
            blocked=[span for span in all_.blocked if span[0] < until and span[1] > since],
            own=[span for span in all_.own if span[0] < until and span[1] > since],
            valid_until=all_.valid_until,
        )


async def offers(
    uow: UnitOfWork,
    mentor_id: UUID,
    start: datetime,
    end: datetime,
    *,
    to_horizon: bool = False,
    moving: UUID | None = None,
) -> Offers:
    """What the asker that `uow` is bound to is offered in [start, end), or on to the mentor's horizon. One query.

    `moving`: the session that is to be moved there; the window must reach it. Raises NotFound.
    """
    now = clock.now()
    student_id = uow.principal.user_id if uow.principal.role == Role.STUDENT else None
    found = await repository.situation(
        uow, mentor_id, student_id, start, end, horizon_from=now if to_horizon else None
    )
    if moving is not None:
        found = found.with_moving(moving)
    return Offers(found, int(now.timestamp()), student_id is not None)


@lru_cache(maxsize=8192)
def instant(seconds: int) -> datetime:
    """Epoch seconds as an aware UTC datetime. Kept: slots lie on the half hour, everybody asks for the same ones."""
    return datetime.fromtimestamp(seconds, UTC)
