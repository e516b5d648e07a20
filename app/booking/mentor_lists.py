"""A mentor's sessions as groups: to mark, upcoming, past. A constant number of queries, however many there are."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from app.booking import lists, views
from app.booking.lists import Listed
from app.booking.models import Session, SessionStatus
from app.booking.paging import PER_PAGE, turning
from app.core import clock
from app.core.unit_of_work import UnitOfWork
from app.core.web import Viewer

HOME: Final = "/instructor/sessions"
FILTERS: Final = {
    "all": "All",
    "scheduled": "Scheduled",
    "completed": "Completed",
    "canceled": "Canceled",
    "no_show": "No-show",
}
OPEN: Final = 300
"""More scheduled sessions than anybody has."""
TO_MARK: Final = "Sessions that nobody marks count as held 48 hours after their end."


async def page_of(
    uow: UnitOfWork, viewer: Viewer, status: str, number: int, instead: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The context of booking/instructor_sessions.html. `instead`: a session as it is to be shown, first of all."""
    now = clock.now()
    numbers = await counts(uow, viewer.id)
    open_ = await _open(uow, viewer, status, number)
    past = await _past(uow, viewer, status, number)
    groups = [
        ("To mark", TO_MARK, [session for session in open_ if session.start <= now]),
        ("Upcoming", None, [session for session in open_ if session.start > now]),
        ("Past", None, past[:PER_PAGE]),
    ]
    shown = [_group(title, note, sessions, viewer, now, instead) for title, note, sessions in groups]
    if instead is not None:
        shown.insert(0, {"title": "This session", "note": None, "sessions": [instead]})
    return {
        "groups": [group for group in shown if group["sessions"]],
        "filters": _filters(numbers, status),
        "zone": viewer.time_zone,
        "pagination": turning(f"{HOME}?status={status}&page={{}}", number, len(past)),
    }


async def counts(uow: UnitOfWork, mentor_id: UUID) -> dict[str, int]:
    """How many sessions each of the filters shows."""
    found = await lists.counts_of_mentor(uow, mentor_id)
    return {name: sum(found.values()) if name == "all" else found.get(name, 0) for name in FILTERS}


async def _open(uow: UnitOfWork, viewer: Viewer, status: str, number: int) -> list[Listed]:
    if status not in ("all", "scheduled") or number > 1:
        return []
    scheduled = Session.status == SessionStatus.SCHEDULED
    return await lists.of_mentor(uow, viewer.id, scheduled, newest_first=False, limit=OPEN)


async def _past(uow: UnitOfWork, viewer: Viewer, status: str, number: int) -> list[Listed]:
    if status == "scheduled":
        return []
    wanted: sa.ColumnElement[bool] = Session.status != SessionStatus.SCHEDULED
    if status != "all":
        wanted = Session.status == SessionStatus(status)
    offset = (number - 1) * PER_PAGE
    return await lists.of_mentor(uow, viewer.id, wanted, newest_first=True, limit=PER_PAGE + 1, offset=offset)


def _group(
    title: str,
    note: str | None,
    sessions: list[Listed],
    viewer: Viewer,
    now: datetime,
    instead: dict[str, Any] | None,
) -> dict[str, Any]:
    left_out = instead["id"] if instead else None
    rows = [views.mentor_row(session, viewer, now) for session in sessions if session.id != left_out]
    return {"title": title, "note": note, "sessions": rows}


def _filters(numbers: dict[str, int], status: str) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "label": label,
            "href": HOME if name == "all" else f"{HOME}?status={name}",
            "count": numbers[name],
            "selected": name == status,
        }
        for name, label in FILTERS.items()
    ]
