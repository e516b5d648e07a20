"""The mentor's dashboard, for everybody; what an inline mark changes on it; how many questions it asks."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from litestar import Litestar

from app.core import clock
from app.core.rls import ServiceDoor
from app.packs import service as packs
from tests.accounts.browser import Browser, target
from tests.booking.conftest import Visit
from tests.booking.support import Desk
from tests.dashboards.instructor_worlds import MentorWorld
from tests.dashboards.test_instructor_numbers import tile
from tests.support.queries import counted

PATH = "/instructor/dashboard"
PEOPLE = ("anonymous", "student", "other_student", "new_student", "mentor", "other_mentor", "admin")
STATUS = (303, 403, 403, 403, 200, 200, 403)


@pytest.mark.parametrize("path", [PATH, PATH + "/figures"])
async def test_only_mentors_have_one(visit: Visit, path: str) -> None:
    for who, status in zip(PEOPLE, STATUS, strict=True):
        browser = await visit(who)
        page, part = await browser.get(path), await browser.fragment(path)
        asked = 303 if path != PATH and status == 200 else status
        assert (who, page.status_code) == (who, asked)
        assert (who, part.status_code) == (who, 401 if status == 303 else status)


async def test_every_route_is_in_the_table(app: Litestar) -> None:
    served = {route.path for route in app.routes if route.path.startswith(PATH)}
    assert served == {PATH, PATH + "/figures"}


async def test_each_mentor_sees_their_own(visit: Visit) -> None:
    mine, theirs = [(await (await visit(who)).get(PATH)).text for who in ("mentor", "other_mentor")]
    assert ">Student<" in mine
    assert "Other Student" not in mine
    assert "Other Student" in theirs


async def test_it_is_the_home_of_mentors_and_first_in_their_navigation(visit: Visit) -> None:
    browser = await visit("mentor")
    assert target(await browser.get("/sign-in")) == PATH
    head = (await browser.get("/privacy")).text.partition('aria-label="Main"')[2]
    assert head.index(PATH) < head.index("/instructor/sessions") < head.index("/instructor/students")


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("select 1", "Your mentees choose from"),
        ("update seat_reservations set status = 'released'", "Whoever takes a pack chooses from"),
        ("update mentors set working_hours = null", "Set my hours"),
    ],
)
async def test_nothing_upcoming_says_what_will_be_there(
    desk: Desk, visit: Visit, statement: str, words: str
) -> None:
    every = ("Your mentees choose from", "Whoever takes a pack chooses from", "Set my hours")
    await desk.sql(statement)
    page = (await (await visit("mentor")).get(PATH)).text
    assert [one for one in every if one in page] == [words]


async def test_a_fragment_is_no_page(visit: Visit) -> None:
    part = (await (await visit("mentor")).fragment(PATH + "/figures")).text
    assert "<html" not in part
    assert part.lstrip().startswith('<dl id="figures"')
    for id_ in ("low", "to-do", "mentees", "charts"):
        assert f'id="{id_}"' in part
    assert part.count("hx-swap-oob") == 4


async def test_a_mark_changes_the_figures_and_undoing_changes_them_back(desk: Desk, visit: Visit) -> None:
    booked = (await desk.book("student", (await desk.offers("student"))[0])).session
    browser = await visit("mentor")
    path = f"/instructor/sessions/{booked.id}/status"
    with clock.standing_at(booked.start + timedelta(minutes=1)):
        before = await figures(browser)
        refused = await browser.post(path, {"status": "completed", "seen": "no_show"}, htmx=True)
        assert (refused.status_code, "hx-trigger" in refused.headers) == (409, False)
        done = await browser.post(path, {"status": "completed"}, htmx=True)
        assert done.headers["hx-trigger"] == "session-changed"
        assert await figures(browser) == before | {"used": before["used"] + 1, "left": before["left"] - 1}
        undone = await browser.post(path, {"status": "scheduled"}, htmx=True)
        assert undone.headers["hx-trigger"] == "session-changed"
        assert await figures(browser) == before


async def figures(browser: Browser) -> dict[str, int]:
    part = (await browser.fragment(PATH + "/figures")).text
    return {name: tile(part, name) for name in ("mentees", "open", "used", "left")}


async def test_a_constant_number_of_questions(desk: Desk, visit: Visit) -> None:
    browser = await visit("mentor")
    found = []
    for mentees, sessions in ((1, 3), (100, 2_000)):
        await _many(desk, mentees, sessions)
        for path in (PATH, PATH + "/figures"):
            await browser.fragment(path)  # a new connection has questions of its own
            with counted() as statements:
                answer = await browser.fragment(path)
            assert answer.status_code == 200
            found.append(len(statements))
    assert found == [12, 9] * 2, statements


async def _many(desk: Desk, mentees: int, sessions: int) -> None:
    """So many mentees more, and sessions in the past year."""
    now = clock.now()
    pair: dict[str, Any] = {"mentor_id": desk.cast["mentor"], "student_id": desk.cast["new_student"]}
    async with desk.database.service(ServiceDoor.SEED) as uow, uow.transaction():
        await MentorWorld(uow, desk.cast["mentor"], now, Random(mentees)).students(mentees)
        plenty = await packs.grant(uow, **pair, sessions=1, validity_days=365)
        await uow.session.execute(
            sa.text(
                "insert into sessions (id, mentor_id, student_id, pack_id, status, scheduled_at, ends_at, blocked,"
                " booked_at, completed_at, version, notes, recording_consent, event_generation, event_sync)"
                " select gen_random_uuid(), :mentor_id, :student_id, :pack_id, 'completed', at, at + interval '1 hour',"
                " tstzrange(at, at + interval '1 hour'), at, at, 1, '', false, 0, 'none'"
                " from (select :now - n * interval '4 hours' as at from generate_series(1, :number) n) times"
            ),
            {**pair, "pack_id": plenty, "now": now, "number": sessions},
        )
