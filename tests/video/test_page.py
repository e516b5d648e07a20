"""The room's page as the server makes it: who gets in, what it says before, after and instead, what it may reach."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from app.asgi import create_app
from app.booking.models import SessionStatus
from app.booking.service import SessionFacts
from app.core import clock
from app.core.db import Database
from app.settings import Settings
from app.video.http.page import AGORA_DOMAINS
from tests.accounts.browser import Browser
from tests.booking.support import Desk
from tests.cast import Cast
from tests.support.visits import visiting
from tests.video.conftest import Open
from tests.video.world import just_begun, move

PEOPLE = {
    "anonymous": 303,
    "student": 200,
    "mentor": 200,
    "other_student": 404,
    "other_mentor": 404,
    "new_student": 404,
    "admin": 403,
    "admin as student": 403,
}


def call(session: SessionFacts) -> str:
    return f"/sessions/{session.id}/call"


@pytest.mark.parametrize("hours_ahead", [0, 24])
async def test_only_the_two_of_a_session_see_its_room(
    desk: Desk, booked: SessionFacts, browser_of: Open, hours_ahead: int
) -> None:
    await move(desk, booked.id, just_begun() + timedelta(hours=hours_ahead))
    for who, status in PEOPLE.items():
        browser = await browser_of(who)
        page, part = await browser.get(call(booked)), await browser.fragment(call(booked))
        assert (who, page.status_code) == (who, status)
        assert (who, part.status_code) == (who, 401 if status == 303 else status)
        assert ("/api/video/" in page.text) == (status == 200)


async def test_an_address_that_names_no_session_leads_nowhere(browser_of: Open) -> None:
    student = await browser_of("student")
    for name in ("nonsense", "00000000-0000-7000-8000-000000000000"):
        assert (await student.get(f"/sessions/{name}/call")).status_code == 404


@pytest.mark.parametrize(
    ("before_start", "counts"), [(timedelta(minutes=16), True), (timedelta(minutes=15), False)]
)
async def test_before_the_door_opens_the_page_counts_down_and_asks_by_itself(
    desk: Desk, booked: SessionFacts, browser_of: Open, before_start: timedelta, counts: bool
) -> None:
    start = clock.now() + before_start + timedelta(seconds=30 if counts else 0)
    await move(desk, booked.id, start)
    student = await browser_of("student")
    for shown in (await student.get(call(booked)), await student.fragment(call(booked))):
        assert shown.status_code == 200
        assert ("The door opens at" in shown.text) == counts
        assert ('hx-trigger="every 10s, opens"' in shown.text) == counts
        assert ('id="join"' in shown.text) == (not counts)
    assert (await student.fragment(call(booked))).text.lstrip().startswith('<section id="door"')


async def _canceled(desk: Desk, booked: SessionFacts) -> None:
    await desk.cancel("mentor", booked.id)


async def _held(desk: Desk, booked: SessionFacts) -> None:
    await move(desk, booked.id, just_begun())
    await desk.mark("mentor", booked.id, SessionStatus.COMPLETED)


async def _over(desk: Desk, booked: SessionFacts) -> None:
    await move(desk, booked.id, clock.now() - timedelta(minutes=91))


ENDS = {"This session was canceled": _canceled, "This session is over": _held, "The room is closed": _over}


@pytest.mark.parametrize("title", ENDS)
async def test_where_there_is_no_way_in_the_page_says_why(
    desk: Desk, booked: SessionFacts, browser_of: Open, title: str
) -> None:
    await ENDS[title](desk, booked)
    for who in ("student", "mentor"):
        browser = await browser_of(who)
        shown = await browser.get(call(booked))
        assert shown.status_code == 200
        assert f"<h1>{title}</h1>" in shown.text
        assert "/api/video/" not in shown.text
        assert f'href="/sessions/{booked.id}"' in shown.text
        part = await browser.fragment(call(booked))
        assert part.headers["hx-redirect"] == call(booked)  # a page that still counts down loads itself anew


async def test_without_a_session_left_the_student_is_led_to_the_packs(
    desk: Desk, booked: SessionFacts, browser_of: Open
) -> None:
    await move(desk, booked.id, just_begun())
    await desk.sql("update session_packs set remaining_sessions = 0, scheduled_sessions = 0")
    for who, leads in (("student", True), ("mentor", False)):
        shown = (await (await browser_of(who)).get(call(booked))).text
        assert "<h1>No session is left in the pack</h1>" in shown
        assert ('href="/instructors/mentor#packs"' in shown) == leads


async def test_after_the_end_the_mentor_marks_it_where_they_left(
    desk: Desk, booked: SessionFacts, browser_of: Open
) -> None:
    await _over(desk, booked)
    mentor, student = await browser_of("mentor"), await browser_of("student")
    assert "Mark as completed" in (await mentor.get(call(booked))).text
    assert "Mark as" not in (await student.get(call(booked))).text


async def test_notes_stand_beside_the_mentors_picture_only(
    desk: Desk, booked: SessionFacts, browser_of: Open
) -> None:
    await move(desk, booked.id, just_begun())
    await desk.sql("update sessions set notes = 'Third hand on the left' where id = :id", id=booked.id)
    action = f'hx-post="/instructor/sessions/{booked.id}/notes"'
    mentor = (await (await browser_of("mentor")).get(call(booked))).text
    assert action in mentor
    assert "Third hand on the left" in mentor
    student = (await (await browser_of("student")).get(call(booked))).text
    assert action not in student
    assert "Third hand" not in student


async def test_consent_taken_back_in_the_room_leads_nobody_out_of_it(
    desk: Desk, booked: SessionFacts, browser_of: Open
) -> None:
    await move(desk, booked.id, just_begun())
    student, action = await browser_of("student"), f"/sessions/{booked.id}/recording-consent"
    for back, leads in ((call(booked), False), (f"/sessions/{booked.id}", True)):
        await desk.agree(booked.id)
        await desk.keep(booked.id, "https://example.com/recording")
        answer = await student.post(action, {"agree": "", "back": back}, htmx=True)
        assert answer.status_code == 200
        shown = 'id="recording-consent"' in answer.text
        assert ("hx-redirect" in answer.headers, shown) == (leads, not leads)
        assert (await desk.session(booked.id)).recording_url is None


async def test_without_agora_the_page_reaches_this_site_alone(
    desk: Desk, booked: SessionFacts, browser_of: Open
) -> None:
    await move(desk, booked.id, just_begun())
    page = await (await browser_of("student")).get(call(booked))
    directives = _directives(page.headers["content-security-policy"])
    assert directives["connect-src"] == ["'self'", "ws://127.0.0.1:8000", "wss://127.0.0.1:8000"]
    assert directives["script-src"] == directives["style-src"] == ["'self'"]
    assert "worker-src" not in directives


async def test_with_agoras_keys_the_page_reaches_agora_too(
    desk: Desk, booked: SessionFacts, with_agora: Browser
) -> None:
    await move(desk, booked.id, just_begun())
    directives = _directives((await with_agora.get(call(booked))).headers["content-security-policy"])
    for domain in AGORA_DOMAINS:
        assert {f"https://*.{domain}:*", f"wss://*.{domain}:*"} <= set(directives["connect-src"])
    assert directives["script-src"] == ["'self'"]
    assert directives["worker-src"] == ["'self'", "blob:"]


@pytest.mark.parametrize("host", ["under_score.example", ""])
async def test_a_strange_host_adds_nothing_to_the_policy(
    desk: Desk, booked: SessionFacts, browser_of: Open, host: str
) -> None:
    await move(desk, booked.id, just_begun())
    page = await (await browser_of("student")).get(call(booked), host=host)
    assert _directives(page.headers["content-security-policy"])["connect-src"] == ["'self'"]


@pytest.mark.parametrize(("minutes", "joins"), [(16, False), (14, True), (-89, True), (-91, False)])
async def test_join_is_offered_while_the_door_is_open(
    desk: Desk, booked: SessionFacts, browser_of: Open, minutes: int, joins: bool
) -> None:
    await move(desk, booked.id, clock.now() + timedelta(minutes=minutes))
    link = f'href="{call(booked)}">Join'
    pages = {
        "student": (f"/sessions/{booked.id}", "/sessions", "/dashboard"),
        "mentor": (f"/sessions/{booked.id}", "/instructor/sessions", "/instructor/dashboard"),
        "admin": (f"/sessions/{booked.id}",),
    }
    for who, paths in pages.items():
        browser = await browser_of(who)
        for path in paths if minutes > -60 else paths[:1]:
            page = await browser.get(path)
            assert page.status_code == 200
            assert (who, path, link in page.text) == (who, path, joins and who != "admin")


def _directives(policy: str) -> dict[str, list[str]]:
    return {name: values for name, *values in (part.split() for part in policy.split(";"))}


@pytest.fixture
async def with_agora(database: Database, open_settings: Settings, cast: Cast) -> AsyncIterator[Browser]:
    """The student's browser on a platform with Agora's keys."""
    settings = replace(open_settings, agora_app_id="0" * 32, agora_app_certificate="1" * 32)
    app = create_app(settings)
    async with visiting(app, database, settings, cast, "student") as browser:
        yield browser
    await app.state.database.dispose()
