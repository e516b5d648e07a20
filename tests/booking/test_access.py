"""Every page of booking, for everybody: who gets in, and that others' sessions look like nothing at all."""

from __future__ import annotations

import pytest

from app.booking import proposals
from app.booking.service import SessionFacts
from app.core.templating import iso
from tests.accounts.browser import Browser
from tests.booking.conftest import Visit
from tests.booking.support import Desk

PEOPLE = ("anonymous", "student", "other_student", "mentor", "other_mentor", "admin")
# What each of PEOPLE gets for the student's session with the mentor; 303 of a GET leads to /sign-in.
GET = {
    "/calendar": (303, 200, 200, 403, 403, 403),
    "/calendar?mentor_id={mentor}": (303, 200, 200, 403, 403, 403),
    "/calendar/series": (303, 200, 200, 403, 403, 403),
    "/calendar/series?mentor_id={mentor}": (303, 200, 200, 403, 403, 403),
    "/sessions": (303, 200, 200, 403, 403, 403),
    "/sessions/{session}": (303, 200, 404, 200, 404, 200),
    "/sessions/{session}/invite.ics": (303, 200, 404, 200, 404, 200),
    "/sessions/{session}/cancellation": (303, 200, 404, 200, 404, 403),
    "/sessions/{session}/move": (303, 200, 404, 403, 403, 403),
    "/sessions/{session}/proposal": (303, 200, 404, 403, 403, 403),
    "/sessions/{session}/recording-consent": (303, 200, 404, 200, 404, 403),
    "/instructor/sessions/{session}/proposal": (303, 403, 403, 200, 404, 403),
    "/instructor/sessions": (303, 403, 403, 200, 200, 403),
    "/instructor/sessions/{session}/cancellation": (303, 403, 403, 200, 404, 403),
}
# Asked for in tables of their own: test_attendance_pages.py, tests/video, tests/disputes.
ELSEWHERE = tuple(f"/sessions/{{session_id:str}}/{page}" for page in ("attendance", "call", "dispute"))
POST = {
    "/sessions": (401, 303, 422, 403, 403, 403),
    "/calendar/series": (401, 303, 422, 403, 403, 403),
    "/sessions/{session}/move": (401, 303, 404, 403, 403, 403),
    "/sessions/{session}/cancellation": (401, 303, 404, 303, 404, 403),
    "/sessions/{session}/recording-consent": (401, 303, 404, 303, 404, 403),
    "/sessions/{session}/proposal/acceptance": (401, 404, 404, 403, 403, 403),
    "/sessions/{session}/proposal/refusal": (401, 404, 404, 403, 403, 403),
    "/instructor/sessions/{session}/proposal": (401, 403, 403, 303, 404, 403),
    "/instructor/sessions/{session}/proposal/withdrawal": (401, 403, 403, 303, 404, 403),
    "/instructor/sessions/{session}/status": (401, 403, 403, 303, 404, 403),
    "/instructor/sessions/{session}/notes": (401, 403, 403, 303, 404, 403),
    "/instructor/sessions/{session}/recording": (401, 403, 403, 303, 404, 403),
}


@pytest.fixture
async def browsers(visit: Visit) -> dict[str, Browser]:
    return {who: await visit(who) for who in PEOPLE}


@pytest.fixture
async def booked(desk: Desk) -> SessionFacts:
    """A session for which another time is proposed."""
    offers = await desk.offers("student")
    booked = (await desk.book("student", offers[0])).session
    async with desk.database.unit_of_work(desk.principal("mentor")) as uow:
        await proposals.propose(uow, booked.id, offers[4])
    return booked


@pytest.mark.parametrize("path", GET)
async def test_seeing(desk: Desk, browsers: dict[str, Browser], booked: SessionFacts, path: str) -> None:
    where = path.format(mentor=desk.cast["mentor"], session=booked.id)
    for who, status in zip(PEOPLE, GET[path], strict=True):
        page, part = await browsers[who].get(where), await browsers[who].fragment(where)
        assert (who, page.status_code) == (who, status)
        assert (who, part.status_code) == (who, 401 if status == 303 else status)
        if status > 400:
            assert iso(booked.start) not in page.text + part.text


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize("path", POST)
async def test_changing(desk: Desk, browsers: dict[str, Browser], path: str, htmx: bool) -> None:
    await desk.sql("update session_packs set remaining_sessions = 30")
    offers = (await desk.offers("student"))[::2]
    for who, status in zip(PEOPLE, POST[path], strict=True):
        booked = (await desk.book("student", offers.pop())).session
        others = len(await desk.scheduled())
        form = {
            "mentor_id": str(desk.cast["mentor"]),
            "start": iso(offers.pop()),
            "status": "canceled",
            "notes": "x",
            "proposal_id": str(booked.id),
        }
        answer = await browsers[who].post(path.format(session=booked.id), form, htmx=htmx)
        if status == 303 and htmx:
            assert (who, answer.status_code in (200, 201)) == (who, True)
        else:
            assert (who, answer.status_code) == (who, status)
        if status > 400:
            after = await desk.session(booked.id)
            assert (after.version, after.notes, after.status) == (0, "", "scheduled")
            assert len(await desk.scheduled()) == others


async def test_the_tables_name_every_page_of_the_slice(app: object) -> None:
    served = {
        (method, route.path)
        for route in app.routes  # type: ignore[attr-defined]
        for method in getattr(route, "methods", ())
        if route.path.startswith(("/sessions", "/calendar", "/instructor/sessions"))
        and not route.path.startswith(ELSEWHERE)
    }
    named = {("GET", path) for path in GET} | {("POST", path) for path in POST}
    plain = {(m, p.partition("?")[0].replace("{session}", "{session_id:str}")) for m, p in named}
    assert {pair for pair in served if pair[0] in ("GET", "POST")} == plain
