"""What students hear of an absence, written to the outbox in its own transaction: each student once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.absences.models import Absence
from app.absences.plan import Planned
from app.absences.preview import Preview, instant
from app.booking.facts import SessionRow
from app.core.templating import iso
from app.core.unit_of_work import UnitOfWork
from app.notifications import telling


async def away(
    uow: UnitOfWork, absence_id: UUID, done: Preview, ends: Mapping[UUID, tuple[datetime, int]]
) -> None:
    """The days, the student's sessions on them and what is to become of each, and until when their pack is good now."""
    for student_id in done.told:
        until, days = ends.get(student_id, (None, 0))
        payload: dict[str, Any] = {
            "absence_id": absence_id,
            "student_id": student_id,
            "days_added": days,
            "expires_at": until and iso(until),
            "sessions": [_session(one) for one in done.planned if one.concerned.student_id == student_id],
        }
        await telling.tell(uow, "mentor_away", payload)


async def back(uow: UnitOfWork, absence: Absence, stay: Sequence[SessionRow]) -> None:
    """The students whose sessions stay where they were."""
    for student_id in sorted({row.student_id for row in stay}):
        theirs = sorted(
            (row for row in stay if row.student_id == student_id), key=lambda row: row.scheduled_at
        )
        payload: dict[str, Any] = {
            "absence_id": absence.id,
            "student_id": student_id,
            "sessions": [
                {"session_id": row.id, "start": iso(row.scheduled_at), "end": iso(row.ends_at)}
                for row in theirs
            ],
        }
        await telling.tell(uow, "mentor_back", payload)


def _session(planned: Planned) -> dict[str, Any]:
    """`proposed`: the proposed start, None where there is none."""
    session, choice = planned.concerned.session, planned.choice
    proposed = choice if isinstance(choice, int) else None
    return {
        "session_id": session.id,
        "start": iso(instant(session.start)),
        "end": iso(instant(session.end)),
        "canceled": choice == "cancel",
        "proposed": None if proposed is None else iso(instant(proposed)),
    }
