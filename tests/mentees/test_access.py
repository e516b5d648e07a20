"""Every page about mentees, for everybody: who gets in, and that other mentors' students look like nothing at all."""

from __future__ import annotations

import pytest
from litestar import Litestar

from app.core.ids import new_id
from app.core.seen import digest
from tests.accounts.browser import Browser
from tests.booking.conftest import Visit
from tests.mentees.support import MenteeDesk

PEOPLE = ("anonymous", "student", "other_student", "new_student", "mentor", "other_mentor", "admin")
ROOT = "/instructor/students"
# What each of PEOPLE gets; 303 of a GET leads to /sign-in.
GET = {
    ROOT: (303, 403, 403, 403, 200, 200, 403),
    ROOT + "/{student}": (303, 403, 403, 403, 200, 404, 403),
    ROOT + "/{other}": (303, 403, 403, 403, 404, 200, 403),
    ROOT + "/{new}": (303, 403, 403, 403, 404, 404, 403),
    ROOT + "/{nobody}": (303, 403, 403, 403, 404, 404, 403),
    ROOT + "/nonsense": (303, 403, 403, 403, 404, 404, 403),
}
POST = {
    ROOT + "/{student}/notes": (401, 403, 403, 403, 303, 404, 403),
    ROOT + "/{other}/notes": (401, 403, 403, 403, 404, 303, 403),
    ROOT + "/{new}/notes": (401, 403, 403, 403, 404, 404, 403),
    ROOT + "/nonsense/notes": (401, 403, 403, 403, 404, 404, 403),
    ROOT + "/{student}/renewal-request": (401, 403, 403, 403, 303, 404, 403),
    ROOT + "/{other}/renewal-request": (401, 403, 403, 403, 404, 303, 403),
    ROOT + "/{nobody}/renewal-request": (401, 403, 403, 403, 404, 404, 403),
    ROOT + "/nonsense/renewal-request": (401, 403, 403, 403, 404, 404, 403),
}
FORM = {"body": "Typed", "seen": digest("")}


@pytest.fixture
async def ids(mentees: MenteeDesk) -> dict[str, str]:
    """What the placeholders stand for; the student is down to the last session, with notes about them."""
    await mentees.left(1)
    await mentees.keep("Draws from the shoulder", "", student="student")
    cast = mentees.cast
    names = {"student": "student", "other": "other_student", "new": "new_student"}
    return {short: str(cast[name]) for short, name in names.items()} | {"nobody": str(new_id())}


@pytest.fixture
async def browsers(visit: Visit) -> dict[str, Browser]:
    return {who: await visit(who) for who in PEOPLE}


@pytest.mark.parametrize("path", GET)
async def test_seeing(browsers: dict[str, Browser], ids: dict[str, str], path: str) -> None:
    for who, status in zip(PEOPLE, GET[path], strict=True):
        page, part = (
            await browsers[who].get(path.format(**ids)),
            await browsers[who].fragment(path.format(**ids)),
        )
        assert (who, page.status_code) == (who, status)
        assert (who, part.status_code) == (who, 401 if status == 303 else status)
        seen = "Draws from the shoulder" in page.text
        assert seen is (who == "mentor" and "{student}" in path)


@pytest.mark.parametrize("htmx", [False, True], ids=["plain", "htmx"])
@pytest.mark.parametrize("path", POST)
async def test_changing(
    mentees: MenteeDesk, browsers: dict[str, Browser], ids: dict[str, str], path: str, htmx: bool
) -> None:
    for who, status in zip(PEOPLE, POST[path], strict=True):
        before = await state(mentees)
        answer = await browsers[who].post(path.format(**ids), FORM, htmx=htmx)
        if status == 303:
            assert answer.status_code in ({200, 409} if htmx else {303, 409})
        else:
            assert (who, answer.status_code) == (who, status)
            assert await state(mentees) == before
        assert "Draws from the shoulder" not in answer.text or who == "mentor"


async def state(mentees: MenteeDesk) -> list[str]:
    """Everything that these forms could change."""
    rows = await mentees.sql(
        "select to_jsonb(n)::text as row from mentee_notes n union all"
        " select to_jsonb(r)::text from renewal_requests r order by row"
    )
    return [row.row for row in rows]


@pytest.mark.parametrize("path", [path for path in POST if "{student}" in path])
async def test_every_post_needs_the_csrf_token(
    browsers: dict[str, Browser], ids: dict[str, str], path: str
) -> None:
    assert (await browsers["mentor"].post(path.format(**ids), FORM, csrf=False)).status_code == 403


async def test_the_tables_name_every_page(app: Litestar) -> None:
    served = {
        (method, route.path)
        for route in app.routes
        for method in getattr(route, "methods", ())
        if route.path.startswith(ROOT) and method in ("GET", "POST")
    }
    named = {("GET", path) for path in GET} | {("POST", path) for path in POST}
    for placeholder in ("{student}", "{other}", "{new}", "{nobody}", "nonsense"):
        named = {(method, path.replace(placeholder, "{student_id:str}")) for method, path in named}
    assert served == named
