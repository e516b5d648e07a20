"""An admin signed in as somebody else: how it begins, what it may not do, what is noted, and every way it ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.accounts import links
from app.accounts.models import EmailToken, Purpose, WebSession
from app.core.db import Database
from app.core.ids import hash_secret
from app.core.rls import ServiceDoor
from app.settings import Settings
from tests.accounts.browser import Browser, target
from tests.admin.conftest import Visit
from tests.admin.people import entries, run, user
from tests.admin.work import NOON, session
from tests.cast import Cast
from tests.support.queries import counted

WHY = {"reason": "They can't find their pack"}
HOMES = {"student": "/dashboard", "mentor": "/instructor/dashboard"}


@pytest.fixture
async def admin(visit: Visit) -> Browser:
    return await visit("admin")


async def put_on(admin: Browser, cast: Cast, who: str = "student") -> None:
    answer = await admin.post(f"/admin/users/{cast[who]}/impersonation", WHY)
    assert target(answer) == HOMES[who]


async def sessions(database: Database) -> list[WebSession]:
    """Those as somebody else."""
    async with database.service(ServiceDoor.JOB) as uow:
        query = sa.select(WebSession).where(WebSession.impersonator_id.is_not(None))
        return list((await uow.session.execute(query)).scalars())


@pytest.mark.parametrize("who", ["student", "mentor"])
async def test_as_somebody_else_and_back(admin: Browser, database: Database, cast: Cast, who: str) -> None:
    own = admin.cookie("session")
    await put_on(admin, cast, who)
    assert admin.cookie("session") != own
    assert admin.cookie("own_session") == own
    name = who.title()
    for path in ("/settings", "/instructors", "/nowhere"):
        page = (await admin.get(path)).text
        assert f"You are signed in as <b>{name}</b>" in page, path
        assert "Go back to yourself" in page
    assert (await admin.get("/admin/students")).status_code == 403
    (session,) = await sessions(database)
    left = session.expires_at - datetime.now(UTC)
    assert timedelta(minutes=59) < left <= timedelta(minutes=60)
    assert session.token_hash == hash_secret(admin.cookie("session") or "")
    assert target(await admin.post("/impersonation/end")) == f"/admin/users/{cast[who]}"
    assert admin.cookie("session") == own
    assert admin.cookie("own_session") is None
    assert "You are signed in as" not in (await admin.get("/admin/students")).text
    assert await sessions(database) == []
    begun, ended = await entries(database, "sign_in_as", "sign_out_as")
    for entry in (begun, ended):
        assert (entry.actor_id, entry.actor_role, entry.subject_id) == (cast["admin"], "admin", cast[who])
        assert entry.address == "127.0.0.1"
    assert begun.after == WHY


async def test_every_change_is_noted_with_both(admin: Browser, database: Database, cast: Cast) -> None:
    await put_on(admin, cast)
    await admin.get("/settings")
    form = {"name": "Student", "time_zone": "Europe/Paris", "theme": "auto"}
    assert (await admin.post("/settings/profile", form)).status_code == 303
    assert (await admin.post("/settings/profile", form | {"name": ""})).status_code == 422  # changes nothing
    assert (await user(database, cast["student"])).time_zone == "Europe/Paris"
    noted = await entries(database, "act_as", "change_profile")
    assert [(entry.action, entry.after) for entry in noted] == [
        ("act_as", {"method": "POST", "path": "/settings/profile"}),
        ("change_profile", {"changed": ["time_zone"]}),
    ]
    for entry in noted:
        assert (entry.actor_id, entry.impersonator_id) == (cast["student"], cast["admin"])
        assert (entry.actor_role, entry.address) == ("student", "127.0.0.1")


@pytest.mark.parametrize(
    ("method", "path", "form"),
    [
        ("POST", "/settings/password", {"current_password": "", "new_password": "another long phrase"}),
        ("POST", "/settings/tokens", {"name": "mine", "expires_in_days": "30"}),
        ("POST", "/settings/tokens/01890000-0000-7000-8000-000000000000/revocation", {}),
        ("POST", "/settings/google/disconnection", {}),
        ("POST", "/settings/devices/sign-out", {}),
        ("POST", "/settings/devices/01890000-0000-7000-8000-000000000000/sign-out", {}),
        ("POST", "/settings/deletion", {"confirmation": "student@example.test"}),
        ("POST", "/checkout", {"product_id": "01890000-0000-7000-8000-000000000000", "provider": "stripe"}),
        ("GET", "/auth/google?purpose=link", {}),
    ],
)
async def test_what_only_they_may_do_is_refused(
    admin: Browser, database: Database, cast: Cast, method: str, path: str, form: dict[str, str]
) -> None:
    await put_on(admin, cast)
    before = await user(database, cast["student"])
    answer = await (admin.get(path) if method == "GET" else admin.post(path, form))
    assert answer.status_code == 403
    assert "Only they can do this themselves" in answer.text
    after = await user(database, cast["student"])
    assert (after.password_hash, after.deleted_at) == (before.password_hash, before.deleted_at)
    assert (await admin.get("/settings")).status_code == 200
    assert await entries(database, "act_as") == []


async def test_programs_are_refused_too(admin: Browser, cast: Cast) -> None:
    await put_on(admin, cast)
    await admin.get("/privacy")
    token = {"x-csrftoken": admin.cookie("csrftoken") or ""}
    body = {"product_id": "01890000-0000-7000-8000-000000000000"}
    for provider in ("stripe", "paypal"):
        answer = await admin.http.post(f"/api/checkout/{provider}", json=body, headers=token)
        assert (answer.status_code, answer.json()["code"]) == (403, "impersonated")


async def test_an_instructors_calendar_is_theirs(admin: Browser, cast: Cast) -> None:
    await put_on(admin, cast, "mentor")
    answer = await admin.get("/auth/google?purpose=calendar")
    assert answer.status_code == 403
    answer = await admin.post("/instructor/settings/google/disconnection")
    assert answer.status_code == 403
    assert "Only they can do this themselves" in answer.text


async def test_nobody_speaks_in_their_name(admin: Browser, database: Database, cast: Cast) -> None:
    for _ in range(3):
        await session(database, cast, NOON - timedelta(days=7), status="completed", completed_at=NOON)
    form = {"pack_id": str(cast.packs["student"]), "body": "The best instructor whom I ever had. " * 3}
    await put_on(admin, cast)
    answer = await admin.post("/testimonials", form)
    assert answer.status_code == 403
    assert "Only they can do this themselves" in answer.text
    assert await run(database, "select 1 from testimonials") == []


async def test_the_secret_of_a_link_is_not_noted(
    admin: Browser, database: Database, cast: Cast, open_settings: Settings
) -> None:
    await put_on(admin, cast)
    async with database.service(ServiceDoor.SIGN_IN) as uow, uow.transaction():
        await links.send(uow, open_settings, cast["other_student"], Purpose.RESET_PASSWORD)
        token = (await uow.session.execute(sa.select(EmailToken))).scalar_one()
    path = links.address(open_settings, token).removeprefix(open_settings.public_url)
    assert (await admin.post(path, {"password": "short"})).status_code == 422
    (noted,) = await entries(database, "act_as")
    assert noted.after == {"method": "POST", "path": "/reset-password/{token}"}


@pytest.mark.parametrize("reason", ["", "   ", "x" * 301])
async def test_a_reason_is_needed(admin: Browser, database: Database, cast: Cast, reason: str) -> None:
    answer = await admin.post(f"/admin/users/{cast['student']}/impersonation", {"reason": reason})
    assert answer.status_code == 422
    assert 'id="reason-error"' in answer.text
    assert await sessions(database) == []


async def test_nobody_is_signed_in_as_an_admin_or_somebody_deleted(
    admin: Browser, database: Database, cast: Cast
) -> None:
    await run(database, "update users set role = 'admin' where id = :id", id=cast["other_student"])
    await run(database, "update users set deleted_at = now() where id = :id", id=cast["new_student"])
    for who in ("admin", "other_student", "new_student"):
        answer = await admin.post(f"/admin/users/{cast[who]}/impersonation", WHY)
        assert answer.status_code == 409
        assert 'data-code="no_impersonation"' in answer.text
    assert await sessions(database) == []
    assert await entries(database) == []


async def test_not_from_one_to_the_next(admin: Browser, cast: Cast) -> None:
    await put_on(admin, cast)
    answer = await admin.post(f"/admin/users/{cast['other_student']}/impersonation", WHY)
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "statement",
    [
        "update users set role = 'student' where id = :admin",
        "update users set deleted_at = now() where id = :admin",
        "update users set role = 'admin' where id = :student",
        "update users set deleted_at = now() where id = :student",
        "update web_sessions set expires_at = now() where impersonator_id = :admin",
        "delete from web_sessions where impersonator_id = :admin",
    ],
)
async def test_it_ends_with_what_it_stands_on(
    admin: Browser, database: Database, cast: Cast, statement: str
) -> None:
    await put_on(admin, cast)
    values = {"admin": cast["admin"], "student": cast["student"]}
    await run(database, statement, **{name: id_ for name, id_ in values.items() if f":{name}" in statement})
    answer = await admin.fragment("/settings")
    assert answer.status_code == 401


async def test_the_hour_is_over_and_the_admin_goes_on_as_themselves(
    admin: Browser, database: Database, cast: Cast
) -> None:
    own = admin.cookie("session")
    await put_on(admin, cast)
    await run(database, "update web_sessions set expires_at = now() where impersonator_id is not null")
    aside = target(await admin.get("/settings"))
    assert aside == "/sign-in?next=/settings"
    assert target(await admin.get(aside)) == "/settings"
    assert (admin.cookie("session"), admin.cookie("own_session")) == (own, None)
    assert "admin@example.test" in (await admin.get("/settings")).text


async def test_going_back_after_the_hour(admin: Browser, database: Database, cast: Cast) -> None:
    own = admin.cookie("session")
    await put_on(admin, cast)
    await run(database, "update web_sessions set expires_at = now() where impersonator_id is not null")
    assert target(await admin.post("/impersonation/end")) == f"/admin/users/{cast['student']}"
    assert admin.cookie("session") == own


async def test_the_admins_own_session_ended_meanwhile(admin: Browser, database: Database, cast: Cast) -> None:
    await put_on(admin, cast)
    await run(
        database,
        "delete from web_sessions where user_id = :id and impersonator_id is null",
        id=cast["admin"],
    )
    assert target(await admin.post("/impersonation/end")) == "/sign-in"
    assert "has ended meanwhile" in admin.flashes()[0]
    assert (admin.cookie("session"), admin.cookie("own_session")) == (None, None)
    assert await sessions(database) == []


@pytest.mark.parametrize("planted", ["mentor", "student", "nonsense"])
async def test_a_planted_secret_is_not_taken_back(
    admin: Browser, visit: Visit, cast: Cast, planted: str
) -> None:
    """Somebody who can set cookies gets no session of theirs into the admin's hands."""
    await put_on(admin, cast)
    secret = planted if planted == "nonsense" else (await visit(planted)).cookie("session")
    admin.http.cookies.delete("own_session")
    admin.http.cookies.set("own_session", secret or "", domain="127.0.0.1", path="/")
    assert target(await admin.post("/impersonation/end")) == "/sign-in"
    assert admin.cookie("session") is None
    assert target(await admin.get("/settings")) == "/sign-in?next=/settings"


async def test_a_session_as_somebody_else_is_nobodys_own(admin: Browser, visit: Visit, cast: Cast) -> None:
    await put_on(admin, cast)
    other = await visit("anonymous")
    other.http.cookies.set("own_session", admin.cookie("session") or "", domain="127.0.0.1", path="/")
    assert target(await other.post("/impersonation/end")) == "/sign-in"
    assert (await other.get("/sign-in")).status_code == 200


async def test_signing_out_ends_both(admin: Browser, database: Database, cast: Cast) -> None:
    await put_on(admin, cast)
    assert target(await admin.post("/sign-out")) == "/"
    assert (admin.cookie("session"), admin.cookie("own_session")) == (None, None)
    assert await run(database, "select 1 from web_sessions") == []
    assert [entry.action for entry in await entries(database)][-1] == "sign_out_as"


async def test_signing_the_admin_out_everywhere_ends_it(
    admin: Browser, visit: Visit, database: Database, cast: Cast
) -> None:
    await put_on(admin, cast)
    elsewhere = await visit("admin")
    assert (await elsewhere.post("/settings/devices/sign-out")).status_code == 303
    assert await sessions(database) == []
    assert (await admin.fragment("/settings")).status_code == 401


async def test_signing_a_device_of_the_admin_out_ends_it(
    admin: Browser, visit: Visit, database: Database, cast: Cast
) -> None:
    """A laptop that was stolen while its owner was signed in as somebody else."""
    (own,) = await run(database, "select id from web_sessions where user_id = :id", id=cast["admin"])
    await put_on(admin, cast)
    elsewhere = await visit("admin")
    assert (await elsewhere.post(f"/settings/devices/{own.id}/sign-out")).status_code == 303
    assert await sessions(database) == []
    assert (await admin.fragment("/settings")).status_code == 401
    assert (await elsewhere.fragment("/settings")).status_code == 200


async def test_they_see_it_among_their_devices_and_may_end_it(
    admin: Browser, visit: Visit, database: Database, cast: Cast
) -> None:
    await put_on(admin, cast)
    student = await visit("student")
    page = (await student.get("/settings")).text
    assert "One of our admins, looking after your account" in page
    (session,) = await sessions(database)
    await student.post(f"/settings/devices/{session.id}/sign-out")
    assert (await admin.fragment("/settings")).status_code == 401


async def test_it_costs_no_query_more(admin: Browser, visit: Visit, cast: Cast) -> None:
    student = await visit("student")
    await put_on(admin, cast)
    counts: list[Any] = []
    for browser in (student, admin):
        await browser.get("/settings")
        with counted() as statements:
            await browser.get("/settings")
        counts.append(len(statements))
    assert counts[0] == counts[1]


async def test_the_database_alone_shows_an_admin_their_own_sessions_only(
    admin: Browser, database: Database, cast: Cast
) -> None:
    await put_on(admin, cast)
    for who, seen in (("admin", 2), ("student", 1), ("mentor", 0), ("other_student", 0)):
        async with database.unit_of_work(cast.principal(who)) as uow:
            found: list[UUID] = list((await uow.session.execute(sa.select(WebSession.id))).scalars())
        assert len(found) == seen, who
