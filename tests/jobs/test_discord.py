"""The mentees' role on Discord: as the seats are, whoever asks how often, and again when Discord is back."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import sqlalchemy as sa

from app import wiring
from app.accounts import discord, service
from app.accounts.contacts import contacts
from app.accounts.discord import DiscordAccount
from app.core import outbox, retention
from app.core.db import Database
from app.core.ids import new_id
from app.core.models import OutboxEvent
from app.core.outbox import Event, Retry
from app.core.rls import ServiceDoor
from app.notifications import service as notifications
from app.notifications.discord import Discord
from app.notifications.messages import Message
from app.notifications.models import Channel, Delivery, DeliveryState
from app.packs import discord_role
from app.packs.models import SeatReservation, SeatStatus
from app.settings import Settings
from app.wiring import Platform
from jobs.events import EVENTS
from tests.cast import Cast, link_discord
from tests.notifications.examples import REQUIRED
from tests.support.sandbox import RunningSandbox

MEMBER, OTHER = "200000000000000001", "200000000000000002"


@pytest.fixture
async def platform(
    settings: Settings, database: Database, sandbox: RunningSandbox
) -> AsyncIterator[Platform]:
    given = {name.lower(): value for name, value in sandbox.platform_settings().items() if "DISCORD" in name}
    built = wiring.build(dataclasses.replace(settings, **given, discord_timeout_seconds=1.0))  # type: ignore[arg-type]
    yield dataclasses.replace(built, database=database)
    sandbox.control.chaos()
    await built.close()


@dataclasses.dataclass
class Guild:
    """The server's members, the cast, and the job."""

    platform: Platform
    sandbox: RunningSandbox
    cast: Cast

    async def link(self, name: str, account: str = MEMBER, **member: Any) -> None:
        self.sandbox.control.discord_member(account, **member)
        async with self.platform.database.service(ServiceDoor.SEED) as uow, uow.transaction():
            await link_discord(uow, self.cast[name], account)

    async def seat(self, status: SeatStatus) -> None:
        """The student's seat becomes this, unnoticed."""
        values: dict[str, Any] = {"status": status, "seat_expires_at": None}
        if status is not SeatStatus.ACTIVE and status is not SeatStatus.RELEASED:
            values["seat_expires_at"] = sa.func.now()
        async with self.platform.database.service(ServiceDoor.SEED) as uow, uow.transaction():
            change = sa.update(SeatReservation).where(SeatReservation.student_id == self.cast["student"])
            await uow.session.execute(change.values(**values))

    def roles(self, account: str = MEMBER) -> list[str]:
        members = self.sandbox.control.call("GET", "/discord/members")["items"]
        (found,) = [member["roles"] for member in members if member["id"] == account]
        return list(found)

    @property
    def has_role(self) -> bool:
        return self.roles() == [self.platform.settings.discord_mentee_role_id]

    def asked(self) -> list[tuple[str, int]]:
        """Method and status of what Discord was asked about roles."""
        requests = self.sandbox.control.requests("discord")
        return [(one["method"], one["status"]) for one in requests if "/roles/" in one["path"]]

    async def perform(self, name: str = "student", **more: str) -> None:
        payload = {"user_id": str(self.cast[name]), **more}
        event = Event(self.cast[name], discord.ROLE, payload, attempts=1)
        await EVENTS[discord.ROLE](self.platform, event)


@pytest.fixture
def guild(platform: Platform, sandbox: RunningSandbox, cast: Cast) -> Guild:
    return Guild(platform, sandbox, cast)


async def test_the_role_follows_the_seat(guild: Guild) -> None:
    await guild.link("student")
    for status, has in (
        (SeatStatus.ACTIVE, True),
        (SeatStatus.GRACE, True),
        (SeatStatus.RELEASED, False),
        (SeatStatus.ACTIVE, True),
        (SeatStatus.HELD, False),
        (SeatStatus.OFFERED, False),
    ):
        await guild.seat(status)
        for _ in range(2):  # again changes nothing
            await guild.perform()
            assert guild.has_role is has, status


@pytest.mark.parametrize("name", ["new_student", "mentor", "admin"])
async def test_who_has_no_seat_has_no_role(guild: Guild, name: str) -> None:
    await guild.link(name)
    await guild.perform(name)
    assert guild.roles() == []


async def test_what_cannot_be_done_is_left_alone(guild: Guild) -> None:
    await guild.perform()  # nobody linked
    assert guild.asked() == []
    await guild.link("student", here=False)
    await guild.perform()
    assert guild.asked() == [("PUT", 404)]
    guild.sandbox.control.discord_member(MEMBER, here=True)
    await guild.perform()
    assert guild.has_role


async def test_without_discord_there_is_nothing_to_do(
    settings: Settings, database: Database, cast: Cast
) -> None:
    built = wiring.build(settings)
    assert built.discord is None
    await EVENTS[discord.ROLE](
        dataclasses.replace(built, database=database),
        Event(cast["student"], discord.ROLE, {"user_id": str(cast["student"])}, attempts=1),
    )
    await built.close()


@pytest.mark.parametrize("dial", [{"status": 500, "error_rate": 1}, {"latency_ms": 3000}])
async def test_discord_away_is_tried_again(guild: Guild, dial: dict[str, float]) -> None:
    await guild.link("student")
    guild.sandbox.control.chaos("discord", **dial)
    with pytest.raises(Retry):
        await guild.perform()
    guild.sandbox.control.chaos("discord")
    await guild.perform()
    assert guild.has_role


async def run_outbox(guild: Guild) -> list[str]:
    """Perform every event about roles that waits; the states of all of them."""
    database = guild.platform.database
    query = sa.select(OutboxEvent).where(OutboxEvent.type == discord.ROLE).order_by(OutboxEvent.id)
    async with database.service(ServiceDoor.JOB) as uow, uow.transaction():
        await uow.session.execute(
            sa.update(OutboxEvent).where(OutboxEvent.type == discord.ROLE).values(state="queued")
        )
        ids = [row.id for row in (await uow.session.execute(query)).scalars()]

    async def handle(event: Event) -> None:
        await EVENTS[event.type](guild.platform, event)

    for id_ in ids:
        await outbox.perform(database, id_, handle)
    async with database.service(ServiceDoor.JOB) as uow:
        return [row.state for row in (await uow.session.execute(query)).scalars()]


@pytest.mark.parametrize("leaves", ["unlink", "close", "forget"])
async def test_who_unlinks_or_leaves_has_the_role_taken(guild: Guild, leaves: str) -> None:
    await guild.link("student")
    await guild.perform()
    assert guild.has_role
    student = guild.cast.principal("student")
    if leaves == "unlink":
        async with guild.platform.database.unit_of_work(student) as own:
            await discord.unlink(own)
            await own.commit()
    else:
        deed = service.delete_user if leaves == "close" else service.forget
        async with guild.platform.database.service(ServiceDoor.FORGET) as uow, uow.transaction():
            await deed(uow, guild.cast["student"])
    assert set(await run_outbox(guild)) == {"done"}
    assert guild.roles() == []
    if leaves == "close":
        async with guild.platform.database.service(ServiceDoor.ADMIN) as uow, uow.transaction():
            await service.restore_user(uow, guild.cast["student"])
        await run_outbox(guild)
        assert guild.has_role


async def test_what_names_an_account_is_gone_two_days_later(guild: Guild) -> None:
    await guild.link("student")
    database = guild.platform.database
    async with database.service(ServiceDoor.FORGET) as uow, uow.transaction():
        await service.forget(uow, guild.cast["student"])
    await run_outbox(guild)
    assert await _mentions(database)
    async with database.service(ServiceDoor.JOB) as uow, uow.transaction():
        later = sa.text("update outbox set done_at = done_at - interval '49 hours' where state = 'done'")
        await uow.session.execute(later)
        await retention.purge(uow)
    assert not await _mentions(database)


async def test_what_could_not_be_done_names_nobody_for_ever(guild: Guild) -> None:
    await guild.link("student")
    database = guild.platform.database
    async with database.service(ServiceDoor.FORGET) as uow, uow.transaction():
        await service.forget(uow, guild.cast["student"])
        await uow.session.execute(sa.text("update outbox set state = 'dead' where type = 'discord/role'"))
    for days, is_kept in ((29, True), (2, False)):
        async with database.service(ServiceDoor.JOB) as uow, uow.transaction():
            later = (
                f"update outbox set available_at = available_at - interval '{days} days' where state = 'dead'"
            )
            await uow.session.execute(sa.text(later))
            await retention.purge(uow)
        assert await _mentions(database) is is_kept


async def _mentions(database: Database) -> bool:
    async with database.service(ServiceDoor.JOB) as uow:
        found = sa.text("select exists (select 1 from outbox o where o::text like :id)")
        return bool((await uow.session.execute(found, {"id": f"%{MEMBER}%"})).scalar_one())


class Slow(Discord):
    """Discord's adapter, before whose first call something else happens from beginning to end."""

    def __init__(self, settings: Settings, meanwhile: Callable[[], Awaitable[None]]) -> None:
        super().__init__(settings)
        self._meanwhile: list[Callable[[], Awaitable[None]]] = [meanwhile]

    async def give_role(self, discord_user_id: str) -> None:
        while self._meanwhile:
            await self._meanwhile.pop()()
        await super().give_role(discord_user_id)

    async def take_role(self, discord_user_id: str) -> None:
        while self._meanwhile:
            await self._meanwhile.pop()()
        await super().take_role(discord_user_id)


@pytest.mark.parametrize(("before", "after"), [("student", "new_student"), ("new_student", "student")])
async def test_a_slow_job_does_not_have_the_last_word(guild: Guild, before: str, after: str) -> None:
    """It found out what to do, another hand took the account over and was done, and only then it does it."""
    database = guild.platform.database
    await guild.link(before)

    async def hand_over() -> None:
        async with database.service(ServiceDoor.SEED) as uow, uow.transaction():
            await discord.let_go(uow, guild.cast[before])
            await link_discord(uow, guild.cast[after], MEMBER)
        await guild.perform(after)
        assert guild.has_role is (after == "student")

    slow = Slow(guild.platform.settings, hand_over)
    await discord_role.sync(database, slow, MEMBER)
    await slow.close()
    assert guild.has_role is (after == "student")


async def test_what_linking_writes_is_performed(guild: Guild) -> None:
    guild.sandbox.control.discord_member(OTHER)
    async with guild.platform.database.service(ServiceDoor.SIGN_IN) as uow, uow.transaction():
        await discord.link(uow, guild.cast.principal("student"), DiscordAccount(OTHER, "somebody"))
    await run_outbox(guild)
    assert guild.roles(OTHER) == [guild.platform.settings.discord_mentee_role_id]


@pytest.mark.parametrize("again", [False, True], ids=["gone", "linked again"])
async def test_what_waits_is_not_written_to_an_account_that_was_unlinked(guild: Guild, again: bool) -> None:
    """Discord was out of reach for a while; until it is back the account may be anybody's."""
    database, student, outlets = guild.platform.database, guild.cast["student"], guild.platform.outlets
    outlets = dataclasses.replace(outlets, mailer=dataclasses.replace(outlets.mailer, resend=None))
    await guild.link("student")
    event_id, words = new_id(), REQUIRED["renewal_reminder"]
    async with database.service(ServiceDoor.JOB) as uow, uow.transaction():
        messages = [Message(student, guild.cast.email("student"), words)]
        reached = await contacts(uow, [student])
        await notifications.record(uow, outlets, event_id, "renewal_reminder", messages, reached)
    async with database.service(ServiceDoor.SEED) as uow, uow.transaction():
        await discord.let_go(uow, student)
        if again:
            await link_discord(uow, student, MEMBER)
    await run_outbox(guild)
    await notifications.deliver(database, outlets, event_id)
    async with database.service(ServiceDoor.JOB) as uow:
        on_discord = sa.select(Delivery.state, Delivery.reason).where(
            Delivery.event_id == event_id, Delivery.channel == Channel.DISCORD
        )
        found = (await uow.session.execute(on_discord)).one()
    assert found == ((DeliveryState.SENT, None) if again else (DeliveryState.SKIPPED, "closed"))
