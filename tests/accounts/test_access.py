"""Who may open which page of this slice, and what row-level security alone lets a person do to accounts."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa
from litestar import Litestar, Router
from psycopg.errors import InsufficientPrivilege
from sqlalchemy.exc import ProgrammingError

from app.accounts import access_tokens, http, repository, web_sessions
from app.accounts.models import AccessToken, Provider, User, UserIdentity, WebSession
from app.core import clock
from app.core.db import Database
from app.core.ids import new_id
from app.core.rls import ServiceDoor
from app.settings import Settings
from app.site import deletion
from tests.accounts.browser import target
from tests.accounts.conftest import Open
from tests.cast import Cast

EVERYBODY = ("anonymous", "student", "other_student", "mentor", "other_mentor", "admin")
HOME = {
    "student": "/dashboard",
    "other_student": "/dashboard",
    "mentor": "/instructor/dashboard",
    "other_mentor": "/instructor/dashboard",
    "admin": "/admin",
}
OPEN = ["/check-mail", "/reset-password"]
ENDED = ["/verify/x.y", "/reset-password/x.y"]
FOR_STRANGERS = ["/sign-in", "/sign-up"]
FOR_USERS = ["/settings", "/settings/deletion"]


async def test_every_page_of_the_slice_is_in_this_table(app: Litestar) -> None:
    handlers: list[Any] = [*http.HANDLERS, *deletion.HANDLERS]
    routers = [handler for handler in handlers if isinstance(handler, Router)]
    own = {path for handler in handlers if handler not in routers for path in handler.paths}
    own |= {route.path.rstrip("/") for router in routers for route in router.routes}
    readable = {route.path for route in app.routes if "GET" in getattr(route, "methods", ())}
    known = {*OPEN, *FOR_STRANGERS, *FOR_USERS, "/verify/{token:str}", "/reset-password/{token:str}"}
    trips = {f"/auth/{vendor}{end}" for vendor in ("google", "discord") for end in ("", "/callback")}
    # tests/accounts/discord says who may unlink, tests/accounts/test_unsubscribe.py who may unsubscribe
    elsewhere = {"/settings/discord/disconnection", "/unsubscribe/{token:str}"}
    assert own & readable == known | trips | elsewhere


@pytest.mark.parametrize("name", EVERYBODY)
async def test_who_may_open_which_page(browsers: Open, cast: Cast, name: str) -> None:
    browser = await browsers(cast[name] if name != "anonymous" else None)
    for path in OPEN:
        assert (await browser.get(path)).status_code == 200, path
    for path in ENDED:
        assert (await browser.get(path)).status_code == 410, path
    for path in FOR_STRANGERS:
        answer = await browser.get(path)
        if name == "anonymous":
            assert answer.status_code == 200, path
        else:
            assert target(answer) == HOME[name], path
    for path in FOR_USERS:
        page, fragment = await browser.get(path), await browser.fragment(path)
        if name == "anonymous":
            assert target(page) == f"/sign-in?next={path}"
            assert fragment.status_code == 401
        else:
            assert (page.status_code, fragment.status_code) == (200, 200), path
            assert set(re.findall(r"[\w-]+@example\.test", page.text)) == {cast.email(name)}


@pytest.mark.parametrize("name", EVERYBODY)
async def test_navigation_is_the_roles(browsers: Open, cast: Cast, name: str) -> None:
    browser = await browsers(cast[name] if name != "anonymous" else None)
    text = (await browser.get("/check-mail")).text
    links = {
        "anonymous": ["/sign-in", "/sign-up"],
        "student": ["/sessions", "/calendar"],
        "mentor": [
            "/instructor/dashboard",
            "/instructor/sessions",
            "/instructor/students",
            "/instructor/settings",
        ],
        "admin": ["/admin", "/instructors"],
    }
    role = name.removeprefix("other_")
    head = text.partition("<main")[0]
    assert all(f'href="{path}"' in head for path in links[role])
    assert ('action="/sign-out"' in head) is (name != "anonymous")
    assert ('href="/instructor/settings"' in head) is (role == "mentor")


@pytest.fixture
async def filled(database: Database, fast: Settings, cast: Cast) -> Cast:
    """The student has a web session, a token and a Google account."""
    async with database.service(ServiceDoor.SEED) as uow:
        await web_sessions.start(uow, fast, cast["student"], web_sessions.Browser("Firefox"))
        await access_tokens.issue_token(uow, cast["student"], "a script", 30)
        identity = {"user_id": cast["student"], "provider": Provider.GOOGLE, "subject": "1", "email": "s@g"}
        await repository.add_identity(uow.session, identity | {"created_at": clock.now()})
        await uow.commit()
    return cast


@pytest.mark.parametrize("name", [*EVERYBODY, "new_student"])
@pytest.mark.parametrize("table", [WebSession, AccessToken, UserIdentity])
async def test_the_database_alone_hides_what_is_somebody_elses(
    database: Database, filled: Cast, name: str, table: Any
) -> None:
    async with database.unit_of_work(filled.principal(name)) as uow:
        seen = (await uow.session.execute(sa.select(table.id))).all()
        mine = name == "student" or (name == "admin" and table is UserIdentity)
        assert len(seen) == (1 if mine else 0)
        if name != "student" and name != "admin":
            deleted = await uow.session.execute(sa.delete(table).returning(table.id))
            assert deleted.all() == []


@pytest.mark.parametrize("name", ["student", "mentor", "admin"])
@pytest.mark.parametrize(
    "statement",
    [
        "update users set role = 'admin'",
        "update users set email = 'x' || email",
        "update users set email_verified_at = now()",
        "update users set deleted_at = null",
        "insert into users (id, email, name, role, time_zone, created_at)"
        " values (gen_random_uuid(), 'e@e', 'e', 'admin', 'UTC', now())",
        "delete from users",
        "update web_sessions set expires_at = 'infinity'",
        "update web_sessions set user_id = app_user_id()",
        "insert into web_sessions (id, user_id, token_hash, created_at, expires_at, last_seen_at)"
        " values (gen_random_uuid(), app_user_id(), 'x', now(), now(), now())",
        "update access_tokens set expires_at = 'infinity'",
        "insert into user_identities (id, user_id, provider, subject, created_at)"
        " values (gen_random_uuid(), app_user_id(), 'google', '2', now())",
        "select * from email_tokens",
        "select * from oauth_states",
    ],
)
async def test_the_database_alone_refuses_what_only_the_service_does(
    database: Database, filled: Cast, name: str, statement: str
) -> None:
    async with database.unit_of_work(filled.principal(name)) as uow:
        with pytest.raises(ProgrammingError) as refused:
            await uow.session.execute(sa.text(statement))
        assert isinstance(refused.value.orig, InsufficientPrivilege)


async def test_a_token_for_somebody_else_is_refused_by_the_database(database: Database, filled: Cast) -> None:
    async with database.unit_of_work(filled.principal("other_student")) as uow:
        with pytest.raises(ProgrammingError) as refused:
            await access_tokens.issue_token(uow, filled["student"], "stolen", 30)
        assert isinstance(refused.value.orig, InsufficientPrivilege)


async def test_nobody_changes_somebody_elses_row(database: Database, filled: Cast) -> None:
    for name in ("other_student", "mentor", "anonymous"):
        async with database.unit_of_work(filled.principal(name)) as uow:
            await repository.change_user(
                uow.session, filled["student"], {"name": "Changed", "password_hash": "x"}
            )
            await uow.commit()
    async with database.service(ServiceDoor.SEED) as uow:
        user = await uow.session.get_one(User, filled["student"])
        assert (user.name, user.password_hash) == ("Student", None)


async def test_an_unknown_id_is_not_told_apart_from_a_foreign_one(
    browsers: Open, database: Database, filled: Cast
) -> None:
    async with database.service(ServiceDoor.SEED) as uow:
        foreign = (await uow.session.execute(sa.select(WebSession.id))).scalar_one()
    browser = await browsers(filled["other_student"])
    answers = set()
    for id_ in (foreign, new_id()):
        answer = await browser.post(f"/settings/devices/{id_}/sign-out")
        answers.add((answer.status_code, answer.text.replace(str(id_), "")))
    assert len(answers) == 1
