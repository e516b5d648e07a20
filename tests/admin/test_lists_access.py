"""Instructors and the file of relations are for admins alone, in a browser and as a program."""

from __future__ import annotations

import pytest

from app.accounts import service as accounts
from app.core.db import Database
from app.core.rls import ServiceDoor
from tests.accounts.browser import Browser
from tests.admin.conftest import Visit
from tests.cast import Cast

PEOPLE = ("anonymous", "student", "new_student", "mentor", "other_mentor", "admin")
PAGES = (
    "/admin/instructors",
    "/admin/instructors?open={mentor}",
    "/admin/instructors/{mentor}",
    "/admin/instructors/{mentor}/mentees",
    "/admin/instructors/csv",
)
PROGRAMS = (
    "/api/admin/instructors",
    "/api/admin/instructors/{mentor}/mentees",
    "/api/admin/instructors/csv",
)


@pytest.fixture
async def browsers(visit: Visit) -> dict[str, Browser]:
    return {who: await visit(who) for who in PEOPLE}


@pytest.mark.parametrize("path", PAGES)
async def test_pages(browsers: dict[str, Browser], cast: Cast, path: str) -> None:
    where = path.format(mentor=cast["mentor"])
    for who, browser in browsers.items():
        page, part = await browser.get(where), await browser.fragment(where)
        wanted = {"anonymous": (303, 401), "admin": (303 if where.endswith("mentees") else 200, 200)}
        assert (who, page.status_code, part.status_code) == (who, *wanted.get(who, (403, 403)))
        if who != "admin":
            assert cast.email("other_student") not in page.text + part.text


@pytest.mark.parametrize("path", PROGRAMS)
async def test_programs(browsers: dict[str, Browser], cast: Cast, path: str) -> None:
    where = path.format(mentor=cast["mentor"])
    for who, browser in browsers.items():
        answer = await browser.get(where)
        assert (who, answer.status_code) == (who, {"anonymous": 401, "admin": 200}.get(who, 403))
        if who != "admin":
            assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", PROGRAMS)
async def test_a_token_does(database: Database, visit: Visit, cast: Cast, path: str) -> None:
    nobody = await visit("anonymous")
    for who, status in (("admin", 200), ("mentor", 403)):
        async with database.service(ServiceDoor.SEED) as uow:
            token = await accounts.issue_token(uow, cast[who], "test", 1)
            await uow.commit()
        where = path.format(mentor=cast["mentor"])
        assert (await nobody.get(where, authorization=f"Bearer {token}")).status_code == status


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/admin/instructors/nonsense", 404),
        ("/admin/instructors/{student}", 404),
        ("/admin/instructors/{student}/mentees", 404),
        ("/api/admin/instructors/nonsense/mentees", 400),
        ("/api/admin/instructors/{student}/mentees", 404),
        ("/api/admin/instructors?limit=0", 400),
        ("/api/admin/instructors?limit=many", 400),
        ("/api/admin/instructors?offset=-1", 400),
        ("/admin/instructors?q=%00", 400),
        ("/api/admin/instructors/csv?q=%00", 400),
    ],
)
async def test_who_is_no_instructor(visit: Visit, cast: Cast, path: str, status: int) -> None:
    answer = await (await visit("admin")).get(path.format(student=cast["student"]))
    assert answer.status_code == status


async def test_every_section_in_the_margin_is_there(visit: Visit, cast: Cast) -> None:
    browser = await visit("admin")
    page = (await browser.get("/admin/instructors")).text
    margin = page.split('aria-label="Admin"')[1].split("</nav>")[0]
    sections = [part.split('"')[0] for part in margin.split('href="')[1:]]
    assert len(sections) >= 7
    for path in sections:
        assert (path, (await browser.get(path)).status_code) == (path, 200)
