"""Personal access tokens: shown once, kept hashed, good for the JSON endpoints and nothing else."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from litestar import Litestar, get, patch
from litestar.di import NamedDependency

from app.accounts import access_tokens, service
from app.accounts.guards import requires_user
from app.accounts.models import AccessToken
from app.core.db import Database
from app.core.ids import hash_secret
from app.core.rls import ServiceDoor
from app.core.unit_of_work import UnitOfWork
from app.core.web import Viewer
from tests.accounts.browser import BASE, target
from tests.accounts.conftest import Open
from tests.cast import Cast

FORM = {"name": " my  script ", "expires_in_days": "30"}


@get("/api/instructor/who", guards=[requires_user])
async def who(viewer: NamedDependency[Viewer], uow: NamedDependency[UnitOfWork]) -> dict[str, str]:
    """Who asks, as the database is bound to them."""
    bound = await uow.session.execute(sa.text("select app_user_id()::text"))
    return {"email": viewer.email, "bound": str(bound.scalar_one())}


@patch("/api/instructor/who", guards=[requires_user])
async def change_who(viewer: NamedDependency[Viewer]) -> dict[str, str]:
    """Something that only a form of this site or a token may do."""
    return {"email": viewer.email}


@pytest.fixture(scope="session", autouse=True)
def _json_endpoint(app: Litestar) -> None:
    """A JSON endpoint that needs nothing of the other slices."""
    app.register(who)
    app.register(change_who)


@pytest.fixture
async def program(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    """A program: no cookies, no forms."""
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        yield client


async def issued(database: Database, user_id: Any, days: int = 30) -> str:
    async with database.service(ServiceDoor.SEED) as uow:
        token = await service.issue_token(uow, user_id, "a script", days)
        await uow.commit()
    return token


async def rows(database: Database) -> list[AccessToken]:
    async with database.service(ServiceDoor.SIGN_IN) as uow:
        return list((await uow.session.execute(sa.select(AccessToken))).scalars())


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_a_token_is_shown_once_and_works(
    browsers: Open, program: httpx.AsyncClient, database: Database, ada: Any
) -> None:
    browser = await browsers(ada)
    made = await browser.post("/settings/tokens", FORM)
    assert made.status_code == 201
    assert "<html" in made.text
    (token,) = re.findall(r'id="new-token">(mp_[\w-]{43})<', made.text)
    assert "my script" in made.text
    assert token not in (await browser.get("/settings")).text
    (row,) = await rows(database)
    assert row.token_hash == hash_secret(token)
    assert row.expires_at - row.created_at == timedelta(days=30)
    answer = await program.get("/api/instructor/who", headers=bearer(token))
    assert answer.status_code == 200
    assert answer.json() == {"email": "ada@example.test", "bound": str(ada)}
    assert (await program.patch("/api/instructor/who", headers=bearer(token))).status_code == 200


async def test_by_fragment(browsers: Open, ada: Any) -> None:
    made = await (await browsers(ada)).post("/settings/tokens", FORM, htmx=True)
    assert made.status_code == 201
    assert 'id="tokens"' in made.text
    assert "<html" not in made.text
    assert "mp_" in made.text


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "token-name"),
        ({"name": "x" * 61}, "token-name"),
        ({"expires_in_days": "31"}, "expires-in-days"),
        ({"expires_in_days": ""}, "expires-in-days"),
        ({"expires_in_days": "9" * 5000}, "expires-in-days"),
        ({"expires_in_days": "-30"}, "expires-in-days"),
    ],
)
async def test_a_wrong_field_is_told_beside_it(
    browsers: Open, database: Database, ada: Any, changed: dict[str, str], field: str
) -> None:
    for htmx in (False, True):
        answer = await (await browsers(ada)).post("/settings/tokens", FORM | changed, htmx=htmx)
        assert answer.status_code == 422
        assert f'id="{field}-error"' in answer.text
    assert await rows(database) == []


async def test_nobody_collects_tokens_without_end(browsers: Open, database: Database, ada: Any) -> None:
    async with database.service(ServiceDoor.SEED) as uow:
        for number in range(access_tokens.AT_MOST):
            await service.issue_token(uow, ada, f"number {number}", 30)
        await uow.commit()
    answer = await (await browsers(ada)).post("/settings/tokens", FORM)
    assert answer.status_code == 422
    assert "revoke one" in answer.text


async def test_a_revoked_token_stops_at_once(
    browsers: Open, program: httpx.AsyncClient, database: Database, ada: Any
) -> None:
    token = await issued(database, ada)
    assert (await program.get("/api/instructor/who", headers=bearer(token))).status_code == 200
    (row,) = await rows(database)
    browser = await browsers(ada)
    assert target(await browser.post(f"/settings/tokens/{row.id}/revocation")) == "/settings"
    refused = await program.get("/api/instructor/who", headers=bearer(token))
    assert refused.status_code == 401
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "unauthenticated"
    assert (await browser.post(f"/settings/tokens/{row.id}/revocation")).status_code == 404


async def test_nobody_revokes_somebody_elses(
    browsers: Open, program: httpx.AsyncClient, database: Database, ada: Any, cast: Cast
) -> None:
    token = await issued(database, ada)
    (row,) = await rows(database)
    for name in ("student", "mentor", "admin"):
        browser = await browsers(cast[name])
        assert (await browser.post(f"/settings/tokens/{row.id}/revocation")).status_code == 404
        assert "a script" not in (await browser.get("/settings")).text
    assert (await program.get("/api/instructor/who", headers=bearer(token))).status_code == 200


async def test_an_expired_token_is_nobodys(
    browsers: Open, program: httpx.AsyncClient, database: Database, ada: Any
) -> None:
    token = await issued(database, ada, days=0)
    assert (await program.get("/api/instructor/who", headers=bearer(token))).status_code == 401
    assert "ended" in (await (await browsers(ada)).get("/settings")).text


@pytest.mark.parametrize(
    "header",
    [
        "Bearer mp_unknown",
        "Bearer ",
        "Bearer",
        "bearer x",
        "Basic YWRhOnB3",
        "mp_x",
        "Bearer \xe9",
        "Bearer a b",
    ],
)
async def test_other_headers_are_nobody(program: httpx.AsyncClient, ada: Any, header: str) -> None:
    for name in ("Authorization", "Cookie"):
        value = header if name == "Authorization" else header.replace("Bearer ", "session=")
        answer = await program.get("/api/instructor/who", headers={name.encode(): value.encode("latin-1")})
        assert answer.status_code == 401


async def test_a_session_secret_is_no_token_and_a_token_no_session(
    browsers: Open, program: httpx.AsyncClient, database: Database, ada: Any
) -> None:
    browser = await browsers(ada)
    secret = browser.cookie("session")
    assert secret is not None
    assert (await program.get("/api/instructor/who", headers=bearer(secret))).status_code == 401
    browser.carry(await issued(database, ada))
    assert (await browser.get("/api/instructor/who")).status_code == 401


@pytest.mark.parametrize(
    "path",
    ["/settings", "/sessions", "/instructor/settings", "/", "/instructors", "/settings/deletion", "/nowhere"],
)
async def test_a_token_opens_no_page(
    program: httpx.AsyncClient, database: Database, ada: Any, path: str
) -> None:
    answer = await program.get(path, headers=bearer(await issued(database, ada)))
    assert answer.status_code == 403
    assert "/api/ only" in answer.text


async def test_a_token_changes_no_settings(program: httpx.AsyncClient, database: Database, ada: Any) -> None:
    token = await issued(database, ada)
    for path, form in [
        ("/settings/tokens", FORM),
        ("/settings/profile", {"name": "Eve", "time_zone": "UTC", "theme": ""}),
        ("/settings/devices/sign-out", {}),
        ("/settings/deletion", {"confirmation": "ada@example.test"}),
        ("/sign-out", {}),
    ]:
        assert (await program.post(path, data=form, headers=bearer(token))).status_code == 403, path
    assert len(await rows(database)) == 1


async def test_a_bearer_header_does_not_carry_the_cookie_past_the_csrf_check(
    browsers: Open, database: Database, ada: Any
) -> None:
    browser = await browsers(ada)
    answer = await browser.http.patch("/api/instructor/who", headers=bearer("mp_nonsense"))
    assert answer.status_code == 401
    assert (await browser.http.patch("/api/instructor/who")).status_code == 403
    form = {"name": "Eve", "time_zone": "UTC", "theme": ""}
    refused = await browser.http.post("/settings/profile", data=form, headers=bearer("mp_nonsense"))
    assert refused.status_code == 401


async def test_a_closed_account_has_no_tokens(
    program: httpx.AsyncClient, database: Database, ada: Any
) -> None:
    token = await issued(database, ada)
    async with database.service(ServiceDoor.SEED) as uow:
        await service.delete_user(uow, ada)
        await uow.commit()
    assert (await program.get("/api/instructor/who", headers=bearer(token))).status_code == 401


async def test_use_is_written_down(
    browsers: Open, program: httpx.AsyncClient, database: Database, ada: Any
) -> None:
    token = await issued(database, ada)
    assert (await rows(database))[0].last_used_at is None
    before = datetime.now(UTC)
    await program.get("/api/instructor/who", headers=bearer(token))
    used = (await rows(database))[0].last_used_at
    assert used is not None
    assert used >= before
    await program.get("/api/instructor/who", headers=bearer(token))
    assert (await rows(database))[0].last_used_at == used
