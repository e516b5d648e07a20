"""`/sessions`, `/next`, `/cancel`: a student's own."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from app.booking.models import SessionStatus
from app.booking.service import SessionFacts
from app.core import clock
from bot.answering import GONE
from bot.custom_ids import write
from tests.booking.support import Desk
from tests.bot.chat import Chat, button_of, links, menu_of, values
from tests.bot.test_book import stamp

HOUR = timedelta(hours=1)


@pytest.fixture
async def booked(desk: Desk) -> SessionFacts:
    return (await desk.book("student", (await desk.offers("student"))[0])).session


async def test_nothing_booked(chat: Chat) -> None:
    for command in ("sessions", "next"):
        assert (
            await chat.type("student", command)
        ).text == "You have nothing booked. Type /book to pick a time."
        said = (await chat.type("new_student", command)).text
        assert said == "You have nothing booked. Type /renew for a pack with sessions."
    assert (await chat.type("student", "cancel")).text == "You have nothing booked that could be canceled."


async def test_sessions_and_the_next_one(chat: Chat, desk: Desk, booked: SessionFacts) -> None:
    later = (await desk.book("student", (await desk.offers("student"))[-1])).session
    reply = await chat.type("student", "sessions")
    assert (
        reply.text
        == f"**Your sessions**\n- {stamp(booked.start)} with Mentor\n- {stamp(later.start)} with Mentor"
    )
    following = await chat.type("student", "next")
    assert following.text.startswith(f"Your next session is with **Mentor**: {stamp(booked.start)}")
    assert links(following)[0].endswith(f"/sessions/{booked.id}")


async def test_canceling_in_time_gives_the_session_back(chat: Chat, desk: Desk, booked: SessionFacts) -> None:
    which = await chat.type("student", "cancel")
    asked = await chat.pick("student", which, "cancel.pick")
    assert asked.text == f"Cancel {stamp(booked.start)} with **Mentor**? Your session goes back to the pack."
    done = await chat.press("student", asked, "Cancel the session")
    assert done.text.startswith("Canceled: ")
    assert done.text.endswith("Your session goes back to the pack.")
    assert (await desk.session(booked.id)).status is SessionStatus.CANCELED
    assert (await desk.pack(booked.pack_id)).remaining_sessions == 4


async def test_canceling_late_loses_it_and_says_so_first(
    chat: Chat, desk: Desk, booked: SessionFacts
) -> None:
    with clock.standing_at(booked.start - 2 * HOUR):
        asked = await chat.pick("student", await chat.type("student", "cancel"), "cancel.pick")
        assert "It starts in less than 24 hours, so the session is used up." in asked.text
        done = await chat.press("student", asked, "Cancel it and lose the session")
    assert done.text.endswith("The session is used up.")
    assert (await desk.pack(booked.pack_id)).remaining_sessions == 3


async def test_a_button_from_before_the_last_day_costs_nothing_unasked(
    chat: Chat, desk: Desk, booked: SessionFacts
) -> None:
    with clock.standing_at(booked.start - 25 * HOUR):
        asked = await chat.pick("student", await chat.type("student", "cancel"), "cancel.pick")
    with clock.standing_at(booked.start - 23 * HOUR):
        again = await chat.press("student", asked, "Cancel the session")
        assert again.text.startswith("It is later than when you were asked.")
        assert (await desk.session(booked.id)).status is SessionStatus.SCHEDULED
        assert button_of(again, "Cancel it and lose the session").danger


async def test_keeping_it(chat: Chat, desk: Desk, booked: SessionFacts) -> None:
    asked = await chat.pick("student", await chat.type("student", "cancel"), "cancel.pick")
    assert (await chat.press("student", asked, "Keep it")).text == "Nothing was canceled."
    assert (await desk.session(booked.id)).status is SessionStatus.SCHEDULED


async def test_two_clicks_cancel_once(chat: Chat, desk: Desk, booked: SessionFacts) -> None:
    with clock.standing_at(booked.start - 2 * HOUR):
        asked = await chat.pick("student", await chat.type("student", "cancel"), "cancel.pick")
        press = "Cancel it and lose the session"
        said = [
            reply.text
            for reply in await asyncio.gather(*(chat.press("student", asked, press) for _ in range(3)))
        ]
    assert len([text for text in said if text.startswith("Canceled: ")]) == 1
    assert len([text for text in said if text == "That session is canceled."]) == 2
    assert (await desk.pack(booked.pack_id)).remaining_sessions == 3
    menu = write("cancel.pick")
    assert (await chat.use("student", menu, booked.id.hex)).text == "That session is canceled."


async def test_what_has_begun_cannot_be_canceled(chat: Chat, desk: Desk, booked: SessionFacts) -> None:
    which = await chat.type("student", "cancel")
    asked = await chat.pick("student", which, "cancel.pick")
    with clock.standing_at(booked.start):
        for reply in (
            await chat.pick("student", which, "cancel.pick"),
            await chat.press("student", asked, "Cancel the session"),
        ):
            assert "later than when you were asked" in reply.text or reply.text.startswith(
                "**This session has started.**"
            )
        assert (
            await chat.type("student", "cancel")
        ).text == "You have nothing booked that could be canceled."
        forced = await chat.use("student", write("cancel.do", booked.id, 1))
        assert forced.text.startswith("**This session has started.**")
    assert (await desk.session(booked.id)).status is SessionStatus.SCHEDULED


async def test_another_students_session_is_not_there(chat: Chat, desk: Desk, booked: SessionFacts) -> None:
    assert values(menu_of(await chat.type("student", "cancel"), "cancel.pick")) == [booked.id.hex]
    assert (await chat.use("other_student", write("cancel.pick"), booked.id.hex)).text == GONE
    for loses in (0, 1):
        assert (await chat.use("other_student", write("cancel.do", booked.id, loses))).text == GONE
    assert (await desk.session(booked.id)).status is SessionStatus.SCHEDULED


async def test_many_sessions_fit_into_a_message(chat: Chat, desk: Desk) -> None:
    await desk.grant("student", sessions=60, days=60)
    for start in (await desk.offers("student", days=60))[:120:2]:
        await desk.book("student", start)
    reply = await chat.type("student", "sessions")
    assert len(reply.text) <= 2000
    assert "more on the page." in reply.text
    which = await chat.type("student", "cancel")
    assert len(menu_of(which, "cancel.pick").options) == 25
    assert "These are the next 25" in which.text
