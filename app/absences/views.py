"""Absences as the templates show them to their mentor. Pure; instants are aware UTC."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from app.absences.models import Absence
from app.absences.plan import Planned
from app.absences.preview import Preview, instant
from app.absences.rules import Days
from app.absences.service import Changed
from app.booking import dates
from app.booking.sentences import elsewhere, wall_time
from app.core.templating import iso


def listed(absences: Iterable[Absence], today: dt.date) -> dict[str, list[dict[str, Any]]]:
    """`coming` (the next first) and `past` (the latest first, with those taken back)."""
    rows = [_row(absence, today) for absence in absences]
    coming = [row for row in rows if row["can_end"]]
    return {"coming": coming[::-1], "past": [row for row in rows if not row["can_end"]]}


def _row(absence: Absence, today: dt.date) -> dict[str, Any]:
    days = Days(absence.first_day, absence.last_day)
    live = absence.ended_at is None
    return {
        "id": absence.id,
        "days": days.said,
        "title": days.title,
        "count": days.count,
        "days_added": absence.days_added,
        "ended_at": absence.ended_at,
        "is_now": live and absence.first_day <= today <= absence.last_day,
        "can_end": live and today <= absence.last_day,
    }


def preview(found: Preview, changed: Changed | None = None) -> dict[str, Any]:
    """The context `preview` of absences/_preview.html."""
    new = changed.new if changed else frozenset()
    return {
        "days": found.wish.days.said,
        "first_day": found.wish.days.first.isoformat(),
        "last_day": found.wish.days.last.isoformat(),
        "count": found.wish.days.count,
        "extend": found.wish.extend,
        "packs": len(found.packs),
        "had": found.had,
        "holders": found.holders,
        "told": len(found.told),
        "zone": found.mentor_zone,
        "students": len({one.concerned.student_id for one in found.planned}),
        "sessions": [
            _session(one, found.mentor_zone, one.concerned.session.id in new) for one in found.planned
        ],
        "gone": changed.gone if changed else 0,
    }


def _session(planned: Planned, zone: str, is_new: bool) -> dict[str, Any]:
    concerned = planned.concerned
    session = concerned.session
    chosen = iso(instant(planned.choice)) if isinstance(planned.choice, int) else planned.choice
    return {
        "id": session.id,
        "student_name": concerned.student_name,
        "start": instant(session.start),
        "end": instant(session.end),
        "seen": f"{session.id}={iso(instant(session.start))}",
        "times": [(iso(instant(at)), _time(at, planned, zone)) for at in planned.options],
        "choice": chosen,
        "nothing_free": planned.suggestion is None,
        "is_new": is_new,
        "gone": None if planned.gone is None else _time(planned.gone, planned, zone),
    }


def _time(at: int, planned: Planned, zone: str) -> str:
    """`Tue 1 Dec, 14:30 (09:30 in New York)`."""
    here, there = dates.zoned(at, zone), dates.zoned(at, planned.concerned.student_zone)
    beside = elsewhere(there, here, zone) and elsewhere(here, there, planned.concerned.student_zone)
    date = here.date()
    day = f"{dates.WEEKDAYS[date.day_of_week().value - 1][0]} {date.day} {dates.MONTHS[date.month - 1][:3]}"
    return f"{day}, {wall_time(here)}{f' ({beside})' if beside else ''}"
