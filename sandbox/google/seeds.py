"""What Google holds after the first start: the demo cast's accounts, and a mentor's week that leaves room to book."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sandbox.google import times
from sandbox.google.accounts import Calendar
from sandbox.google.eventbook import Body
from sandbox.google.resources import instance_of
from sandbox.google.writes import change, insert, remove

if TYPE_CHECKING:
    from sandbox.google.service import Google

MENTOR = "mentor@example.test"
MENTOR_ZONE = "Europe/Lisbon"
SECOND_CALENDAR = "studio0shows0and0fairs@group.calendar.google.com"
CAST = (
    (MENTOR, "Lisbon Mentor", MENTOR_ZONE),
    ("mentor-tokyo@example.test", "Tokyo Mentor", "Asia/Tokyo"),
    ("student@example.test", "Demo Student", "America/New_York"),
    ("student-new@example.test", "New Student", "Europe/Berlin"),
)


def plant(google: Google) -> None:
    """Fill empty collections. Events lie around business time, counted from this week's Monday in Lisbon."""
    for address, name, zone in CAST:
        google.add_account(address, name, zone)
    second = Calendar(SECOND_CALENDAR, MENTOR, "Shows and fairs", MENTOR_ZONE)
    google.accounts.calendars.put(SECOND_CALENDAR, second)
    primary = google.accounts.calendars_of(MENTOR)[0]
    today = times.wall_of(int(google.clock.now().timestamp()), MENTOR_ZONE)
    monday = (today - timedelta(days=today.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    _weekly_critique(google, primary, monday)
    for body in _own_week(monday):
        insert(google, primary, body)
    host = {"email": "gallery@example.test", "displayName": "Gallery"}
    invited = [{"email": MENTOR, "responseStatus": "declined"}, {**host, "responseStatus": "accepted"}]
    insert(google, primary, _timed("Opening night", monday, 9, "17:00", "18:00", attendees=invited), by=host)
    insert(google, second, _all_day("Print fair", monday, 19, 2))
    insert(google, second, _timed("Set up the stand", monday, 18, "15:00", "17:00"))


def _weekly_critique(google: Google, calendar: Calendar, monday: datetime) -> None:
    """A weekly event with one instance moved and one left out."""
    weekly = _timed("Studio critique", monday, 2, "10:00", "11:00", recurrence=["RRULE:FREQ=WEEKLY;BYDAY=WE"])
    series = insert(google, calendar, weekly)
    starts = [
        times.instant_of(monday + timedelta(days=2 + 7 * week, hours=10), MENTOR_ZONE) for week in range(4)
    ]
    moved = instance_of(series, starts[1], starts[1] + 3600, calendar)
    change(google, calendar, moved.id, _when(monday, 10, "14:30", "15:30"), whole=False)
    remove(google, calendar, instance_of(series, starts[3], starts[3] + 3600, calendar).id)


def _own_week(monday: datetime) -> list[Body]:
    return [
        _timed("Dentist", monday, 8, "09:30", "10:15"),
        _timed("Paper delivery", monday, 1, "11:00", "11:30"),
        _timed("Lunch with the framer", monday, 7, "12:00", "13:30"),
        _timed("Maybe: portfolio review", monday, 3, "16:00", "17:00", status="tentative"),
        _timed("Sketching, can be moved", monday, 4, "09:00", "12:00", transparency="transparent"),
        _timed("Foundry visit", monday, 15, "13:30", "18:00"),
        _all_day("Studio rent due", monday, 11, 1, transparency="transparent"),
        _all_day("Away: residency", monday, 24, 2),
    ]


def _when(monday: datetime, day: int, start: str, end: str) -> Body:
    date = (monday + timedelta(days=day)).date().isoformat()
    return {
        "start": {"dateTime": f"{date}T{start}:00", "timeZone": MENTOR_ZONE},
        "end": {"dateTime": f"{date}T{end}:00", "timeZone": MENTOR_ZONE},
    }


def _timed(summary: str, monday: datetime, day: int, start: str, end: str, **more: object) -> Body:
    return {"summary": summary, **_when(monday, day, start, end), **more}


def _all_day(summary: str, monday: datetime, day: int, days: int, **more: object) -> Body:
    first = (monday + timedelta(days=day)).date()
    dates = {
        "start": {"date": first.isoformat()},
        "end": {"date": (first + timedelta(days=days)).isoformat()},
    }
    return {"summary": summary, **dates, **more}
