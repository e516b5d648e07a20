"""A new password, by the old one or by a link: whoever else was signed in no longer is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.accounts import access_tokens, service
from app.accounts.models import AccessToken, Provider, User, UserIdentity, WebSession
from app.core import clock
from app.core.db import Database
from app.core.ids import new_id
from app.core.models import AuditEntry, OutboxEvent
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Role
from tests.accounts.browser import Browser, target
from tests.accounts.conftest import EMAIL, PASSWORD, Mails, Open, path_of
from tests.cast import Cast

NEW = "quite another phrase"


async def rows(database: Database, table: Any) -> list[Any]:
    async with database.service(ServiceDoor.SIGN_IN) as uow:
        return list((await uow.session.execute(sa.select(table))).scalars())


async def link_for(browser: Browser, mails: Mails, email: str = EMAIL) -> str:
    """The newest link to set a new password."""
    assert target(await browser.post("/reset-password", {"email": email})) == "/check-mail"
    return path_of((await mails("reset_password"))[-1].context["link"])


async def test_changing_keeps_this_browser_and_ends_the_others(
    browsers: Open, database: Database, mails: Mails, ada: Any
) -> None:
    here, there = await browsers(ada), await browsers(ada)
    answer = await here.post("/settings/password", {"current_password": PASSWORD, "new_password": NEW})
    assert target(answer) == "/settings"
    assert (await here.get("/settings")).status_code == 200
    assert (await there.get("/settings")).status_code == 303
    assert len(await rows(database, WebSession)) == 1
    (mail,) = await mails("password_changed")
    assert (mail.recipient_id, mail.address) == (ada, EMAIL)
    (entry,) = await rows(database, AuditEntry)
    assert (entry.action, entry.actor_id, entry.subject_id) == ("change_password", ada, ada)
    fresh = await browsers()
    assert (await fresh.post("/sign-in", {"email": EMAIL, "password": PASSWORD})).status_code == 422
    assert (await fresh.post("/sign-in", {"email": EMAIL, "password": NEW})).status_code == 303


async def test_changing_by_fragment(browsers: Open, ada: Any) -> None:
    browser = await browsers(ada)
    form = {"current_password": PASSWORD, "new_password": NEW}
    answer = await browser.post("/settings/password", form, htmx=True)
    assert answer.status_code == 200
    assert 'id="password-change"' in answer.text
    assert "Changed; other devices are signed out" in answer.text
    assert "<html" not in answer.text


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"current_password": "wrong password", "new_password": NEW}, "current-password"),
        ({"current_password": "", "new_password": NEW}, "current-password"),
        ({"new_password": NEW}, "current-password"),
        ({"current_password": PASSWORD, "new_password": "short"}, "new-password"),
        ({"current_password": PASSWORD, "new_password": EMAIL}, "new-password"),
        ({"current_password": PASSWORD}, "new-password"),
    ],
)
async def test_a_change_that_is_refused_changes_nothing(
    browsers: Open, database: Database, mails: Mails, ada: Any, form: dict[str, str], field: str
) -> None:
    browser, other = await browsers(ada), await browsers(ada)
    for htmx in (False, True):
        answer = await browser.post("/settings/password", form, htmx=htmx)
        assert answer.status_code == 422
        assert f'id="{field}-error"' in answer.text
        assert ("<html" in answer.text) is not htmx
        assert NEW not in answer.text
    assert (await other.get("/settings")).status_code == 200
    assert await mails("password_changed") == []
    assert (
        await (await browsers()).post("/sign-in", {"email": EMAIL, "password": PASSWORD})
    ).status_code == 303


async def test_an_account_made_by_google_sets_its_first_password(
    browsers: Open, database: Database, cast: Cast
) -> None:
    browser = await browsers(cast["student"])
    assert 'name="current_password"' not in (await browser.get("/settings")).text
    assert (await browser.post("/settings/password", {"new_password": NEW})).status_code == 303
    assert 'name="current_password"' in (await browser.get("/settings")).text
    form = {"email": cast.email("student"), "password": NEW}
    assert (await (await browsers()).post("/sign-in", form)).status_code == 303


async def test_a_forgotten_password(browsers: Open, database: Database, mails: Mails, ada: Any) -> None:
    elsewhere, browser = await browsers(ada), await browsers()
    link = await link_for(browser, mails)
    assert "If that address has an account" in (await browser.get("/check-mail")).text
    assert 'id="new-password"' in (await browser.get(link)).text
    answer = await browser.post(link, {"password": NEW})
    assert target(answer) == "/sign-in"
    assert "new password is set" in browser.flashes()[0]
    assert (await elsewhere.get("/settings")).status_code == 303
    assert await rows(database, WebSession) == []
    assert len(await mails("password_changed")) == 1
    (entry,) = await rows(database, AuditEntry)
    assert (entry.action, entry.actor_id, entry.actor_role) == ("reset_password", ada, "student")
    assert (await browser.post("/sign-in", {"email": EMAIL, "password": PASSWORD})).status_code == 422
    assert (await browser.post("/sign-in", {"email": EMAIL, "password": NEW})).status_code == 303


async def test_one_link_works_once_and_ends_the_others(browsers: Open, mails: Mails, ada: Any) -> None:
    browser = await browsers()
    first, second = await link_for(browser, mails), await link_for(browser, mails)
    assert first != second
    assert target(await browser.post(second, {"password": NEW})) == "/sign-in"
    for link in (first, second):
        assert (await browser.get(link)).status_code == 410
        answer = await browser.post(link, {"password": "yet another phrase"})
        assert answer.status_code == 410
        assert "Your password is as it was" in answer.text
    assert (await browser.post("/sign-in", {"email": EMAIL, "password": NEW})).status_code == 303


async def test_an_ended_link_by_htmx_leads_to_the_page_that_says_so(
    browsers: Open, mails: Mails, ada: Any
) -> None:
    browser = await browsers()
    link = await link_for(browser, mails)
    await browser.post(link, {"password": NEW})
    answer = await browser.post(link, {"password": NEW}, htmx=True)
    assert answer.headers["hx-redirect"] == link


async def test_a_link_ends_after_an_hour(browsers: Open, mails: Mails, ada: Any) -> None:
    browser = await browsers()
    link = await link_for(browser, mails)
    with clock.standing_at(clock.now() + timedelta(minutes=59)):
        assert (await browser.get(link)).status_code == 200
    with clock.standing_at(clock.now() + timedelta(minutes=60)):
        assert (await browser.post(link, {"password": NEW})).status_code == 410


async def test_a_refused_password_leaves_the_link_good(browsers: Open, mails: Mails, ada: Any) -> None:
    browser = await browsers()
    link = await link_for(browser, mails)
    for password in ("short", EMAIL, ""):
        answer = await browser.post(link, {"password": password})
        assert answer.status_code == 422
        assert 'id="password-error"' in answer.text
        fragment = await browser.post(link, {"password": password}, htmx=True)
        assert fragment.status_code == 422
        assert "<html" not in fragment.text
        assert f'action="{link}"' in fragment.text
    assert target(await browser.post(link, {"password": NEW})) == "/sign-in"


async def test_unknown_closed_and_known_addresses_get_the_same_answer(
    browsers: Open, database: Database, mails: Mails, ada: Any
) -> None:
    async with database.service(ServiceDoor.SEED) as uow:
        closed = await service.create_user(
            uow, name="C", email="closed@example.test", role=Role.STUDENT, time_zone="UTC"
        )
        await service.delete_user(uow, closed)
        await uow.commit()
    answers = set()
    for email in (EMAIL, "nobody@example.test", "closed@example.test"):
        browser = await browsers()
        answer = await browser.post("/reset-password", {"email": email})
        page = await browser.get("/check-mail")
        assert email not in page.text
        answers.add((answer.status_code, answer.headers["location"], answer.headers["set-cookie"]))
    assert len(answers) == 1
    assert [mail.address for mail in await mails("reset_password")] == [EMAIL]


@pytest.mark.parametrize("email", ["", "ada"])
async def test_what_is_no_address_is_told(browsers: Open, email: str) -> None:
    for htmx in (False, True):
        answer = await (await browsers()).post("/reset-password", {"email": email}, htmx=htmx)
        assert answer.status_code == 422
        assert 'id="email-error"' in answer.text


async def test_whoever_opens_the_link_owns_the_mailbox(
    browsers: Open, database: Database, mails: Mails
) -> None:
    async with database.service(ServiceDoor.SEED) as uow:
        await service.create_user(
            uow, name="A", email=EMAIL, role=Role.STUDENT, time_zone="UTC", password=PASSWORD, verified=False
        )
        await uow.commit()
    browser = await browsers()
    await browser.post(await link_for(browser, mails), {"password": NEW})
    assert (await browser.post("/sign-in", {"email": EMAIL, "password": NEW})).status_code == 303


async def test_whoever_got_in_is_shut_out(browsers: Open, database: Database, mails: Mails, ada: Any) -> None:
    async with database.service(ServiceDoor.SEED) as uow:
        await access_tokens.issue_token(uow, ada, "theirs", 30)
        for provider, email in ((Provider.GOOGLE, "thief@example.test"), (Provider.DISCORD, None)):
            await uow.session.execute(
                sa.insert(UserIdentity).values(
                    id=new_id(),
                    user_id=ada,
                    provider=provider,
                    subject="x",
                    email=email,
                    created_at=clock.now(),
                )
            )
        await uow.commit()
    browser = await browsers()
    await browser.post(await link_for(browser, mails), {"password": NEW})
    assert await rows(database, AccessToken) == []
    assert await rows(database, UserIdentity) == []
    events = [event.payload for event in await rows(database, OutboxEvent) if event.type == "discord/role"]
    assert events == [{"user_id": str(ada), "discord_user_id": "x"}]
    (entry,) = [one for one in await rows(database, AuditEntry) if one.action == "unlink_discord"]
    assert (entry.actor_id, entry.subject_id, entry.before) == (ada, ada, {"provider": "discord"})


async def test_the_own_google_account_stays(
    browsers: Open, database: Database, mails: Mails, ada: Any
) -> None:
    async with database.service(ServiceDoor.SEED) as uow:
        row = {"id": new_id(), "user_id": ada, "provider": Provider.GOOGLE, "subject": "x"}
        await uow.session.execute(
            sa.insert(UserIdentity).values(**row, email=EMAIL.upper(), created_at=clock.now())
        )
        await uow.commit()
    browser = await browsers()
    await browser.post(await link_for(browser, mails), {"password": NEW})
    assert len(await rows(database, UserIdentity)) == 1


async def test_a_closed_account_can_not_be_reset(
    browsers: Open, database: Database, mails: Mails, ada: Any
) -> None:
    browser = await browsers()
    link = await link_for(browser, mails)
    async with database.service(ServiceDoor.SEED) as uow:
        await service.delete_user(uow, ada)
        await uow.commit()
    assert await mails("reset_password") == []
    assert (await browser.post(link, {"password": NEW})).status_code == 410
    (user,) = await rows(database, User)
    assert user.password_hash is not None
