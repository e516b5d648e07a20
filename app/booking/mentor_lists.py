"""A mentor's sessions as groups: to mark, upcoming, past. A constant number of queries, however many there are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from app.booking import attendance, lists, repository, views
from app.booking.lists import Listed
from app.booking.models import Session, SessionStatus
from app.core import clock
from app.core.paging import NO_PAGE, PER_PAGE, page_number, turning
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
_NO_FILTER: Final = "That address names a filter that isn’t there; these are all sessions."
SETTINGS: Final = "/instructor/settings"
BOOKED: Final = "The sessions that your mentees book will be here."
HOURS_FIRST: Final = "They can book as soon as your hours are set."
_NONE_YET: Final = {
    "completed": "Sessions that were held will be here.",
    "canceled": "Sessions that were canceled will be here.",
    "no_show": "Sessions to which nobody came will be here.",
}
OPEN: Final = 300
"""More scheduled sessions than anybody has."""
TO_MARK: Final = "Sessions that nobody marks count as held 48 hours after their end."


class Wish(msgspec.Struct, frozen=True):
    """What the address asks for, understood; `note`: what of it wasn't."""

    status: str = "all"
    page: int = 1
    note: str | None = None


def understood(status: str, page: str) -> Wish:
    """The wish that an address spells; what it spells wrong becomes the first page of all, with a note that says so."""
    if status not in FILTERS:
        return Wish(note=_NO_FILTER)
    number = page_number(page)
    return Wish(status, number) if number else Wish(status, note=NO_PAGE)


async def page_of(
    uow: UnitOfWork, viewer: Viewer, wish: Wish, instead: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The context of booking/instructor_sessions.html. `instead`: a session as it is to be shown, first of all."""
    now = clock.now()
    numbers = await counts(uow, viewer.id)
    if wish.page > 1 and (wish.page - 1) * PER_PAGE >= _of_past(numbers, wish.status):
        wish = Wish(wish.status, note=NO_PAGE)
    status, number = wish.status, wish.page
    open_ = await _open(uow, viewer, status, number)
    past = await _past(uow, viewer, status, number)
    groups = [
        ("To mark", TO_MARK, [session for session in open_ if session.start <= now]),
        ("Upcoming", None, [session for session in open_ if session.start > now]),
        ("Past", None, past[:PER_PAGE]),
    ]
    shown = [await _group(uow, title, note, sessions, viewer, instead) for title, note, sessions in groups]
    if instead is not None:
        shown.insert(0, {"title": "This session", "note": None, "sessions": [instead]})
    shown = [group for group in shown if group["sessions"]]
    return {
        "groups": shown,
        "empty": None if shown else await _empty(uow, viewer, status),
        "note": wish.note,
        "filters": _filters(numbers, status),
        "zone": viewer.time_zone,
        "pagination": turning(lambda page: f"{HOME}?status={status}&page={page}", number, len(past)),
    }


async def counts(uow: UnitOfWork, mentor_id: UUID) -> dict[str, int]:
    """How many sessions each of the filters shows."""
    found = await lists.counts_of_mentor(uow, mentor_id)
    return {name: sum(found.values()) if name == "all" else found.get(name, 0) for name in FILTERS}


async def rows(
    uow: UnitOfWork, viewer: Viewer, sessions: Sequence[Listed], base: str = HOME
) -> list[dict[str, Any]]:
    """Sessions as booking/_instructor_session.html takes them, for their mentor or an admin; forms post below `base`.

    Who was there is asked in one query, for those that are to be marked; in none where there are none.
    """
    now = clock.now()
    unmarked = [one.id for one in sessions if one.status is SessionStatus.SCHEDULED and one.end <= now]
    there = await attendance.of(uow, unmarked)
    return [views.mentor_row(one, viewer, now, base, there.get(one.id)) for one in sessions]


async def between(uow: UnitOfWork, mentor_id: UUID, since: datetime, until: datetime) -> list[Listed]:
    """The mentor's sessions that begin in [since, until), whatever became of them, the first one first."""
    begins = Session.scheduled_at >= since, Session.scheduled_at < until
    return await lists.of_mentor(uow, mentor_id, *begins, newest_first=False, limit=OPEN)


async def to_mark(uow: UnitOfWork, mentor_id: UUID, now: datetime) -> list[Listed]:
    """The mentor's sessions that have begun and are still scheduled, the latest first."""
    begun = Session.status == SessionStatus.SCHEDULED, Session.scheduled_at <= now
    return await lists.of_mentor(uow, mentor_id, *begun, newest_first=True, limit=OPEN)


def _of_past(numbers: dict[str, int], status: str) -> int:
    """How many sessions there are to turn pages of: those that are scheduled stand on the first one."""
    return numbers["all"] - numbers["scheduled"] if status == "all" else numbers[status]


async def _empty(uow: UnitOfWork, viewer: Viewer, status: str) -> dict[str, str]:
    """What will be here and the step that fills it, as ui/empty.html takes it."""
    if status in _NONE_YET:
        return {"sentence": _NONE_YET[status], "href": HOME, "action": "All my sessions"}
    now = clock.now()
    mentor = (await repository.situation(uow, viewer.id, None, now, now)).mentor
    if mentor.rules.never_open:
        return {"sentence": f"{BOOKED} {HOURS_FIRST}", "href": SETTINGS, "action": "Set my hours"}
    return {"sentence": BOOKED, "href": f"{SETTINGS}#preview", "action": "See what I offer"}


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


async def _group(
    uow: UnitOfWork,
    title: str,
    note: str | None,
    sessions: list[Listed],
    viewer: Viewer,
    instead: dict[str, Any] | None,
) -> dict[str, Any]:
    left_out = instead["id"] if instead else None
    shown = [session for session in sessions if session.id != left_out]
    return {"title": title, "note": note, "sessions": await rows(uow, viewer, shown)}


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
