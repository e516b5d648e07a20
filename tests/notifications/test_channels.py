"""Who is told where: mail and Discord side by side, what is turned off or paused, and mail in place of Discord."""

from __future__ import annotations

import asyncio
import dataclasses
import logging

import pytest
import sqlalchemy as sa

from app.core.db import Database
from app.core.outbox import Busy, Retry
from app.notifications.mailer import Mailer
from app.notifications.messenger import Messenger
from app.notifications.models import Channel, Delivery, DeliveryState, SkipReason
from app.settings import Settings
from tests.notifications.desk import KIND, Desk

MAIL, DISCORD = Channel.EMAIL, Channel.DISCORD
SENT, SKIPPED, FAILED = DeliveryState.SENT, DeliveryState.SKIPPED, DeliveryState.FAILED
CREATE = "/messages"


async def outcome(desk: Desk) -> dict[Channel, tuple[DeliveryState, str | None]]:
    """What became of each of the event's deliveries."""
    return {row.channel: (row.state, row.reason) for row in await desk.rows()}


async def send(desk: Desk, kind: str = KIND) -> dict[Channel, tuple[DeliveryState, str | None]]:
    """One notification to the student."""
    await desk.send(desk.message("student", kind), kind=kind)
    return await outcome(desk)


async def test_who_has_linked_discord_is_told_there_and_by_mail(desk: Desk) -> None:
    await desk.link("student")
    await desk.send()
    assert [(row.channel, row.state) for row in await desk.rows()] == [
        (MAIL, SENT),
        (DISCORD, SENT),
        (MAIL, SENT),
    ]
    (mail,) = desk.mailbox("student")
    (direct,) = desk.direct()
    for row in await desk.rows():
        if row.recipient_id == desk.cast["student"]:
            assert row.provider_id == (mail if row.channel is MAIL else direct)["id"]
            assert row.sent_at is not None
    assert "is booked" in direct["content"]
    assert "Hello" not in direct["content"]
    assert len(desk.mailbox("mentor")) == 1


@pytest.mark.parametrize(
    ("channels", "arrives"),
    [((MAIL,), (0, 1)), ((DISCORD,), (1, 0)), ((MAIL, DISCORD), (0, 0)), ((), (1, 1))],
)
async def test_each_channel_is_turned_off_by_itself(
    desk: Desk, channels: tuple[Channel, ...], arrives: tuple[int, int]
) -> None:
    await desk.link()
    await desk.turn_off(*channels)
    ends = await send(desk)
    assert (len(desk.mailbox()), len(desk.direct())) == arrives
    for channel in (MAIL, DISCORD):
        off = (SKIPPED, SkipReason.TURNED_OFF)
        assert ends[channel] == (off if channel in channels else (SENT, None))


async def test_what_is_turned_off_is_that_kind_of_that_person(desk: Desk) -> None:
    await desk.link()
    await desk.turn_off(MAIL, DISCORD, kind="session_moved")
    await desk.turn_off(MAIL, who="mentor")
    assert await send(desk) == {MAIL: (SENT, None), DISCORD: (SENT, None)}


async def test_cancellations_can_not_be_turned_off(desk: Desk) -> None:
    await desk.link()
    await desk.turn_off(MAIL, DISCORD, kind="session_canceled")
    assert await send(desk, "session_canceled") == {MAIL: (SENT, None), DISCORD: (SENT, None)}


async def test_a_paused_address_gets_no_mail_but_discord_goes_on(desk: Desk) -> None:
    await desk.link()
    await desk.pause()
    assert await send(desk) == {MAIL: (SKIPPED, SkipReason.PAUSED), DISCORD: (SENT, None)}
    assert desk.mailbox() == []


async def test_a_link_that_its_reader_asked_for_goes_to_a_paused_address_too(desk: Desk) -> None:
    await desk.link()
    await desk.pause()
    assert await send(desk, "reset_password") == {MAIL: (SENT, None)}, "and never to Discord"


@pytest.mark.parametrize("skip", [SkipReason.LATE, SkipReason.OUTDATED])
async def test_what_is_not_told_is_recorded_for_each_channel(desk: Desk, skip: SkipReason) -> None:
    await desk.link()
    await desk.turn_off(MAIL)
    await desk.send(dataclasses.replace(desk.message("student"), skip=skip))
    assert await outcome(desk) == {MAIL: (SKIPPED, skip), DISCORD: (SKIPPED, skip)}
    assert [row.rendered for row in await desk.rows()] == [None, None]
    assert desk.requests() == desk.requests("discord") == []


async def test_without_keys_it_is_recorded_why_nothing_was_sent(desk: Desk, settings: Settings) -> None:
    await desk.link()
    keyless = dataclasses.replace(settings, resend_api_key="", discord_bot_token="")
    desk.outlets = dataclasses.replace(
        desk.outlets, mailer=Mailer.of(keyless), messenger=Messenger.of(keyless)
    )
    nowhere = (SKIPPED, SkipReason.NOT_CONFIGURED)
    assert await send(desk) == {MAIL: nowhere, DISCORD: nowhere}


async def test_a_key_taken_away_meanwhile_leaves_nothing_waiting(desk: Desk, settings: Settings) -> None:
    await desk.link()
    await desk.record(desk.message("student"))
    keyless = dataclasses.replace(settings, resend_api_key="", discord_bot_token="")
    desk.outlets = dataclasses.replace(
        desk.outlets, mailer=Mailer.of(keyless), messenger=Messenger.of(keyless)
    )
    await desk.deliver()
    assert {state for state, _ in (await outcome(desk)).values()} == {SKIPPED}
    await desk.deliver()


async def test_one_channel_does_not_wait_for_the_other(desk: Desk) -> None:
    await desk.link()
    desk.sandbox.control.chaos("resend", error_rate=1, status=429, count=1)
    with pytest.raises(Retry, match="1 of 2 messages"):
        await send(desk)
    assert await outcome(desk) == {MAIL: (DeliveryState.PENDING, None), DISCORD: (SENT, None)}
    await desk.deliver()
    assert (len(desk.mailbox()), len(desk.direct())) == (1, 1)


async def test_a_lost_answer_of_discord_is_asked_for_with_the_same_nonce(desk: Desk) -> None:
    await desk.link()
    desk.sandbox.control.chaos("discord", error_rate=1, after=True, count=1, match=CREATE)
    with pytest.raises(Retry, match="500 from Discord"):
        await send(desk)
    assert (await desk.row(DISCORD)).state is DeliveryState.SENDING
    await desk.send(desk.message("student", other_name="Somebody Else"))
    (direct,) = desk.direct()
    row = await desk.row(DISCORD)
    assert (row.state, row.provider_id, row.attempts) == (SENT, direct["id"], 2)
    bodies = [item["body"] for item in desk.requests("discord") if item["path"].endswith(CREATE)]
    assert bodies[0] == bodies[1]


async def test_after_discords_minutes_nothing_is_sent_again(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    await desk.link()
    desk.sandbox.control.chaos("discord", error_rate=1, after=True, count=1, match=CREATE)
    with pytest.raises(Retry):
        await send(desk)
    await desk.change(DISCORD, first_attempt_at="now() - interval '2 minutes'")
    desk.sandbox.control.call("POST", "/discord/nonces/expire")
    with caplog.at_level(logging.ERROR):
        await desk.deliver()
    await desk.deliver()
    assert (await desk.row(DISCORD)).state is DeliveryState.UNCERTAIN
    assert "discord" in caplog.text
    assert "is uncertain" in caplog.text
    assert len(desk.direct()) == len(desk.mailbox()) == 1


async def test_mail_is_still_certain_when_discord_no_longer_is(desk: Desk) -> None:
    await desk.link()
    desk.sandbox.control.chaos("discord", error_rate=1, count=1, match=CREATE)
    desk.sandbox.control.chaos("resend", error_rate=1, after=True, count=1)
    with pytest.raises(Retry):
        await send(desk)
    await desk.change(first_attempt_at="now() - interval '2 hours'")
    await desk.deliver()
    assert await outcome(desk) == {MAIL: (SENT, None), DISCORD: (DeliveryState.UNCERTAIN, None)}
    assert (len(desk.mailbox()), len(desk.direct())) == (1, 0)


async def test_a_certain_no_of_discord_may_be_repeated_for_hours(desk: Desk) -> None:
    await desk.link()
    desk.sandbox.control.chaos("discord", error_rate=1, status=500, match="/users/@me/channels", count=1)
    with pytest.raises(Retry):
        await send(desk)
    row = await desk.row(DISCORD)
    assert (row.state, row.first_attempt_at, row.claimed_until) == (DeliveryState.PENDING, None, None)
    await desk.change(created_at="now() - interval '5 hours'")
    await desk.deliver()
    assert (await desk.row(DISCORD)).state is SENT


async def test_closed_direct_messages_bring_the_mail_that_was_turned_off(desk: Desk) -> None:
    await desk.link(open=False)
    await desk.turn_off(MAIL)
    assert await send(desk) == {MAIL: (SENT, None), DISCORD: (SKIPPED, SkipReason.CLOSED)}
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
        await send(desk)
    desk.sandbox.control.discord_member(account, open=False)
    await desk.deliver()
    assert await outcome(desk) == {MAIL: (SENT, None), DISCORD: (DeliveryState.UNCERTAIN, SkipReason.CLOSED)}
    assert await desk.closed_at() is not None
    assert (len(desk.mailbox()), len(desk.direct())) == (1, 1)


async def test_closed_direct_messages_bring_no_second_mail(desk: Desk) -> None:
    await desk.link(open=False)
    assert await send(desk) == {MAIL: (SENT, None), DISCORD: (SKIPPED, SkipReason.CLOSED)}
    assert len(desk.mailbox()) == 1


async def test_a_paused_address_gets_no_mail_in_place_of_discord(desk: Desk) -> None:
    await desk.link(open=False)
    await desk.pause()
    await desk.turn_off(MAIL)
    assert await send(desk) == {MAIL: (SKIPPED, SkipReason.PAUSED), DISCORD: (SKIPPED, SkipReason.CLOSED)}
    assert desk.mailbox() == []


async def test_who_turned_both_off_is_told_nowhere(desk: Desk) -> None:
    await desk.link(open=False)
    await desk.turn_off(MAIL, DISCORD)
    await send(desk)
    assert [row.rendered for row in await desk.rows()] == [None, None]
    assert desk.mailbox() == []
    assert await desk.closed_at() is None, "nobody tried"


async def test_a_message_that_arrives_opens_them_again(desk: Desk) -> None:
    account = await desk.link(open=False)
    await send(desk)
    first = await desk.closed_at()
    desk.event_id = desk.cast["mentor"]
    await send(desk)
    assert await desk.closed_at() == first, "since when, not when last"
    desk.sandbox.control.discord_member(account, open=True)
    desk.event_id = desk.cast["student"]
    await send(desk)
    assert await desk.closed_at() is None


async def test_the_mail_in_place_of_discord_is_retried_like_any(desk: Desk) -> None:
    await desk.link(open=False)
    await desk.turn_off(MAIL)
    desk.sandbox.control.chaos("resend", error_rate=1, after=True, count=1)
    with pytest.raises(Retry):
        await send(desk)
    assert await outcome(desk) == {MAIL: (DeliveryState.SENDING, None), DISCORD: (SKIPPED, SkipReason.CLOSED)}
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


async def test_a_message_that_discord_will_never_take_fails_alone(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    await desk.link()
    desk.sandbox.control.chaos("discord", error_rate=1, status=400, match=CREATE, count=1)
    assert await send(desk) == {MAIL: (SENT, None), DISCORD: (FAILED, None)}
    assert f"discord {(await desk.row(DISCORD)).id}" in caplog.text
    await desk.deliver()
    assert await desk.closed_at() is None


async def test_rows_hold_what_was_sent_and_forget_it(desk: Desk) -> None:
    account = await desk.link()
    await send(desk)
    rendered = (await desk.row(DISCORD)).rendered
    assert rendered is not None
    assert rendered["recipient_id"] == account
    assert rendered["content"] == desk.direct()[0]["content"]
    await desk.do(sa.update(Delivery).values(rendered=None))
    await desk.deliver()
    assert len(desk.direct()) == 1
