"""Booking, moving and canceling by the pages: plain forms, and the same by fragments."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest

from app.booking.models import SessionStatus
from app.booking.service import SessionFacts
from app.core import clock
from app.core.templating import iso
from tests.accounts.browser import Browser, target
from tests.booking.conftest import Visit
from tests.booking.support import Desk


@pytest.fixture
async def browser(visit: Visit) -> Browser:
    return await visit("student")


@pytest.fixture
async def booked(desk: Desk) -> SessionFacts:
    return (await desk.book("student", (await desk.offers("student"))[0])).session


def wish(desk: Desk, start: datetime, key: str = "k") -> dict[str, str]:
    return {"mentor_id": str(desk.cast["mentor"]), "start": iso(start), "idempotency_key": key}


def slot_form(html: str, start: datetime) -> dict[str, str]:
    """The hidden fields of a slot's form."""
    slot = re.search(rf'data-start="{iso(start)}".*?</form>', html, re.S)
    assert slot is not None
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', slot.group()))


async def test_the_form_on_the_page_books(desk: Desk, browser: Browser) -> None:
    start = (await desk.offers("student"))[0]
    page = await browser.get("/calendar")
    form = slot_form(page.text, start)
    assert set(form) == {"_csrf_token", "mentor_id", "start", "idempotency_key"}
    answer = await browser.post("/sessions", form)
    (session,) = await desk.scheduled()
    assert target(answer) == f"/sessions/{session.id}"
    assert any("Booked" in text for text in browser.flashes())
    double_click = await browser.post("/sessions", form)
    assert target(double_click) == f"/sessions/{session.id}"
    assert len(await desk.scheduled()) == 1


async def test_htmx_gets_the_day_the_balance_and_the_mark(desk: Desk, browser: Browser) -> None:
    start = (await desk.offers("student"))[0]
    answer = await browser.post("/sessions", wish(desk, start), htmx=True)
    assert answer.status_code == 201
    assert answer.text.lstrip().startswith('<section id="day"')
    assert "<html" not in answer.text
    assert "Booked:" in answer.text
    assert "3 sessions to book" in answer.text
    assert re.search(r'id="balance"[^>]*hx-swap-oob', answer.text)
    assert 'hx-swap-oob="outerMorph"' in answer.text
    assert f'data-start="{iso(start)}"' not in answer.text


async def test_a_taken_slot_shows_the_day_as_it_is_now(desk: Desk, browser: Browser) -> None:
    start = (await desk.offers("student"))[0]
    await desk.book(await desk.student(), start)
    answer = await browser.post("/sessions", wish(desk, start), htmx=True)
    assert answer.status_code == 409
    assert answer.text.lstrip().startswith('<section id="day"')
    assert 'data-code="slot_taken"' in answer.text
    assert "Nothing was booked" in answer.text
    assert f'data-start="{iso(start)}"' not in answer.text
    assert "4 sessions to book" in answer.text
    plain = await browser.post("/sessions", wish(desk, start))
    assert plain.status_code == 409
    assert "<html" in plain.text
    assert 'data-code="slot_taken"' in plain.text
    assert 'id="month"' in plain.text


@pytest.mark.parametrize("htmx", [False, True])
async def test_other_refusals_have_their_status_too(desk: Desk, browser: Browser, htmx: bool) -> None:
    start = (await desk.offers("student"))[0]
    await desk.sql("update session_packs set frozen = true")
    answer = await browser.post("/sessions", wish(desk, start), htmx=htmx)
    assert answer.status_code == 422
    assert 'data-code="pack_not_active"' in answer.text
    assert ("<html" in answer.text) is not htmx


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ({"mentor_id": "x", "start": "2026-11-24T14:30:00Z"}, "mentor_id"),
        ({"mentor_id": "", "start": ""}, "mentor_id"),
        ({"start": "noon"}, "start"),
        ({"start": "2026-11-24T14:30:00Z", "idempotency_key": "a b"}, "idempotency"),
    ],
)
async def test_a_form_nobody_rendered_is_400(
    desk: Desk, browser: Browser, form: dict[str, str], reason: str
) -> None:
    form = {"mentor_id": str(desk.cast["mentor"])} | form
    for htmx in (False, True):
        answer = await browser.post("/sessions", form, htmx=htmx)
        assert answer.status_code == 400
        assert reason in answer.text
        assert (answer.headers.get("hx-retarget") == "#flash") is htmx


async def test_without_its_token_a_form_does_nothing(desk: Desk, browser: Browser) -> None:
    start = (await desk.offers("student"))[0]
    answer = await browser.post("/sessions", wish(desk, start), csrf=False)
    assert answer.status_code == 403
    assert await desk.scheduled() == []


async def test_both_lists(desk: Desk, browser: Browser, booked: SessionFacts) -> None:
    page = await browser.get("/sessions")
    upcoming, _, past = page.text.partition('aria-labelledby="past"')
    assert f'id="session-{booked.id}"' in upcoming
    assert past == ""
    with clock.standing_at(booked.start + timedelta(minutes=1)):
        await desk.mark("mentor", booked.id, SessionStatus.COMPLETED)
    page = await browser.get("/sessions")
    upcoming, _, past = page.text.partition('aria-labelledby="past"')
    assert f'id="session-{booked.id}"' in past
    assert "Completed" in past


async def test_a_long_past_has_pages(desk: Desk, browser: Browser, booked: SessionFacts) -> None:
    await desk.sql(
        "insert into sessions (id, mentor_id, student_id, pack_id, status, scheduled_at, ends_at, blocked, booked_at,"
        " canceled_at, version, notes, recording_consent, event_generation, event_sync)"
        " select gen_random_uuid(), mentor_id, student_id, pack_id, 'canceled', at, at + interval '1 hour',"
        " tstzrange(at, at + interval '1 hour'), at - interval '3 days', at - interval '1 day', 1, '', false, 0, 'none'"
        " from sessions, generate_series(now() - interval '45 days', now() - interval '1 day', '1 day') at"
    )
    first = await browser.get("/sessions")
    assert first.text.count('<article id="session-') == 21
    assert 'href="/sessions?page=2"' in first.text
    third = await browser.get("/sessions?page=3")
    assert third.text.count('<article id="session-') == 1 + 5
    for odd in ("0", "x", "4", "99999", "9" * 90):
        page = await browser.get(f"/sessions?page={odd}")
        assert page.status_code == 200
        assert "There is no such page" in page.text
        assert 'href="/sessions?page=2"' in page.text


async def test_one_session(desk: Desk, visit: Visit, booked: SessionFacts) -> None:
    student = await (await visit("student")).get(f"/sessions/{booked.id}")
    assert "Move to another time" in student.text
    assert "in Lisbon" in student.text
    assert "Booked by you" in student.text
    mentor = await (await visit("mentor")).get(f"/sessions/{booked.id}")
    assert "Move to another time" not in mentor.text
    assert "Booked by Student" in mentor.text
    admin = await (await visit("admin")).get(f"/sessions/{booked.id}")
    assert "Student and Mentor" in admin.text
    assert "Cancel session" not in admin.text


async def test_its_history(desk: Desk, browser: Browser, booked: SessionFacts) -> None:
    goal = (await desk.offers("student"))[4]
    await desk.move("student", booked.id, goal)
    await desk.cancel("mentor", booked.id)
    page = (await browser.get(f"/sessions/{booked.id}")).text
    assert "Moved from" in page
    assert "Canceled by Mentor" in page


async def test_moving_by_the_page(desk: Desk, browser: Browser, booked: SessionFacts) -> None:
    page = await browser.get(f"/sessions/{booked.id}/move")
    assert "Move to another time" in page.text
    goal = booked.start + timedelta(minutes=30)
    form = slot_form(page.text, goal)
    answer = await browser.post(f"/sessions/{booked.id}/move", form)
    assert target(answer) == f"/sessions/{booked.id}"
    assert (await desk.session(booked.id)).scheduled_at == goal


async def test_moving_by_fragments(desk: Desk, browser: Browser, booked: SessionFacts) -> None:
    offers = await desk.offers("student")
    path = f"/sessions/{booked.id}/move"
    day = offers[4].date().isoformat()
    part = await browser.fragment(f"{path}?day={day}")
    assert part.text.lstrip().startswith('<section id="day"')
    assert f'action="{path}"' in part.text
    assert "Move here" in part.text
    month = await browser.fragment(f"{path}?month={day[:7]}")
    assert month.text.lstrip().startswith('<section id="month"')
    await desk.book(await desk.student(), offers[4])
    refused = await browser.post(path, wish(desk, offers[4]), htmx=True)
    assert refused.status_code == 409
    assert 'data-code="slot_taken"' in refused.text
    assert "keeps its time" in refused.text
    done = await browser.post(path, wish(desk, offers[8], "other"), htmx=True)
    assert (done.status_code, done.headers["hx-redirect"]) == (200, f"/sessions/{booked.id}")


async def test_a_move_too_late_leads_back_with_the_reason(
    desk: Desk, browser: Browser, booked: SessionFacts
) -> None:
    with clock.standing_at(booked.start - timedelta(hours=3)):
        answer = await browser.get(f"/sessions/{booked.id}/move")
        assert target(answer) == f"/sessions/{booked.id}"
        assert any("24 hours" in text for text in browser.flashes())
        posted = await browser.post(f"/sessions/{booked.id}/move", wish(desk, booked.start))
        assert posted.status_code == 303
        other = await browser.post(
            f"/sessions/{booked.id}/move", wish(desk, booked.start + timedelta(days=7), "x")
        )
        assert other.status_code == 409
        assert 'data-code="too_late"' in other.text


async def test_canceling_by_the_page(desk: Desk, browser: Browser, booked: SessionFacts) -> None:
    path = f"/sessions/{booked.id}/cancellation"
    asked = await browser.get(path)
    assert "Your session goes back to the pack" in asked.text
    assert "<html" in asked.text
    dialog = await browser.fragment(path)
    assert dialog.text.lstrip().startswith('<form class="confirm"')
    done = await browser.post(path)
    assert target(done) == "/sessions"
    again = await browser.post(path, htmx=True)
    assert again.status_code == 409
    assert 'data-code="not_scheduled"' in again.text
    assert (await browser.get(path)).status_code == 409


async def test_a_late_cancellation_says_what_it_costs(browser: Browser, booked: SessionFacts) -> None:
    with clock.standing_at(booked.start - timedelta(hours=3)):
        asked = await browser.get(f"/sessions/{booked.id}/cancellation")
    assert "used up" in asked.text
    assert 'class="loses"' in asked.text


async def test_canceling_by_htmx_leads_to_the_list(browser: Browser, booked: SessionFacts) -> None:
    done = await browser.post(f"/sessions/{booked.id}/cancellation", htmx=True)
    assert (done.status_code, done.headers["hx-redirect"]) == (200, "/sessions")
