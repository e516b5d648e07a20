"""Many at once: one account, one use of a link, one password."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from app.accounts import identities, links, password_change, sign_in, sign_up
from app.accounts.identities import UserInfo
from app.accounts.models import EmailToken, Purpose, User, UserIdentity, WebSession
from app.accounts.web_sessions import Browser
from app.core.db import Database
from app.core.errors import Invalid
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Principal, Role
from app.settings import Settings
from tests.accounts.conftest import EMAIL, PASSWORD

MANY = 24
NEW = "quite another phrase"


async def count(database: Database, table: Any) -> int:
    async with database.service(ServiceDoor.SIGN_IN) as uow:
        return (await uow.session.execute(sa.select(sa.func.count()).select_from(table))).scalar_one()


async def token_for(database: Database, settings: Settings, user_id: Any, purpose: Purpose) -> str:
    """A working link's secret."""
    async with database.service(ServiceDoor.SIGN_IN) as uow:
        await links.send(uow, settings, user_id, purpose)
        await uow.commit()
        id_ = (await uow.session.execute(sa.select(EmailToken.id))).scalar_one()
    return links.secret(settings, purpose, id_)


@pytest.mark.parametrize("round_", range(4))
async def test_first_google_sign_ins_of_one_person(
    database: Database, fast: Settings, app: Any, round_: int
) -> None:
    info = UserInfo(sub=f"10{round_}", email="nora@gmail.example", email_verified=True, name="Nora")

    async def arrive() -> Any:
        async with database.service(ServiceDoor.SIGN_IN) as uow, uow.transaction():
            return await identities.sign_in_with_google(
                uow, fast, info, time_zone="UTC", browser=Browser("Firefox")
            )

    arrived = await asyncio.gather(*(arrive() for _ in range(MANY)))
    assert len({person.user_id for person in arrived}) == 1
    assert len({person.secret for person in arrived}) == MANY
    assert sum(person.is_new for person in arrived) == 1
    assert await count(database, User) == 1
    assert await count(database, UserIdentity) == 1


async def test_one_google_account_whose_address_changed_meanwhile(
    database: Database, fast: Settings, app: Any
) -> None:
    """The same subject under two addresses at once: one account, and none left over without an identity."""

    async def arrive(number: int) -> Any:
        info = UserInfo(sub="77", email=f"nora-{number % 2}@gmail.example", email_verified=True)
        async with database.service(ServiceDoor.SIGN_IN) as uow, uow.transaction():
            return await identities.sign_in_with_google(uow, fast, info, time_zone="UTC", browser=Browser())

    arrived = await asyncio.gather(*(arrive(number) for number in range(MANY)))
    assert len({person.user_id for person in arrived}) == 1
    assert await count(database, User) == 1


async def test_sign_ups_with_one_address(database: Database, fast: Settings, app: Any) -> None:
    async def arrive(number: int) -> None:
        async with database.service(ServiceDoor.SIGN_IN) as uow, uow.transaction():
            await sign_up.sign_up(
                uow,
                fast,
                name=f"Number {number}",
                email="Nora@example.test" if number % 2 else "nora@example.test",
                password=PASSWORD,
                time_zone="UTC",
            )

    await asyncio.gather(*(arrive(number) for number in range(MANY)))
    assert await count(database, User) == 1
    async with database.service(ServiceDoor.SIGN_IN) as uow:
        live = sa.select(sa.func.count()).select_from(EmailToken).where(EmailToken.used_at.is_(None))
        assert (await uow.session.execute(live)).scalar_one() <= 1


async def test_a_confirming_link_is_used_once(database: Database, fast: Settings, ada: Any) -> None:
    token = await token_for(database, fast, ada, Purpose.VERIFY_EMAIL)

    async def follow() -> str | None:
        async with database.service(ServiceDoor.SIGN_IN) as uow, uow.transaction():
            return await sign_up.verify(uow, token)

    results = await asyncio.gather(*(follow() for _ in range(MANY)))
    assert sorted(result or "" for result in results) == [""] * (MANY - 1) + [EMAIL]


async def test_a_reset_link_sets_one_password(database: Database, fast: Settings, ada: Any) -> None:
    token = await token_for(database, fast, ada, Purpose.RESET_PASSWORD)

    async def follow(number: int) -> bool:
        async with database.service(ServiceDoor.SIGN_IN) as uow, uow.transaction():
            return await password_change.reset_password(uow, token, new=f"phrase number {number:02}")

    results = await asyncio.gather(*(follow(number) for number in range(MANY)))
    assert sum(results) == 1
    async with database.service(ServiceDoor.SIGN_IN) as uow, uow.transaction():
        won = f"phrase number {results.index(True):02}"
        assert await sign_in.sign_in(uow, fast, email=EMAIL, password=won, browser=Browser())


async def test_two_changes_of_a_password_do_not_overwrite_each_other(
    database: Database, fast: Settings, ada: Any
) -> None:
    async def change(number: int) -> bool:
        async with database.unit_of_work(Principal(ada, Role.STUDENT)) as uow:
            try:
                await password_change.change_password(
                    uow, current=PASSWORD, new=f"phrase number {number:02}", secret="s"
                )
            except Invalid:
                return False
            await uow.commit()
            return True

    results = await asyncio.gather(*(change(number) for number in range(MANY)))
    assert sum(results) == 1


async def test_a_sign_in_under_way_does_not_survive_a_reset(
    database: Database, fast: Settings, ada: Any
) -> None:
    """Whoever knows the old password and signs in while it is being reset is out afterwards."""
    token = await token_for(database, fast, ada, Purpose.RESET_PASSWORD)

    async def old_password() -> None:
        async with database.service(ServiceDoor.SIGN_IN) as uow, uow.transaction():
            await sign_in.sign_in(uow, fast, email=EMAIL, password=PASSWORD, browser=Browser())

    async def reset() -> bool:
        async with database.service(ServiceDoor.SIGN_IN) as uow, uow.transaction():
            return await password_change.reset_password(uow, token, new=NEW)

    work = [old_password() for _ in range(MANY // 2)] + [reset()] + [old_password() for _ in range(MANY // 2)]
    results = await asyncio.gather(*work, return_exceptions=True)
    assert results[MANY // 2] is True
    assert {type(result) for result in results} <= {bool, type(None), Invalid}
    assert await count(database, WebSession) == 0
