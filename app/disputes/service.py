"""Disputes: a student says that a session is marked wrongly; its mentor agrees, or an admin decides.

What is decided is one marking, named by the session's version: once it is marked anew there is nothing left to decide.
Each function is one transaction, which it commits; the session's locks come first, so that of a dispute, an undo and a
decision at the same moment each sees what the others did.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from app.accounts.themselves import require_themselves
from app.booking import lists, reverse
from app.booking import repository as sessions
from app.booking import rules as booking_rules
from app.booking.book import now_seconds
from app.booking.facts import SessionRow
from app.booking.refusals import NOT_MARKED
from app.booking.transactions import decided
from app.core import audit, clock
from app.core.errors import Forbidden, Invalid, NotFound, Refused
from app.core.text import tidy_lines
from app.core.unit_of_work import Role, UnitOfWork
from app.disputes import repository, rules
from app.disputes.models import Dispute, DisputeStatus
from app.disputes.repository import Disputed, State
from app.notifications import telling

__all__ = ["Disputed", "State", "agree", "decide", "dispute", "of_session", "one", "withdraw"]

NOT_MARKED_YET: Final = "This session isn’t marked as completed or no-show, so there is nothing to dispute."
TOO_LATE: Final = "How a session is marked can be disputed for 48 hours, and they are over. Nothing was sent."
TWICE: Final = "You have disputed this already, perhaps in another window. Nothing more was sent."
SETTLED: Final = (
    "The session was marked anew meanwhile, so there is nothing left to decide. Nothing was changed."
)
CLOSED: Final = "Somebody has decided about it meanwhile, or it was withdrawn. Nothing was changed."


async def of_session(uow: UnitOfWork, session_id: UUID) -> Disputed | None:
    """The latest dispute of a session, for whoever may see it. One query."""
    return await repository.one(uow.session, Dispute.session_id == session_id)


async def one(uow: UnitOfWork, dispute_id: UUID) -> Disputed:
    """A dispute that the asker may see. Raises NotFound."""
    found = await repository.one(uow.session, Dispute.id == dispute_id)
    if found is None:
        raise NotFound
    return found


def refusal_to_dispute(session: lists.Listed | SessionRow) -> Refused | None:
    """Why nobody can dispute how this session is marked, or None; whether it was disputed before is another question."""
    marked_at = session.completed_at
    until = booking_rules.disputable_until(session.status, int(marked_at.timestamp()) if marked_at else None)
    if until is None:
        return Refused("not_marked", NOT_MARKED_YET)
    return Refused("too_late", TOO_LATE) if now_seconds() > until else None


async def dispute(uow: UnitOfWork, session_id: UUID, reason: str) -> UUID:
    """Dispute how an own session is marked, once a marking; its mentor and the admins are told. Returns the dispute's id.

    Raises Forbidden for anybody but a student, and for an admin who is signed in as one, NotFound, Invalid (`reason`),
    Refused: `not_marked`, `too_late` (48 hours after it was marked), `already_disputed`.
    """
    if uow.principal.role != Role.STUDENT:
        raise Forbidden
    require_themselves(uow.principal)
    words = checked(reason, "reason")
    return await decided(uow, lambda: _dispute(uow, session_id, words), NOT_MARKED)


async def _dispute(uow: UnitOfWork, session_id: UUID, reason: str) -> UUID:
    row = await sessions.find(uow.session, session_id, lock=True)
    why_not = refusal_to_dispute(row)
    if why_not is not None:
        raise why_not
    if await repository.one(uow.session, Dispute.session_id == session_id, Dispute.version == row.version):
        raise Refused("already_disputed", TWICE)
    values = {
        "session_id": row.id,
        "version": row.version,
        "marked": row.status.value,
        "mentor_id": row.mentor_id,
        "student_id": row.student_id,
        "reason": reason,
        "opened_at": clock.now(),
    }
    dispute_id = await repository.add(uow.session, values)
    await audit.record(uow, "dispute", "sessions", row.id, None, {"dispute": DisputeStatus.OPEN})
    await telling.tell(uow, "session_disputed", {"dispute_id": dispute_id})
    return dispute_id


async def withdraw(uow: UnitOfWork, dispute_id: UUID) -> None:
    """The student takes an own dispute back; the mark stays. Twice is as once. Raises as `dispute` and `decide`."""
    if uow.principal.role != Role.STUDENT:
        raise Forbidden
    require_themselves(uow.principal)
    await _close(uow, dispute_id, DisputeStatus.WITHDRAWN, "withdraw_dispute", "")


async def agree(uow: UnitOfWork, dispute_id: UUID) -> None:
    """The session's mentor agrees: as an admin's `upheld`. Raises as `decide`, Forbidden for anybody else, and for an
    admin who is signed in as them.
    """
    if uow.principal.role != Role.MENTOR:
        raise Forbidden
    require_themselves(uow.principal)
    await _close(uow, dispute_id, DisputeStatus.UPHELD, "decide_dispute", "")


async def decide(uow: UnitOfWork, dispute_id: UUID, status: DisputeStatus, answer: str) -> None:
    """An admin decides with a sentence, which both people read: `upheld` takes the mark back for good, so that the
    session counts as canceled and its credit returns with 14 days to use it; `rejected` leaves it. The same decision
    twice is as once.

    Raises Forbidden for anybody but an admin, NotFound, Invalid (`answer`), Refused: `settled` (marked anew since),
    `decided` (otherwise, or withdrawn), BookingRefused: `pack_refunded`.
    """
    if uow.principal.role != Role.ADMIN:
        raise Forbidden
    await _close(uow, dispute_id, status, "decide_dispute", checked(answer, "answer"))


async def _close(uow: UnitOfWork, dispute_id: UUID, status: DisputeStatus, action: str, answer: str) -> None:
    """Close a dispute, and have people told of a decision."""

    async def change() -> None:
        row, pack = await reverse.lock(uow, (await one(uow, dispute_id)).session_id)
        found = await one(uow, dispute_id)  # as it is behind the locks
        if found.state == status.value and found.decided_by == uow.user_id:
            return
        if found.state is not State.OPEN:
            raise Refused(*(("settled", SETTLED) if found.state is State.SETTLED else ("decided", CLOSED)))
        if status is DisputeStatus.UPHELD:
            await reverse.reverse(uow, row, pack)
        values: dict[str, Any] = {
            "status": status,
            "decided_at": clock.now(),
            "decided_by": uow.user_id,
            "answer": answer,
        }
        if not await repository.decide(uow.session, found.id, values):
            raise Refused("decided", CLOSED)
        before, after = {"dispute": DisputeStatus.OPEN}, {"dispute": status}
        await audit.record(uow, action, "sessions", row.id, before, after)
        if status is not DisputeStatus.WITHDRAWN:
            await telling.tell(uow, "dispute_decided", {"dispute_id": found.id})

    await decided(uow, change, NOT_MARKED)


def checked(text: str, field: str) -> str:
    """The words as they are kept. Raises Invalid (`field`)."""
    words = tidy_lines(text)
    wrong = rules.problem(words)
    if wrong:
        raise Invalid({field: wrong})
    return words
