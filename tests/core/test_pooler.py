"""Behind a pooler in transaction mode nobody inherits who somebody else was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from app.core.db import Database
from app.core.ids import new_id
from app.core.unit_of_work import ANONYMOUS, Principal, Role
from app.settings import Settings
from tests.support.pgbouncer import pooled
from tests.support.postgres import FOLDER

WHO = sa.text("select coalesce(app_user_id()::text, 'nobody'), pg_backend_pid(), current_setting('timezone')")


@pytest_asyncio.fixture(loop_scope="session")
async def behind_a_pooler(settings: Settings, tmp_path: Path) -> AsyncIterator[Database]:
    """The platform's database, all of its users over one connection to the server."""
    folder = tmp_path / "pooler"
    folder.mkdir()
    with pooled(settings, FOLDER, folder, pool_size=1) as through:
        database = Database(through)
        await answers(database)
        yield database
        await database.dispose()


async def answers(database: Database) -> None:
    for _ in range(200):
        try:
            async with database.unit_of_work() as uow:
                await uow.session.execute(WHO)
                return
        except OperationalError:
            await asyncio.sleep(0.05)
    pytest.fail("the pooler does not answer")


async def who_am_i(database: Database, principal: Principal) -> tuple[str, int, str]:
    async with database.unit_of_work(principal) as uow:
        row = (await uow.session.execute(WHO)).one()
        await uow.commit()
    return row[0], row[1], row[2]


async def test_everybody_is_themselves_on_a_shared_connection(behind_a_pooler: Database) -> None:
    people = [Principal(new_id(), Role.STUDENT), Principal(new_id(), Role.MENTOR), ANONYMOUS] * 10
    seen = await asyncio.gather(*(who_am_i(behind_a_pooler, person) for person in people))
    assert [who for who, _, _ in seen] == [str(person.user_id or "nobody") for person in people]
    assert len({backend for _, backend, _ in seen}) == 1, "they must have shared one connection"
    assert {zone for _, _, zone in seen} == {"UTC"}
