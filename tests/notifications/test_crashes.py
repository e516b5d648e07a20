"""A process that sends is killed (SIGKILL) at the points that matter; another one finishes, and there is one message."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

import psycopg
import pytest

from app.core.outbox import Retry
from app.notifications.models import Channel, DeliveryState
from app.settings import Settings
from tests.notifications.desk import ACCOUNTS, Desk
from tests.support.processes import Program, kill, running, until


@pytest.fixture
async def recorded(desk: Desk) -> Desk:
    """One mail, written down and not sent yet."""
    await desk.record(desk.message("student"))
    return desk


def sender(desk: Desk, settings: Settings) -> AbstractAsyncContextManager[Program]:
    return running(settings, "tests.notifications.sender", str(desk.event_id))


async def is_claimed(desk: Desk) -> bool:
    return (await desk.row()).state is DeliveryState.SENDING


async def finish(desk: Desk, killed: Program) -> None:
    """Kill the sender, let its claim run out, send with another."""
    await kill(killed)
    with pytest.raises(Retry, match="another worker"):
        await desk.deliver()

    async def is_delivered() -> bool:
        await desk.change(claimed_until="now() - interval '1 second'")
        try:
            await desk.deliver()
        except Retry:  # Resend may still be busy with the dead sender's request
            return False
        return True

    await until("the mail is delivered", is_delivered)
    row = await desk.row()
    (mail,) = desk.mailbox()
    assert (row.state, row.provider_id) == (DeliveryState.SENT, mail["id"])


async def test_killed_with_the_delivery_claimed(recorded: Desk, mail_settings: Settings) -> None:
    recorded.sandbox.control.chaos("resend", latency_ms=2000)
    async with sender(recorded, mail_settings) as program:
        await until("the delivery is claimed", lambda: is_claimed(recorded))
        await kill(program)
        recorded.sandbox.control.chaos()
        await finish(recorded, program)
    keys = {request["headers"]["idempotency-key"] for request in recorded.requests()}
    assert len(keys) == 1


async def test_killed_between_the_vendors_yes_and_the_mark(
    recorded: Desk, mail_settings: Settings, admin_url: str
) -> None:
    recorded.sandbox.control.chaos("resend", latency_ms=500)
    async with (
        sender(recorded, mail_settings) as program,
        await psycopg.AsyncConnection.connect(admin_url) as hindrance,
    ):
        await until("the delivery is claimed", lambda: is_claimed(recorded))
        await hindrance.execute("select from deliveries for update")

        async def has_arrived() -> bool:
            return bool(recorded.mailbox())

        await until("the mail is with Resend", has_arrived)
        assert program.returncode is None
        await kill(program)
        await hindrance.rollback()
        recorded.sandbox.control.chaos()
        await finish(recorded, program)
    first, second = recorded.requests()
    assert first["body"] == second["body"]
    assert first["answer"] == second["answer"]


@pytest.fixture
async def direct(desk: Desk) -> Desk:
    """One message for Discord alone, written down and not sent yet; its recipient takes mail only in need."""
    await desk.link()
    await desk.turn_off(Channel.EMAIL)
    await desk.record(desk.message("student"))
    return desk


async def is_under_way(desk: Desk) -> bool:
    return (await desk.row(Channel.DISCORD)).state is DeliveryState.SENDING


async def finish_direct(desk: Desk, killed: Program) -> None:
    """Kill the sender, let its claim run out, send with another."""
    await kill(killed)
    with pytest.raises(Retry, match="another worker"):
        await desk.deliver()
    desk.sandbox.control.chaos()
    await desk.change(claimed_until="now() - interval '1 second'")
    await desk.deliver()


async def test_killed_before_discord_has_it(direct: Desk, mail_settings: Settings) -> None:
    direct.sandbox.control.chaos("discord", latency_ms=3000, match="/users/@me/channels")
    async with sender(direct, mail_settings) as program:
        await until("the delivery is claimed", lambda: is_under_way(direct))
        await finish_direct(direct, program)
    assert len(direct.direct()) == 1
    assert (await direct.row(Channel.DISCORD)).state is DeliveryState.SENT


async def test_killed_between_discords_yes_and_the_mark(
    direct: Desk, mail_settings: Settings, admin_url: str
) -> None:
    direct.sandbox.control.chaos("discord", latency_ms=500)
    async with (
        sender(direct, mail_settings) as program,
        await psycopg.AsyncConnection.connect(admin_url) as hindrance,
    ):
        await until("the delivery is claimed", lambda: is_under_way(direct))
        await hindrance.execute("select from deliveries for update")

        async def has_arrived() -> bool:
            return bool(direct.direct())

        await until("the message is on Discord", has_arrived)
        assert program.returncode is None
        await kill(program)
        await hindrance.rollback()
        await finish_direct(direct, program)
    (arrived,) = direct.direct()
    row = await direct.row(Channel.DISCORD)
    assert (row.state, row.provider_id, row.attempts) == (DeliveryState.SENT, arrived["id"], 2)


async def test_killed_before_the_mail_that_stands_in(direct: Desk, mail_settings: Settings) -> None:
    """Direct messages turn out to be closed; what that made necessary survives who found it out."""
    direct.sandbox.control.discord_member(ACCOUNTS["student"], open=False)
    direct.sandbox.control.chaos("resend", latency_ms=3000)

    async def is_closed() -> bool:
        return (await direct.row(Channel.DISCORD)).state is DeliveryState.SKIPPED

    async with sender(direct, mail_settings) as program:
        await until("Discord has refused", is_closed)
        await kill(program)
    assert await direct.closed_at() is not None
    direct.sandbox.control.chaos()

    async def is_delivered() -> bool:
        await direct.change(Channel.EMAIL, claimed_until="now() - interval '1 second'")
        try:
            await direct.deliver()
        except Retry:  # Resend may still be busy with the dead sender's request
            return False
        return True

    await until("the mail is delivered", is_delivered)
    assert len(direct.mailbox("student")) == 1
    assert direct.direct() == []


async def test_a_sender_that_lives_marks_what_it_sent(recorded: Desk, mail_settings: Settings) -> None:
    async with sender(recorded, mail_settings) as program:
        assert await program.wait() == 0
    assert (await recorded.row()).state is DeliveryState.SENT
    assert len(recorded.mailbox()) == 1
