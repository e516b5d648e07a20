"""Events as Google shows and accepts them: the rules for their members, and how they look on the wire."""

from __future__ import annotations

import re
import secrets
from typing import Any

from sandbox.google import times
from sandbox.google.accounts import Calendar
from sandbox.google.errors import GoogleError, invalid
from sandbox.google.eventbook import Body, StoredEvent
from sandbox.google.recurrence import series_of

READ_ONLY = frozenset(
    [
        "kind",
        "etag",
        "id",
        "htmlLink",
        "created",
        "updated",
        "creator",
        "organizer",
        "hangoutLink",
        "iCalUID",
        "recurringEventId",
        "originalStartTime",
        "locked",
        "privateCopy",
        "attendeesOmitted",
        "endTimeUnspecified",
        "sequence",
    ]
)
CHOICES = {
    "status": {"confirmed", "tentative", "cancelled"},
    "transparency": {"opaque", "transparent"},
    "visibility": {"default", "public", "private", "confidential"},
    "eventType": {"birthday", "default", "focusTime", "fromGmail", "outOfOffice", "workingLocation"},
}
CONFERENCE = ("conferenceData", "hangoutLink")
DEFAULTS = {"transparency": "opaque", "visibility": "default"}
RESPONSES = {"needsAction", "declined", "tentative", "accepted"}
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


def settled(body: Body, calendar: Calendar) -> tuple[Body, int, int]:
    """A whole event after its members were checked and brought into their stored form, its start and its end.

    Raises GoogleError 400 with Google's reason.
    """
    event = {name: value for name, value in body.items() if value is not None and DEFAULTS.get(name) != value}
    for name, allowed in CHOICES.items():
        if event.get(name) not in (None, *allowed):
            raise invalid(f"Invalid {name} value.")
    event["start"] = _moment(event.get("start"), "start", calendar.time_zone)
    event["end"] = _moment(event.get("end"), "end", calendar.time_zone)
    if event["start"].keys() & {"date"} != event["end"].keys() & {"date"}:
        raise invalid("Start and end times must either both be date or both be dateTime.")
    start, end = (times.begins(event[name], calendar.time_zone) for name in ("start", "end"))
    if end < start or ("date" in event["start"] and end == start):
        raise invalid("The specified time range is empty.", reason="timeRangeEmpty")
    if event.get("recurrence"):
        _check_series(event, body, calendar)
    else:
        event.pop("recurrence", None)
    if "attendees" in event:
        event["attendees"] = [_attendee(person, calendar, event) for person in event["attendees"]]
    _check_kind(event, calendar)
    _check_reminders(event.get("reminders", {}))
    return event, start, end


def _moment(value: Any, name: str, zone: str) -> dict[str, str]:
    """A start or end with one of `date` and `dateTime`; the latter with its offset, in the event's own zone."""
    given = {key: text for key, text in (value or {}).items() if text is not None}
    if not given.keys() & {"date", "dateTime"}:
        raise GoogleError(400, "required", f"Missing {name} time.")
    if {"date", "dateTime"} <= given.keys():
        raise invalid(f"Invalid {name} time: both date and dateTime are given.")
    if "date" in given:
        return {"date": given["date"]}
    named = given.get("timeZone")
    if named and not times.is_zone(named):
        raise invalid(f"Invalid time zone definition for {name} time.")
    text = given["dateTime"]
    try:
        instant = (
            times.parse_instant(text)
            if times.has_offset(text) or not named
            else times.instant_of(times.parse_wall(text), named)
        )
    except ValueError:
        if not named and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?", text):
            raise GoogleError(400, "required", f"Missing time zone definition for {name} time.") from None
        raise invalid(f"Invalid {name} time.") from None
    return {"dateTime": times.text_of(instant, named or zone), **({"timeZone": named} if named else {})}


def _check_series(event: Body, body: Body, calendar: Calendar) -> None:
    for name in ("start", "end"):
        if "dateTime" in event[name] and not body[name].get("timeZone"):
            raise GoogleError(400, "required", f"Missing time zone definition for {name} time.")
    series_of(event, calendar.time_zone)


def _attendee(person: Body, calendar: Calendar, event: Body) -> Body:
    address = person.get("email", "")
    if not _ADDRESS.fullmatch(address):
        raise invalid("Invalid attendee email.")
    if person.get("responseStatus", "needsAction") not in RESPONSES:
        raise invalid("Invalid attendee response status.")
    kept = {"responseStatus": "needsAction", **person}
    for name, is_so in (
        ("self", address in (calendar.owner, calendar.id)),
        ("organizer", address == event.get("organizer", {}).get("email")),
    ):
        kept.pop(name, None)
        if is_so:
            kept[name] = True
    return kept


def _check_kind(event: Body, calendar: Calendar) -> None:
    kind = event.setdefault("eventType", "default")
    if kind in ("outOfOffice", "focusTime"):
        if not calendar.primary:
            raise invalid(f"Events of type {kind} can only be on a primary calendar.", reason="malformed")
        if "date" in event["start"]:
            raise invalid(f"Events of type {kind} can't be all-day.", reason="malformed")
    if kind == "workingLocation" and (
        event.get("transparency") != "transparent"
        or event.get("visibility") != "public"
        or "workingLocationProperties" not in event
    ):
        raise invalid(
            "A working location event must be public and transparent and have workingLocationProperties.",
            reason="malformed",
        )


def _check_reminders(reminders: Body) -> None:
    overrides = reminders.get("overrides", [])
    if reminders.get("useDefault") and overrides:
        raise invalid("Cannot specify both default reminders and overrides at the same time.")
    for override in overrides:
        if override.get("method") not in ("email", "popup") or not 0 <= override.get("minutes", -1) <= 40320:
            raise invalid("Invalid reminder.")
    if len(overrides) > 5:
        raise invalid("Too many reminders: at most 5 overrides are allowed.")


def with_conference(event: Body, supported: bool, before: Body | None) -> Body:
    """The event with a Meet conference if one was asked for; without `supported` conference data is left as it was."""
    if not supported:
        kept: Body = {name: value for name, value in (before or {}).items() if name in CONFERENCE}
        return {name: value for name, value in event.items() if name not in CONFERENCE} | kept
    wish = event.get("conferenceData", {}).get("createRequest")
    if not wish or wish.get("status"):
        return event
    if not wish.get("requestId"):
        raise invalid("Invalid conference type value.")
    letters = "".join(secrets.choice("abcdefghijkmnopqrstuvwxyz") for _ in range(10))
    code = f"{letters[:3]}-{letters[3:7]}-{letters[7:]}"
    link = f"https://meet.google.com/{code}"
    kind = {"type": "hangoutsMeet"}
    return event | {
        "hangoutLink": link,
        "conferenceData": {
            "createRequest": {**wish, "conferenceSolutionKey": kind, "status": {"statusCode": "success"}},
            "entryPoints": [{"entryPointType": "video", "uri": link, "label": link.removeprefix("https://")}],
            "conferenceSolution": {"key": kind, "name": "Google Meet"},
            "conferenceId": code,
        },
    }


def instance_of(master: StoredEvent, start: int, end: int, calendar: Calendar) -> StoredEvent:
    """The occurrence of a series that begins at `start` (epoch seconds), as long as nothing sets it apart."""
    zone = calendar.time_zone
    if "date" in master.body["start"]:
        first = times.day_of(start, zone)
        when = {"date": first}, {"date": times.day_of(end, zone)}
        suffix = first.replace("-", "")
    else:
        own = master.body["start"].get("timeZone") or zone
        first, last = times.text_of(start, own), times.text_of(end, own)
        when = {"dateTime": first, "timeZone": own}, {"dateTime": last, "timeZone": own}
        suffix = times.stamp_of(start)
    body = {name: value for name, value in master.body.items() if name != "recurrence"}
    body |= {"start": when[0], "end": when[1], "recurringEventId": master.id, "originalStartTime": when[0]}
    return StoredEvent(
        calendar.id, f"{master.id}_{suffix}", master.seq, start, end, body, master=master.id, original=start
    )


def etag_of(event: StoredEvent) -> str:
    """The entity tag: it changes with every change."""
    return f'"{event.seq:016d}"'


def rendered(event: StoredEvent, calendar: Calendar, zone: str, *, brief: bool = False) -> Body:
    """The event as Google answers it, its times in `zone`; `brief` leaves of a deleted one only what is guaranteed."""
    head = {"kind": "calendar#event", "etag": etag_of(event), "id": event.id}
    body = event.body
    if brief and event.cancelled:
        names = ("status", "recurringEventId", "originalStartTime")
        return head | {name: _shown(name, body[name], zone, calendar) for name in names if name in body}
    return head | {name: _shown(name, value, zone, calendar) for name, value in body.items()}


def _shown(name: str, value: Any, zone: str, calendar: Calendar) -> Any:
    if name not in ("start", "end", "originalStartTime") or "dateTime" not in value:
        return value
    text = times.text_of(times.parse_instant(value["dateTime"]), zone)
    return {"dateTime": text, "timeZone": value.get("timeZone") or calendar.time_zone}
