"""Who is told where: mail and Discord side by side, what is turned off or paused, and mail in place of Discord."""

from __future__ import annotations

import dataclasses
import logging

import pytest
import sqlalchemy as sa

from app.core.outbox import Retry
from app.notifications.mailer import Mailer
from app.notifications.messenger import Messenger
from app.notifications.models import Channel, Delivery, DeliveryState, SkipReason
from app.settings import Settings
from tests.notifications.desk import Desk

MAIL, DISCORD = Channel.EMAIL, Channel.DISCORD
SENT, SKIPPED, FAILED = DeliveryState.SENT, DeliveryState.SKIPPED, DeliveryState.FAILED
CREATE = "/messages"


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
    ends = await desk.tell()
    assert (len(desk.mailbox()), len(desk.direct())) == arrives
    for channel in (MAIL, DISCORD):
        off = (SKIPPED, SkipReason.TURNED_OFF)
        assert ends[channel] == (off if channel in channels else (SENT, None))


async def test_what_is_turned_off_is_that_kind_of_that_person(desk: Desk) -> None:
    await desk.link()
    await desk.turn_off(MAIL, DISCORD, kind="session_moved")
    await desk.turn_off(MAIL, who="mentor")
    assert await desk.tell() == {MAIL: (SENT, None), DISCORD: (SENT, None)}


async def test_cancellations_can_not_be_turned_off(desk: Desk) -> None:
    await desk.link()
    await desk.turn_off(MAIL, DISCORD, kind="session_canceled")
    assert await desk.tell("session_canceled") == {MAIL: (SENT, None), DISCORD: (SENT, None)}


async def test_a_paused_address_gets_no_mail_but_discord_goes_on(desk: Desk) -> None:
    await desk.link()
    await desk.pause()
    assert await desk.tell() == {MAIL: (SKIPPED, SkipReason.PAUSED), DISCORD: (SENT, None)}
    assert desk.mailbox() == []


async def test_a_link_that_its_reader_asked_for_goes_to_a_paused_address_too(desk: Desk) -> None:
    await desk.link()
    await desk.pause()
    assert await desk.tell("reset_password") == {MAIL: (SENT, None)}, "and never to Discord"


@pytest.mark.parametrize("skip", [SkipReason.LATE, SkipReason.OUTDATED])
async def test_what_is_not_told_is_recorded_for_each_channel(desk: Desk, skip: SkipReason) -> None:
    await desk.link()
    await desk.turn_off(MAIL)
    await desk.send(dataclasses.replace(desk.message("student"), skip=skip))
    assert await desk.outcome() == {MAIL: (SKIPPED, skip), DISCORD: (SKIPPED, skip)}
    assert [row.rendered for row in await desk.rows()] == [None, None]
    assert desk.requests() == desk.requests("discord") == []


async def test_without_keys_it_is_recorded_why_nothing_was_sent(desk: Desk, settings: Settings) -> None:
    await desk.link()
    keyless = dataclasses.replace(settings, resend_api_key="", discord_bot_token="")
    desk.outlets = dataclasses.replace(
        desk.outlets, mailer=Mailer.of(keyless), messenger=Messenger.of(keyless)
    )
    nowhere = (SKIPPED, SkipReason.NOT_CONFIGURED)
    assert await desk.tell() == {MAIL: nowhere, DISCORD: nowhere}


async def test_a_key_taken_away_meanwhile_leaves_nothing_waiting(desk: Desk, settings: Settings) -> None:
    await desk.link()
    await desk.record(desk.message("student"))
    keyless = dataclasses.replace(settings, resend_api_key="", discord_bot_token="")
    desk.outlets = dataclasses.replace(
        desk.outlets, mailer=Mailer.of(keyless), messenger=Messenger.of(keyless)
    )
    await desk.deliver()
    assert {state for state, _ in (await desk.outcome()).values()} == {SKIPPED}
    await desk.deliver()


async def test_one_channel_does_not_wait_for_the_other(desk: Desk) -> None:
    await desk.link()
    desk.sandbox.control.chaos("resend", error_rate=1, status=429, count=1)
    with pytest.raises(Retry, match="1 of 2 messages"):
        await desk.tell()
    assert await desk.outcome() == {MAIL: (DeliveryState.PENDING, None), DISCORD: (SENT, None)}
    await desk.deliver()
    assert (len(desk.mailbox()), len(desk.direct())) == (1, 1)


async def test_a_lost_answer_of_discord_is_asked_for_with_the_same_nonce(desk: Desk) -> None:
    await desk.link()
    desk.sandbox.control.chaos("discord", error_rate=1, after=True, count=1, match=CREATE)
    with pytest.raises(Retry, match="500 from Discord"):
        await desk.tell()
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
        await desk.tell()
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
        await desk.tell()
    await desk.change(first_attempt_at="now() - interval '2 hours'")
    await desk.deliver()
    assert await desk.outcome() == {MAIL: (SENT, None), DISCORD: (DeliveryState.UNCERTAIN, None)}
    assert (len(desk.mailbox()), len(desk.direct())) == (1, 0)


async def test_a_certain_no_of_discord_may_be_repeated_for_hours(desk: Desk) -> None:
    await desk.link()
    desk.sandbox.control.chaos("discord", error_rate=1, status=500, match="/users/@me/channels", count=1)
    with pytest.raises(Retry):
        await desk.tell()
    row = await desk.row(DISCORD)
    assert (row.state, row.first_attempt_at, row.claimed_until) == (DeliveryState.PENDING, None, None)
    await desk.change(created_at="now() - interval '5 hours'")
    await desk.deliver()
    assert (await desk.row(DISCORD)).state is SENT


async def test_a_message_that_discord_will_never_take_fails_alone(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    await desk.link()
    desk.sandbox.control.chaos("discord", error_rate=1, status=400, match=CREATE, count=1)
    assert await desk.tell() == {MAIL: (SENT, None), DISCORD: (FAILED, None)}
    assert f"discord {(await desk.row(DISCORD)).id}" in caplog.text
    await desk.deliver()
    assert await desk.closed_at() is None


async def test_rows_hold_what_was_sent_and_forget_it(desk: Desk) -> None:
    account = await desk.link()
    await desk.tell()
    rendered = (await desk.row(DISCORD)).rendered
    assert rendered is not None
    assert rendered["recipient_id"] == account
    assert rendered["content"] == desk.direct()[0]["content"]
    await desk.do(sa.update(Delivery).values(rendered=None))
    await desk.deliver()
    assert len(desk.direct()) == 1
