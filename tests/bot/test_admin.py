"""`/pack-purchased`, `/renewal-reminder`, `/grace-warning`: sent again by hand, once a wish, and recorded."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.booking.models import SessionStatus
from app.core import clock
from app.core.rls import ServiceDoor
from app.core.templating import iso
from app.notifications.catalogue import CATALOGUE
from app.packs.models import SeatStatus
from app.wiring import Platform
from jobs.events import notice_of
from jobs.notifications import is_late
from tests.booking.support import Desk
from tests.bot.chat import DISCORD, Chat, menu_of, values
from tests.cast import Cast

COMMANDS = ("pack-purchased", "renewal-reminder", "grace-warning")


async def sent(desk: Desk) -> list[dict[str, Any]]:
    """Payloads of what was sent again."""
    rows = await desk.sql("select payload from outbox where strpos(key, '12000') > 0 order by created_at")
    return [row.payload for row in rows]


async def recorded(desk: Desk) -> list[tuple[Any, ...]]:
    query = "select actor_id, subject_id, after from audit_log where action = 'send_again' order by at"
    return [(row.actor_id, row.subject_id, row.after["kind"]) for row in await desk.sql(query)]


async def used(desk: Desk, sessions: int) -> None:
    """So many of the student's four sessions are over."""
    for _ in range(sessions):
        booked = (await desk.book("student", (await desk.offers("student"))[0])).session
        with clock.standing_at(booked.start + timedelta(hours=1)):
            await desk.mark("mentor", booked.id, SessionStatus.COMPLETED)


async def test_a_granted_pack_is_confirmed_again(chat: Chat, desk: Desk, cast: Cast) -> None:
    reply = await chat.type("admin", "pack-purchased", student=f" {cast.email('student').upper()}")
    assert reply.text == (
        "The confirmation of the pack is sent again: **Student** with **Mentor**. It stands in the audit log."
    )
    assert await sent(desk) == [{"kind": "pack_granted", "pack_id": str(cast.packs["student"])}]
    assert await recorded(desk) == [(cast["admin"], cast["student"], "pack_granted")]


async def test_the_student_is_named_by_their_discord_account_too(chat: Chat, desk: Desk, cast: Cast) -> None:
    reply = await chat.type("admin", "pack-purchased", member=DISCORD["student"])
    assert reply.text.startswith("The confirmation of the pack is sent again: **Student**")
    assert len(await sent(desk)) == 1


async def test_a_renewal_reminder_needs_one_session_left(chat: Chat, desk: Desk, cast: Cast) -> None:
    student = cast.email("student")
    assert (
        "with no instructor is it due" in (await chat.type("admin", "renewal-reminder", student=student)).text
    )
    given = {"student": student, "mentor": cast.email("mentor")}
    refused = await chat.type("admin", "renewal-reminder", **given)
    assert refused.text.startswith("Student isn’t down to one session with Mentor")
    await used(desk, 3)
    assert "is sent again" in (await chat.type("admin", "renewal-reminder", student=student)).text
    ids = {"mentor_id": str(cast["mentor"]), "student_id": str(cast["student"])}
    assert await sent(desk) == [{"kind": "renewal_reminder", **ids, "total": 4}]
    assert len(await recorded(desk)) == 1


async def test_a_grace_warning_needs_a_seat_in_grace(chat: Chat, desk: Desk, cast: Cast) -> None:
    given = {"student": cast.email("student"), "mentor": cast.email("mentor")}
    assert (await chat.type("admin", "grace-warning", **given)).text.startswith(
        "No seat of Student with Mentor"
    )
    await used(desk, 4)
    (seat,) = await desk.sql(
        "select id, status, seat_expires_at from seat_reservations where status = 'grace'"
    )
    assert seat.status == SeatStatus.GRACE
    assert "is sent again" in (await chat.type("admin", "grace-warning", **given)).text
    anchor = iso(seat.seat_expires_at)
    assert await sent(desk) == [{"kind": "grace_warning", "seat_id": str(seat.id), "anchor_at": anchor}]


async def test_what_is_sent_again_reaches_people(
    chat: Chat, desk: Desk, cast: Cast, platform: Platform
) -> None:
    """Who composes the three finds nothing outdated or late in them."""
    student = cast.email("student")
    await chat.type("admin", "pack-purchased", student=student)
    await used(desk, 3)
    await chat.type("admin", "renewal-reminder", student=student)
    reached = [await recipients(platform, payload) for payload in await sent(desk)]
    assert reached == [{cast["student"], cast["mentor"]}, {cast["student"]}]
    await used(desk, 1)
    await chat.type("admin", "grace-warning", student=student)
    assert await recipients(platform, (await sent(desk))[-1]) == {cast["student"]}


async def recipients(platform: Platform, payload: dict[str, Any]) -> set[UUID]:
    """Whom an event's notification is for, as the worker composes it."""
    assert not is_late(payload, clock.now())
    async with platform.database.service(ServiceDoor.JOB) as uow:
        messages = await notice_of(CATALOGUE[payload["kind"]])(uow, platform.settings, payload)
    assert [message.skip for message in messages] == [None] * len(messages)
    return {message.recipient_id for message in messages}


async def test_among_several_instructors_a_menu_asks_and_sends_once(
    chat: Chat, desk: Desk, cast: Cast
) -> None:
    await desk.grant("student", mentor="other_mentor")
    which = await chat.type("admin", "pack-purchased", student=cast.email("student"))
    menu = menu_of(which, "again")
    assert set(values(menu)) == {cast["mentor"].hex, cast["other_mentor"].hex}
    for _ in range(2):
        reply = await chat.pick("admin", which, "again", cast["other_mentor"].hex)
        assert "**Student** with **Other Mentor**" in reply.text
    assert len(await sent(desk)) == 1


async def test_a_second_wish_sends_a_second_time(chat: Chat, desk: Desk, cast: Cast) -> None:
    for _ in range(2):
        await chat.type("admin", "pack-purchased", student=cast.email("student"))
    assert len(await sent(desk)) == len(await recorded(desk)) == 2


NONSENSE: tuple[tuple[dict[str, str], str], ...] = (
    ({}, "Whom is it about?"),
    ({"student": "   "}, "Whom is it about?"),
    ({"student": "nobody@example.test"}, "Nobody here has that e-mail address."),
    ({"student": "\x00%'"}, "Nobody here has that e-mail address."),
    ({"student": "x" * 6000}, "Nobody here has that e-mail address."),
    ({"student": "mentor@example.test"}, "Only a student with an account"),
    ({"member": DISCORD["nobody"]}, "That Discord account isn’t linked to anybody here."),
    ({"member": "x\x00"}, "That Discord account isn’t linked to anybody here."),
    ({"member": DISCORD["mentor"]}, "Only a student with an account"),
    ({"student": "student@example.test", "mentor": "admin@example.test"}, "No instructor has that"),
    ({"student": "student@example.test", "mentor": "\x00"}, "No instructor has that"),
)


@pytest.mark.parametrize("command", COMMANDS)
async def test_nonsense_options_get_a_sentence(chat: Chat, desk: Desk, command: str) -> None:
    for options, says in NONSENSE:
        assert (await chat.type("admin", command, **options)).text.startswith(says), options
    assert await sent(desk) == await recorded(desk) == []


async def test_two_who_have_nothing_to_do_with_each_other(chat: Chat, desk: Desk, cast: Cast) -> None:
    given = {"student": cast.email("student"), "mentor": cast.email("other_mentor")}
    for command in COMMANDS:
        assert "have nothing to do with each other" in (await chat.type("admin", command, **given)).text
    assert await sent(desk) == []
