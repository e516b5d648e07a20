"""A mentee's page: what there was between the two, what the student says, and how much is asked for it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from app.booking.models import SessionStatus
from app.core import clock
from tests.booking.conftest import Visit
from tests.booking.support import Desk
from tests.mentees.support import MenteeDesk
from tests.support.queries import counted

PATH = "/instructor/students/{}"


async def test_it_tells_what_there_was(desk: Desk, mentees: MenteeDesk, visit: Visit) -> None:
    booked = (await desk.book("student", (await desk.offers("student"))[0])).session
    ahead = (await desk.book("student", (await desk.offers("student"))[-1])).session
    browser = await visit("mentor")
    with clock.standing_at(booked.start + timedelta(minutes=1)):
        await desk.mark("mentor", booked.id, SessionStatus.COMPLETED)
        page = (await browser.get(PATH.format(mentees.student_id))).text
    rows = re.findall(r'<article id="session-([0-9a-f-]+)"', page)
    assert rows == [str(ahead.id), str(booked.id)]
    assert f'href="/packs/{desk.cast.packs["student"]}"' in page
    assert "3 of 4 left" in page
    assert "mailto:student@example.test" in page
    assert "Taken" in page
    figures = dict(re.findall(r"<dt>(\w+)</dt><dd>(\d+)", page))
    assert figures == {"Held": "1", "Used": "1", "Left": "3", "Booked": "1"}


async def test_what_a_mentee_says_is_there_while_the_seat_lives(mentees: MenteeDesk, visit: Visit) -> None:
    await mentees.sql(
        "insert into student_profiles (user_id, about, goals) values (:id, 'Paints <light>', 'A portfolio')",
        id=mentees.student_id,
    )
    browser = await visit("mentor")
    page = (await browser.get(PATH.format(mentees.student_id))).text
    assert "Paints &lt;light&gt;" in page
    assert "A portfolio" in page
    await mentees.keep("Stays with me", "")
    await mentees.lose_seat()
    page = (await browser.get(PATH.format(mentees.student_id))).text
    assert "A portfolio" not in page
    assert "student@example.test" not in page
    assert "Stays with me" in page
    assert "Given up" in page


async def test_notes_are_for_nobody_else(mentees: MenteeDesk, visit: Visit) -> None:
    await mentees.keep("Between me and the paper", "")
    for who in ("student", "admin", "other_mentor"):
        browser = await visit(who)
        for path in ("/sessions", "/dashboard", "/settings", PATH.format(mentees.student_id)):
            assert "Between me and the paper" not in (await browser.get(path)).text


@pytest.mark.parametrize("page", ["0", "99", "x", "9" * 30])
async def test_an_unknown_page_is_the_first_and_a_note(
    desk: Desk, mentees: MenteeDesk, visit: Visit, page: str
) -> None:
    booked = (await desk.book("student", (await desk.offers("student"))[0])).session
    answer = await (await visit("mentor")).get(PATH.format(mentees.student_id) + f"?page={page}")
    assert answer.status_code == 200
    assert str(booked.id) in answer.text
    assert "this is the first page" in answer.text


async def test_a_constant_number_of_questions(desk: Desk, mentees: MenteeDesk, visit: Visit) -> None:
    await desk.book("student", (await desk.offers("student"))[0])
    browser = await visit("mentor")
    paths = {PATH.format(mentees.student_id): 9, "/instructor/students?show=all": 2}
    for number in range(2):
        for path, questions in paths.items():
            await browser.get("/settings")  # a new connection has questions of its own
            with counted() as statements:
                answer = await browser.get(path)
            assert answer.status_code == 200
            assert (path, number, len(statements)) == (path, number, questions), statements
        await _much_more(desk, mentees)


async def _much_more(desk: Desk, mentees: MenteeDesk) -> None:
    await mentees.sql(
        "insert into sessions (id, mentor_id, student_id, pack_id, status, scheduled_at, ends_at, blocked, booked_at,"
        " canceled_at, version, notes, recording_consent, event_generation, event_sync)"
        " select gen_random_uuid(), mentor_id, student_id, pack_id, 'canceled', at, at + interval '1 hour',"
        " tstzrange(at, at + interval '1 hour'), at, at, 1, '', false, 0, 'none'"
        " from sessions, generate_series(now() - interval '400 days', now() - interval '1 day', '1 day') at"
    )
    for number in range(20):
        await desk.student(number)
        await desk.grant("student")
