"""Whose Discord account it is: one a user, one user an account, whatever happens at once; and who speaks by it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from psycopg.errors import InsufficientPrivilege
from sqlalchemy.exc import ProgrammingError

from app.accounts import discord, service
from app.accounts.discord import DiscordAccount
from app.accounts.models import Provider, User, UserIdentity
from app.core.db import Database
from app.core.errors import Forbidden, NotFound, Refused, Unauthenticated
from app.core.ids import new_id
from app.core.models import AuditEntry, OutboxEvent
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Principal, Role
from app.settings import Settings
from tests.cast import ROLES, Cast

MINE = DiscordAccount("200000000000000001", "maya")
OTHER = DiscordAccount("200000000000000002", "maya.too")
CONFIGURED = Settings(discord_client_id="1", discord_client_secret="s", discord_bot_token="t")


async def link(database: Database, principal: Principal, account: DiscordAccount = MINE) -> None:
    async with database.service(ServiceDoor.SIGN_IN) as uow, uow.transaction():
        await discord.link(uow, principal, account)


async def linked(database: Database) -> dict[Any, str]:
    """Who has which Discord account."""
    async with database.service(ServiceDoor.SEED) as uow:
        query = sa.select(UserIdentity).where(UserIdentity.provider == Provider.DISCORD)
        return {row.user_id: row.subject for row in (await uow.session.execute(query)).scalars()}


async def roles(database: Database) -> Sequence[dict[str, Any]]:
    """The payloads of what was written about roles, oldest first."""
    async with database.service(ServiceDoor.JOB) as uow:
        query = sa.select(OutboxEvent.payload).where(OutboxEvent.type == "discord/role")
        return (await uow.session.execute(query.order_by(OutboxEvent.id))).scalars().all()


async def entries(database: Database) -> list[tuple[str, Any, Any]]:
    """Verb, subject and actor of what the audit log says."""
    async with database.service(ServiceDoor.JOB) as uow:
        query = sa.select(AuditEntry).where(AuditEntry.action.like("%discord")).order_by(AuditEntry.id)
        rows = (await uow.session.execute(query)).scalars()
        return [(row.action, row.subject_id, row.actor_id) for row in rows]


@pytest.mark.parametrize("name", ["new_student", "mentor", "admin"])
async def test_linking_and_unlinking(database: Database, cast: Cast, name: str) -> None:
    me = cast.principal(name)
    await link(database, me)
    assert await linked(database) == {me.user_id: MINE.id}
    async with database.unit_of_work(me) as uow:
        card = await discord.card(uow, CONFIGURED)
        assert card is not None
        assert (card.name, card.closed_at) == ("maya", None)
        assert card.linked_at is not None
        await discord.unlink(uow)
        await uow.commit()
        assert await discord.card(uow, CONFIGURED) == discord.Card()
        with pytest.raises(NotFound):
            await discord.unlink(uow)
    assert await linked(database) == {}
    assert await roles(database) == [
        {"user_id": str(me.user_id)},
        {"user_id": str(me.user_id), "discord_user_id": MINE.id},
    ]
    assert await entries(database) == [
        ("link_discord", me.user_id, me.user_id),
        ("unlink_discord", me.user_id, me.user_id),
    ]


async def test_again_only_brings_the_name_up_to_date(database: Database, cast: Cast) -> None:
    me = cast.principal("student")
    await link(database, me)
    await link(database, me, replace(MINE, name="maya.renamed"))
    async with database.unit_of_work(me) as uow:
        card = await discord.card(uow, CONFIGURED)
        assert card is not None
        assert card.name == "maya.renamed"
    assert len(await entries(database)) == 1
    assert len(await roles(database)) == 1


async def test_each_refusal_changes_nothing(database: Database, cast: Cast) -> None:
    me, somebody = cast.principal("student"), cast.principal("mentor")
    await link(database, me)
    for principal, account, code, words in (
        (somebody, MINE, "discord_taken", "linked to somebody else here"),
        (me, OTHER, "discord_other_account", "You have linked maya already"),
    ):
        with pytest.raises(Refused, match=code) as refused:
            await link(database, principal, account)
        assert words in refused.value.detail
        assert refused.value.detail.endswith("Nothing was changed.")
    assert await linked(database) == {me.user_id: MINE.id}
    assert len(await entries(database)) == len(await roles(database)) == 1


async def test_only_the_person_themselves(database: Database, cast: Cast) -> None:
    me = cast.principal("student")
    as_them = replace(me, impersonator_id=cast["admin"])
    with pytest.raises(Forbidden):
        await link(database, as_them)
    await link(database, me)
    async with database.unit_of_work(as_them) as uow:
        with pytest.raises(Forbidden):
            await discord.unlink(uow)
    assert await linked(database) == {me.user_id: MINE.id}


async def test_who_is_gone_links_nothing(database: Database, cast: Cast) -> None:
    async with database.service(ServiceDoor.ADMIN) as uow, uow.transaction():
        await service.delete_user(uow, cast["new_student"])
    for principal in (cast.principal("new_student"), Principal(new_id(), Role.STUDENT)):
        with pytest.raises(Unauthenticated):
            await link(database, principal)
    assert await linked(database) == {}


async def test_what_a_closed_account_had_goes_to_who_proves_it(database: Database, cast: Cast) -> None:
    await link(database, cast.principal("new_student"))
    async with database.service(ServiceDoor.ADMIN) as uow, uow.transaction():
        await service.delete_user(uow, cast["new_student"])
    await link(database, cast.principal("student"))
    assert await linked(database) == {cast["student"]: MINE.id}
    assert ("unlink_discord", cast["new_student"], cast["student"]) in await entries(database)


@pytest.mark.parametrize("round_", range(4))
async def test_many_link_one_account_at_once_and_one_wins(
    database: Database, cast: Cast, round_: int
) -> None:
    people = [cast.principal(name) for name in ROLES]
    outcomes = await asyncio.gather(*(link(database, person) for person in people), return_exceptions=True)
    refusals = [outcome for outcome in outcomes if outcome is not None]
    assert len(refusals) == len(people) - 1
    assert {getattr(refusal, "code", refusal) for refusal in refusals} == {"discord_taken"}
    assert await linked(database) == {people[outcomes.index(None)].user_id: MINE.id}
    assert len(await roles(database)) == len(await entries(database)) == 1


@pytest.mark.parametrize("round_", range(4))
async def test_one_user_links_many_accounts_at_once_and_one_wins(
    database: Database, cast: Cast, round_: int
) -> None:
    accounts = [DiscordAccount(str(2 * 10**17 + number), f"maya{number}") for number in range(6)]
    me = cast.principal("student")
    outcomes = await asyncio.gather(*(link(database, me, one) for one in accounts), return_exceptions=True)
    refusals = [outcome for outcome in outcomes if outcome is not None]
    assert {getattr(refusal, "code", refusal) for refusal in refusals} == {"discord_other_account"}
    assert await linked(database) == {me.user_id: accounts[outcomes.index(None)].id}


async def test_linking_and_leaving_at_once_leaves_no_account_behind(database: Database, cast: Cast) -> None:
    me = cast.principal("new_student")

    async def leave() -> None:
        async with database.service(ServiceDoor.FORGET) as uow, uow.transaction():
            await service.forget(uow, cast["new_student"])

    await asyncio.gather(leave(), *(link(database, me) for _ in range(6)), return_exceptions=True)
    assert await linked(database) == {}


async def test_who_a_discord_account_speaks_for(database: Database, cast: Cast) -> None:
    for number, name in enumerate(ROLES):
        await link(database, cast.principal(name), DiscordAccount(str(300 + number), name))
    async with database.service(ServiceDoor.BOT) as uow:
        for number, name in enumerate(ROLES):
            assert await discord.owner_of(uow, str(300 + number)) == cast.principal(name)
        for nobody in ("299", "", "x", "300 or 1=1"):
            assert await discord.owner_of(uow, nobody) is None
    async with database.service(ServiceDoor.ADMIN) as uow, uow.transaction():
        await uow.session.execute(sa.update(User).where(User.id == cast["mentor"]).values(role=Role.STUDENT))
        await service.delete_user(uow, cast["new_student"])
    async with database.service(ServiceDoor.BOT) as uow:
        assert await discord.owner_of(uow, "302") is None
        assert await discord.owner_of(uow, "303") == Principal(cast["mentor"], Role.STUDENT)


async def test_who_joins_the_server_has_their_role_looked_at(database: Database, cast: Cast) -> None:
    await link(database, cast.principal("student"))
    async with database.service(ServiceDoor.BOT) as uow, uow.transaction():
        assert await discord.member_joined(uow, MINE.id)
        assert not await discord.member_joined(uow, OTHER.id)
    assert await roles(database) == [{"user_id": str(cast["student"])}] * 2


async def test_closing_restoring_and_leaving_have_the_role_looked_at(database: Database, cast: Cast) -> None:
    id_ = cast["new_student"]
    await link(database, cast.principal("new_student"))
    async with database.service(ServiceDoor.ADMIN) as uow, uow.transaction():
        await service.delete_user(uow, id_)
        await service.restore_user(uow, id_)
        await service.forget(uow, id_)
    assert await roles(database) == [
        *[{"user_id": str(id_)}] * 3,
        {"user_id": str(id_), "discord_user_id": MINE.id},
    ]
    assert await linked(database) == {}


@pytest.mark.parametrize("name", [*ROLES, "anonymous"])
async def test_the_database_alone_keeps_accounts_apart(database: Database, cast: Cast, name: str) -> None:
    await link(database, cast.principal("student"))
    async with database.unit_of_work(cast.principal(name)) as uow:
        seen = (await uow.session.execute(sa.select(UserIdentity.name))).scalars().all()
        assert seen == (["maya"] if name in ("student", "admin") else [])
        if name != "student":
            gone = await uow.session.execute(sa.delete(UserIdentity).returning(UserIdentity.id))
            assert gone.all() == []


@pytest.mark.parametrize("name", ["student", "mentor", "admin"])
@pytest.mark.parametrize(
    "statement",
    [
        "update user_identities set closed_at = null",
        "update user_identities set user_id = app_user_id()",
        "insert into user_identities (id, user_id, provider, subject, created_at)"
        " values (gen_random_uuid(), app_user_id(), 'discord', '2', now())",
    ],
)
async def test_the_database_alone_lets_nobody_claim_an_account(
    database: Database, cast: Cast, name: str, statement: str
) -> None:
    await link(database, cast.principal("student"))
    async with database.unit_of_work(cast.principal(name)) as uow:
        with pytest.raises(ProgrammingError) as refused:
            await uow.session.execute(sa.text(statement))
        assert isinstance(refused.value.orig, InsufficientPrivilege)
