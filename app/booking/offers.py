"""What one asker is offered by one mentor, and why not the rest: the slot engine on one situation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Final
from uuid import UUID

from app.booking import repository, rules, slots
from app.booking.refusals import Refusal
from app.booking.situation import MentorView, Situation
from app.booking.slots import Slot, Snapshot
from app.core import clock
from app.core.unit_of_work import Role, UnitOfWork

REVOKED: Final = "calendar_revoked"


@dataclass(frozen=True)
class Offers:
    """A situation at a moment of business time. Instants are epoch seconds, windows half-open.

    `student`: the asker could book here if rules allow; others only look.
    """

    situation: Situation
    now: int
    student: bool

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
        return [] if self.revoked else self._free(start, end)

    def closed(self, start: int, end: int) -> list[tuple[Slot, str]]:
        """Times that are not on offer with the first reason of each, sorted."""
        found = slots.explain(self.mentor.rules, self._snapshot, self.now, start, end)
        closed: list[tuple[Slot, str]] = [(Slot(time.start, time.end), time.reason) for time in found]
        if self.revoked:
            closed += [(slot, REVOKED) for slot in self._free(start, end)]
        return sorted(closed)

    def _free(self, start: int, end: int) -> list[Slot]:
        return slots.offered(self.mentor.rules, self._snapshot, self.now, start, end)


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
        uow.session, mentor_id, student_id, start, end, horizon_from=now if to_horizon else None
    )
    if moving is not None:
        found = found.with_moving(moving)
    return Offers(found, int(now.timestamp()), student_id is not None)


def instant(seconds: int) -> datetime:
    """Epoch seconds as an aware UTC datetime."""
    return datetime.fromtimestamp(seconds, UTC)
