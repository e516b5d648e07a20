"""Accounts as others use them: made, found, promoted, closed, opened again, forgotten."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from app.accounts import links, service
from app.accounts.models import (
    AccessToken,
    EmailToken,
    OAuthState,
    Provider,
    Purpose,
    User,
    UserIdentity,
    WebSession,
)
from app.core import clock
from app.core.db import Database
from app.core.errors import Invalid, NotFound, Refused
from app.core.ids import new_id
from app.core.models import AuditEntry
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Role
from app.settings import Settings
from tests.accounts.browser import target
from tests.accounts.conftest import EMAIL, PASSWORD, Open
from tests.cast import Cast

GRACE: dict[str, Any] = {"name": "Grace", "email": "grace@example.test", "time_zone": "America/New_York"}


async def stored(database: Database, user_id: Any) -> User:
    async with database.service(ServiceDoor.SIGN_IN) as uow:
        return await uow.session.get_one(User, user_id)


async def audit(database: Database) -> list[AuditEntry]:
    async with database.service(ServiceDoor.SEED) as uow:
        return list((await uow.session.execute(sa.select(AuditEntry).order_by(AuditEntry.id))).scalars())


async def test_an_account_is_made_and_found(database: Database) -> None:
    async with database.service(ServiceDoor.SEED) as uow:
        id_ = await service.create_user(uow, **GRACE, role=Role.MENTOR)
        await uow.commit()
        found = await service.find_by_email(uow, " GRACE@example.test ")
        assert found is not None
        assert found.id == id_
        assert found.role is Role.MENTOR
        assert found.email_verified_at is not None
        assert found.password_hash is None
        assert await service.find_by_email(uow, "nobody@example.test") is None


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"email": "x"}, "email"),
        ({"email": EMAIL.upper()}, "email"),
        ({"time_zone": "x"}, "time_zone"),
        ({"password": "short"}, "password"),
    ],
)
async def test_a_wrong_account_is_not_made(
    database: Database, ada: Any, changed: dict[str, Any], field: str
) -> None:
    async with database.service(ServiceDoor.SEED) as uow:
        with pytest.raises(Invalid) as refused:
            await service.create_user(uow, role=Role.STUDENT, **(GRACE | changed))
    assert set(refused.value.fields) == {field}


async def test_a_new_role_ends_what_was_signed_in_with_the_old_one(
    browsers: Open, database: Database, ada: Any
) -> None:
    browser = await browsers(ada)
    assert "/instructor/sessions" not in (await browser.get("/settings")).text
    async with database.service(ServiceDoor.SEED) as uow:
        await service.change_role(uow, ada, Role.MENTOR)
        await service.change_role(uow, ada, Role.MENTOR)
        await uow.commit()
    assert target(await browser.get("/settings")) == "/sign-in?next=/settings"
    again = await browsers(ada)
    assert "/instructor/sessions" in (await again.get("/settings")).text
    (entry,) = await audit(database)
    assert (entry.action, entry.subject_id) == ("change_role", ada)
    assert (entry.before, entry.after) == ({"role": "student"}, {"role": "mentor"})


async def test_somebody_is_always_left_to_administer(database: Database, cast: Cast) -> None:
    async with database.service(ServiceDoor.SEED) as uow:
        for change in (
            service.change_role(uow, cast["admin"], Role.STUDENT),
            service.delete_user(uow, cast["admin"]),
            service.forget(uow, cast["admin"]),
        ):
            with pytest.raises(Refused) as refused:
                await change
            assert refused.value.code == "last_admin"
        await service.change_role(uow, cast["student"], Role.ADMIN)
        await service.change_role(uow, cast["admin"], Role.STUDENT)


async def test_a_closed_account_is_out_and_can_be_opened_again(
    browsers: Open, database: Database, ada: Any
) -> None:
    browser = await browsers(ada)
    async with database.service(ServiceDoor.SEED) as uow:
        await service.delete_user(uow, ada)
        await uow.commit()
        assert await service.find_by_email(uow, EMAIL) is None
        with pytest.raises(NotFound):
            await service.delete_user(uow, ada)
        with pytest.raises(NotFound):
            await service.change_role(uow, ada, Role.ADMIN)
    assert (await browser.get("/settings")).status_code == 303
    form = {"email": EMAIL, "password": PASSWORD}
    assert (await (await browsers()).post("/sign-in", form)).status_code == 422

    async with database.service(ServiceDoor.SEED) as uow:
        await service.restore_user(uow, ada)
        await uow.commit()
        with pytest.raises(NotFound):
            await service.restore_user(uow, ada)
    assert (await browser.get("/settings")).status_code == 303
    assert (await (await browsers()).post("/sign-in", form)).status_code == 303
    assert [entry.action for entry in await audit(database)] == ["delete_user", "restore_user"]


async def fill(database: Database, settings: Settings, user_id: Any) -> None:
    """One of everything that lets somebody act as the user."""
    async with database.service(ServiceDoor.SEED) as uow:
        await service.issue_token(uow, user_id, "a script", 30)
        await links.send(uow, settings, user_id, Purpose.RESET_PASSWORD)
        identity = {"id": new_id(), "provider": Provider.GOOGLE, "subject": "1", "email": EMAIL}
        trip = {
            "id": new_id(),
            "state_hash": b"s",
            "browser_hash": b"b",
            "purpose": "link",
            "verifier": "v",
            "details": {},
        }
        now = clock.now()
        await uow.session.execute(sa.insert(UserIdentity).values(**identity, user_id=user_id, created_at=now))
        await uow.session.execute(sa.insert(OAuthState).values(**trip, user_id=user_id, expires_at=now))
        await uow.commit()


async def test_what_is_forgotten_leaves_nobody(
    browsers: Open, database: Database, fast: Settings, ada: Any
) -> None:
    browser = await browsers(ada)
    await fill(database, fast, ada)
    async with database.service(ServiceDoor.SEED) as uow:
        await service.forget(uow, ada)
        await uow.commit()
    user = await stored(database, ada)
    assert user.name == "Former member"
    assert user.email.endswith("@forgotten.invalid")
    assert (user.password_hash, user.email_verified_at, user.time_zone) == (None, None, "UTC")
    assert user.deleted_at is not None
    assert user.forgotten_at is not None
    async with database.service(ServiceDoor.SEED) as uow:
        for table in (UserIdentity, EmailToken, WebSession, AccessToken, OAuthState):
            assert (
                await uow.session.execute(sa.select(sa.func.count()).select_from(table))
            ).scalar_one() == 0
        with pytest.raises(Refused) as refused:
            await service.restore_user(uow, ada)
        assert refused.value.code == "forgotten"
        with pytest.raises(NotFound):
            await service.forget(uow, ada)
        again = await service.create_user(
            uow, name="Ada", email=EMAIL, role=Role.STUDENT, time_zone="UTC", password=PASSWORD
        )
        assert again != ada
    assert (await browser.get("/settings")).status_code == 303


async def test_a_closed_account_can_be_forgotten(database: Database, ada: Any) -> None:
    async with database.service(ServiceDoor.SEED) as uow:
        await service.delete_user(uow, ada)
        closed_at = (await uow.session.get_one(User, ada)).deleted_at
        await service.forget(uow, ada)
        await uow.commit()
    user = await stored(database, ada)
    assert user.deleted_at == closed_at
    assert user.forgotten_at is not None
