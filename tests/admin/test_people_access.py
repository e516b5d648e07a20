"""The pages about people, for everybody: only admins get in, and nothing changes for anybody else."""

from __future__ import annotations

import pytest
from litestar import Litestar

from app.admin.http import acts, audit, invitations, students, users
from app.core.db import Database
from tests.admin.conftest import Visit
from tests.admin.people import run
from tests.cast import Cast

PEOPLE = ("anonymous", "student", "other_student", "mentor", "other_mentor")
PAGES = (
    "/admin/students",
    "/admin/audit",
    "/admin/invitations",
    "/admin/users/{id}",
    "/admin/users/{id}/role",
    "/admin/users/{id}/deletion",
    "/admin/users/{id}/impersonation",
    "/admin/users/{id}/withdrawal",
)
FORMS = (
    "/admin/invitations",
    "/admin/users/{id}/role",
    "/admin/users/{id}/deletion",
    "/admin/users/{id}/restoration",
    "/admin/users/{id}/impersonation",
    "/admin/users/{id}/invitation",
    "/admin/users/{id}/mail-resumption",
    "/admin/users/{id}/withdrawal",
)
FORM = {
    "role": "mentor",
    "reason": "for fun",
    "name": "Eve",
    "email": "eve@example.test",
    "seats": "1",
    "time_zone": "UTC",
}
FOR_ANYBODY = {"/invitations/{token:str}"}
TRACES = """
    select (select count(*) from audit_log), (select count(*) from web_sessions where impersonator_id is not null),
           (select string_agg(concat(id, role, deleted_at), ',' order by id) from users), (select count(*) from outbox)
"""


@pytest.mark.parametrize("path", PAGES)
async def test_who_sees_a_page(visit: Visit, cast: Cast, path: str) -> None:
    where = path.format(id=cast["new_student"])
    for who in PEOPLE:
        browser = await visit(who)
        page, part = await browser.get(where), await browser.fragment(where)
        wanted = (303, 401) if who == "anonymous" else (403, 403)
        assert (who, page.status_code, part.status_code) == (who, *wanted)
        assert "new-student@example.test" not in page.text + part.text
    admin = await visit("admin")
    page, part = await admin.get(where), await admin.fragment(where)
    assert (page.status_code, part.status_code) == (200, 200)
    assert "<html" in page.text


@pytest.mark.parametrize("path", FORMS)
async def test_who_may_post(visit: Visit, database: Database, cast: Cast, path: str) -> None:
    where = path.format(id=cast["new_student"])
    before = await run(database, TRACES)
    for who in PEOPLE:
        answer = await (await visit(who)).post(where, FORM)
        assert (who, answer.status_code) == (who, 401 if who == "anonymous" else 403)
    refused = await (await visit("admin")).post(where, FORM, csrf=False)
    assert refused.status_code == 403
    assert await run(database, TRACES) == before


async def test_tokens_open_no_page(visit: Visit, cast: Cast) -> None:
    browser = await visit("admin")
    answer = await browser.get("/admin/students", authorization="Bearer mp_nonsense")
    assert answer.status_code in (303, 403)


def test_the_tables_name_every_route(app: Litestar) -> None:
    modules = (students, users, acts, invitations, audit)
    ours = {path for module in modules for handler in module.HANDLERS for path in handler.paths}
    served = {
        (method, route.path)
        for route in app.routes
        for method in getattr(route, "methods", ())
        if route.path in ours - FOR_ANYBODY and method in ("GET", "POST")
    }
    named = {("GET", path) for path in PAGES} | {("POST", path) for path in FORMS}
    assert served == {(method, path.replace("{id}", "{user_id:str}")) for method, path in named}
