"""Invitations, parsed back by a calendar's own reader."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
import pytest

from app.booking.ics import Meeting, invitation, uid
from app.core.ids import new_id
from app.settings import Settings
from tests.booking.conftest import Visit
from tests.booking.support import Desk

START = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)
SETTINGS = Settings(
    public_url="https://studio.example:8443", email_from='"Studio, the" <hello@studio.example>'
)
MEETING = Meeting(
    session_id=new_id(),
    version=2,
    start=START,
    end=START + timedelta(hours=1),
    canceled=False,
    with_name="Inês; Duarte, \\n\r\nX-EVIL:1",
    name='Ana "O" Neill',
    email="ana@example.test",
)


def parsed(content: bytes) -> tuple[Any, Any]:
    calendar = icalendar.Calendar.from_ical(content)
    (event,) = calendar.walk("VEVENT")
    return calendar, event


def test_a_request_says_all_that_a_calendar_needs() -> None:
    file = invitation(SETTINGS, MEETING)
    assert (file.filename, file.content_type) == (
        "invite.ics",
        "text/calendar; charset=utf-8; method=REQUEST",
    )
    calendar, event = parsed(file.content)
    assert calendar["METHOD"] == "REQUEST"
    assert event["UID"] == f"session-{MEETING.session_id}@studio.example"
    assert event["SEQUENCE"] == 2
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (MEETING.start, MEETING.end)
    assert event["STATUS"] == "CONFIRMED"
    assert event["ORGANIZER"] == "mailto:hello@studio.example"
    assert event["ORGANIZER"].params["CN"] == "Studio, the"
    assert event["ATTENDEE"] == "mailto:ana@example.test"
    assert event["URL"] == f"https://studio.example:8443/sessions/{MEETING.session_id}"


def test_a_name_cannot_add_lines() -> None:
    calendar, event = parsed(invitation(SETTINGS, MEETING).content)
    assert "X-EVIL" not in event
    assert "X-EVIL" not in calendar
    assert event["SUMMARY"].startswith("Session with Inês; Duarte, ")


def test_a_cancellation_takes_the_same_event_out() -> None:
    file = invitation(SETTINGS, Meeting(**{**_fields(MEETING), "canceled": True, "version": 3}))
    calendar, event = parsed(file.content)
    assert (calendar["METHOD"], event["STATUS"], event["SEQUENCE"]) == ("CANCEL", "CANCELLED", 3)
    assert event["UID"] == uid(SETTINGS, MEETING.session_id)
    assert "method=CANCEL" in file.content_type


def test_lines_are_folded_for_every_reader() -> None:
    content = invitation(SETTINGS, MEETING).content
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))


def test_an_organizer_without_a_name_is_the_brand() -> None:
    settings = dataclasses.replace(SETTINGS, email_from="hello@studio.example", brand_name="Studio")
    _, event = parsed(invitation(settings, MEETING).content)
    assert event["ORGANIZER"].params["CN"] == "Studio"


@pytest.mark.parametrize(("who", "other"), [("student", "Mentor"), ("mentor", "Student")])
async def test_the_page_gives_each_their_own(desk: Desk, visit: Visit, who: str, other: str) -> None:
    booked = (await desk.book("student", (await desk.offers("student"))[0])).session
    answer = await (await visit(who)).get(f"/sessions/{booked.id}/invite.ics")
    assert answer.headers["content-type"].startswith("text/calendar")
    assert "attachment" in answer.headers["content-disposition"]
    _, event = parsed(answer.content)
    assert event["SUMMARY"] == f"Session with {other}"
    assert event["ATTENDEE"] == f"mailto:{desk.cast.email(who)}"
    assert event["DTSTART"].dt == booked.start


def _fields(meeting: Meeting) -> dict[str, Any]:
    return {name: getattr(meeting, name) for name in meeting.__struct_fields__}
