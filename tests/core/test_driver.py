"""Queries that go straight to the driver behave as the session's own: same transaction, same binding, same errors."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DataError, OperationalError

from app.core.db import Database
from app.core.driver import fetch_one
from app.core.unit_of_work import Principal, Role

SOMEBODY = UUID("01920000-0000-7000-8000-000000000001")
WHO = "select app_user_id(), app_role(), pg_backend_pid()"


async def test_it_is_bound_and_shares_the_transaction(database: Database) -> None:
    async with database.unit_of_work(Principal(SOMEBODY, Role.MENTOR)) as uow:
        user_id, role, pid = await fetch_one(uow.session, WHO, {}) or (None, None, None)
        assert (user_id, role) == (SOMEBODY, "mentor")
        assert (await uow.session.execute(sa.text("select pg_backend_pid()"))).scalar_one() == pid
        await uow.session.execute(sa.text("create temporary table seen on commit drop as select 1 as one"))
        assert await fetch_one(uow.session, "select one from seen", {}) == (1,)


async def test_a_transaction_after_a_commit_is_bound_again(database: Database) -> None:
    async with database.unit_of_work(Principal(SOMEBODY, Role.STUDENT)) as uow:
        for _ in range(2):
            assert await fetch_one(uow.session, "select app_user_id()", {}) == (SOMEBODY,)
            await uow.commit()


async def test_nobody_is_left_bound_for_the_next(database: Database) -> None:
    for principal in (Principal(SOMEBODY, Role.STUDENT), Principal(None, "anonymous")):
        async with database.unit_of_work(principal) as uow:
            assert await fetch_one(uow.session, "select app_user_id()", {}) == (principal.user_id,)


async def test_no_row(database: Database) -> None:
    async with database.unit_of_work() as uow:
        assert await fetch_one(uow.session, "select 1 where %(wanted)s", {"wanted": False}) is None


async def test_errors_are_sqlalchemys_and_keep_values_to_themselves(database: Database) -> None:
    async with database.unit_of_work() as uow:
        with pytest.raises(DataError) as caught:
            await fetch_one(uow.session, "select %(text)s::integer / 0", {"text": "1234567"})
    assert isinstance(caught.value.orig, psycopg.errors.DivisionByZero)
    assert "1234567" not in str(caught.value)


async def test_a_server_that_went_away_costs_one_request(database: Database, admin_url: str) -> None:
    held = [database.unit_of_work() for _ in range(3)]
    for unit in held:
        await fetch_one((await unit.__aenter__()).session, "select 1", {})
    for unit in held:
        await unit.__aexit__(None, None, None)
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'mentorship_app'"
        )
    async with database.unit_of_work() as uow:
        with pytest.raises(OperationalError):
            await fetch_one(uow.session, "select 1", {})
    for _ in range(3):
        async with database.unit_of_work() as uow:
            assert await fetch_one(uow.session, "select 1", {}) == (1,)
