"""Who is told what about an absence: composed from the ids and instants that an event carries."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from app.absences.models import Absence
from app.absences.rules import Days
from app.accounts.models import User
from app.core.unit_of_work import UnitOfWork
from app.notifications.service import Message, outdated
from app.settings import Settings

_student, _mentor = aliased(User), aliased(User)


async def mentor_away(uow: UnitOfWork, settings: Settings, payload: Mapping[str, Any]) -> list[Message]:
    """The student: days, sessions with the proposed times, and what the pack gains. Nobody if it was taken back."""
    until = payload["expires_at"]
    more = {
        "days_added": payload["days_added"],
        "expires_at": until and datetime.fromisoformat(until),
        "sessions": [_session(settings, one) for one in payload["sessions"]],
        "link": f"{settings.public_url}/sessions",
    }
    return await _to_student(uow, payload, more, ended=False)


async def mentor_back(uow: UnitOfWork, settings: Settings, payload: Mapping[str, Any]) -> list[Message]:
    """The student whose sessions stay where they are."""
    more = {
        "sessions": [_session(settings, one) for one in payload["sessions"]],
        "link": f"{settings.public_url}/sessions",
    }
    return await _to_student(uow, payload, more, ended=True)


async def _to_student(
    uow: UnitOfWork, payload: Mapping[str, Any], more: Mapping[str, Any], *, ended: bool
) -> list[Message]:
    query = (
        sa.select(Absence, _student, _mentor)
        .join(_mentor, _mentor.id == Absence.mentor_id)
        .join(_student, _student.id == UUID(payload["student_id"]))
        .where(Absence.id == UUID(payload["absence_id"]))
    )
    absence, student, mentor = (await uow.session.execute(query)).one()
    if student.deleted_at is not None or (absence.ended_at is not None) is not ended:
        return [outdated(student.id)]
    context = {
        "recipient_name": student.name,
        "other_name": mentor.name,
        "zone": student.time_zone,
        "days": Days(absence.first_day, absence.last_day).said,
    }
    return [Message(student.id, student.email, context | dict(more))]


def _session(settings: Settings, told: Mapping[str, Any]) -> dict[str, Any]:
    proposed = told.get("proposed")
    page = f"{settings.public_url}/sessions/{told['session_id']}"
    return {
        "start": datetime.fromisoformat(told["start"]),
        "end": datetime.fromisoformat(told["end"]),
        "canceled": told.get("canceled", False),
        "proposed": proposed and datetime.fromisoformat(proposed),
        "link": f"{page}/proposal" if proposed else page,
    }


NOTICES: Final = {"mentor_away": mentor_away, "mentor_back": mentor_back}
