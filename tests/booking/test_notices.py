"""Mails about sessions: who gets which, each about its own change, rendered from the real templates."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import icalendar
import pytest

from app.booking.models import SessionStatus
from app.booking.notices import NOTICES
from app.booking.service import SessionFacts, complete_overdue
from app.core import clock
from app.core.rls import ServiceDoor
from app.notifications.mailer import Mailer
from app.notifications.service import Message, outdated
from app.settings import Settings
from tests.booking.support import Desk


@pytest.fixture
async def booked(desk: Desk) -> SessionFacts:
    return (await desk.book("student", (await desk.offers("student"))[0])).session


async def mails(desk: Desk, settings: Settings, kind: str) -> list[Message]:
    """What the latest event of that kind sends, composed now."""
    payload = [event for event in await desk.events("notification/send") if event["kind"] == kind][-1]
    async with desk.database.service(ServiceDoor.JOB) as uow:
        messages = await NOTICES[kind](uow, settings, payload)
    mailer = Mailer.of(settings)
    for message in messages:
        mailer.compose(kind, message.address, message.context)
    return messages


def event_of(message: Message) -> tuple[str, Any]:
    calendar: Any = icalendar.Calendar.from_ical(message.attachments[0].content)
    return calendar["METHOD"], calendar.walk("VEVENT")[0]


async def test_both_hear_of_a_booking_each_in_their_own_words(
    desk: Desk, settings: Settings, booked: SessionFacts
) -> None:
    student, mentor = await mails(desk, settings, "session_booked")
    assert (student.address, mentor.address) == (desk.cast.email("student"), desk.cast.email("mentor"))
    assert student.context == {
        "recipient_name": "Student",
        "other_name": "Mentor",
        "role": "student",
        "start": booked.start,
        "end": booked.end,
        "zone": "America/New_York",
        "link": f"{settings.public_url}/sessions/{booked.id}",
        "sessions_left": 3,
    }
    assert mentor.context["zone"] == "Europe/Lisbon"
    assert "sessions_left" not in mentor.context
    for message in (student, mentor):
        method, event = event_of(message)
        assert (method, event["SEQUENCE"], event["ATTENDEE"]) == ("REQUEST", 0, f"mailto:{message.address}")


async def test_each_mail_is_about_its_own_change(
    desk: Desk, settings: Settings, booked: SessionFacts
) -> None:
    """All three are composed at the end, as after a night without a worker."""
    goal = (await desk.offers("student"))[4]
    await desk.move("student", booked.id, goal)
    await desk.cancel("mentor", booked.id)
    found = {}
    for kind in ("session_booked", "session_moved", "session_canceled"):
        message = (await mails(desk, settings, kind))[0]
        method, event = event_of(message)
        found[kind] = (method, event["SEQUENCE"], event["DTSTART"].dt, message.context["start"])
    assert found == {
        "session_booked": ("REQUEST", 0, booked.start, booked.start),
        "session_moved": ("REQUEST", 1, goal, goal),
        "session_canceled": ("CANCEL", 2, goal, goal),
    }
    moved = (await mails(desk, settings, "session_moved"))[0]
    assert moved.context["previous_start"] == booked.start
    canceled = (await mails(desk, settings, "session_canceled"))[0]
    assert canceled.context["canceled_by"] == "mentor"
    assert "reason" not in canceled.context


async def test_a_late_cancellation_says_that_it_cost_the_session(
    desk: Desk, settings: Settings, booked: SessionFacts
) -> None:
    with clock.standing_at(booked.start - timedelta(hours=1)):
        await desk.cancel("student", booked.id)
    student, _ = await mails(desk, settings, "session_canceled")
    assert "used up" in student.context["reason"]
    assert student.context["sessions_left"] == 3


@pytest.mark.parametrize("status", [SessionStatus.COMPLETED, SessionStatus.NO_SHOW])
async def test_marks_are_told_to_the_student(
    desk: Desk, settings: Settings, booked: SessionFacts, status: SessionStatus
) -> None:
    with clock.standing_at(booked.start):
        await desk.mark("mentor", booked.id, status)
    (message,) = await mails(desk, settings, f"session_{status}")
    assert message.address == desk.cast.email("student")
    assert message.attachments == ()


async def test_completed_by_the_system_is_told_to_both(
    desk: Desk, settings: Settings, booked: SessionFacts
) -> None:
    with clock.standing_at(booked.end + timedelta(hours=48)):
        await complete_overdue(desk.database)
    assert len(await mails(desk, settings, "session_auto_completed")) == 2


async def test_a_conflict_settled_meanwhile_is_not_told(
    desk: Desk, settings: Settings, booked: SessionFacts
) -> None:
    payload = {"kind": "calendar_conflict", "session_id": str(booked.id), "conflict": "moved"}
    async with desk.database.service(ServiceDoor.JOB) as uow:
        assert await NOTICES["calendar_conflict"](uow, settings, payload) == [outdated(desk.cast["mentor"])]
    await desk.sql("update sessions set conflict = 'moved', event_sync = 'written'")
    async with desk.database.service(ServiceDoor.JOB) as uow:
        (message,) = await NOTICES["calendar_conflict"](uow, settings, payload)
    assert message.address == desk.cast.email("mentor")
    assert Mailer.of(settings).compose("calendar_conflict", message.address, message.context)["subject"]


async def test_a_failure_repaired_meanwhile_is_not_told(
    desk: Desk, settings: Settings, booked: SessionFacts
) -> None:
    payload = {"kind": "calendar_failed", "session_id": str(booked.id), "version": 0, "reason": "400 bad"}
    async with desk.database.service(ServiceDoor.JOB) as uow:
        assert await NOTICES["calendar_failed"](uow, settings, payload) == [outdated(desk.cast["mentor"])]
    await desk.sql("update sessions set event_sync = 'failed'")
    async with desk.database.service(ServiceDoor.JOB) as uow:
        (message,) = await NOTICES["calendar_failed"](uow, settings, payload)
    assert message.context["reason"] == "400 bad"


async def test_who_left_is_not_written_to(desk: Desk, settings: Settings, booked: SessionFacts) -> None:
    await desk.sql("update users set deleted_at = now() where id = :id", id=desk.cast["student"])
    assert [message.address for message in await mails(desk, settings, "session_booked")] == [
        desk.cast.email("mentor")
    ]
