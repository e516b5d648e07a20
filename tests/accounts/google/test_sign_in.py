"""Continue with Google: one user a person, and no account handed to somebody who doesn't own its address."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from app.accounts import service
from app.accounts.models import OAuthState, Provider, User, UserIdentity, WebSession
from app.core.db import Database
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Role
from tests.accounts.browser import target
from tests.accounts.conftest import EMAIL, PASSWORD
from tests.accounts.google.trips import NEWCOMER, consent, rows, set_out, travel
from tests.cast import Cast
from tests.support.sandbox import RunningSandbox


async def test_the_first_time_makes_an_account(
    browsers: Any, sandbox: RunningSandbox, database: Database
) -> None:
    browser = await browsers()
    answer = await travel(browser, sandbox, NEWCOMER, "purpose=sign-in&time_zone=Asia/Tokyo")
    assert target(answer) == "/dashboard"
    (user,) = await rows(database, User)
    assert (user.email, user.name, user.role, user.time_zone) == (
        NEWCOMER,
        "Nora Newcomer",
        "student",
        "Asia/Tokyo",
    )
    assert user.email_verified_at is not None
    assert user.password_hash is None
    (identity,) = await rows(database, UserIdentity)
    assert (identity.user_id, identity.provider, identity.email) == (user.id, Provider.GOOGLE, NEWCOMER)
    assert identity.subject.isdigit()
    assert "Asia/Tokyo" in browser.flashes()[0]
    assert NEWCOMER in (await browser.get("/settings")).text
    assert await rows(database, OAuthState) == []


async def test_the_second_time_signs_in(browsers: Any, sandbox: RunningSandbox, database: Database) -> None:
    first, second = await browsers(), await browsers()
    await travel(first, sandbox, NEWCOMER)
    assert target(await travel(second, sandbox, NEWCOMER, "purpose=sign-in&next=/settings")) == "/settings"
    assert second.flashes() == []
    assert len(await rows(database, User)) == 1
    assert len(await rows(database, WebSession)) == 2


async def test_the_subject_counts_not_the_address(
    browsers: Any, sandbox: RunningSandbox, database: Database
) -> None:
    await travel(await browsers(), sandbox, NEWCOMER)
    async with database.service(ServiceDoor.SEED) as uow:
        await uow.session.execute(sa.update(User).values(email="renamed@example.test"))
        await uow.commit()
    assert target(await travel(await browsers(), sandbox, NEWCOMER)) == "/dashboard"
    assert len(await rows(database, User)) == 1


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "x" * 500])
async def test_an_unknown_zone_becomes_utc(
    browsers: Any, sandbox: RunningSandbox, database: Database, zone: str
) -> None:
    await travel(await browsers(), sandbox, NEWCOMER, f"purpose=sign-in&time_zone={zone}")
    assert (await rows(database, User))[0].time_zone == "UTC"


async def test_many_first_sign_ins_at_once_make_one_user(
    browsers: Any, sandbox: RunningSandbox, database: Database
) -> None:
    everyone = [await browsers() for _ in range(16)]
    ways_back = [consent(sandbox, await set_out(browser), NEWCOMER) for browser in everyone]
    answers = await asyncio.gather(
        *(browser.get(way) for browser, way in zip(everyone, ways_back, strict=True))
    )
    assert [target(answer) for answer in answers] == ["/dashboard"] * 16
    assert len(await rows(database, User)) == 1
    assert len(await rows(database, UserIdentity)) == 1
    assert len(await rows(database, WebSession)) == 16


async def test_google_and_a_sign_up_at_once_make_one_user(
    browsers: Any, sandbox: RunningSandbox, database: Database
) -> None:
    form = {"name": "Nora", "email": NEWCOMER, "password": PASSWORD, "time_zone": "UTC"}
    googlers, others = [await browsers() for _ in range(6)], [await browsers() for _ in range(6)]
    ways_back = [consent(sandbox, await set_out(browser), NEWCOMER) for browser in googlers]
    await asyncio.gather(
        *(browser.get(way) for browser, way in zip(googlers, ways_back, strict=True)),
        *(browser.post("/sign-up", form) for browser in others),
    )
    (user,) = await rows(database, User)
    identities = await rows(database, UserIdentity)
    # Whoever came first, an address that nobody confirmed is never handed to Google's account.
    assert len(identities) <= 1
    assert (user.email_verified_at is not None) is (len(identities) == 1)


async def test_an_account_with_a_confirmed_address_is_connected(
    browsers: Any, sandbox: RunningSandbox, database: Database, ada: Any
) -> None:
    assert target(await travel(await browsers(), sandbox, EMAIL)) == "/dashboard"
    (identity,) = await rows(database, UserIdentity)
    assert identity.user_id == ada
    (user,) = await rows(database, User)
    assert user.name == "Ada Byron"
    assert user.password_hash is not None


async def test_an_account_nobody_confirmed_is_not_handed_over(
    browsers: Any, sandbox: RunningSandbox, database: Database
) -> None:
    async with database.service(ServiceDoor.SEED) as uow:
        await service.create_user(
            uow,
            name="Somebody",
            email=EMAIL,
            role=Role.STUDENT,
            time_zone="UTC",
            password=PASSWORD,
            verified=False,
        )
        await uow.commit()
    browser = await browsers()
    answer = await travel(browser, sandbox, EMAIL)
    assert answer.status_code == 422
    assert "connect Google in the settings" in answer.text
    assert browser.cookie("session") is None
    assert await rows(database, UserIdentity) == []


async def test_an_address_that_google_has_not_checked_is_refused(
    browsers: Any, sandbox: RunningSandbox, database: Database, ada: Any
) -> None:
    for address in (EMAIL, NEWCOMER):
        sandbox.control.account(address, email_verified=False)
        browser = await browsers()
        answer = await travel(browser, sandbox, address)
        assert answer.status_code == 422
        assert "confirmed" in answer.text
        assert browser.cookie("session") is None
    linking = await travel(await browsers(ada), sandbox, NEWCOMER, "purpose=link")
    assert linking.status_code == 422
    assert await rows(database, UserIdentity) == []
    assert len(await rows(database, User)) == 1


async def test_a_closed_account_is_not_opened(
    browsers: Any, sandbox: RunningSandbox, database: Database, ada: Any
) -> None:
    await travel(await browsers(), sandbox, EMAIL)
    async with database.service(ServiceDoor.SEED) as uow:
        await service.delete_user(uow, ada)
        await uow.commit()
    browser = await browsers()
    answer = await travel(browser, sandbox, EMAIL)
    assert answer.status_code == 422
    assert "closed" in answer.text
    assert browser.cookie("session") is None


async def test_connecting_in_the_settings(
    browsers: Any, sandbox: RunningSandbox, database: Database, ada: Any
) -> None:
    browser = await browsers(ada)
    for _ in range(2):  # again changes nothing
        assert target(await travel(browser, sandbox, NEWCOMER, "purpose=link")) == "/settings"
        (identity,) = await rows(database, UserIdentity)
        assert (identity.user_id, identity.email) == (ada, NEWCOMER)
    assert NEWCOMER in (await browser.get("/settings")).text
    assert target(await travel(await browsers(), sandbox, NEWCOMER)) == "/dashboard"
    assert len(await rows(database, User)) == 1


async def test_one_google_account_a_user_and_one_user_a_google_account(
    browsers: Any, sandbox: RunningSandbox, database: Database, ada: Any, cast: Cast
) -> None:
    browser, other = await browsers(ada), await browsers(cast["student"])
    await travel(browser, sandbox, NEWCOMER, "purpose=link")
    taken = await travel(other, sandbox, NEWCOMER, "purpose=link")
    assert taken.status_code == 409
    assert "somebody else" in taken.text
    second = await travel(browser, sandbox, EMAIL, "purpose=link")
    assert second.status_code == 409
    assert "Disconnect that one first" in second.text
    signing_in = await travel(await browsers(), sandbox, EMAIL)
    assert signing_in.status_code == 422
    assert "another Google account" in signing_in.text
    (identity,) = await rows(database, UserIdentity)
    assert (identity.user_id, identity.email) == (ada, NEWCOMER)


async def test_many_connect_at_once_and_one_wins(
    browsers: Any, sandbox: RunningSandbox, database: Database, cast: Cast
) -> None:
    names = ["student", "other_student", "new_student", "mentor", "other_mentor", "admin"]
    everyone = [await browsers(cast[name]) for name in names]
    ways_back = [consent(sandbox, await set_out(browser, "purpose=link"), NEWCOMER) for browser in everyone]
    answers = await asyncio.gather(
        *(browser.get(way) for browser, way in zip(everyone, ways_back, strict=True))
    )
    assert sorted(answer.status_code for answer in answers) == [303] + [409] * 5
    assert len(await rows(database, UserIdentity)) == 1


async def test_signing_in_with_google_is_a_new_session(
    browsers: Any, sandbox: RunningSandbox, database: Database, ada: Any
) -> None:
    attacker, victim = await browsers(ada), await browsers()
    planted = attacker.cookie("session")
    victim.carry(planted)
    await travel(victim, sandbox, NEWCOMER)
    assert victim.cookie("session") != planted
    assert (await attacker.get("/settings")).status_code == 303
