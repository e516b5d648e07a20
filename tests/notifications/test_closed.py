"""Direct messages that are closed to us: noted, and the mail that was turned off is sent in their place, once."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from app.core.db import Database
from app.core.outbox import Busy, Retry
from app.notifications.models import Channel, DeliveryState, SkipReason
from app.settings import Settings
from tests.notifications.desk import Desk

MAIL, DISCORD = Channel.EMAIL, Channel.DISCORD
SENT, SKIPPED = DeliveryState.SENT, DeliveryState.SKIPPED
CREATE = "/messages"


async def test_closed_direct_messages_bring_the_mail_that_was_turned_off(desk: Desk) -> None:
    await desk.link(open=False)
    await desk.turn_off(MAIL)
    assert await desk.tell() == {MAIL: (SENT, None), DISCORD: (SKIPPED, SkipReason.CLOSED)}
    assert await desk.closed_at() is not None
    (mail,) = desk.mailbox("student")
    assert "is booked" in mail["text"]
    assert (await desk.row(DISCORD)).last_error == "403 50007: Cannot send messages to this user"
    await desk.send(desk.message("student"))
    assert len(desk.mailbox()) == 1
    assert len([item for item in desk.requests("discord") if item["path"].endswith(CREATE)]) == 1


async def test_closed_after_a_lost_answer_is_told_by_mail_and_called_uncertain(desk: Desk) -> None:
    account = await desk.link()
    await desk.turn_off(MAIL)
    desk.sandbox.control.chaos("discord", error_rate=1, after=True, count=1, match=CREATE)
    with pytest.raises(Retry):
        await desk.tell()
    desk.sandbox.control.discord_member(account, open=False)
    await desk.deliver()
    assert await desk.outcome() == {MAIL: (SENT, None), DISCORD: (DeliveryState.UNCERTAIN, SkipReason.CLOSED)}
    assert await desk.closed_at() is not None
    assert (len(desk.mailbox()), len(desk.direct())) == (1, 1)


async def test_closed_direct_messages_bring_no_second_mail(desk: Desk) -> None:
    await desk.link(open=False)
    assert await desk.tell() == {MAIL: (SENT, None), DISCORD: (SKIPPED, SkipReason.CLOSED)}
    assert len(desk.mailbox()) == 1


async def test_a_paused_address_gets_no_mail_in_place_of_discord(desk: Desk) -> None:
    await desk.link(open=False)
    await desk.pause()
    await desk.turn_off(MAIL)
    assert await desk.tell() == {MAIL: (SKIPPED, SkipReason.PAUSED), DISCORD: (SKIPPED, SkipReason.CLOSED)}
    assert desk.mailbox() == []


async def test_who_turned_both_off_is_told_nowhere(desk: Desk) -> None:
    await desk.link(open=False)
    await desk.turn_off(MAIL, DISCORD)
    await desk.tell()
    assert [row.rendered for row in await desk.rows()] == [None, None]
    assert desk.mailbox() == []
    assert await desk.closed_at() is None, "nobody tried"


async def test_a_message_that_arrives_opens_them_again(desk: Desk) -> None:
    account = await desk.link(open=False)
    await desk.tell()
    first = await desk.closed_at()
    desk.event_id = desk.cast["mentor"]
    await desk.tell()
    assert await desk.closed_at() == first, "since when, not when last"
    desk.sandbox.control.discord_member(account, open=True)
    desk.event_id = desk.cast["student"]
    await desk.tell()
    assert await desk.closed_at() is None


async def test_the_mail_in_place_of_discord_is_retried_like_any(desk: Desk) -> None:
    await desk.link(open=False)
    await desk.turn_off(MAIL)
    desk.sandbox.control.chaos("resend", error_rate=1, after=True, count=1)
    with pytest.raises(Retry):
        await desk.tell()
    assert await desk.outcome() == {
        MAIL: (DeliveryState.SENDING, None),
        DISCORD: (SKIPPED, SkipReason.CLOSED),
    }
    await desk.deliver()
    assert len(desk.mailbox()) == 1


@pytest.mark.parametrize("is_open", [True, False])
async def test_many_workers_send_one_message_and_one_mail(
    desk: Desk, settings: Settings, is_open: bool
) -> None:
    await desk.link(open=is_open)
    if not is_open:
        await desk.turn_off(MAIL)
    desk.sandbox.control.chaos("discord", latency_ms=50)
    other = Database(settings)
    both = [desk, dataclasses.replace(desk, database=other)]
    message = desk.message("student")
    ends = await asyncio.gather(*(both[n % 2].send(message) for n in range(10)), return_exceptions=True)
    assert all(end is None or isinstance(end, Busy) for end in ends), ends
    await desk.deliver()
    await other.dispose()
    assert (len(desk.mailbox()), len(desk.direct())) == (1, 1 if is_open else 0)
    asked = [item for item in desk.requests("discord") if item["path"].endswith(CREATE)]
    assert len(asked) == len(desk.requests()) == 1
