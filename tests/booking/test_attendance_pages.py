"""Where mentors see who was there and what is proposed: lists, the session's page, the part for the call page."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from app.booking.models import SessionStatus
from app.booking.service import SessionFacts
from app.core import clock
from tests.accounts.browser import target
from tests.booking.conftest import Visit
from tests.booking.support import Desk
from tests.booking.test_attendance import came
from tests.support.queries import counted

LIST = "/instructor/sessions"
PEOPLE = ("anonymous", "student", "other_student", "new_student", "mentor", "other_mentor", "admin")


@pytest.fixture
async def booked(desk: Desk) -> SessionFacts:
    return (await desk.book("student", (await desk.offers("student"))[0])).session


def buttons(page: str) -> list[tuple[str, bool]]:
    """The marks that are offered, in order, and whether they are accented."""
    found = re.findall(r'<button class="([^"]*)" type="submit" name="status" value="(\w+)"', page)
    return [(value, "button-quiet" not in css) for css, value in found]


@pytest.mark.parametrize(
    ("mentor", "student", "expected", "words"),
    [
        (
            (0, 60),
            (0, 50),
            [("completed", True), ("no_show", False)],
            "You and Student were in the room together",
        ),
        ((0, 20), None, [("no_show", True), ("completed", False)], "Student never came"),
        (None, None, [("completed", False), ("no_show", False)], "Nobody was in the video room"),
        (None, (0, 9), [("completed", False), ("no_show", False)], "you never came"),
    ],
)
@pytest.mark.parametrize(
    "path",
    [
        LIST,
        "/instructor/dashboard",
        "/instructor/students/{student}",
        "/sessions/{id}",
        "/admin/sessions/{id}",
    ],
)
async def test_the_proposal_is_the_first_button(
    desk: Desk,
    visit: Visit,
    booked: SessionFacts,
    path: str,
    mentor: tuple[int, int] | None,
    student: tuple[int, int] | None,
    expected: list[tuple[str, bool]],
    words: str,
) -> None:
    for who, span in (("mentor", mentor), ("student", student)):
        if span:
            await came(desk, booked, who, *span)
    as_admin = path.startswith("/admin")
    browser = await visit("admin" if as_admin else "mentor")
    with clock.standing_at(booked.end + timedelta(minutes=1)):
        page = (await browser.get(path.format(id=booked.id, student=desk.cast["student"]))).text
    assert buttons(page) == expected
    assert (
        words.replace("You and", "Mentor and").replace("you never", "Mentor never") if as_admin else words
    ) in page


async def test_before_the_end_nothing_is_proposed(desk: Desk, visit: Visit, booked: SessionFacts) -> None:
    await came(desk, booked, "mentor", 0, 20)
    await came(desk, booked, "student", 0, 20)
    browser = await visit("mentor")
    with clock.standing_at(booked.end - timedelta(minutes=1)):
        assert buttons((await browser.get(LIST)).text) == [("completed", False), ("no_show", False)]
        part = await browser.fragment(f"/sessions/{booked.id}/attendance")
    assert buttons(part.text) == []
    assert "When it is over" in part.text


async def test_marked_from_the_sessions_page(desk: Desk, visit: Visit, booked: SessionFacts) -> None:
    await came(desk, booked, "mentor", 0, 20)
    browser = await visit("mentor")
    with clock.standing_at(booked.end):
        page = (await browser.get(f"/sessions/{booked.id}")).text
        (action,) = re.findall(r'<form class="actions" action="([^"]*/status)"', page)
        answer = await browser.post(action, {"status": "no_show", "seen": "scheduled"})
        assert target(answer) == LIST
        after = (await browser.get(f"/sessions/{booked.id}")).text
    assert (await desk.session(booked.id)).status is SessionStatus.NO_SHOW
    assert buttons(after) == []
    assert "not in the room" in after


async def test_a_refused_mark_keeps_the_evidence(desk: Desk, visit: Visit, booked: SessionFacts) -> None:
    await came(desk, booked, "mentor", 0, 20)
    browser = await visit("mentor")
    with clock.standing_at(booked.end):
        stale = {"status": "completed", "seen": "canceled"}
        answer = await browser.post(f"{LIST}/{booked.id}/status", stale, htmx=True)
    assert answer.status_code == 409
    assert buttons(answer.text) == [("no_show", True), ("completed", False)]


@pytest.mark.parametrize("who", PEOPLE)
async def test_the_part_is_for_its_two_people_and_admins(
    desk: Desk, visit: Visit, booked: SessionFacts, who: str
) -> None:
    await came(desk, booked, "mentor", 0, 20)
    statuses = dict(zip(PEOPLE, (401, 200, 404, 404, 200, 404, 200), strict=True))
    path, browser = f"/sessions/{booked.id}/attendance", await visit(who)
    with clock.standing_at(booked.end):
        part, page = await browser.fragment(path), await browser.get(path)
    assert part.status_code == statuses[who]
    assert ("20 minutes" in part.text) is (statuses[who] == 200)
    if statuses[who] == 200:
        assert part.text.lstrip().startswith('<section id="attendance"')
        assert target(page) == f"/sessions/{booked.id}"
        shown = [("no_show", True), ("completed", False)]
        assert buttons(part.text) == (shown if who in ("mentor", "admin") else [])


@pytest.mark.parametrize("id_", ["nonsense", "0198a2b4-0000-7000-8000-000000000000"])
async def test_no_such_session(visit: Visit, cast: object, id_: str) -> None:
    browser = await visit("mentor")
    assert (await browser.fragment(f"/sessions/{id_}/attendance")).status_code == 404


async def test_the_student_sees_who_was_there(desk: Desk, visit: Visit, booked: SessionFacts) -> None:
    await came(desk, booked, "student", 0, 12)
    browser = await visit("student")
    early = (await browser.get(f"/sessions/{booked.id}")).text
    assert "Who was there" not in early
    with clock.standing_at(booked.end):
        page = (await browser.get(f"/sessions/{booked.id}")).text
    assert "12 minutes" in page
    assert "not in the room" in page
    assert buttons(page) == []


async def test_more_sessions_to_mark_are_no_more_queries(
    desk: Desk, visit: Visit, booked: SessionFacts
) -> None:
    browser, found = await visit("mentor"), []
    with clock.standing_at(booked.end + timedelta(hours=1)):
        await browser.get("/settings")
        for more in (_more, None):
            for path in (LIST, "/instructor/dashboard"):
                with counted() as statements:
                    assert (await browser.get(path)).status_code == 200
                found.append(len(statements))
            if more:
                await more(desk, booked)
        assert (await browser.get(LIST)).text.count('class="evidence ') == 4
    assert found[:2] == found[2:]


async def _more(desk: Desk, booked: SessionFacts) -> None:
    """Three sessions more to mark, with stays of both."""
    await desk.sql("update session_packs set remaining_sessions = remaining_sessions + 3")
    rows = await desk.sql(
        "insert into sessions (id, mentor_id, student_id, pack_id, status, scheduled_at, ends_at, blocked, booked_at,"
        " version, notes, recording_consent, event_generation, event_sync)"
        " select gen_random_uuid(), mentor_id, student_id, pack_id, 'scheduled', at, at + interval '1 hour',"
        " tstzrange(at, at + interval '1 hour'), at - interval '3 days', 1, '', false, 0, 'none'"
        " from sessions, generate_series(scheduled_at - interval '30 hours', scheduled_at - interval '10 hours',"
        " interval '10 hours') at where id = :id returning id, scheduled_at",
        id=booked.id,
    )
    for row in rows:
        await desk.sql(
            "insert into session_visits (id, session_id, user_id, joined_at, seen_at, left_at)"
            " select gen_random_uuid(), :id, who, :at, :at, :at from unnest(cast(:people as uuid[])) as who",
            id=row.id,
            at=row.scheduled_at,
            people=[desk.cast["mentor"], desk.cast["student"]],
        )
