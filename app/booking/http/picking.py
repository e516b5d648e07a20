"""The page on which a student picks a time, and its parts: for a first booking and for a move alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Response
from whenever import Date, YearMonth

from app.booking import dates
from app.booking.facts import SessionRow
from app.booking.lists import Person
from app.booking.offers import Offers, instant, offers
from app.booking.picker import Picker
from app.booking.refusals import Refusal
from app.booking.sentences import balance, unavailable, zone_note
from app.core import clock
from app.core.unit_of_work import UnitOfWork
from app.core.web import AppRequest, Viewer, fragment, is_htmx, page


@dataclass(frozen=True)
class Place:
    """What distinguishes a booking from a move: page, addresses, the words on the buttons, further context."""

    template: str
    path: str
    query: dict[str, str]
    slot_action: str
    slot_verb: str
    context: dict[str, Any]
    moving: UUID | None = None
    near: tuple[int, int] | None = None
    """Epoch seconds that the situation must reach besides what is shown: the session's old time."""

    @classmethod
    def booking(cls, mentor_id: UUID, mentors: Sequence[Person] = ()) -> Place:
        """The calendar of a mentor; `mentors`: among whom to choose, for the whole page."""
        query = {"mentor_id": str(mentor_id)}
        choices = [_choice(mentor, mentor_id) for mentor in mentors]
        return cls("booking/calendar.html", "/calendar", query, "/sessions", "Book", {"mentors": choices})

    @classmethod
    def move(cls, row: SessionRow) -> Place:
        """The page that moves a session."""
        path = f"/sessions/{row.id}/move"
        moving = {"id": row.id, "start": row.scheduled_at, "end": row.ends_at}
        near = row.start_seconds, int(row.ends_at.timestamp())
        return cls("booking/reschedule.html", path, {}, path, "Move here", {"moving": moving}, row.id, near)


@dataclass(frozen=True)
class Shown:
    """What is asked for: a month, a day, both or neither."""

    month: YearMonth | None = None
    day: Date | None = None


def _choice(mentor: Person, wanted: UUID) -> dict[str, Any]:
    return {
        "id": mentor.id,
        "name": mentor.name,
        "href": f"/calendar?mentor_id={mentor.id}",
        "selected": mentor.id == wanted,
    }


async def read(uow: UnitOfWork, viewer: Viewer, mentor_id: UUID, place: Place, asked: Shown) -> Picker:
    """The offers from what is shown to the mentor's horizon: one query."""
    since, until = window(viewer, place, asked)
    found = await offers(uow, mentor_id, since, until, to_horizon=True, moving=place.moving)
    return Picker(found, viewer.time_zone, place.path, place.query)


def window(viewer: Viewer, place: Place, asked: Shown) -> tuple[datetime, datetime]:
    """What a situation must reach to show what is asked for."""
    now = int(clock.now().timestamp())
    marks = [now, *(place.near or ())]
    if asked.day is not None:
        marks += dates.bounds(asked.day, viewer.time_zone)
    if asked.month is not None:
        marks += dates.month_bounds(asked.month, viewer.time_zone)
    if asked.day is not None and asked.month is None:
        marks += dates.month_bounds(asked.day.year_month(), viewer.time_zone)
    return instant(min(marks)), instant(max(marks))


def parts(picker: Picker, place: Place, day: Date, month: YearMonth | None) -> dict[str, Any]:
    """The context of the day and, where `month` is given, of everything on the page."""
    found = picker.offers
    context: dict[str, Any] = {
        "zone": picker.zone,
        "mentor": found.mentor,
        "day": picker.day(day),
        "slot_action": place.slot_action,
        "slot_verb": place.slot_verb,
        "bookable": found.bookable,
        "balance": balance(found),
        **place.context,
    }
    if month is not None:
        context |= {
            "month": picker.month(month, day),
            "session_minutes": found.mentor.session_minutes,
            "unavailable": unavailable(found),
            "zone_note": zone_note(found, picker.zone, day),
            "mirror_checked_at": _checked_at(found),
        }
    return context


def chosen(picker: Picker, asked: Shown) -> tuple[YearMonth, Date]:
    """The month and the day that the page opens with: as asked, else where the first free time is."""
    if asked.day is not None:
        return asked.month or asked.day.year_month(), asked.day
    month = asked.month or _first_month(picker)
    since, until = dates.month_bounds(month, picker.zone)
    first = picker.first_free(since, until)
    if first is None:
        first = picker.today if month == picker.today.year_month() else dates.first_of(month)
    return month, first


def _first_month(picker: Picker) -> YearMonth:
    first = picker.first_free(picker.offers.now, dates.bounds(picker.last, picker.zone)[1])
    return (first or picker.today).year_month()


def _checked_at(found: Offers) -> object:
    mirrored_at = found.mentor.mirrored_at
    return None if mirrored_at is None else instant(mirrored_at)


def whole(
    request: AppRequest,
    picker: Picker,
    place: Place,
    asked: Shown,
    *,
    refusal: Refusal | None = None,
    status: int = 200,
) -> Response[str]:
    """The page."""
    month, day = chosen(picker, asked)
    context = parts(picker, place, day, month)
    return page(request, place.template, status=status, refusal=refusal, **context)


def refused(
    request: AppRequest, picker: Picker, place: Place, asked: Shown, refusal: Refusal
) -> Response[str]:
    """What is asked for with the refusal on top: the day for HTMX, else the page."""
    month, day = chosen(picker, asked)
    if is_htmx(request):
        return outcome(request, picker, place, "booking/_refused.html", day, refusal.status, refusal=refusal)
    return whole(request, picker, place, Shown(month, day), refusal=refusal, status=refusal.status)


def part(request: AppRequest, picker: Picker, place: Place, asked: Shown) -> Response[str]:
    """The day where one is asked for, else the month."""
    if asked.day is None:
        month, _ = chosen(picker, asked)
        return fragment(
            request,
            "booking/_month.html",
            zone=picker.zone,
            mentor=picker.offers.mentor,
            month=picker.month(month, None),
        )
    context = parts(picker, place, asked.day, None)
    return fragment(request, "booking/_day.html", cell=picker.cell(asked.day, asked.day), **context)


def outcome(
    request: AppRequest, picker: Picker, place: Place, template: str, day: Date, status: int, **more: Any
) -> Response[str]:
    """The day after a booking or a refusal, with the balance and the day's mark out of band."""
    context = parts(picker, place, day, None) | more
    return fragment(request, template, status=status, cell=picker.cell(day, day), **context)
