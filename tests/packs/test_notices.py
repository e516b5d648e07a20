"""Mails about seats: who gets which, in their own zone, and none that has become untrue."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.core import clock
from app.core.rls import ServiceDoor
from app.notifications.mailer import Mailer
from app.notifications.service import Message
from app.packs.notices import NOTICES
from app.settings import Settings
from tests.packs.support import SeatDesk

MONDAY = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
async def full(desk: SeatDesk) -> SeatDesk:
    """The student has the mentor's only seat, the other student waits for it."""
    await desk.capacity(1)
    await desk.join("other_student")
    return desk


async def mails(desk: SeatDesk, settings: Settings, kind: str) -> list[tuple[Message, dict[str, Any]]]:
    """What the latest event of that kind sends, composed and rendered now."""
    (event,) = await desk.sql(
        "select payload from outbox where type = 'notification/send' and payload->>'kind' = :kind"
        " order by created_at desc, id desc limit 1",
        kind=kind,
    )
    async with desk.database.service(ServiceDoor.JOB) as uow:
        messages = await NOTICES[kind](uow, settings, event.payload)
    mailer = Mailer.of(settings)
    return [
        (message, mailer.compose(kind, message.address, message.context))
        for message in messages
        if message.skip is None
    ]


async def test_an_offer_says_until_when_in_the_readers_zone(full: SeatDesk, settings: Settings) -> None:
    await full.release("student")
    with clock.standing_at(MONDAY):
        await full.offer()
    ((message, mail),) = await mails(full, settings, "seat_offered")
    assert message.address == full.cast.email("other_student")
    assert mail["subject"] == "A seat with Mentor is kept for you"
    for body in (mail["text"], mail["html"]):
        assert "Tue 24 Nov 2026, 16:00 (Europe/Berlin)" in body
        assert f"{settings.public_url}/instructors/mentor" in body


async def test_an_offer_taken_or_given_up_meanwhile_is_not_told(full: SeatDesk, settings: Settings) -> None:
    await full.release("student")
    await full.offer()
    await full.leave("other_student")
    assert await mails(full, settings, "seat_offered") == []


async def test_a_lapsed_offer_says_that_nothing_was_charged(full: SeatDesk, settings: Settings) -> None:
    await full.release("student")
    with clock.standing_at(MONDAY):
        await full.offer()
    with clock.standing_at(MONDAY + DAY):
        await full.expire()
    ((message, mail),) = await mails(full, settings, "offer_lapsed")
    assert message.address == full.cast.email("other_student")
    assert "Nothing was charged" in mail["text"]
    assert f"{settings.public_url}/instructors/mentor" in mail["text"]


async def test_both_hear_that_the_grace_is_over(full: SeatDesk, settings: Settings) -> None:
    await full.sql(
        "update seat_reservations set status = 'grace', seat_expires_at = :until where student_id = :id",
        until=MONDAY,
        id=full.cast["student"],
    )
    with clock.standing_at(MONDAY):
        await full.expire()
    student, mentor = await mails(full, settings, "seat_released")
    assert student[0].address == full.cast.email("student")
    assert student[1]["subject"] == "We no longer keep your seat with Mentor"
    assert mentor[0].address == full.cast.email("mentor")
    assert mentor[1]["subject"] == "The seat of Student is free again"
    assert f"{settings.public_url}/instructor/waitlist" in mentor[1]["html"]


async def test_who_was_taken_off_the_list_hears_of_it(full: SeatDesk, settings: Settings) -> None:
    await full.remove("other_student")
    ((message, mail),) = await mails(full, settings, "waitlist_removed")
    assert message.address == full.cast.email("other_student")
    assert mail["subject"] == "You are no longer on the waitlist of Mentor"
