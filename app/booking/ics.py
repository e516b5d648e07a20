"""A session as an iCalendar file (RFC 5545, 5546): one UID, a rising SEQUENCE, REQUEST or CANCEL.

Each person gets a file in which only they attend: nobody learns the other's address from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from email.utils import parseaddr
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

import icalendar
import msgspec

from app.core import clock
from app.notifications.service import Attachment
from app.settings import Settings

PRODUCT: Final = "-//Mentorships//Sessions//EN"


class Meeting(msgspec.Struct, frozen=True):
    """A session at one of its versions, for one of its people. Instants are aware UTC."""

    session_id: UUID
    version: int
    start: datetime
    end: datetime
    canceled: bool
    with_name: str
    name: str
    email: str


def invitation(settings: Settings, meeting: Meeting) -> Attachment:
    """The file that puts the meeting into a calendar, moves it there, or takes it out."""
    method = "CANCEL" if meeting.canceled else "REQUEST"
    calendar = icalendar.Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", method)
    calendar.add_component(_event(settings, meeting))
    return Attachment(
        filename="invite.ics",
        content=calendar.to_ical(),
        content_type=f"text/calendar; charset=utf-8; method={method}",
    )


def schedule(settings: Settings, meetings: Sequence[Meeting]) -> Attachment:
    """One file that puts several meetings into a calendar, published: a REQUEST holds one meeting alone (RFC 5546).

    Each keeps its UID, by which invitations and cancellations that come later find it; nobody is named as attending.
    """
    calendar = icalendar.Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    for meeting in meetings:
        event = _event(settings, meeting)
        del event["attendee"]
        calendar.add_component(event)
    return Attachment(
        filename="sessions.ics",
        content=calendar.to_ical(),
        content_type="text/calendar; charset=utf-8; method=PUBLISH",
    )


def uid(settings: Settings, session_id: UUID) -> str:
    """The session's UID in every calendar, for ever."""
    return f"session-{session_id}@{urlsplit(settings.public_url).hostname}"


def _event(settings: Settings, meeting: Meeting) -> icalendar.Event:
    link = f"{settings.public_url}/sessions/{meeting.session_id}"
    event = icalendar.Event()
    event.add("uid", uid(settings, meeting.session_id))
    event.add("sequence", meeting.version)
    event.add("dtstamp", clock.now())
    event.add("dtstart", meeting.start)
    event.add("dtend", meeting.end)
    event.add("summary", f"Session with {meeting.with_name}")
    event.add("description", f"{settings.brand_name}: {link}")
    event.add("url", link)
    event.add("status", "CANCELLED" if meeting.canceled else "CONFIRMED")
    event.add("transp", "OPAQUE")
    event.add("organizer", _organizer(settings))
    event.add("attendee", _attendee(meeting))
    return event


def _organizer(settings: Settings) -> icalendar.vCalAddress:
    name, address = parseaddr(settings.email_from)
    organizer = icalendar.vCalAddress(f"mailto:{address}")
    organizer.params["cn"] = icalendar.vText(name or settings.brand_name)
    return organizer


def _attendee(meeting: Meeting) -> icalendar.vCalAddress:
    attendee = icalendar.vCalAddress(f"mailto:{meeting.email}")
    attendee.params["cn"] = icalendar.vText(meeting.name)
    attendee.params["role"] = icalendar.vText("REQ-PARTICIPANT")
    attendee.params["partstat"] = icalendar.vText("ACCEPTED")
    attendee.params["rsvp"] = icalendar.vText("FALSE")
    return attendee
