"""The dashboard and what can be done on it, for everybody."""

from __future__ import annotations

import pytest
from litestar import Litestar

from tests.booking.conftest import Visit
from tests.booking.support import Desk

PEOPLE = ("anonymous", "student", "other_student", "new_student", "mentor", "other_mentor", "admin")
GET = {"/dashboard": (303, 200, 200, 200, 403, 403, 403)}
STUDENTS = (401, 303, 303, 303, 403, 403, 403)
POST = {
    "/dashboard/about": STUDENTS,
    "/dashboard/goals": STUDENTS,
    "/dashboard/time-zone": STUDENTS,
    "/dashboard/checklist": STUDENTS,
    "/settings/about": STUDENTS,
    "/settings/checklist": STUDENTS,
}
FORM = {"about": "I draw people.", "goals": "To draw them better.", "time_zone": "Europe/Rome"}


async def profiles(desk: Desk) -> list[str]:
    rows = await desk.sql("select to_jsonb(p)::text as row from student_profiles p order by row")
    return [row.row for row in rows]


@pytest.mark.parametrize("path", GET)
async def test_seeing(visit: Visit, path: str) -> None:
    for who, status in zip(PEOPLE, GET[path], strict=True):
        answer = await (await visit(who)).get(path)
        assert (who, answer.status_code) == (who, status)


@pytest.mark.parametrize("path", POST)
async def test_changing(desk: Desk, visit: Visit, path: str) -> None:
    for who, status in zip(PEOPLE, POST[path], strict=True):
        browser = await visit(who)
        before = await profiles(desk)
        answer = await browser.post(path, FORM)
        assert (who, answer.status_code) == (who, status)
        assert (await profiles(desk) == before) is (status != 303)
        if status == 303:
            refused = await browser.post(path, FORM, csrf=False)
            assert refused.status_code == 403
    assert len(await profiles(desk)) == 3


def test_the_table_names_every_page(app: Litestar) -> None:
    served = {
        (method, route.path)
        for route in app.routes
        for method in getattr(route, "methods", ())
        if route.path.startswith("/dashboard") and method in ("GET", "POST")
    }
    named = {("GET", path) for path in GET} | {("POST", path) for path in POST}
    assert served == {(method, path) for method, path in named if path.startswith("/dashboard")}


async def test_a_profile_is_read_by_mentors_with_a_live_seat(desk: Desk, visit: Visit) -> None:
    await (await visit("student")).post("/settings/about", FORM)

    async def reads(who: str) -> bool:
        async with desk.database.unit_of_work(desk.principal(who)) as uow:
            row = await uow.fetch_one("select about from student_profiles", {})
            return row is not None

    assert {who: await reads(who) for who in PEOPLE} == {
        who: who in ("student", "mentor", "admin") for who in PEOPLE
    }
    await desk.sql("update seat_reservations set status = 'released', changed_at = now()")
    assert not await reads("mentor")
