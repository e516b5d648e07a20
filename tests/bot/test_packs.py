"""`/packs` and `/renew`: what is left, and the way to the next pack."""

from __future__ import annotations

from datetime import timedelta

from app.booking.models import SessionStatus
from app.core import clock
from tests.booking.support import Desk
from tests.bot.chat import Chat, buttons_of, links
from tests.cast import Cast


async def use_up(desk: Desk, sessions: int) -> None:
    for _ in range(sessions):
        booked = (await desk.book("student", (await desk.offers("student"))[0])).session
        with clock.standing_at(booked.start + timedelta(hours=1)):
            await desk.mark("mentor", booked.id, SessionStatus.COMPLETED)


async def test_packs_say_what_is_left(chat: Chat, desk: Desk, cast: Cast) -> None:
    await desk.book("student", (await desk.offers("student"))[0])
    expires = int((await desk.pack(cast.packs["student"])).expires_at.timestamp())
    reply = await chat.type("student", "packs")
    assert reply.text == (
        f"**Your packs**\n- Mentor: 4 sessions left, 1 of them booked, good until <t:{expires}:D>"
    )
    assert links(reply)[0].endswith(f"/packs/{cast.packs['student']}")


async def test_renew_leads_to_the_packs_on_sale(chat: Chat) -> None:
    reply = await chat.type("student", "renew")
    assert reply.text == "**Another pack**\n- Nothing renews by itself."
    assert [button.label for button in buttons_of(reply)] == ["Renew with Mentor"]
    assert links(reply)[0].endswith("/instructors/mentor#packs")


async def test_renew_says_when_it_is_time(chat: Chat, desk: Desk) -> None:
    await use_up(desk, 3)
    assert (
        "- Mentor: 1 session left. With another pack you keep your seat."
        in (await chat.type("student", "renew")).text
    )
    await use_up(desk, 1)
    (seat,) = await desk.sql("select seat_expires_at from seat_reservations where status = 'grace'")
    until = int(seat.seat_expires_at.timestamp())
    said = (await chat.type("student", "renew")).text
    assert f"- Mentor: no sessions left. Your seat is kept until <t:{until}:F>." in said
    assert f"your seat is kept until <t:{until}:f>" in (await chat.type("student", "packs")).text


async def test_without_a_pack_there_is_a_way_to_one(chat: Chat) -> None:
    for command in ("packs", "renew"):
        reply = await chat.type("new_student", command)
        assert reply.text.startswith("You have no pack yet.")
        assert links(reply)[0].endswith("/instructors")


async def test_many_instructors_fit_into_a_message(chat: Chat, desk: Desk) -> None:
    await desk.grant("student", mentor="other_mentor")
    reply = await chat.type("student", "renew")
    assert len(buttons_of(reply)) == 2
    assert len(links(await chat.type("student", "packs"))) == 2
