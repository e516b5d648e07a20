"""`/today`, `/students`, `/session-completed`, `/no-show`: a mentor's own sessions and mentees, and nobody else's."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.booking.models import SessionStatus
from app.booking.service import SessionFacts
from app.core import clock
from bot.answering import GONE
from bot.custom_ids import write
from tests.booking.support import Desk
from tests.bot.chat import Chat, menu_of, values

COMPLETED, NO_SHOW = SessionStatus.COMPLETED, SessionStatus.NO_SHOW
COMMANDS = {COMPLETED: "session-completed", NO_SHOW: "no-show"}
SAYS = {COMPLETED: "Marked as held: ", NO_SHOW: "Marked as no-show: "}


@pytest.fixture
async def booked(desk: Desk) -> SessionFacts:
    return (await desk.book("student", (await desk.offers("student"))[0])).session


@pytest.mark.parametrize("status", [COMPLETED, NO_SHOW])
async def test_marking_uses_the_session_once(
    chat: Chat, desk: Desk, booked: SessionFacts, status: SessionStatus
) -> None:
    with clock.standing_at(booked.start + timedelta(minutes=50)):
        which = await chat.type("mentor", COMMANDS[status])
        menu = menu_of(which, "mark")
        assert values(menu) == [booked.id.hex]
        assert menu.options[0].about == "with Student"
        for _ in range(2):
            assert (await chat.pick("mentor", which, "mark")).text.startswith(SAYS[status])
        assert (await chat.type("mentor", COMMANDS[status])).text == "No session of yours waits to be marked."
    assert (await desk.session(booked.id)).status is status
    assert (await desk.pack(booked.pack_id)).remaining_sessions == 3


async def test_nothing_is_offered_before_the_start(chat: Chat, desk: Desk, booked: SessionFacts) -> None:
    with clock.standing_at(booked.start - timedelta(seconds=1)):
        assert (
            await chat.type("mentor", "session-completed")
        ).text == "No session of yours waits to be marked."
        forged = await chat.use("mentor", write("mark", "completed"), booked.id.hex)
        assert forged.text.startswith("**This session hasn’t started.**")
    assert (await desk.session(booked.id)).status is SessionStatus.SCHEDULED


async def test_another_mentor_marks_nothing_by_a_forged_menu(
    chat: Chat, desk: Desk, booked: SessionFacts
) -> None:
    with clock.standing_at(booked.start + timedelta(minutes=50)):
        assert (await chat.type("other_mentor", "no-show")).text == "No session of yours waits to be marked."
        for status in ("completed", "no_show", "canceled", "scheduled"):
            assert (await chat.use("other_mentor", write("mark", status), booked.id.hex)).text == GONE
    assert (await desk.session(booked.id)).status is SessionStatus.SCHEDULED


@pytest.mark.parametrize("status", ["canceled", "scheduled", "x"])
async def test_a_mark_that_no_menu_has_does_nothing(
    chat: Chat, desk: Desk, booked: SessionFacts, status: str
) -> None:
    with clock.standing_at(booked.start + timedelta(minutes=50)):
        assert (await chat.use("mentor", write("mark", status), booked.id.hex)).text == GONE
    assert (await desk.session(booked.id)).status is SessionStatus.SCHEDULED


async def test_a_former_student_marks_nothing_they_were_taught(
    chat: Chat, desk: Desk, booked: SessionFacts
) -> None:
    """Their old sessions are still theirs to see, and a mentor's command is theirs to type."""
    await desk.sql("update users set role = 'mentor' where id = :id", id=desk.cast["student"])
    with clock.standing_at(booked.start + timedelta(minutes=50)):
        assert (await chat.use("student", write("mark", "completed"), booked.id.hex)).text == GONE
    assert (await desk.session(booked.id)).status is SessionStatus.SCHEDULED


async def test_a_dead_menu_overwrites_nothing(chat: Chat, desk: Desk, booked: SessionFacts) -> None:
    """Between the menu and the click the student didn't come after all, on the page; or it was canceled before."""
    with clock.standing_at(booked.start + timedelta(minutes=50)):
        which = await chat.type("mentor", "session-completed")
        await desk.mark("mentor", booked.id, NO_SHOW)
        reply = await chat.pick("mentor", which, "mark")
        assert "changed in the meantime" in reply.text
        assert (await desk.session(booked.id)).status is NO_SHOW


async def test_a_canceled_session_cannot_be_marked(chat: Chat, desk: Desk, booked: SessionFacts) -> None:
    await desk.cancel("student", booked.id)
    with clock.standing_at(booked.start + timedelta(minutes=50)):
        assert (
            await chat.type("mentor", "session-completed")
        ).text == "No session of yours waits to be marked."
        reply = await chat.use("mentor", write("mark", "completed"), booked.id.hex)
        assert "Nothing was changed" in reply.text
    assert (await desk.session(booked.id)).status is SessionStatus.CANCELED


async def test_today_is_the_mentors_day(chat: Chat, desk: Desk, booked: SessionFacts) -> None:
    assert (await chat.type("other_mentor", "today")).text == "You have no sessions today."
    with clock.standing_at(booked.start - timedelta(minutes=5)):
        today = (await chat.type("mentor", "today")).text
        assert today == f"**Today**\n- <t:{int(booked.start.timestamp())}:t> Student"
        assert (await chat.type("other_mentor", "today")).text == "You have no sessions today."
    with clock.standing_at(booked.start + timedelta(minutes=61)):
        waiting = (await chat.type("mentor", "today")).text
        assert waiting.endswith("\n1 session waits to be marked: /session-completed or /no-show.")
        await desk.mark("mentor", booked.id, COMPLETED)
        assert (await chat.type("mentor", "today")).text.endswith("Student, held")
    with clock.standing_at(booked.start + timedelta(days=1)):
        assert (await chat.type("mentor", "today")).text == "You have no sessions today."


async def test_students_are_the_mentors_own(chat: Chat, booked: SessionFacts) -> None:
    reply = await chat.type("mentor", "students")
    when = int(booked.start.timestamp())
    assert reply.text == f"**Your mentees**\n- Student: 4 sessions left, next <t:{when}:f>"
    assert (
        await chat.type("other_mentor", "students")
    ).text == "**Your mentees**\n- Other Student: 4 sessions left"


async def test_many_mentees_fit_into_a_message(chat: Chat, desk: Desk) -> None:
    for number in range(90):
        await desk.student(number)
    reply = await chat.type("mentor", "students")
    assert len(reply.text) <= 2000
    assert "more on the page." in reply.text
