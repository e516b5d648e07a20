"""A series as booking/_series.html shows it: what can be asked for, and each week with what can be done about it. Pure."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from whenever import Date

from app.booking import dates, series
from app.booking.offers import instant
from app.booking.sentences import closed_sentence, elsewhere, repeated_note, wall_time
from app.booking.series import GAP, Week
from app.booking.series_wish import PATH, Proposal, clock, utc


def context(found: Proposal, at: date | None = None) -> dict[str, Any]:
    """What booking/_series.html takes."""
    plan = found.plan
    return {
        "zone": found.zone,
        "mentor": found.offers.mentor,
        "path": PATH,
        "form": _form(found),
        "weeks": [_week(found, number, at) for number in range(len(plan.weeks))],
        "undecided": plan.undecided,
        "short": _short(found),
        "usual": f"{dates.WEEKDAYS[found.weekly.weekday - 1][1]}s at {clock(found.weekly.minute)}",
        "starts": [utc(start) for start in plan.starts],
        "query": found.query(),
    }


def _form(found: Proposal) -> dict[str, Any]:
    weekly = found.weekly
    on_offer = found.weekdays_on_offer()
    return {
        "weekdays": [
            (number, name if number in on_offer else f"{name} (none)", number == weekly.weekday)
            for number, (_, name) in enumerate(dates.WEEKDAYS, 1)
        ],
        "times": [(clock(m), _time_label(found, m), m == weekly.minute) for m in found.minutes()],
        "weeks": [(monday.isoformat(), _from_to(monday), monday == weekly.first) for monday in found.weeks],
        "counts": [(number, number == found.count) for number in range(1, found.credit + 1)],
    }


def _time_label(found: Proposal, minute: int) -> str:
    """`10:00 · 15:00 in Lisbon · every week`: the student's time, the mentor's, in how many weeks it is free."""
    weekly = found.weekly
    free, count = found.free_weeks(weekly.weekday, minute), found.count
    how_often = "every week" if free == count else f"{free} of {count} weeks"
    there = series.instants(found.mentor_zone, weekly.day(weekly.first), minute)
    if found.zone == found.mentor_zone or not there:
        return f"{clock(minute)} · {how_often}"
    here = dates.zoned(there[0], found.zone)
    label = elsewhere(here, dates.zoned(there[0], found.mentor_zone), found.mentor_zone)
    return f"{wall_time(here)} · {label} · {how_often}"


def _from_to(monday: date) -> str:
    """`23 to 29 Nov`."""
    sunday = monday + timedelta(days=6)
    first = "" if monday.month == sunday.month else f" {dates.MONTHS[monday.month - 1][:3]}"
    return f"{monday.day}{first} to {sunday.day} {dates.MONTHS[sunday.month - 1][:3]}"


def _week(found: Proposal, number: int, at: date | None) -> dict[str, Any]:
    """One row. `state`: free, other (another time was picked), skipped, clash."""
    week = found.plan.weeks[number]
    picked = week.start is not None and week.start != week.usual
    state = "skipped" if week.skipped else "clash" if week.start is None else "other" if picked else "free"
    shown = week.usual if week.start is None else week.start
    return {
        "monday": week.monday.isoformat(),
        "state": state,
        "parts": _date_parts(found, week, shown),
        "start": None if shown is None else instant(shown),
        "end": None if shown is None else instant(shown + found.offers.mentor.session_minutes * 60),
        "there": f"{clock(found.weekly.minute)} on the clock of {found.offers.mentor.name}"
        if shown is None
        else None,
        "sentence": None if week.reason is None else _why(found, week),
        "note": None
        if shown is None
        else repeated_note(dates.zoned(shown, found.mentor_zone), found.mentor_zone),
        "shift": _shift(found, number),
        "others": [{"href": found.href(week.monday, start), "at": instant(start)} for start in week.others],
        "skip": found.href(week.monday, "skip"),
        "usual": found.href(week.monday, "usual") if week.monday in (found.wish.choices or {}) else None,
        "focus": at == week.monday,
    }


def _date_parts(found: Proposal, week: Week, shown: int | None) -> list[str]:
    """Weekday, number and month of the row, in the viewer's zone."""
    day = Date(week.day.year, week.day.month, week.day.day)
    if shown is not None:
        day = dates.date_of(shown, found.zone)
    return [dates.WEEKDAYS[day.day_of_week().value - 1][0], str(day.day), dates.MONTHS[day.month - 1][:3]]


def _why(found: Proposal, week: Week) -> str:
    mentor = found.offers.mentor
    if week.reason == GAP:
        return f"{clock(found.weekly.minute)} doesn’t exist there that day: the clock goes forward over it."
    if week.reason == "not_a_slot":
        return "No session starts at that time."
    try:
        return closed_sentence(week.reason or "", mentor)
    except KeyError:
        return "It can’t be booked."


def _shift(found: Proposal, number: int) -> str | None:
    """What the student should notice: their own clock shows another time than the week before."""
    starts = [week.usual for week in found.plan.weeks[: number + 1] if week.usual is not None]
    if len(starts) < 2 or found.plan.weeks[number].usual is None:
        return None
    before, here = (dates.zoned(start, found.zone) for start in starts[-2:])
    minutes = (here.hour * 60 + here.minute - before.hour * 60 - before.minute + 720) % 1440 - 720
    if minutes == 0:
        return None
    amount = "an hour" if abs(minutes) == 60 else f"{abs(minutes)} minutes"
    return f"From here on {amount} {'later' if minutes > 0 else 'earlier'} for you: clocks change."


def _short(found: Proposal) -> str | None:
    """Why fewer sessions fit than were asked for."""
    plan, mentor = found.plan, found.offers.mentor
    if not plan.missing:
        return None
    left = "One session" if plan.missing == 1 else f"{plan.missing} sessions"
    fits = "doesn’t" if plan.missing == 1 else "don’t"
    why = (
        "your pack ends before."
        if plan.ends == "past_pack_end"
        else f"{mentor.name} opens times {mentor.horizon_days} days ahead."
    )
    return f"{left} {fits} fit: {why}"
