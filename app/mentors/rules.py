"""What mentors may set, read from forms: every field's value or the sentence that stands beside it. Pure.

Wall times are written as `HH:MM`; an end of 00:00 is midnight at the day's end.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from app.core.errors import Invalid
from app.core.zones import is_zone
from app.mentors.hours import MINUTES_A_DAY, WallInterval, merge_day, validate_day

Form = Mapping[str, Sequence[str]]

DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
FARTHEST_OVERRIDE: Final = dt.timedelta(days=730)
HEADLINE_LENGTH: Final = 120
BIO_LENGTH: Final = 5000
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(:00)?")


class Range(NamedTuple):
    """What a whole-number field accepts; `unit` as people say it."""

    low: int
    high: int
    unit: str


NUMBERS: Final = {
    "session_minutes": Range(15, 240, "minutes"),
    "step_minutes": Range(5, 240, "minutes"),
    "notice_hours": Range(0, 336, "hours"),
    "horizon_days": Range(1, 365, "days"),
    "buffer_before_minutes": Range(0, 240, "minutes"),
    "buffer_after_minutes": Range(0, 240, "minutes"),
}
SEATS: Final = Range(0, 500, "mentees")


@dataclass(frozen=True, kw_only=True)
class Availability:
    """When and how a mentor teaches. `hours`: ISO weekday to wall minutes; None where no day has any."""

    time_zone: str
    hours: dict[int, list[WallInterval]] | None
    session_minutes: int
    step_minutes: int
    notice_hours: int
    horizon_days: int
    buffer_before_minutes: int
    buffer_after_minutes: int


@dataclass(frozen=True)
class Override:
    """Other hours on one of the mentor's local dates; no intervals: closed."""

    date: dt.date
    intervals: list[WallInterval]


@dataclass(frozen=True)
class Profile:
    """How a mentor is introduced, and to how many students at once."""

    headline: str
    bio: str
    max_active_students: int


def read_availability(form: Form) -> Availability:
    """The availability that a form spells.

    Fields: `time_zone`, those of NUMBERS, and for each of DAYS repeated `<day>_start` and `<day>_end`; pairs
    with both blank are ignored, adjoining intervals joined. Raises Invalid with the fields' names, and
    `hours.<day>`.
    """
    errors: dict[str, str] = {}
    time_zone = first(form, "time_zone")
    if not is_zone(time_zone):
        errors["time_zone"] = "Choose a time zone from the list."
    hours = {number: day for number, name in enumerate(DAYS, 1) if (day := _hours_of(form, name, errors))}
    numbers = {name: whole_number(form, name, accepted, errors) for name, accepted in NUMBERS.items()}
    if errors:
        raise Invalid(errors)
    return Availability(time_zone=time_zone, hours=hours or None, **numbers)


def read_override(form: Form, today: dt.date) -> Override:
    """The override that a form spells: `date`, `closed` (1) or repeated `start` and `end`; the mentor's `today`.

    Raises Invalid with `date` or `intervals`.
    """
    errors: dict[str, str] = {}
    date = _date(first(form, "date"), today, errors)
    intervals = _intervals(form.get("start", ()), form.get("end", ()), "intervals", errors)
    closed = first(form, "closed") == "1"
    if "intervals" not in errors and closed == bool(intervals):
        errors["intervals"] = (
            "A day is either closed or has hours: clear one of them."
            if closed
            else "Say when, or tick “Closed all day”."
        )
    if errors:
        raise Invalid(errors)
    return Override(date, intervals)


def read_profile(form: Form) -> Profile:
    """The profile that a form spells. Raises Invalid with `headline`, `bio` or `max_active_students`."""
    errors: dict[str, str] = {}
    seats = whole_number(form, "max_active_students", SEATS, errors)
    headline, bio = (
        " ".join(first(form, "headline").split()),
        first(form, "bio").replace("\r\n", "\n").strip(),
    )
    if len(headline) > HEADLINE_LENGTH:
        errors["headline"] = f"Keep it within {HEADLINE_LENGTH} characters; these are {len(headline)}."
    if len(bio) > BIO_LENGTH:
        errors["bio"] = f"Keep it within {BIO_LENGTH} characters; these are {len(bio)}."
    for name, text in (("headline", headline), ("bio", bio)):
        if "\0" in text:
            errors[name] = "There is a character in it that can't be kept."
    if errors:
        raise Invalid(errors)
    return Profile(headline, bio, seats)


def whole_number(form: Form, name: str, accepted: Range, errors: dict[str, str]) -> int:
    """A field's whole number; where there is none that is accepted, `errors` says so."""
    text = first(form, name)
    if re.fullmatch(r"\d{1,6}", text, re.ASCII) and accepted.low <= int(text) <= accepted.high:
        return int(text)
    errors[name] = f"A whole number of {accepted.unit}, {accepted.low} to {accepted.high}."
    return accepted.low


def first(form: Form, name: str) -> str:
    """A field's value without blanks around it, empty if it is missing."""
    values = form.get(name, ())
    return values[0].strip() if values else ""


def pairs(starts: Sequence[str], ends: Sequence[str]) -> list[tuple[str, str]]:
    """Starts and ends by index as they were posted, pairs with both blank left out."""
    length = max(len(starts), len(ends))
    padded = [[*values, *[""] * (length - len(values))] for values in (starts, ends)]
    return [
        (start.strip(), end.strip())
        for start, end in zip(*padded, strict=True)
        if start.strip() or end.strip()
    ]


def _hours_of(form: Form, day: str, errors: dict[str, str]) -> list[WallInterval]:
    return _intervals(form.get(f"{day}_start", ()), form.get(f"{day}_end", ()), f"hours.{day}", errors)


def _intervals(
    starts: Sequence[str], ends: Sequence[str], name: str, errors: dict[str, str]
) -> list[WallInterval]:
    intervals: list[WallInterval] = []
    for start, end in pairs(starts, ends):
        minutes = _minute(start), _minute(end)
        if minutes[0] is None or minutes[1] is None:
            errors[name] = "Each row needs two times, such as 09:00 and 12:00."
            return []
        intervals.append((minutes[0], minutes[1] or MINUTES_A_DAY))
    faults = validate_day(intervals)
    if faults:
        errors[name] = faults[0].sentence
        return []
    return list(merge_day(intervals))


def _minute(text: str) -> int | None:
    matched = _CLOCK.fullmatch(text)
    return int(matched[1]) * 60 + int(matched[2]) if matched else None


def _date(text: str, today: dt.date, errors: dict[str, str]) -> dt.date:
    try:
        date = dt.date.fromisoformat(text)
    except ValueError:
        errors["date"] = "Choose a date."
        return today
    if date < today:
        errors["date"] = "That day is over."
    elif date > today + FARTHEST_OVERRIDE:
        errors["date"] = "That is more than two years away."
    return date
