"""`/instructor/sessions`: inline status, notes and recording, by plain forms and by fragments."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from app.booking.models import SessionStatus
from app.booking.service import SessionFacts
from app.core import clock
from tests.accounts.browser import Browser, target
from tests.booking.conftest import Visit
from tests.booking.support import Desk

LIST = "/instructor/sessions"


@pytest.fixture
async def browser(visit: Visit) -> Browser:
    return await visit("mentor")


@pytest.fixture
async def booked(desk: Desk) -> SessionFacts:
    return (await desk.book("student", (await desk.offers("student"))[0])).session


async def test_the_list_has_groups_and_filters(desk: Desk, browser: Browser, booked: SessionFacts) -> None:
    later = (await desk.book("student", (await desk.offers("student"))[-1])).session
    canceled = (await desk.book("student", (await desk.offers("student"))[6])).session
    await desk.cancel("student", canceled.id)
    with clock.standing_at(booked.start + timedelta(minutes=1)):
        page = (await browser.get(LIST)).text
    order = [page.index(text) for text in ("To mark", str(booked.id), "Upcoming", str(later.id), "Past")]
    assert order == sorted(order)
    assert page.index(str(canceled.id)) > order[-1]
    only = (await browser.get(f"{LIST}?status=canceled")).text
    assert f'id="session-{canceled.id}"' in only
    assert f'id="session-{booked.id}"' not in only
    scheduled = (await browser.get(f"{LIST}?status=scheduled")).text
    assert f'id="session-{canceled.id}"' not in scheduled


@pytest.mark.parametrize(
    ("query", "note"),
    [
        ("status=nonsense", "a filter that isn’t there"),
        ("page=x", "no such page"),
        ("page=0", "no such page"),
        ("page=2", "no such page"),
        ("status=canceled&page=99999", "no such page"),
        ("status=all&page=1", None),
    ],
)
async def test_an_odd_address_shows_the_first_page_and_a_note(
    desk: Desk, browser: Browser, booked: SessionFacts, query: str, note: str | None
) -> None:
    canceled = (await desk.book("student", (await desk.offers("student"))[6])).session
    await desk.cancel("student", canceled.id)
    answer = await browser.get(f"{LIST}?{query}")
    assert answer.status_code == 200
    assert f'id="session-{canceled.id}"' in answer.text
    assert ("flash-note" in answer.text) is (note is not None)
    assert (note or "") in answer.text


def shown_counts(text: str) -> dict[str, int]:
    """How many sessions each filter shows, as a fragment brings it out of band."""
    found = re.findall(r'<span id="count-(\w+)" class="quiet" hx-swap-oob="true">(\d+)</span>', text)
    return {name: int(number) for name, number in found}


async def test_an_empty_list_says_what_will_be_here(browser: Browser) -> None:
    page = (await browser.get(LIST)).text
    assert "Set my hours" not in page
    assert "See what I offer" in page
    for status, words in (
        ("completed", "were held"),
        ("canceled", "were canceled"),
        ("no_show", "nobody came"),
    ):
        assert words in (await browser.get(f"{LIST}?status={status}")).text


async def test_who_has_no_hours_yet_is_led_to_them(desk: Desk, browser: Browser) -> None:
    await desk.sql("update mentors set working_hours = null")
    assert "Set my hours" in (await browser.get(LIST)).text


async def test_marking_inline(desk: Desk, browser: Browser, booked: SessionFacts) -> None:
    path = f"{LIST}/{booked.id}/status"
    early = await browser.post(path, {"status": "completed"}, htmx=True)
    assert early.status_code == 409
    assert early.text.lstrip().startswith(f'<article id="session-{booked.id}"')
    assert "hasn’t started" in early.text
    with clock.standing_at(booked.start + timedelta(minutes=1)):
        done = await browser.post(path, {"status": "completed"}, htmx=True)
        assert done.status_code == 200
        assert "<html" not in done.text
        assert "Completed" in done.text
        assert 'value="scheduled"' in done.text
        assert shown_counts(done.text) == {
            "all": 1,
            "completed": 1,
            "scheduled": 0,
            "canceled": 0,
            "no_show": 0,
        }
        undone = await browser.post(path, {"status": "scheduled"}, htmx=True)
        assert 'value="no_show"' in undone.text
        assert shown_counts(undone.text)["scheduled"] == 1
        plain = await browser.post(path, {"status": "no_show"})
        assert target(plain) == LIST
    assert (await desk.session(booked.id)).status is SessionStatus.NO_SHOW


async def test_a_refused_mark_comes_with_the_page(desk: Desk, browser: Browser, booked: SessionFacts) -> None:
    answer = await browser.post(f"{LIST}/{booked.id}/status", {"status": "no_show"})
    assert answer.status_code == 409
    assert "<html" in answer.text
    assert answer.text.count(f'<article id="session-{booked.id}"') == 1
    assert "hasn’t started" in answer.text


async def test_an_unknown_status_is_400(browser: Browser, booked: SessionFacts) -> None:
    for status in ("", "done", "SCHEDULED"):
        answer = await browser.post(f"{LIST}/{booked.id}/status", {"status": status})
        assert answer.status_code == 400


async def test_notes_and_recording_inline(
    desk: Desk, visit: Visit, browser: Browser, booked: SessionFacts
) -> None:
    base = f"{LIST}/{booked.id}"
    notes = await browser.post(f"{base}/notes", {"notes": "Line\r\nand <wash>"}, htmx=True)
    assert notes.status_code == 200
    assert notes.text.lstrip().startswith(f'<div id="session-{booked.id}-notes-state"')
    assert ("Saved" in notes.text, "<textarea" in notes.text) == (True, False)
    assert f'<span id="session-{booked.id}-has" class="quiet" hx-swap-oob="true">· notes</span>' in notes.text
    await desk.agree(booked.id)
    link = await browser.post(f"{base}/recording", {"recording_url": " https://example.com/r "})
    assert target(link) == LIST
    row = await desk.session(booked.id)
    assert (row.notes, row.recording_url) == ("Line\nand <wash>", "https://example.com/r")
    student = (await (await visit("student")).get(f"/sessions/{booked.id}")).text
    assert 'href="https://example.com/r"' in student
    assert "and &lt;wash&gt;" in student
    gone = await browser.post(f"{base}/recording", {"recording_url": ""}, htmx=True)
    assert gone.status_code == 200
    assert (await desk.session(booked.id)).recording_url is None


@pytest.mark.parametrize(
    ("what", "form"),
    [
        ("notes", {"notes": "x" * 5001}),
        ("notes", {"notes": "nul\x00"}),
        ("recording", {"recording_url": "http://example.com"}),
        ("recording", {"recording_url": "javascript:alert(1)"}),
        ("recording", {"recording_url": "https://"}),
        ("recording", {"recording_url": "https://exa mple.com"}),
        ("recording", {"recording_url": "https://example.com:99999/"}),
        ("recording", {"recording_url": "https://example.com/" + "x" * 2000}),
        ("recording", {"recording_url": "https://[::1"}),
        ("recording", {"recording_url": "https://example.com/a\nb"}),
        ("recording", {"recording_url": "//example.com/r"}),
        ("recording", {"recording_url": "https:example.com"}),
        ("recording", {"recording_url": "https://example.com:0/r"}),
        ("recording", {"recording_url": "https://user:secret@example.com/r"}),
    ],
)
async def test_what_cannot_be_kept_comes_back_beside_its_field(
    desk: Desk, browser: Browser, booked: SessionFacts, what: str, form: dict[str, str]
) -> None:
    answer = await browser.post(f"{LIST}/{booked.id}/{what}", form, htmx=True)
    assert answer.status_code == 422
    field = next(iter(form))
    assert f'id="session-{booked.id}-{field}-error"' in answer.text
    assert answer.text.lstrip().startswith(f'<div id="session-{booked.id}-{field}-state"')
    plain = await browser.post(f"{LIST}/{booked.id}/{what}", form)
    assert (plain.status_code, 'aria-invalid="true"' in plain.text) == (422, True)
    row = await desk.session(booked.id)
    assert (row.notes, row.recording_url) == ("", None)


async def test_canceling_from_the_dialog(desk: Desk, browser: Browser, booked: SessionFacts) -> None:
    asked = await browser.fragment(f"{LIST}/{booked.id}/cancellation")
    assert 'name="status" value="canceled"' in asked.text
    assert f'hx-target="#session-{booked.id}"' in asked.text
    done = await browser.post(f"{LIST}/{booked.id}/status", {"status": "canceled"}, htmx=True)
    assert (done.status_code, "Canceled" in done.text) == (200, True)
    assert 'value="scheduled"' in done.text


async def test_a_conflict_offers_two_ways(desk: Desk, browser: Browser, booked: SessionFacts) -> None:
    await desk.sql("update sessions set conflict = 'deleted', event_sync = 'written'")
    page = (await browser.get(LIST)).text
    assert "You deleted this session in Google Calendar" in page
    assert "Keep our time" in page
    kept = await browser.post(f"{LIST}/{booked.id}/status", {"status": "scheduled"}, htmx=True)
    assert "You deleted" not in kept.text
    row = await desk.session(booked.id)
    assert (row.conflict, row.event_sync, row.event_generation) == (None, "pending", 1)
