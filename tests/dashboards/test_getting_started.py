"""Getting started is asked for twice, a day and two days after an account became usable, while steps are left."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from app import wiring
from app.accounts import identities, invitations, links, password_change, sign_up, student_profile
from app.accounts import service as accounts
from app.accounts.identities import UserInfo
from app.accounts.models import Purpose
from app.accounts.web_sessions import Browser
from app.core import clock, outbox
from app.core.db import Database
from app.core.outbox import Event
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Principal, Role, UnitOfWork
from app.settings import Settings
from app.wiring import Platform
from jobs.events import send_notification
from tests.cast import Cast
from tests.notifications.conftest import sandbox, served
from tests.support.sandbox import RunningSandbox

__all__ = ["sandbox", "served"]

EMAIL, NAME, PASSWORD = "ida@example.test", "Ida", "correct horse battery"
DAY = timedelta(days=1)
FIRST, SECOND = "getting_started_day", "getting_started_two_days"
GOOGLE = UserInfo(sub="g-1", email=EMAIL, email_verified=True, name=NAME)
WINDOW = Browser("test")

Way = Callable[["Office"], Awaitable[object]]


@dataclasses.dataclass(frozen=True)
class Office:
    """Where accounts are made, and what is sent of them."""

    platform: Platform
    cast: Cast

    @property
    def database(self) -> Database:
        return self.platform.database

    @property
    def settings(self) -> Settings:
        return self.platform.settings

    async def act(self, action: Callable[[UnitOfWork], Awaitable[Any]]) -> Any:
        async with self.database.service(ServiceDoor.SIGN_IN) as uow:
            result = await action(uow)
            await uow.commit()
            return result

    async def sign_up(self) -> None:
        await self.act(
            lambda uow: sign_up.sign_up(
                uow, self.settings, name=NAME, email=EMAIL, password=PASSWORD, time_zone="Europe/Paris"
            )
        )

    async def invite(self, role: Role = Role.STUDENT) -> None:
        admin = Principal(self.cast["admin"], Role.ADMIN)
        await self.act(
            lambda uow: invitations.invite(
                uow, self.settings, email=EMAIL, name=NAME, role=role, time_zone="", by=admin
            )
        )

    async def link(self, purpose: Purpose) -> str:
        """The secret of the latest link of that sort."""
        (row, *_) = await self.rows(
            "select id from email_tokens where purpose = :p order by id desc", p=purpose
        )
        return links.secret(self.settings, purpose, row.id)

    async def google(self) -> None:
        await self.act(
            lambda uow: identities.sign_in_with_google(
                uow, self.settings, GOOGLE, time_zone="Europe/Paris", browser=WINDOW
            )
        )

    async def rows(self, query: str, **values: object) -> list[Any]:
        async with self.database.service(ServiceDoor.JOB) as uow:
            return list((await uow.session.execute(sa.text(query), values)).all())

    async def written(self) -> list[tuple[str, datetime]]:
        """The kinds that wait, and when they are due."""
        rows = await self.rows(
            "select payload ->> 'kind' as kind, available_at from outbox"
            " where payload ->> 'kind' like 'getting_started%' order by available_at"
        )
        return [(row.kind, row.available_at) for row in rows]

    async def work_at(self, now: datetime) -> list[tuple[str, str, str | None]]:
        """Do what is due then, each job twice; what became of it all."""

        async def handle(event: Event) -> None:
            if event.payload.get("kind") in (FIRST, SECOND):
                await send_notification(self.platform, event)
                await send_notification(self.platform, event)

        with clock.standing_at(now):
            async with self.database.service(ServiceDoor.JOB) as uow:
                due = await outbox.claim_due(uow, clock.now())
                await uow.commit()
            for event_id in due:
                await outbox.perform(self.database, event_id, handle)
        rows = await self.rows(
            "select kind, state, reason from deliveries where kind = any(:kinds) and channel = 'email' order by kind",
            kinds=[FIRST, SECOND],
        )
        return [tuple(row) for row in rows]

    async def user_id(self) -> UUID:
        (row,) = await self.rows("select id from users where email = :email", email=EMAIL)
        return row.id  # type: ignore[no-any-return]


@pytest.fixture
def office(settings: Settings, database: Database, sandbox: RunningSandbox, cast: Cast) -> Iterator[Office]:
    built = wiring.build(dataclasses.replace(settings, resend_url=f"{sandbox.url}/resend"))
    yield Office(dataclasses.replace(built, database=database), cast)
    built.google.close()


async def confirmed(office: Office) -> None:
    await office.sign_up()
    assert await office.written() == []
    secret = await office.link(Purpose.VERIFY_EMAIL)
    await office.act(lambda uow: sign_up.verify(uow, secret))
    await office.act(lambda uow: sign_up.verify(uow, secret))


async def by_google(office: Office) -> None:
    await asyncio.gather(office.google(), office.google())
    await office.google()


async def taken_up(office: Office) -> None:
    await office.invite()
    assert await office.written() == []
    secret = await office.link(Purpose.INVITATION)
    await office.act(
        lambda uow: invitations.accept(
            uow, office.settings, secret, password=PASSWORD, time_zone="UTC", browser=WINDOW
        )
    )


async def taken_up_by_google(office: Office) -> None:
    await office.invite()
    await office.google()
    await office.google()


async def reset(office: Office) -> None:
    await office.sign_up()
    for _ in range(2):
        await office.act(lambda uow: password_change.request_reset(uow, office.settings, email=EMAIL))
        await office.act(
            partial(
                password_change.reset_password,
                token=await office.link(Purpose.RESET_PASSWORD),
                new=PASSWORD + "!",
            )
        )


async def made(office: Office) -> None:
    await office.act(
        lambda uow: accounts.create_user(uow, name=NAME, email=EMAIL, role=Role.STUDENT, time_zone="UTC")
    )


@pytest.mark.parametrize("way", [confirmed, by_google, taken_up, taken_up_by_google, reset, made])
async def test_from_when_the_account_is_usable(office: Office, way: Way, sandbox: RunningSandbox) -> None:
    began = clock.now()
    await way(office)
    (first, day), (second, two_days) = await office.written()
    assert (first, second) == (FIRST, SECOND)
    assert began + DAY <= day <= clock.now() + DAY
    assert two_days - day == DAY
    assert await office.work_at(day - timedelta(seconds=1)) == []
    assert await office.work_at(day) == [(FIRST, "sent", None)]
    assert await office.work_at(two_days) == [(FIRST, "sent", None), (SECOND, "sent", None)]
    mails = sandbox.control.mailbox(EMAIL)
    assert len(mails) == 2
    for mail in mails:
        assert "- A few words about you\n" in mail["text"]
        assert f"{office.settings.public_url}/dashboard" in mail["text"]


async def test_instructors_are_not_asked(office: Office) -> None:
    await office.invite(Role.MENTOR)
    secret = await office.link(Purpose.INVITATION)
    await office.act(
        lambda uow: invitations.accept(
            uow, office.settings, secret, password=PASSWORD, time_zone="UTC", browser=WINDOW
        )
    )
    assert await office.written() == []


async def finish(office: Office) -> None:
    async with office.database.unit_of_work(Principal(await office.user_id(), Role.STUDENT)) as uow:
        await student_profile.change(uow, {"about": "I draw.", "goals": "Hands."})
        await student_profile.confirm_zone(uow, "Europe/Paris")
        await uow.commit()


async def put_aside(office: Office) -> None:
    async with office.database.unit_of_work(Principal(await office.user_id(), Role.STUDENT)) as uow:
        await student_profile.put_aside(uow)
        await uow.commit()


async def close(office: Office) -> None:
    user_id = await office.user_id()
    await office.act(lambda uow: accounts.delete_user(uow, user_id))


async def teach(office: Office) -> None:
    user_id = await office.user_id()
    await office.act(lambda uow: accounts.change_role(uow, user_id, Role.MENTOR))


@pytest.mark.parametrize("meanwhile", [finish, put_aside, close, teach])
async def test_nothing_left_to_ask_for(office: Office, meanwhile: Way, sandbox: RunningSandbox) -> None:
    await made(office)
    await meanwhile(office)
    ends = await office.work_at(clock.now() + 2 * DAY)
    assert ends == [(FIRST, "skipped", "outdated"), (SECOND, "skipped", "outdated")]
    assert sandbox.control.mailbox(EMAIL) == []


async def test_only_what_is_left_is_named(office: Office, sandbox: RunningSandbox) -> None:
    await made(office)
    async with office.database.unit_of_work(Principal(await office.user_id(), Role.STUDENT)) as uow:
        await student_profile.change(uow, {"about": "I draw."})
        await student_profile.confirm_zone(uow, "Europe/Paris")
        await uow.commit()
    await office.work_at(clock.now() + DAY)
    (mail,) = sandbox.control.mailbox(EMAIL)
    assert [line for line in mail["text"].splitlines() if line.startswith("- ")] == [
        "- What you would like to learn"
    ]


@pytest.mark.parametrize(("discord", "said"), [("token", True), ("", False)])
async def test_discord_is_spoken_of_where_it_can_be_linked(
    office: Office, sandbox: RunningSandbox, discord: str, said: bool
) -> None:
    settings = dataclasses.replace(
        office.settings,
        discord_bot_token=discord,
        discord_client_id="1000000000000000001",
        discord_client_secret="secret",
    )
    await made(office)
    linking = dataclasses.replace(office, platform=dataclasses.replace(office.platform, settings=settings))
    await linking.work_at(clock.now() + DAY)
    (mail,) = sandbox.control.mailbox(EMAIL)
    assert ("- Discord\n" in mail["text"]) is said


async def test_late_after_downtime(office: Office) -> None:
    """The first is of use for a day, the second for five."""
    await made(office)
    assert await office.work_at(clock.now() + 2 * DAY) == [
        (FIRST, "skipped", "late"),
        (SECOND, "sent", None),
    ]


async def test_too_late_after_a_week(office: Office) -> None:
    await made(office)
    assert await office.work_at(clock.now() + 7 * DAY) == [
        (FIRST, "skipped", "late"),
        (SECOND, "skipped", "late"),
    ]
