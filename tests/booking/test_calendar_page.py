"""`/calendar` and the move's picker: whole, by fragments, in the viewer's zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from whenever import Instant

from app.core import clock
from app.core.templating import iso
from tests.booking.conftest import Visit
from tests.booking.support import Desk


def starts_on(html: str) -> list[str]:
    return re.findall(r'<li class="slot"[^>]*data-start="([^"]+)"', html)


def day_of(start: datetime) -> str:
    """The date in New York, where the student is."""
    return Instant(start).to_tz("America/New_York").date().format_iso()


async def test_the_page_opens_on_the_first_free_day(desk: Desk, visit: Visit) -> None:
    offers = await desk.offers("student")
    page = await (await visit("student")).get("/calendar")
    assert page.status_code == 200
    assert "<html" in page.text
    day = day_of(offers[0])
    assert starts_on(page.text) == [iso(start) for start in offers if day_of(start) == day]
    assert f'data-date="{day}"' in page.text
    assert "4 sessions to book" in page.text
    assert "Lisbon is 5 hours ahead of you" in page.text or "Lisbon is 4 hours" in page.text
    assert page.text.count('<form action="/sessions"') == len(starts_on(page.text))


async def test_htmx_gets_the_day_with_its_mark(desk: Desk, visit: Visit) -> None:
    offers = await desk.offers("student")
    day = day_of(offers[0])
    browser = await visit("student")
    part = await browser.fragment(f"/calendar?mentor_id={desk.cast['mentor']}&day={day}")
    assert part.status_code == 200
    assert part.text.lstrip().startswith('<section id="day"')
    assert "<html" not in part.text
    assert "HX-Request" in part.headers["vary"]
    assert f'id="day-link-{day}"' in part.text
    assert "hx-swap-oob" in part.text
    assert starts_on(part.text) == [iso(start) for start in offers if day_of(start) == day]


async def test_htmx_gets_the_month(desk: Desk, visit: Visit) -> None:
    month = (clock.now() + timedelta(days=30)).strftime("%Y-%m")
    browser = await visit("student")
    part = await browser.fragment(f"/calendar?mentor_id={desk.cast['mentor']}&month={month}")
    assert part.text.lstrip().startswith('<section id="month"')
    assert "<html" not in part.text


async def test_counts_of_the_month_are_the_offers(desk: Desk, visit: Visit) -> None:
    offers = await desk.offers("student", days=70)
    browser = await visit("student")
    month = day_of(offers[0])[:7]
    page = await browser.get(f"/calendar?mentor_id={desk.cast['mentor']}&month={month}")
    for day in {day_of(start) for start in offers if day_of(start).startswith(month)}:
        count = sum(day_of(start) == day for start in offers)
        cell = re.search(rf'id="day-link-{day}".*?</a>', page.text, re.S)
        assert cell is not None
        assert f"{count} free time" in cell.group()


async def test_closed_times_say_why(desk: Desk, visit: Visit) -> None:
    offers = await desk.offers("student")
    booked = (await desk.book("student", offers[0])).session
    browser = await visit("student")
    day = day_of(booked.start)
    part = await browser.fragment(f"/calendar?mentor_id={desk.cast['mentor']}&day={day}")
    assert "Why not another time?" in part.text
    assert "Somebody has this time" in part.text
    assert "Outside Mentor’s hours" in part.text


async def test_an_empty_day_leads_to_the_next_free_one(desk: Desk, visit: Visit) -> None:
    today = clock.now().date().isoformat()
    browser = await visit("student")
    part = await browser.fragment(f"/calendar?mentor_id={desk.cast['mentor']}&day={today}")
    assert "Next free day:" in part.text


async def test_without_credit_times_are_shown_but_not_offered(desk: Desk, visit: Visit) -> None:
    page = await (await visit("new_student")).get(f"/calendar?mentor_id={desk.cast['mentor']}")
    assert page.status_code == 200
    assert starts_on(page.text)
    assert '<form action="/sessions"' not in page.text
    assert "You have no pack to book from" in page.text


async def test_without_any_pack_the_way_leads_to_the_instructors(visit: Visit) -> None:
    page = await (await visit("new_student")).get("/calendar")
    assert "Meet the instructors" in page.text


async def test_a_mentor_without_hours_says_so(desk: Desk, visit: Visit) -> None:
    await desk.sql("update mentors set working_hours = null")
    page = await (await visit("student")).get("/calendar")
    assert "no hours set yet" in page.text
    assert starts_on(page.text) == []


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("mentor_id=nobody", "mentor_id"),
        ("month=2026-13", "month"),
        ("month=1%00", "month"),
        ("day=2026-02-30", "day"),
        ("day=tomorrow", "day"),
        ("day=99999-01-01", "day"),
        ("day=0001-01-01", "day"),
    ],
)
async def test_nonsense_is_refused_with_the_reason(visit: Visit, query: str, reason: str) -> None:
    answer = await (await visit("student")).get(f"/calendar?{query}")
    assert answer.status_code == 400
    assert reason in answer.text


async def test_an_unknown_mentor_is_404(desk: Desk, visit: Visit) -> None:
    browser = await visit("student")
    assert (await browser.get(f"/calendar?mentor_id={desk.cast['student']}")).status_code == 404


async def test_years_away_is_an_empty_day(desk: Desk, visit: Visit) -> None:
    browser = await visit("student")
    for day in ("1999-12-31", "2099-01-01"):
        part = await browser.fragment(f"/calendar?mentor_id={desk.cast['mentor']}&day={day}")
        assert part.status_code == 200
        assert starts_on(part.text) == []


async def test_both_passes_of_a_repeated_hour_are_told_apart(desk: Desk, visit: Visit) -> None:
    await desk.sql(
        "update mentors set time_zone = 'America/New_York', horizon_days = 365, working_hours ="
        " (select jsonb_object_agg(day, cast('[[0, 1440]]' as jsonb)) from generate_series(1, 7) day)"
    )
    year = clock.now().year + (clock.now() > datetime(clock.now().year, 11, 1, tzinfo=UTC))
    first_sunday = next(d for d in range(1, 8) if datetime(year, 11, d, tzinfo=UTC).weekday() == 6)
    await desk.sql("update session_packs set expires_at = now() + interval '400 days'")
    browser = await visit("student")
    part = await browser.fragment(
        f"/calendar?mentor_id={desk.cast['mentor']}&day={year}-11-{first_sunday:02}"
    )
    assert "the first 01:30" in part.text
    assert "the second 01:30" in part.text
    assert len(starts_on(part.text)) == 50
