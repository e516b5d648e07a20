"""Signing in: a new secret each time, the same words for every failure, and nowhere else to go than this site."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from litestar import Litestar

from app.accounts import passwords, service
from app.accounts.models import User, WebSession
from app.asgi import create_app
from app.core.db import Database
from app.core.ids import hash_secret
from app.core.rls import ServiceDoor
from app.core.unit_of_work import Role
from app.settings import Settings
from tests.accounts.browser import Browser, target
from tests.accounts.conftest import EMAIL, PASSWORD, Mails, Open, path_of
from tests.cast import Cast

FORM = {"email": EMAIL, "password": PASSWORD}


async def sessions(database: Database) -> list[WebSession]:
    async with database.service(ServiceDoor.SIGN_IN) as uow:
        return list((await uow.session.execute(sa.select(WebSession))).scalars())


async def test_signing_in_and_out(browsers: Open, database: Database, ada: Any) -> None:
    browser = await browsers()
    assert target(await browser.post("/sign-in", FORM)) == "/dashboard"
    secret = browser.cookie("session")
    assert secret is not None
    (row,) = await sessions(database)
    assert row.token_hash == hash_secret(secret)
    assert row.user_id == ada
    assert "Ada Byron" in (await browser.get("/settings")).text

    assert target(await browser.post("/sign-out")) == "/"
    assert browser.cookie("session") is None
    assert await sessions(database) == []
    browser.carry(secret)
    assert target(await browser.get("/settings")) == "/sign-in?next=/settings"


async def test_signing_out_twice_is_fine(browsers: Open) -> None:
    browser = await browsers()
    assert target(await browser.post("/sign-out")) == "/"


@pytest.mark.parametrize("typed", [EMAIL.upper(), f"  {EMAIL} "])
async def test_an_address_is_the_same_however_it_is_typed(browsers: Open, ada: Any, typed: str) -> None:
    assert target(await (await browsers()).post("/sign-in", FORM | {"email": typed})) == "/dashboard"


async def test_every_failure_reads_the_same(browsers: Open, database: Database, ada: Any, cast: Cast) -> None:
    async with database.service(ServiceDoor.SEED) as uow:
        closed = await service.create_user(
            uow,
            name="Closed",
            email="closed@example.test",
            role=Role.STUDENT,
            time_zone="UTC",
            password=PASSWORD,
        )
        await service.delete_user(uow, closed)
        await uow.commit()
    texts = set()
    for email, password in [
        (EMAIL, "another password"),
        ("nobody@example.test", PASSWORD),
        ("closed@example.test", PASSWORD),
        (cast.email("student"), PASSWORD),  # signs in with Google only
        (EMAIL, ""),
        ("", ""),
        (EMAIL, "x" * 100_000),
        (EMAIL, PASSWORD + "\x00"),
        ("\x00", PASSWORD),
    ]:
        browser = await browsers()
        answer = await browser.post("/sign-in", {"email": email, "password": password})
        assert answer.status_code == 422
        assert browser.cookie("session") is None
        token = browser.cookie("csrftoken") or ""
        texts.add(answer.text.replace(token, "").replace(f'value="{email}"', 'value=""'))
    assert len(texts) == 1
    assert "go together" in texts.pop()
    assert await sessions(database) == []


async def test_the_fragment_of_a_failure(browsers: Open, ada: Any) -> None:
    answer = await (await browsers()).post("/sign-in", FORM | {"password": "wrong password"}, htmx=True)
    assert answer.status_code == 422
    assert "<html" not in answer.text
    assert 'id="sign-in"' in answer.text
    assert EMAIL in answer.text
    assert "wrong password" not in answer.text


async def test_htmx_is_told_to_go_on(browsers: Open, ada: Any) -> None:
    answer = await (await browsers()).post("/sign-in", FORM, htmx=True)
    assert (answer.status_code, answer.headers["hx-redirect"]) == (200, "/dashboard")
    assert "session=" in answer.headers["set-cookie"]


@pytest.mark.parametrize(
    ("name", "home"),
    [("student", "/dashboard"), ("mentor", "/instructor/dashboard"), ("admin", "/admin")],
)
async def test_everybody_lands_at_home(browsers: Open, cast: Cast, name: str, home: str) -> None:
    browser = await browsers(cast[name])
    assert target(await browser.get("/sign-in")) == home


async def test_after_signing_in_people_go_where_they_wanted(browsers: Open, ada: Any) -> None:
    browser = await browsers()
    wanted = target(await browser.get("/settings?section=tokens"))
    assert wanted == "/sign-in?next=/settings%3Fsection%3Dtokens"
    page = await browser.get(wanted)
    assert 'name="next" value="/settings?section=tokens"' in page.text
    answer = await browser.post("/sign-in", FORM | {"next": "/settings?section=tokens"})
    assert target(answer) == "/settings?section=tokens"


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example", "javascript:x"],
)
async def test_nobody_is_sent_elsewhere(browsers: Open, ada: Any, elsewhere: str) -> None:
    browser = await browsers()
    page = await browser.http.get("/sign-in", params={"next": elsewhere})
    assert "evil" not in page.text
    assert target(await browser.post("/sign-in", FORM | {"next": elsewhere})) == "/dashboard"
    signed_in = await browser.http.get("/sign-in", params={"next": elsewhere})
    assert target(signed_in) == "/dashboard"


async def test_a_secret_from_before_does_not_become_a_signed_in_one(
    browsers: Open, database: Database, ada: Any, cast: Cast
) -> None:
    """Session fixation: somebody's planted secret is worth nothing afterwards."""
    attacker = await browsers(cast["new_student"])
    planted = attacker.cookie("session")
    assert planted is not None
    victim = await browsers()
    victim.carry(planted)
    await victim.post("/sign-in", FORM)
    assert victim.cookie("session") != planted
    assert target(await attacker.get("/settings")) == "/sign-in?next=/settings"
    assert [row.user_id for row in await sessions(database)] == [ada]

    victim.carry("a secret that the attacker chose")
    await victim.post("/sign-in", FORM)
    assert hash_secret("a secret that the attacker chose") not in {
        row.token_hash for row in await sessions(database)
    }


async def test_each_sign_in_has_its_own_secret(browsers: Open, database: Database, ada: Any) -> None:
    browser = await browsers()
    secrets = set()
    for _ in range(3):
        await browser.post("/sign-in", FORM)
        secrets.add(browser.cookie("session"))
    assert len(secrets) == 3
    assert len(await sessions(database)) == 1


async def test_the_cookie_is_out_of_reach(browsers: Open, ada: Any) -> None:
    cookie = (await (await browsers()).post("/sign-in", FORM)).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie
    assert "Secure" not in cookie  # plain http on this machine


@pytest.fixture
async def https_app(fast: Settings) -> AsyncIterator[Litestar]:
    app = create_app(dataclasses.replace(fast, public_url="https://mentorships.example"))
    yield app
    await app.state.database.dispose()


async def test_behind_https_the_cookie_never_travels_in_the_clear(https_app: Litestar, ada: Any) -> None:
    browser = Browser(https_app)
    browser.http.base_url = "https://mentorships.example"
    async with browser.http:
        answer = await browser.post("/sign-in", FORM)
        assert "Secure" in answer.headers["set-cookie"]


async def test_an_expired_session_is_nobodys(browsers: Open, database: Database, ada: Any) -> None:
    browser = await browsers(ada)
    assert (await browser.get("/settings")).status_code == 200
    async with database.service(ServiceDoor.SIGN_IN) as uow:
        await uow.session.execute(sa.update(WebSession).values(expires_at=datetime.now(UTC)))
        await uow.commit()
    assert target(await browser.get("/settings")) == "/sign-in?next=/settings"


async def test_a_session_lasts_a_month(database: Database, browsers: Open, ada: Any) -> None:
    await browsers(ada)
    (row,) = await sessions(database)
    assert row.expires_at - row.created_at == timedelta(days=30)


async def test_signing_in_needs_the_form_of_this_site(browsers: Open, database: Database, ada: Any) -> None:
    browser = await browsers()
    assert (await browser.post("/sign-in", FORM, csrf=False)).status_code == 403
    await browser.get("/sign-in")
    forged = await browser.http.post("/sign-in", data=FORM | {"_csrf_token": "0" * 128})
    assert forged.status_code == 403
    assert await sessions(database) == []


async def test_an_unconfirmed_address_can_not_sign_in_yet(
    browsers: Open, database: Database, mails: Mails
) -> None:
    async with database.service(ServiceDoor.SEED) as uow:
        await service.create_user(
            uow,
            name="Ada",
            email=EMAIL,
            role=Role.STUDENT,
            time_zone="UTC",
            password=PASSWORD,
            verified=False,
        )
        await uow.commit()
    browser = await browsers()
    assert (await browser.post("/sign-in", FORM | {"password": "wrong password"})).status_code == 422
    assert await mails("verify_email") == []
    assert target(await browser.post("/sign-in", FORM)) == "/check-mail"
    assert browser.cookie("session") is None
    assert "isn't confirmed yet" in browser.flashes()[0]
    page = await browser.get("/check-mail")
    assert EMAIL in page.text
    assert "Send it again" in page.text
    (mail,) = await mails("verify_email")
    await browser.post(path_of(mail.context["link"]))
    assert target(await browser.post("/sign-in", FORM)) == "/dashboard"


async def test_a_hash_with_older_parameters_is_renewed(
    browsers: Open, database: Database, fast: Settings, app: Litestar
) -> None:
    passwords.configure(32)
    async with database.service(ServiceDoor.SEED) as uow:
        id_ = await service.create_user(
            uow, name="Ada", email=EMAIL, role=Role.STUDENT, time_zone="UTC", password=PASSWORD
        )
        await uow.commit()
    passwords.configure(fast.argon2_memory_kib)

    async def stored() -> str:
        async with database.service(ServiceDoor.SIGN_IN) as uow:
            return str((await uow.session.get_one(User, id_)).password_hash)

    assert "m=32," in await stored()
    assert (await (await browsers()).post("/sign-in", FORM)).status_code == 303
    renewed = await stored()
    assert "m=64," in renewed
    assert (await (await browsers()).post("/sign-in", FORM)).status_code == 303
    assert await stored() == renewed


async def test_being_seen_is_written_down_once_in_ten_minutes(
    browsers: Open, database: Database, ada: Any
) -> None:
    browser = await browsers(ada)
    (before,) = await sessions(database)
    await browser.get("/settings")
    (same,) = await sessions(database)
    assert same.last_seen_at == before.last_seen_at
    long_ago = datetime.now(UTC) - timedelta(minutes=11)
    async with database.service(ServiceDoor.SIGN_IN) as uow:
        await uow.session.execute(sa.update(WebSession).values(last_seen_at=long_ago))
        await uow.commit()
    await browser.get("/settings")
    (after,) = await sessions(database)
    assert after.last_seen_at > long_ago
