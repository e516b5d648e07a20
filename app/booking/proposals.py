"""Proposed times: a mentor would rather meet at another time, and the student answers. Only students move sessions.

What is proposed for a session is closed by whatever else happens to it (`repository.change`): accepted if it moves to
the proposed time, else withdrawn.
"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from app.booking import proposals_repository, proposals_times, repository, rules
from app.booking.book import admit, now_seconds
from app.booking.facts import SessionFacts, SessionRow
from app.booking.models import MoveProposal, ProposalStatus
from app.booking.move import reschedule
from app.booking.proposals_repository import Proposal
from app.booking.refusals import NOT_MOVED, NOT_PROPOSED, demand, refusal
from app.booking.transactions import decided
from app.calendars.google import Google
from app.core import audit, clock
from app.core.db import Database
from app.core.errors import Forbidden
from app.core.templating import iso
from app.core.unit_of_work import Role, UnitOfWork
from app.notifications import telling

SAME_TIME = "The session starts then already."


async def open_of_student(uow: UnitOfWork) -> list[Proposal]:
    """What the student that `uow` is bound to has to answer, by the session's start. One query.

    Context `proposals` of booking/_proposals.html.
    """
    return await proposals_repository.open_where(uow, MoveProposal.student_id == uow.user_id)


async def open_of_mentor(uow: UnitOfWork) -> list[Proposal]:
    """What the mentor that `uow` is bound to waits for, by the session's start. One query."""
    return await proposals_repository.open_where(uow, MoveProposal.mentor_id == uow.user_id)


async def open_of_session(uow: UnitOfWork, session_id: UUID) -> Proposal | None:
    """The session's proposal that waits for an answer, for whoever may see the session. One query."""
    found = await proposals_repository.open_where(uow, MoveProposal.session_id == session_id)
    return found[0] if found else None


async def propose(uow: UnitOfWork, session_id: UUID, start: datetime) -> UUID:
    """Propose `start` (UTC) for a session of the mentor that `uow` is bound to, in place of an earlier proposal; commit.

    The student is told. Returns the proposal's id; the same proposal again is the one that is open. Raises NotFound,
    Forbidden for anybody but a mentor, BookingRefused: not_scheduled, already_started, or why the student couldn't book
    that time.
    """
    if uow.principal.role != Role.MENTOR:
        raise Forbidden
    return await decided(uow, lambda: _propose(uow, session_id, start.astimezone(UTC)), NOT_PROPOSED)


async def _propose(uow: UnitOfWork, session_id: UUID, start: datetime) -> UUID:
    seen = await repository.find(uow.session, session_id)
    await repository.queue_up(uow.session, seen.mentor_id, seen.student_id)
    row = await repository.find(uow.session, session_id, lock=True)
    earlier = await proposals_repository.open_of(uow.session, row.id)
    if earlier is not None and earlier[1] == start:
        return earlier[0]
    demand(rules.refusal_to_propose(row.status, row.start_seconds, now_seconds()))
    if start == row.scheduled_at:
        demand(refusal("slot_not_offered", NOT_PROPOSED, why=SAME_TIME))
    offers = await proposals_times.offers_to(uow, row, start, start)
    admit(offers.situation, start, NOT_PROPOSED)
    if earlier is not None:
        await proposals_repository.decide(uow.session, row.id, ProposalStatus.WITHDRAWN)
    proposal_id = await put(uow, row, start, clock.now())
    await _tell(uow, "move_proposed", row, proposal_id, start)
    return proposal_id


async def put(uow: UnitOfWork, row: SessionRow, start: datetime, at: datetime) -> UUID:
    """Write an open proposal, made at `at`, in the caller's transaction, which has checked it and tells the student."""
    values = {
        "session_id": row.id,
        "mentor_id": row.mentor_id,
        "student_id": row.student_id,
        "starts_at": start,
    }
    await audit.record(uow, "propose", "sessions", row.id, None, {"start": iso(start)})
    return await proposals_repository.add(uow.session, values, at)


async def withdraw(uow: UnitOfWork, session_id: UUID) -> bool:
    """Take back what the mentor that `uow` is bound to proposed, and commit; the student is told.

    False if nothing is open. Raises NotFound, Forbidden for anybody but a mentor.
    """
    if uow.principal.role != Role.MENTOR:
        raise Forbidden
    return await _close(uow, session_id, ProposalStatus.WITHDRAWN, "proposal_withdrawn")


async def decline(uow: UnitOfWork, session_id: UUID, proposal_id: UUID) -> None:
    """The student that `uow` is bound to keeps the session where it is; commit. Its mentor is told.

    Raises NotFound, Forbidden for anybody but a student, BookingRefused("proposal_closed") unless it was declined before.
    """
    if uow.principal.role != Role.STUDENT:
        raise Forbidden
    if not await _close(uow, session_id, ProposalStatus.DECLINED, "proposal_declined", proposal_id):
        found = await proposals_repository.one(uow.session, session_id, proposal_id)
        if found.status is not ProposalStatus.DECLINED:
            demand(refusal("proposal_closed", NOT_MOVED))


async def accept(
    uow: UnitOfWork, database: Database, google: Google, session_id: UUID, proposal_id: UUID
) -> SessionFacts:
    """Move the session of the student that `uow` is bound to where its mentor proposes, and commit: as `reschedule`.

    The time must still be offered. Raises NotFound, Forbidden for anybody but a student, Unavailable, BookingRefused:
    proposal_closed, slot_taken, or another of a move's; nothing is changed then.
    """
    if uow.principal.role != Role.STUDENT:
        raise Forbidden
    found = await proposals_repository.one(uow.session, session_id, proposal_id)
    return await reschedule(
        uow, database, google, session_id=session_id, start=found.starts_at, proposal_id=proposal_id
    )


async def _close(
    uow: UnitOfWork, session_id: UUID, status: ProposalStatus, kind: str, proposal_id: UUID | None = None
) -> bool:
    """Close the session's open proposal, if it is that one, and say so. False if there is none."""

    async def change() -> bool:
        row = await repository.find(uow.session, session_id, lock=True)
        open_ = await proposals_repository.open_of(uow.session, row.id)
        if open_ is None or proposal_id not in (None, open_[0]):
            return False
        await proposals_repository.decide(uow.session, row.id, status)
        action = "decline" if status is ProposalStatus.DECLINED else "withdraw"
        await audit.record(uow, action, "move_proposals", open_[0], None, {"session_id": str(row.id)})
        await _tell(uow, kind, row, *open_)
        return True

    return await decided(uow, change, NOT_MOVED)


async def _tell(uow: UnitOfWork, kind: str, row: SessionRow, proposal_id: UUID, start: datetime) -> None:
    payload = {
        "session_id": row.id,
        "proposal_id": proposal_id,
        "start": iso(row.scheduled_at),
        "end": iso(row.ends_at),
        "proposed": iso(start),
    }
    await telling.tell(uow, kind, payload)
