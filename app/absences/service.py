"""Being away: look at what it would do, do all of it at once or nothing, and take it back.

Whoever goes away waits for every booking under way (the mentor's lock) and holds off the next: afterwards no session
lies on the days that wasn't seen, and none can be booked there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from app.absences import plan as plans
from app.absences import preview as previews
from app.absences import repository, telling
from app.absences.models import Absence
from app.absences.plan import Choice, Planned, Wish
from app.absences.preview import Preview, instant
from app.absences.rules import Days
from app.booking import proposals, proposals_repository
from app.booking import repository as booking
from app.booking.cancel import cancel_within
from app.booking.models import ProposalStatus
from app.booking.transactions import decided
from app.core import audit, clock
from app.core.errors import Invalid, Refused
from app.core.ids import new_id
from app.core.templating import iso
from app.core.unit_of_work import UnitOfWork
from app.mentors import service as mentors
from app.packs import expiry

NOT_AWAY: Final = "You are not away yet; nothing was changed."


class Changed(Refused):
    """What the preview showed is different now. `preview`: as it is now; `new`: sessions that weren't shown, or
    elsewhere; `gone`: how many of those shown are no longer there."""

    def __init__(self, preview: Preview, new: Sequence[UUID], gone: int) -> None:
        super().__init__("changed_meanwhile", f"Something changed since you looked. {NOT_AWAY}")
        self.preview, self.new, self.gone = preview, frozenset(new), gone


async def absences(uow: UnitOfWork) -> Sequence[Absence]:
    """All of the mentor that `uow` is bound to, the latest first."""
    return await repository.of_mentor(uow.session, uow.user_id)


async def preview(uow: UnitOfWork, wish: Wish) -> Preview:
    """What an absence of the mentor that `uow` is bound to would do; nothing is changed. Eight queries.

    Raises Invalid where the mentor is away on one of the days already.
    """
    await _refuse_overlap(uow, wish.days)
    ground = await previews.ground(uow, wish.days)
    return previews.of(ground, wish, plans.plan(ground, wish))


async def confirm(
    uow: UnitOfWork, wish: Wish, seen: Mapping[UUID, int], choices: Mapping[UUID, Choice]
) -> Preview:
    """The mentor that `uow` is bound to is away: propose, cancel, extend and tell as chosen, and commit.

    `seen`: the sessions that the preview showed, with their starts. Returns what was done. Raises Invalid, Changed,
    BookingRefused; nothing is changed then.
    """
    return await decided(uow, lambda: _confirm(uow, wish, seen, choices), NOT_AWAY)


async def _confirm(
    uow: UnitOfWork, wish: Wish, seen: Mapping[UUID, int], choices: Mapping[UUID, Choice]
) -> Preview:
    await booking.queue_up_mentor(uow.session, uow.user_id)
    await _refuse_overlap(uow, wish.days)
    await repository.lock_pairs(uow.session, uow.user_id)
    ground = await previews.ground(uow, wish.days, lock=True)
    found = previews.of(ground, wish, plans.plan(ground, wish, choices))
    _compare(found, seen)
    at = clock.now()
    absence_id = await _add(uow, found, at)
    for planned in found.planned:
        await _carry_out(uow, planned, at)
    ends = await _extend(uow, found, absence_id)
    await telling.away(uow, absence_id, found, ends)
    return found


def _compare(found: Preview, seen: Mapping[UUID, int]) -> None:
    """Raises Changed unless the sessions are those that were seen, and the chosen times can be had."""
    now = {planned.concerned.session.id: planned.concerned.session.start for planned in found.planned}
    new = [id_ for id_, start in now.items() if seen.get(id_) != start]
    gone = len(seen.keys() - now.keys())
    if new or gone or any(planned.gone is not None for planned in found.planned):
        raise Changed(found, new, gone)


async def _add(uow: UnitOfWork, found: Preview, at: datetime) -> UUID:
    absence_id, wished = new_id(), found.wish.days
    days = {"first_day": wished.first, "last_day": wished.last}
    added = {"days_added": wished.count if found.packs else 0}
    who = {"id": absence_id, "mentor_id": uow.user_id, "created_at": at}
    await repository.add(uow.session, {**who, **days, **added})
    said = {name: day.isoformat() for name, day in days.items()}
    await audit.record(uow, "go_away", "absences", absence_id, None, {**said, **added})
    return absence_id


async def _carry_out(uow: UnitOfWork, planned: Planned, at: datetime) -> None:
    """What was chosen for one session. Proposals of one absence are made at one instant: that of the absence."""
    concerned, choice = planned.concerned, planned.choice
    session_id = concerned.session.id
    if choice == "cancel":
        await cancel_within(uow, session_id)
    elif choice != "keep" and choice != concerned.proposed:
        await proposals_repository.decide(uow.session, session_id, ProposalStatus.WITHDRAWN)
        await proposals.put(uow, await booking.find(uow.session, session_id), instant(choice), at)


async def _extend(uow: UnitOfWork, found: Preview, absence_id: UUID) -> dict[UUID, tuple[datetime, int]]:
    """The packs' days; until when each student's last pack is good now, and by how many days longer."""
    ends: dict[UUID, tuple[datetime, int]] = {}
    for pack_id, student_id, until in await repository.extend(uow.session, found.packs):
        await expiry.watch(uow, pack_id, until)
        days = found.packs[pack_id]
        ends[student_id] = max((until, days), ends.get(student_id, (until, days)))
        why = {"expires_at": iso(until), "days": days, "absence_id": str(absence_id)}
        await audit.record(uow, "extend", "session_packs", pack_id, None, why)
    return ends


async def _refuse_overlap(uow: UnitOfWork, days: Days) -> None:
    other = await repository.overlapping(uow.session, uow.user_id, days)
    if other is not None:
        raise Invalid({"first_day": f"You are away from {other.first_day} to {other.last_day} already."})


async def end(uow: UnitOfWork, absence_id: UUID) -> None:
    """Take an absence of the mentor that `uow` is bound to back, and commit: its days are free again.

    What was proposed because of it is withdrawn where the session still is in its old place, and those students are
    told. Sessions that moved or were canceled stay so, and packs keep their days. Taken back already: nothing happens.
    Raises NotFound, Refused("absence_over").
    """
    await decided(uow, lambda: _end(uow, absence_id), "You are still away; nothing was changed.")


async def _end(uow: UnitOfWork, absence_id: UUID) -> None:
    await booking.queue_up_mentor(uow.session, uow.user_id)
    absence = await repository.find(uow.session, uow.user_id, absence_id, lock=True)
    if absence.ended_at is not None:
        return
    if absence.last_day < await mentors.local_today(uow, uow.user_id):
        raise Refused("absence_over", "That absence is over already. Nothing was changed.")
    await repository.end(uow.session, absence_id, clock.now())
    stay = []
    for session_id in await repository.proposed_at(uow.session, uow.user_id, absence.created_at):
        stay.append(await booking.find(uow.session, session_id, lock=True))
        await proposals_repository.decide(uow.session, session_id, ProposalStatus.WITHDRAWN)
    await audit.record(uow, "come_back", "absences", absence_id)
    await telling.back(uow, absence, stay)
