"""One transaction, whichever way its queries go: straight to the driver or through the session."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy import AsyncAdaptedQueuePool
from sqlalchemy.exc import DataError, OperationalError

from app.core import clock
from app.core.db import Database
from app.core.models import OutboxEvent
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Principal, Role, UnitOfWork
from tests.support.queries import counted

SOMEBODY = UUID("01920000-0000-7000-8000-000000000001")
NEW_EVENT = (
    "insert into outbox (id, type, payload, key, state, attempts, created_at, available_at)"
    " values (gen_random_uuid(), 'test/tea', '{}', %(key)s, 'new', 0, now(), now()) returning id"
)
WHO = "select app_user_id(), app_role(), pg_backend_pid()"


async def test_it_is_bound_and_shares_the_transaction(database: Database) -> None:
    async with database.unit_of_work(Principal(SOMEBODY, Role.MENTOR)) as uow:
        user_id, role, pid = await uow.fetch_one(WHO, {}) or (None, None, None)
        assert (user_id, role) == (SOMEBODY, "mentor")
        assert (await uow.session.execute(sa.text("select pg_backend_pid()"))).scalar_one() == pid
        await uow.session.execute(sa.text("create temporary table seen on commit drop as select 1 as one"))
        assert await uow.fetch_one("select one from seen", {}) == (1,)


async def test_a_transaction_after_a_commit_is_bound_again(database: Database) -> None:
    async with database.unit_of_work(Principal(SOMEBODY, Role.STUDENT)) as uow:
        for _ in range(2):
            assert await uow.fetch_one("select app_user_id()", {}) == (SOMEBODY,)
            await uow.commit()


async def test_nobody_is_left_bound_for_the_next(database: Database) -> None:
    for principal in (Principal(SOMEBODY, Role.STUDENT), Principal(None, "anonymous")):
        async with database.unit_of_work(principal) as uow:
            assert await uow.fetch_one("select app_user_id()", {}) == (principal.user_id,)


async def test_a_session_commits_what_was_begun_without_it(database: Database) -> None:
    async with database.service(ServiceDoor.JOB) as uow:
        await uow.fetch_one(NEW_EVENT, {"key": "first"})
        await uow.session.execute(sa.text(NEW_EVENT % {"key": "'second'"}))
        await uow.commit()
        assert await _keys(uow) == ["first", "second"]
    async with database.service(ServiceDoor.JOB) as uow:
        assert await _keys(uow) == ["first", "second"]


async def test_a_rollback_undoes_both(database: Database) -> None:
    async with database.service(ServiceDoor.JOB) as uow:
        await uow.fetch_one(NEW_EVENT, {"key": "first"})
        await uow.session.execute(sa.text(NEW_EVENT % {"key": "'second'"}))
        await uow.rollback()
        assert await _keys(uow) == []
        await uow.fetch_one(NEW_EVENT, {"key": "third"})
        await uow.commit()
        assert await _keys(uow) == ["third"]


@pytest.mark.parametrize("asks", [True, False])
async def test_the_end_undoes_what_was_not_committed(database: Database, asks: bool) -> None:
    async with database.service(ServiceDoor.JOB) as uow:
        await uow.fetch_one(NEW_EVENT, {"key": "first"})
        if asks:
            await uow.session.execute(sa.text("select 1"))
    async with database.service(ServiceDoor.JOB) as uow:
        assert await _keys(uow) == []


async def test_entities_are_the_sessions_before_and_after_a_commit(database: Database) -> None:
    async with database.service(ServiceDoor.JOB) as uow:
        id_, *_ = await uow.fetch_one(NEW_EVENT, {"key": "first"}) or (None,)
        event = await uow.session.get_one(OutboxEvent, id_)
        event.attempts = 3
        await uow.commit()
        event.attempts += 1
        await uow.commit()
        assert await uow.fetch_one("select attempts from outbox", {}) == (4,)


async def test_becoming_somebody_binds_the_open_transaction(database: Database) -> None:
    async with database.unit_of_work() as uow:
        assert await uow.fetch_one("select app_user_id()", {}) == (None,)
        await uow.become(Principal(SOMEBODY, Role.STUDENT))
        assert await uow.fetch_one("select app_user_id(), app_role()", {}) == (SOMEBODY, "student")
        await uow.session.execute(sa.text("select 1"))
        await uow.become(Principal(None, "anonymous"))
        assert await uow.fetch_one("select app_user_id()", {}) == (None,)


async def test_no_connection_is_kept_after_a_commit(database: Database) -> None:
    pool = database.app.pool
    assert isinstance(pool, AsyncAdaptedQueuePool)
    async with database.unit_of_work() as uow:
        for through_session in (False, True):
            await uow.fetch_one("select 1", {})
            if through_session:
                await uow.session.execute(sa.text("select 1"))
            assert pool.checkedout() == 1
            await uow.commit()
            assert pool.checkedout() == 0


async def test_no_row(database: Database) -> None:
    async with database.unit_of_work() as uow:
        assert await uow.fetch_one("select 1 where %(wanted)s", {"wanted": False}) is None


async def test_errors_are_sqlalchemys_and_keep_values_to_themselves(database: Database) -> None:
    async with database.unit_of_work() as uow:
        with pytest.raises(DataError) as caught:
            await uow.fetch_one("select %(text)s::integer / 0", {"text": "1234567"})
    assert isinstance(caught.value.orig, psycopg.errors.DivisionByZero)
    assert "1234567" not in str(caught.value)


async def test_a_server_that_went_away_costs_one_request(database: Database, admin_url: str) -> None:
    held = [database.unit_of_work() for _ in range(3)]
    for unit in held:
        await (await unit.__aenter__()).fetch_one("select 1", {})
    for unit in held:
        await unit.__aexit__(None, None, None)
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where usename = 'mentorship_app' and datname = current_database()"
        )
    async with database.unit_of_work() as uow:
        with pytest.raises(OperationalError):
            await uow.fetch_one("select 1", {})
    for _ in range(3):
        async with database.unit_of_work() as uow:
            assert await uow.fetch_one("select 1", {}) == (1,)


async def _keys(uow: UnitOfWork) -> list[str]:
    row = await uow.fetch_one(
        "select coalesce(array_agg(key order by created_at, key), '{}') from outbox", {}
    )
    return row[0] if row else []


async def test_many_events_are_written_by_one_statement_each_key_once(database: Database) -> None:
    later = clock.now() + timedelta(days=2)
    async with database.service(ServiceDoor.JOB) as uow:
        await uow.emit("test/tea", {"cup": 0}, key="first")
        with counted() as statements:
            await uow.emit_all(
                "test/tea",
                [
                    ({"cup": 1}, "first", later),
                    ({"cup": SOMEBODY}, "second", later),
                    ({"cup": 3}, "second", later),
                    ({"cup": 4}, None, later),
                ],
            )
            await uow.emit_all("test/tea", [])
        assert len(statements) == 1
        query = sa.select(OutboxEvent).where(OutboxEvent.type == "test/tea").order_by(OutboxEvent.id)
        first, second, last = await uow.session.scalars(query)
    assert first.payload == {"cup": 0}
    assert (second.key, second.payload, second.available_at) == ("second", {"cup": str(SOMEBODY)}, later)
    assert last.key == str(last.id)
