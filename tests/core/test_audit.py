"""The audit log: written with the change, by whom it really was, and never rewritten."""

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from app.core import audit
from app.core.db import Database
from app.core.ids import new_id
from app.core.models import AuditEntry
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Principal, Role

STUDENT = Principal(new_id(), Role.STUDENT)
ADMIN = Principal(new_id(), Role.ADMIN)


async def entries(database: Database, principal: Principal = ADMIN) -> list[AuditEntry]:
    async with database.unit_of_work(principal) as uow:
        return list((await uow.session.execute(sa.select(AuditEntry))).scalars())


async def test_an_entry_says_who_did_what_to_which_row(database: Database) -> None:
    subject = new_id()
    async with database.unit_of_work(STUDENT) as uow:
        await audit.record(uow, "change_role", "users", subject, {"role": "student"}, {"role": "mentor"})
        await uow.commit()
    (entry,) = await entries(database)
    assert (entry.actor_id, entry.actor_role) == (STUDENT.user_id, "student")
    assert (entry.action, entry.subject_type, entry.subject_id) == ("change_role", "users", subject)
    assert (entry.before, entry.after) == ({"role": "student"}, {"role": "mentor"})


async def test_an_entry_leaves_with_the_change_it_belongs_to(database: Database) -> None:
    async with database.unit_of_work(STUDENT) as uow:
        await audit.record(uow, "change_password", "users", STUDENT.user_id)
        await uow.rollback()
    assert await entries(database) == []


async def test_nobody_writes_in_anothers_name(database: Database) -> None:
    async with database.unit_of_work(STUDENT) as uow:
        with pytest.raises(DBAPIError, match="row-level security"):
            await audit.record(uow, "change_role", "users", None, actor=ADMIN)


async def test_the_service_names_the_person_it_acts_for(database: Database) -> None:
    async with database.service(ServiceDoor.SIGN_IN) as uow:
        await audit.record(uow, "reset_password", "users", STUDENT.user_id, actor=STUDENT)
        await uow.commit()
    (entry,) = await entries(database)
    assert entry.actor_id == STUDENT.user_id
    assert entry.before is None


async def test_only_admins_read_it(database: Database) -> None:
    async with database.unit_of_work(STUDENT) as uow:
        await audit.record(uow, "change_password", "users", STUDENT.user_id)
        await uow.commit()
    assert await entries(database, STUDENT) == []
    assert len(await entries(database)) == 1


@pytest.mark.parametrize("statement", ["update audit_log set action = 'x'", "delete from audit_log"])
async def test_it_is_append_only_for_every_role(database: Database, statement: str) -> None:
    async with database.unit_of_work(ADMIN) as uow:
        await audit.record(uow, "change_role", "users", None)
        await uow.commit()
    for opened in (database.unit_of_work(ADMIN), database.service(ServiceDoor.SEED)):
        async with opened as uow:
            with pytest.raises(DBAPIError, match=r"append-only|permission denied"):
                await uow.session.execute(sa.text(statement))
    assert [entry.action for entry in await entries(database)] == ["change_role"]
